//! Long work, comparisons and access reviews: computed, watched, waited for, and stopped.
//!
//! Two are computed at once, and sixteen are kept for ten minutes, each for whoever asked. A stop unwinds at the next step,
//! as the queries of an editor are cancelled: nothing that others use is half made then.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tarbac_analysis::access_review::AccessReview;
use tarbac_analysis::change::impact::Impact;
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::inquiry::{InquiryStep, Progress};
use tarbac_analysis::plan::PlannedRoles;
use tarbac_host::Provenance;
use tarbac_report::impact::ImpactReport;
use tokio::sync::watch;
use uuid::Uuid;

use crate::caller::Caller;
use crate::clock;
use crate::explore::GraphRequest;
use crate::fault::{Fault, ServeError};
use crate::work::STACK;

/// So many are computed at once.
const RUNNING: usize = 2;

/// So many are kept.
const KEPT: usize = 16;

/// For so long.
const LASTS: Duration = Duration::from_secs(600);

/// What a stop unwinds with.
struct Stopped;

/// A comparison that was made: before and after a change, or of two revisions.
pub(crate) struct WhatIf {
    pub(crate) premises: Premises,
    pub(crate) impact: Impact,
    pub(crate) roles: PlannedRoles,
    pub(crate) states: [Arc<Provenance>; 2],
    /// The names of the two states, where two revisions were compared.
    pub(crate) names: Option<[String; 2]>,
    /// The role changes of the plan for Microsoft Graph.
    pub(crate) bodies: Vec<Option<GraphRequest>>,
    /// The equal command line.
    pub(crate) command: String,
}

impl WhatIf {
    /// The report of it.
    pub(crate) fn report(&self) -> ImpactReport<'_> {
        let [before, after] = &self.states;
        ImpactReport {
            premises: &self.premises,
            impact: &self.impact,
            roles: &self.roles,
            states: [before, after],
            at_hand: match self.names {
                None => before,
                Some(_) => after,
            },
        }
    }
}

/// An access review that was made.
#[derive(Clone)]
pub(crate) struct Reviewed {
    pub(crate) premises: Premises,
    pub(crate) review: Arc<AccessReview>,
    pub(crate) state: Arc<Provenance>,
}

/// What was computed.
pub(crate) enum Computed {
    Comparison(Box<WhatIf>),
    Review(Reviewed),
}

/// How far something is.
#[derive(Clone)]
pub(crate) enum State {
    /// It is being computed.
    Running,
    /// It is made, or cannot be.
    Done(Arc<Result<Computed, Fault>>),
    /// It was stopped.
    Stopped,
}

/// A piece of work.
pub(crate) struct Job {
    pub(crate) id: String,
    /// Who asked, and for what: the question with the revision.
    caller: String,
    question: String,
    began: Instant,
    progress: Counted,
    state: watch::Sender<State>,
}

/// The steps that are done.
#[derive(Default)]
pub(crate) struct Counted {
    parts: AtomicUsize,
    done: AtomicUsize,
    is_stopped: AtomicBool,
}

/// All pieces of work.
pub(crate) struct Jobs {
    pool: Arc<ThreadPool>,
    /// How many are being computed, those included that were stopped and have not noticed.
    running: Arc<AtomicUsize>,
    kept: Mutex<Vec<Arc<Job>>>,
}

impl Progress for Counted {
    fn begin(&self, _: InquiryStep, parts: usize) {
        self.parts.fetch_add(parts, Ordering::Relaxed);
        self.leave();
    }

    fn advance(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.leave();
    }

    fn end(&self) {
        self.leave();
    }
}

impl Counted {
    /// Unwinds where nobody wants the rest.
    fn leave(&self) {
        if self.is_stopped.load(Ordering::Relaxed) {
            resume_unwind(Box::new(Stopped));
        }
    }
}

impl Job {
    /// How much of it is done, from 0 to 1; of steps that have begun.
    pub(crate) fn done(&self) -> f64 {
        let parts = self.progress.parts.load(Ordering::Relaxed);
        let done = self.progress.done.load(Ordering::Relaxed);
        match parts {
            0 => 0.0,
            // The last step is told by the answer.
            parts => (done as f64 / parts as f64).min(0.99),
        }
    }

    /// What has become of it.
    pub(crate) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Waits until it is done, for so long at most.
    pub(crate) async fn wait(&self, longest: Duration) -> State {
        let mut state = self.state.subscribe();
        let done = state.wait_for(|state| !matches!(state, State::Running));
        let _ = tokio::time::timeout(longest, done).await;
        self.state()
    }

