//! The thread that reads newer revisions of stores, off the path of requests.
//!
//! A thread looks after some of the stores. A revision is read as a whole and takes the place of what was served in one
//! pointer; one that cannot be taken is told, and what is served stays.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rayon::ThreadPool;
use tarbac_host::{LoadError, Workspace};
use tokio::sync::oneshot;

use crate::app::App;
use crate::clock;
use crate::freshness::Freshness;
use crate::history::StoreHistory;
use crate::origin::WorkspaceOrigin;
use crate::reload::{Reloaded, Told, listed};
use crate::served::Served;
use crate::source::{
    FollowSettings, FollowerReport, RevisionError, RevisionName, RevisionSource, SourceError,
};

/// The longest pause between two looks, however often the store has failed.
const LONGEST: Duration = Duration::from_secs(300);

/// The pause between two reports.
const REPORTED: Duration = Duration::from_secs(30);

/// The pause between two checks whether a previous workspace is still needed.
const FREED_POLL: Duration = Duration::from_millis(50);

/// A message to a thread: the place of a store among those of the thread, and what is told.
pub(crate) type Message = (usize, Told);

/// A store that is followed.
pub(crate) struct Follower {
    source: Box<dyn RevisionSource>,
    settings: FollowSettings,
    freshness: Arc<Freshness>,
    /// The state that serves it, once there is something to serve.
    app: Option<Arc<App>>,
    /// The receiver of messages from its server.
    messages: Sender<Message>,
    place: usize,
    /// The threads that read.
    threads: Arc<ThreadPool>,
    since: Timestamp,
    due: Instant,
    report_due: Instant,
    failures: u32,
    /// The last line of the log, so that it is logged once.
    told: Option<SourceError>,
    /// The previous workspaces, until no request needs them.
    before: Vec<Arc<Served>>,
}

/// The server of a workspace that is served for the first time.
pub(crate) type Begin<'b> =
    &'b mut dyn FnMut(Served, &Arc<Freshness>, Sender<Message>, usize) -> Option<Arc<App>>;

impl Follower {
    pub(crate) fn new(
        source: Box<dyn RevisionSource>,
        settings: FollowSettings,
        (messages, place): (Sender<Message>, usize),
        threads: &Arc<ThreadPool>,
    ) -> Self {
        let now = clock::instant();
        let history = StoreHistory::new(source.history());
        Self {
            source,
            settings,
            freshness: Arc::new(Freshness::new(settings, history)),
            app: None,
            messages,
            place,
            threads: Arc::clone(threads),
            since: clock::now(),
            due: now,
            report_due: now,
            failures: 0,
            told: None,
            before: Vec::new(),
        }
    }

    /// Looks into the store for the first time, and begins to serve; what is kept on this machine if the store does not
    /// answer.
    ///
    /// # Errors
    /// There is nothing that can be served.
    pub(crate) fn begin(&mut self, begin: Begin<'_>) -> Result<(), SourceError> {
        let polled = self.poll(begin);
        if self.app.is_some() {
            return Ok(());
        }
        let reason = match polled {
            Ok(poll) => match poll.last() {
                Some((number, reason)) => SourceError::Rejected {
                    number: *number,
                    reason: reason.clone(),
                },
                None => SourceError::Empty,
            },
            Err(error) => error,
        };
        self.take_kept(begin).map_err(|kept| SourceError::Nothing {
            there: Box::new(reason.clone()),
            here: Box::new(kept),
        })?;
        tracing::warn!(
            store = self.source.place(),
            "serving what was kept on this machine: {reason}"
        );
        self.told = Some(reason);
        Ok(())
    }

    fn take_kept(&mut self, begin: Begin<'_>) -> Result<(), SourceError> {
        let mut first = None;
        let threads = Arc::clone(&self.threads);
        self.source.take_kept(&mut |origin, name| {
            first = Some((read(&threads, origin, name)?, name.number));
            Ok(())
        })?;
        if let Some((served, number)) = first {
            self.serve(served, number, true, begin);
        }
        Ok(())
    }

    /// Looks into the store; what it has that cannot be taken.
    fn poll(&mut self, begin: Begin<'_>) -> Result<Vec<(u64, String)>, SourceError> {
        let began = clock::instant();
        let mut taken = None;
        let threads = Arc::clone(&self.threads);
        let polled = self.source.poll(&mut |origin, name| {
            taken = Some((read(&threads, origin, name)?, name.number));
            Ok(())
        });
        let is_new = taken.is_some();
        if let Some((served, number)) = taken {
            self.serve(served, number, false, begin);
        }
        if let Some(app) = &self.app {
            let result = match (&polled, is_new) {
                (_, true) => Some(Reloaded::Ok),
                (Ok(poll), false) if !poll.rejected.is_empty() => Some(Reloaded::Invalid),
                _ => None,
            };
            if let Some(result) = result {
                app.metrics.served.reloaded(result, began.elapsed());
            }
        }
        let result = match polled {
            Ok(poll) => {
                self.failures = 0;
                self.freshness.heard(poll.newest);
                for (number, reason) in &poll.rejected {
                    tracing::error!(store = self.source.place(), "rejected: {number}: {reason}");
                }
                if self.told.take().is_some() {
                    tracing::info!(store = self.source.place(), "the store answers again");
                }
                Ok(poll.rejected)
            }
            Err(error) => {
                self.failures = self.failures.saturating_add(1);
                if self.told.as_ref() != Some(&error) {
                    tracing::error!(
                        store = self.source.place(),
                        "the store does not answer: {error}"
                    );
                    self.told = Some(error.clone());
                }
                Err(error)
            }
        };
        self.due = clock::instant() + self.pause();
        if let Some(app) = &self.app {
            app.metrics
                .store
                .polled(app.workspace(), result.is_ok(), &self.freshness);
        }
        result
    }

