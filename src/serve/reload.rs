//! The thread that loads the workspace again when it changes.
//!
//! Requests do not wait for it: a new workspace replaces the served one by a swap of one pointer. If the new one has
//! errors, the last good workspace stays.

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

/// The interval at which files are compared without a notification: network shares send none.
const COMPARED: Duration = Duration::from_secs(60);

/// The quiet time that ends a change, as editors save in several steps, and the longest wait for it.
const SETTLING: Duration = Duration::from_millis(500);
const UNSETTLED: Duration = Duration::from_secs(2);

/// The longest wait for the last requests of the previous workspace. After that, the last of them frees it.
const FREED: Duration = Duration::from_secs(60);

/// The pause between two checks for such requests.
const GLANCE: Duration = Duration::from_millis(5);

/// The most findings that are logged; the others are counted.
const LOGGED: usize = 3;

/// A message to the thread.
pub(crate) enum Told {
    /// Files may have changed.
    Changed,
    /// The server stops.
    Stopping,
    /// Load the workspace in any case, and send the result.
    Read(Option<oneshot::Sender<Reloaded>>),
}

/// The result of a reload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reloaded {
    /// A new revision is served.
    Ok,
    /// The workspace has the served revision.
    Unchanged,
    /// The workspace has errors; the served one stays.
    Invalid,
    /// The workspace cannot be read; the served one stays.
    Unreadable,
}

impl Reloaded {
    /// Every result.
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

/// The state of the thread that reloads the workspace.
pub(crate) struct Reloader {
    app: Arc<App>,
    origin: WorkspaceOrigin,
    /// The stamp of the files when they were last read.
    stamp: Stamp,
    /// The last failure that was logged, so that it is not logged again.
    failure: Option<String>,
    /// The previous workspace, until no request needs it.
    before: Option<Arc<Served>>,
    /// The threads that load: half as many as processors, so that requests have the rest.
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
    read_now(&app, &caller).await
}

/// Looks into the store now, where a store is followed.
#[utoipa::path(
    post,
    path = "/-/poll",
    responses(
        (status = 200, body = ReloadBody),
        (status = 422, body = ErrorObject, description = "Its newest revision cannot be taken, or it does not answer"),
        Faults
    ),
    tag = "Management"
)]
pub(crate) async fn poll(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Fault> {
    read_now(&app, &caller).await
}

async fn read_now(app: &App, caller: &Caller) -> Result<Response, Fault> {
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

/// Waits until a change has settled. Returns whether the reload is forced, and the senders that wait for its result.
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
    /// A reloader of a workspace whose files had this stamp when it was loaded.
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

    /// Reloads the workspace after each message or change, until the process ends.
    pub(crate) fn run(mut self, told: &Receiver<Told>, sender: &Sender<Told>) {
        let is_watching = self.app.settings.watch;
        let mut watch = is_watching.then(|| Watch::new(&self.origin.layout, sender));
        if is_watching {
            // Files may have changed before they were watched.
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
            // Folders may have come or gone. They are watched anew before the reload, so that no change is missed.
            if let Some(watch) = &mut watch {
                *watch = Watch::new(&self.origin.layout, sender);
            }
            let result = self.read(is_forced);
            for reply in replies {
                // The request may have been cancelled.
                let _ = reply.send(result);
            }
        }
    }

    /// Loads the workspace if forced, or if its stamp has changed.
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

    /// Serves a loaded workspace, unless its revision is served already.
    fn take(&mut self, served: Served, stamp: Stamp) -> Reloaded {
        self.stamp = stamp;
        self.failure = None;
        self.app.fails(None);
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
        if self.app.settings.page {
            served.name_index();
        }
        self.before = Some(before);
        Reloaded::Ok
    }

    /// Keeps the served workspace, and logs the reason once.
    fn refuse(&mut self, error: &LoadError, stamp: Stamp) -> Reloaded {
        let (result, message) = match error {
            LoadError::Invalid(findings) => {
                // It is not loaded again until a file changes.
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
            self.app.fails(Some(message.clone()));
            self.failure = Some(message);
        }
        result
    }
}

/// Findings in a line, each with its file and line.
pub(crate) fn listed(findings: &[Finding]) -> String {
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

/// Frees the previous workspace once no request needs it, so that no request spends its time on that.
fn free(before: Arc<Served>) {
    let began = clock::instant();
    while Arc::strong_count(&before) > 1 && began.elapsed() < FREED {
        thread::sleep(GLANCE);
    }
    tracing::debug!(took = ?began.elapsed(), "what was served before is freed");
    drop(before);
}