    fn is_running(&self) -> bool {
        matches!(*self.state.borrow(), State::Running)
    }

    fn stop(&self) {
        self.progress.is_stopped.store(true, Ordering::Relaxed);
        self.state.send_if_modified(|state| {
            let is_running = matches!(state, State::Running);
            if is_running {
                *state = State::Stopped;
            }
            is_running
        });
    }
}

impl Jobs {
    /// None.
    ///
    /// # Errors
    /// No threads can be started.
    pub(crate) fn new() -> Result<Self, ServeError> {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let pool = ThreadPoolBuilder::new()
            .num_threads(processors)
            .stack_size(STACK)
            .thread_name(|number| format!("what-if-{number}"))
            .build()
            .map_err(|error| ServeError::Start(std::io::Error::other(error)))?;
        Ok(Self {
            pool: Arc::new(pool),
            running: Arc::default(),
            kept: Mutex::default(),
        })
    }

    /// Those of another workspace, on the same threads.
    pub(crate) fn beside(&self) -> Self {
        Self {
            pool: Arc::clone(&self.pool),
            running: Arc::clone(&self.running),
            kept: Mutex::default(),
        }
    }

    /// The work that a caller asks for: what it has asked for already, or a new one.
    ///
    /// # Errors
    /// Two are running.
    pub(crate) fn ask(
        &self,
        caller: &Caller,
        question: &str,
        compute: impl FnOnce(&dyn Progress) -> Result<Computed, Fault> + Send + 'static,
    ) -> Result<Arc<Job>, Fault> {
        let caller = identity(caller);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        tidy(&mut kept);
        let is_same = |job: &&Arc<Job>| {
            let is_stopped = matches!(*job.state.borrow(), State::Stopped);
            job.caller == caller && job.question == question && !is_stopped
        };
        if let Some(known) = kept.iter().find(is_same) {
            return Ok(Arc::clone(known));
        }
        if self.running() >= RUNNING {
            let message = "two comparisons or reviews are being computed; wait for one, or stop it";
            return Err(Fault::new(StatusCode::TOO_MANY_REQUESTS, message));
        }
        let job = Arc::new(Job {
            id: Uuid::now_v7().simple().to_string(),
            caller,
            question: question.to_owned(),
            began: clock::instant(),
            progress: Counted::default(),
            state: watch::Sender::new(State::Running),
        });
        if kept.len() >= KEPT
            && let Some(oldest) = kept.iter().position(|job| !job.is_running())
        {
            kept.remove(oldest);
        }
        kept.push(Arc::clone(&job));
        let begun = Arc::clone(&job);
        let running = Arc::clone(&self.running);
        running.fetch_add(1, Ordering::Relaxed);
        self.pool.spawn(move || {
            run(&begun, compute);
            running.fetch_sub(1, Ordering::Relaxed);
        });
        Ok(job)
    }

    /// The work of this id, if it is that of the caller.
    pub(crate) fn get(&self, caller: &Caller, id: &str) -> Option<Arc<Job>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        tidy(&mut kept);
        let caller = identity(caller);
        let found = kept.iter().find(|job| job.id == id && job.caller == caller);
        found.cloned()
    }

    /// Stops a piece of work and forgets it; whether there was one.
    pub(crate) fn stop(&self, caller: &Caller, id: &str) -> bool {
        let Some(job) = self.get(caller, id) else {
            return false;
        };
        job.stop();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|known| known.id != id);
        true
    }

    /// How many are being computed.
    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }
}

/// Who asks, by name and by how it was said.
fn identity(caller: &Caller) -> String {
    format!("{:?} {}", caller.by(), caller.name())
}

/// Forgets what is too old.
fn tidy(kept: &mut Vec<Arc<Job>>) {
    kept.retain(|job| job.is_running() || job.began.elapsed() < LASTS);
}

/// Does a piece of work, unless it is stopped.
fn run(job: &Job, compute: impl FnOnce(&dyn Progress) -> Result<Computed, Fault>) {
    let made = catch_unwind(AssertUnwindSafe(|| {
        job.progress.leave();
        compute(&job.progress)
    }));
    let state = match made {
        Ok(made) => State::Done(Arc::new(made)),
        Err(reason) if reason.is::<Stopped>() => State::Stopped,
        Err(_) => {
            tracing::error!("a comparison or review ended in a panic");
            State::Done(Arc::new(Err(Fault::broken())))
        }
    };
    job.state.send_if_modified(|known| {
        let is_running = matches!(known, State::Running);
        if is_running {
            *known = state;
        }
        is_running
    });
}