    /// Serves a revision from here on.
    fn serve(&mut self, served: Served, number: u64, is_kept: bool, begin: Begin<'_>) {
        let revision = served.revision().to_owned();
        match &self.app {
            Some(app) => self.before.push(app.serve(served)),
            None => self.app = begin(served, &self.freshness, self.messages.clone(), self.place),
        }
        self.since = clock::now();
        self.report_due = clock::instant();
        // A request that waits for this number is served with it.
        self.freshness.serves(number, is_kept);
        tracing::info!(store = self.source.place(), number, revision, "taken");
    }

    /// The pause until the next look: longer after failures, and never the same for all.
    fn pause(&self) -> Duration {
        let doubled = 1_u32.checked_shl(self.failures.min(16)).unwrap_or(1);
        let pause = self.settings.poll.saturating_mul(doubled);
        let pause = pause.min(LONGEST.max(self.settings.poll));
        let share = getrandom::u32().unwrap_or(u32::MAX / 2);
        pause.mul_f64(0.8 + 0.4 * f64::from(share) / f64::from(u32::MAX))
    }

    /// Tells others how the server is.
    fn report(&mut self) {
        self.report_due = clock::instant() + REPORTED;
        let Some(app) = &self.app else {
            return;
        };
        let report = FollowerReport {
            number: self.freshness.number(),
            id: app.served().revision().to_owned(),
            since: self.since,
            is_stale: self.freshness.is_silent() || self.freshness.is_kept(),
            is_rejecting: self.freshness.is_rejecting(),
        };
        if let Err(error) = self.source.report(&report) {
            tracing::debug!(store = self.source.place(), "not announced: {error}");
        }
    }

    /// Its place among those of its thread.
    pub(crate) fn place(&self) -> usize {
        self.place
    }

    fn next(&self) -> Instant {
        self.due.min(self.report_due)
    }
}

/// Reads a revision, ready to decide; otherwise what is wrong with it.
fn read(
    threads: &ThreadPool,
    origin: &WorkspaceOrigin,
    name: RevisionName,
) -> Result<Served, RevisionError> {
    let load = || Ok(Served::of_store(load(origin)?, name));
    let loaded = catch_unwind(AssertUnwindSafe(|| threads.install(load)));
    loaded.unwrap_or(Err(RevisionError::Panic))
}

/// Reads the workspace of a revision; otherwise what is wrong with it, without the folder that it is read from.
pub(crate) fn load(origin: &WorkspaceOrigin) -> Result<Workspace, RevisionError> {
    let root = format!("{}/", origin.layout.root.display());
    let loaded = Workspace::load_by(&origin.layout, &origin.switches, &origin.options);
    loaded.map_err(|error| {
        let said = match error {
            LoadError::Invalid(findings) => listed(&findings),
            other => other.to_string(),
        };
        RevisionError::Invalid(said.replace(&root, ""))
    })
}

/// Looks after some stores, as long as the process is there.
pub(crate) fn run(mut followers: Vec<Follower>, messages: &Receiver<Message>, begin: Begin<'_>) {
    loop {
        let now = clock::instant();
        let next = followers.iter().map(Follower::next).min();
        let mut pause = next.map_or(LONGEST, |next| next.saturating_duration_since(now));
        if followers.iter().any(|of| !of.before.is_empty()) {
            pause = pause.min(FREED_POLL);
        }
        match messages.recv_timeout(pause) {
            Ok((place, told)) => {
                let mut replies: Vec<oneshot::Sender<Reloaded>> = Vec::new();
                let mut places = vec![place];
                // Several that ask at once are answered by one look.
                let mut next = Some(told);
                while let Some(told) = next {
                    if matches!(told, Told::Stopping) {
                        followers.iter_mut().for_each(|of| of.source.leave());
                        return;
                    }
                    if let Told::Read(Some(reply)) = told {
                        replies.push(reply);
                    }
                    next = messages.try_recv().ok().map(|(place, told)| {
                        places.push(place);
                        told
                    });
                }
                places.sort_unstable();
                places.dedup();
                let mut result = Reloaded::Unchanged;
                for place in places {
                    let Some(follower) = followers.iter_mut().find(|of| of.place == place) else {
                        continue;
                    };
                    result = looked(follower, begin);
                }
                for reply in replies {
                    // The receiver may be gone.
                    let _ = reply.send(result);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let now = clock::instant();
        for follower in &mut followers {
            // The last that holds it frees it here, and no request does.
            follower
                .before
                .retain(|before| Arc::strong_count(before) > 1);
            if follower.due <= now {
                looked(follower, begin);
            }
            if follower.report_due <= now {
                follower.report();
            }
        }
    }
}

/// Looks into a store, and says how that went.
fn looked(follower: &mut Follower, begin: Begin<'_>) -> Reloaded {
    let before = follower.freshness.number();
    match follower.poll(begin) {
        Err(_) => Reloaded::Unreadable,
        Ok(_) if follower.freshness.number() > before => Reloaded::Ok,
        Ok(_) if follower.freshness.is_rejecting() => Reloaded::Invalid,
        Ok(_) => Reloaded::Unchanged,
    }
}
