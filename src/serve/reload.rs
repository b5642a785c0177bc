//! The workspace that is read again when it changes, off the path of requests.
//!
//! One thread reads. What it has read takes the place of what was served in one pointer; what has errors takes no
//! place, and the last good workspace stays.

mod watch;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use rayon::{ThreadPool, ThreadPoolBuilder};
use serde::Serialize;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::LoadError;
use tarbac_host::excerpt::Excerpts;
use tokio::sync::oneshot;
use utoipa::ToSchema;

use crate::app::App;
use crate::caller::{Caller, Right};
use crate::clock;
use crate::fault::{self, Fault, ServeError};
use crate::openapi::{ErrorObject, Faults};
use crate::origin::WorkspaceOrigin;
use crate::served::Served;
use crate::stamp::Stamp;
use crate::systemd;
use crate::work::STACK;
use watch::Watch;

/// How often files are compared that nobody has told to have changed: network shares tell nothing.
const COMPARED: Duration = Duration::from_secs(60);

/// The pause that ends a change, as editors save in several steps, and how long one is waited for.
const SETTLING: Duration = Duration::from_millis(500);
const UNSETTLED: Duration = Duration::from_secs(2);

/// How long the last requests of what was served before may take, until it is left to them to free it.
const FREED: Duration = Duration::from_secs(60);

/// The pause between two glances at them.
const GLANCE: Duration = Duration::from_millis(5);

/// So many findings are logged, and the others counted.
const LOGGED: usize = 3;

/// Something that the thread is told.
pub(crate) enum Told {
    /// Files may have changed.
    Changed,
    /// To read the workspace in any case, and to tell how that went.
    Read(Option<oneshot::Sender<Reloaded>>),
}

/// How a reading went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reloaded {
    /// A new revision is served.
    Ok,
    /// It has the content that is served.
    Unchanged,
    /// It has errors, so what was served stays.
    Invalid,
    /// It cannot be read, so what was served stays.
    Unreadable,
}

impl Reloaded {
    /// Every way.
    pub(crate) const ALL: [Self; 4] = [Self::Ok, Self::Unchanged, Self::Invalid, Self::Unreadable];

    /// The word in JSON and in metrics.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Unchanged => "unchanged",
            Self::Invalid => "invalid",
            Self::Unreadable => "unreadable",
        }
    }
}

/// The answer to `POST /-/reload`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReloadBody {
    result: &'static str,
    revision: String,
}

/// What reads the workspace again.
pub(crate) struct Reloader {
    app: Arc<App>,
    origin: WorkspaceOrigin,
    /// The state of the files when they were read last.
    stamp: Stamp,
    /// What was logged of the last failure, so that it is logged once.
    failure: Option<String>,
    /// What was served before, until no request needs it.
    before: Option<Arc<Served>>,
    /// The threads that read: half of the processors, so that requests have the others.
    threads: ThreadPool,
}

