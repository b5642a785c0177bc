//! Jobs: comparisons and access reviews, which take long. Each is computed, watched, and stopped.
//!
//! Two are computed at once, and sixteen are kept for ten minutes, each for its caller. A stop unwinds at the next step,
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

/// The most jobs that are computed at once.
const RUNNING: usize = 2;

/// The most jobs that are kept.
const KEPT: usize = 16;

/// The time for which a job is kept.
const LASTS: Duration = Duration::from_secs(600);

/// The payload with which a stop unwinds.
struct Stopped;

/// A finished comparison: before and after a change, or of two revisions.
pub(crate) struct ComparisonAnswer {
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

impl ComparisonAnswer {
    /// The report of the comparison.
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

/// A finished access review.
#[derive(Clone)]
pub(crate) struct ReviewAnswer {
    pub(crate) premises: Premises,
    pub(crate) review: Arc<AccessReview>,
    pub(crate) state: Arc<Provenance>,
}

/// The result of a job.
pub(crate) enum Computed {
    Comparison(Box<ComparisonAnswer>),
    Review(ReviewAnswer),
}

/// The state of a job.
#[derive(Clone)]
pub(crate) enum State {
    /// It is being computed.
    Running,
    /// It has a result, or an error.
    Done(Arc<Result<Computed, Fault>>),
    /// It was stopped.
    Stopped,
}

/// A comparison or an access review.
pub(crate) struct Job {
    pub(crate) id: String,
    caller: String,
    /// The question with the revision that it is about.
    question: String,
    began: Instant,
    progress: Counted,
    state: watch::Sender<State>,
}

/// The number of steps, and of those that are done.
#[derive(Default)]
pub(crate) struct Counted {
    parts: AtomicUsize,
    done: AtomicUsize,
    is_stopped: AtomicBool,
}

/// All jobs.
pub(crate) struct Jobs {
    pool: Arc<ThreadPool>,
    /// The number of jobs on the threads, with those that are stopped and have not noticed.
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
    /// Unwinds if the job is stopped.
    fn leave(&self) {
        if self.is_stopped.load(Ordering::Relaxed) {
            resume_unwind(Box::new(Stopped));
        }
    }
}

impl Job {
    /// The part that is done, from 0 to 1, of the steps that have begun.
    pub(crate) fn done(&self) -> f64 {
        let parts = self.progress.parts.load(Ordering::Relaxed);
        let done = self.progress.done.load(Ordering::Relaxed);
        match parts {
            0 => 0.0,
            // The last step is told by the answer.
            parts => (done as f64 / parts as f64).min(0.99),
        }
    }

    /// Its state now.
    pub(crate) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Waits until it is done, at most for this time.
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
    /// No jobs.
    ///
    /// # Errors
    /// No threads can be started.
    pub(crate) fn new() -> Result<Self, ServeError> {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let pool = ThreadPoolBuilder::new()
            .num_threads(processors)
            .stack_size(STACK)
            .thread_name(|number| format!("job-{number}"))
            .build()
            .map_err(|error| ServeError::Start(std::io::Error::other(error)))?;
        Ok(Self {
            pool: Arc::new(pool),
            running: Arc::default(),
            kept: Mutex::default(),
        })
    }

    /// The jobs of another workspace, on the same threads.
    pub(crate) fn beside(&self) -> Self {
        Self {
            pool: Arc::clone(&self.pool),
            running: Arc::clone(&self.running),
            kept: Mutex::default(),
        }
    }

    /// The job of a caller with this question; a new one if there is none.
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

    /// The job of this id, if the caller has it.
    pub(crate) fn get(&self, caller: &Caller, id: &str) -> Option<Arc<Job>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        tidy(&mut kept);
        let caller = identity(caller);
        let found = kept.iter().find(|job| job.id == id && job.caller == caller);
        found.cloned()
    }

    /// Stops a job and forgets it. Returns whether there was one.
    pub(crate) fn stop(&self, caller: &Caller, id: &str) -> bool {
        let Some(job) = self.get(caller, id) else {
            return false;
        };
        job.stop();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|known| known.id != id);
        true
    }

    /// The number of jobs that are being computed.
    pub(crate) fn running(&self) -> usize {
        self.running.load(Ordering::Relaxed)
    }
}

/// The identity of a caller: its name, and its kind of credential.
fn identity(caller: &Caller) -> String {
    format!("{:?} {}", caller.by(), caller.name())
}

/// Forgets old jobs.
fn tidy(kept: &mut Vec<Arc<Job>>) {
    kept.retain(|job| job.is_running() || job.began.elapsed() < LASTS);
}

/// Computes a job, unless it is stopped.
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