/// Reads the workspace again.
#[utoipa::path(
    post,
    path = "/-/reload",
    responses(
        (status = 200, body = ReloadBody),
        (status = 422, body = ErrorObject, description = "It has errors, or cannot be read"),
        Faults
    ),
    tag = "Management"
)]
pub(crate) async fn reload(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Fault> {
    caller.demand(Right::Operate)?;
    let (sender, reply) = oneshot::channel();
    app.tell(Told::Read(Some(sender)));
    let Ok(result) = reply.await else {
        return Err(Fault::unavailable("the server is stopping"));
    };
    match result {
        Reloaded::Ok | Reloaded::Unchanged => {
            let body = ReloadBody {
                result: result.word(),
                revision: app.served().revision().to_owned(),
            };
            Ok(fault::json(StatusCode::OK, &body))
        }
        Reloaded::Invalid => Err(failed("the workspace has errors, which the log tells")),
        Reloaded::Unreadable => Err(failed("the workspace cannot be read; the log says why")),
    }
}

fn failed(message: &str) -> Fault {
    Fault::new(StatusCode::UNPROCESSABLE_ENTITY, message)
}

/// Waits for the end of a change that has begun: whether the workspace is to be read in any case, and who wants to know.
fn settled(first: Told, told: &Receiver<Told>) -> (bool, Vec<oneshot::Sender<Reloaded>>) {
    let mut replies = Vec::new();
    let mut is_forced = false;
    let began = clock::instant();
    let mut next = Ok(first);
    while let Ok(told_now) = next {
        if let Told::Read(reply) = told_now {
            is_forced = true;
            replies.extend(reply);
        }
        let pause = match is_forced || began.elapsed() > UNSETTLED {
            true => Duration::ZERO,
            false => SETTLING,
        };
        next = told.recv_timeout(pause);
    }
    (is_forced, replies)
}

impl Reloader {
    /// What reads a workspace again that was read when its files were in this state.
    ///
    /// # Errors
    /// No threads can be started.
    pub(crate) fn new(
        app: Arc<App>,
        origin: WorkspaceOrigin,
        stamp: Stamp,
    ) -> Result<Self, ServeError> {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let threads = ThreadPoolBuilder::new()
            .num_threads(processors.div_ceil(2))
            .stack_size(STACK)
            .thread_name(|number| format!("read-{number}"))
            .build()
            .map_err(|error| ServeError::Start(io::Error::other(error)))?;
        Ok(Self {
            app,
            origin,
            stamp,
            failure: None,
            before: None,
            threads,
        })
    }

    /// Reads whenever that is called for, as long as the process is there.
    pub(crate) fn run(mut self, told: &Receiver<Told>, sender: &Sender<Told>) {
        let is_watching = self.app.settings.watch;
        let mut watch = is_watching.then(|| Watch::new(&self.origin.layout, sender));
        if is_watching {
            // It may have changed before it was watched.
            self.read(false);
        }
        loop {
            if let Some(before) = self.before.take() {
                free(before);
            }
            let first = match is_watching {
                true => told.recv_timeout(COMPARED),
                false => told.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            let (is_forced, replies) = match first {
                Ok(first) => settled(first, told),
                Err(RecvTimeoutError::Timeout) => (false, Vec::new()),
                Err(RecvTimeoutError::Disconnected) => return,
            };
            tracing::debug!(is_forced, "the workspace may have changed");
            // Folders may have come or gone. What changes from here on is told, what has changed is read now.
            if let Some(watch) = &mut watch {
                *watch = Watch::new(&self.origin.layout, sender);
            }
            let result = self.read(is_forced);
            for reply in replies {
                // Whoever asked may have gone.
                let _ = reply.send(result);
            }
        }
    }

    /// Reads the workspace if its files are in another state than when they were read last.
    fn read(&mut self, is_forced: bool) -> Reloaded {
        let stamp = Stamp::new(&self.origin.layout);
        if stamp == self.stamp && !is_forced {
            return Reloaded::Unchanged;
        }
        systemd::reloading();
        let began = clock::instant();
        let load = || {
            let loaded = self.origin.load()?;
            let served = Served::new(loaded.workspace);
            Ok::<_, LoadError>((served, loaded.stamp))
        };
        let loaded = catch_unwind(AssertUnwindSafe(|| self.threads.install(load)));
        let result = match loaded {
            Ok(Ok((served, stamp))) => self.take(served, stamp),
            Ok(Err(error)) => self.refuse(&error, stamp),
            Err(_) => {
                tracing::error!("the reading of the workspace ended in a panic");
                self.stamp = stamp;
                Reloaded::Unreadable
            }
        };
        systemd::ready();
        self.app.metrics.served.reloaded(result, began.elapsed());
        result
    }

    /// Serves what was read, unless that is served already.
    fn take(&mut self, served: Served, stamp: Stamp) -> Reloaded {
        self.stamp = stamp;
        self.failure = None;
        let now = self.app.served();
        let is_damaged = now.engine.directory().is_damaged();
        let known = &now.engine.provenance().revision;
        if served.engine.provenance().revision == *known && !is_damaged {
            return Reloaded::Unchanged;
        }
        drop(now);
        let before = self.app.serve(served);
        let served = self.app.served();
        tracing::info!(
            revision = served.revision(),
            before = before.revision(),
            policies = served.engine.bundle().policies().len(),
            entities = served.engine.directory().len(),
            warnings = served.findings.len(),
            "reloaded"
        );
        self.before = Some(before);
        Reloaded::Ok
    }

    /// Keeps what is served, and logs why, once.
    fn refuse(&mut self, error: &LoadError, stamp: Stamp) -> Reloaded {
        let (result, message) = match error {
            LoadError::Invalid(findings) => {
                // It stays wrong until a file changes.
                self.stamp = stamp;
                (Reloaded::Invalid, listed(findings))
            }
            LoadError::Unreadable(_) | LoadError::Reading(_) => {
                (Reloaded::Unreadable, error.to_string())
            }
        };
        if self.failure.as_ref() != Some(&message) {
            let served = self.app.served();
            let revision = served.revision();
            tracing::error!(
                revision,
                "the workspace changed and is not served: {message}"
            );
            self.failure = Some(message);
        }
        result
    }
}

/// Findings in a line, each with its file and line.
fn listed(findings: &[Finding]) -> String {
    let excerpts = Excerpts::read(findings);
    let told = findings.iter().take(LOGGED).map(|finding| {
        let place = finding.places().next();
        let line = place.and_then(|place| excerpts.at(place)).map(|of| of.line);
        match (place, line) {
            (Some(place), Some(line)) => {
                format!("{}:{line}: {}", place.source.name, finding.message)
            }
            (Some(place), None) => format!("{}: {}", place.source.name, finding.message),
            (None, _) => finding.message.clone(),
        }
    });
    let mut told: Vec<String> = told.collect();
    let more = findings.len().saturating_sub(LOGGED);
    if more > 0 {
        told.push(format!("and {more} more"));
    }
    told.join("; ")
}

/// Waits until no request needs what was served before, so that it is freed here and not by one of them.
fn free(before: Arc<Served>) {
    let began = clock::instant();
    while Arc::strong_count(&before) > 1 && began.elapsed() < FREED {
        thread::sleep(GLANCE);
    }
    tracing::debug!(took = ?began.elapsed(), "what was served before is freed");
    drop(before);
}
