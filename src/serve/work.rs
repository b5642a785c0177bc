//! The worker threads for long requests: batches, searches and explanations.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::{Semaphore, oneshot};
use tracing::Span;

use crate::fault::{Fault, ServeError};

/// The stack of each thread, in bytes: that of a main thread, so that answers do not depend on the thread.
pub(crate) const STACK: usize = 8 * 1024 * 1024;

/// A pool with a thread for each processor.
#[derive(Clone)]
pub(crate) struct Workers {
    pool: Arc<ThreadPool>,
    /// The permits of jobs: as many as threads.
    turns: Arc<Semaphore>,
}

/// Whether a client still waits for a job.
#[derive(Debug, Clone, Default)]
pub(crate) struct Waiting(Arc<AtomicBool>);

/// A guard that marks the client as gone when dropped: it has disconnected, or the answer has taken too long.
struct Gone(Waiting);

impl Waiting {
    /// Whether no client waits any longer, so that the job may end early.
    pub(crate) fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

impl Workers {
    pub(crate) fn new() -> Result<Self, ServeError> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let builder = ThreadPoolBuilder::new()
            .num_threads(threads)
            .stack_size(STACK)
            .thread_name(|number| format!("work-{number}"));
        let pool = builder
            .build()
            .map_err(|error| ServeError::Start(std::io::Error::other(error)))?;
        Ok(Self {
            pool: Arc::new(pool),
            turns: Arc::new(Semaphore::new(threads)),
        })
    }

    /// Runs a job on all threads, and waits for it.
    pub(crate) fn install<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.pool.install(work)
    }

    /// Runs a job outside the threads that serve connections.
    ///
    /// # Errors
    /// The job panicked.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Waiting) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let Ok(turn) = Arc::clone(&self.turns).acquire_owned().await else {
            return Err(Fault::broken());
        };
        let waiting = Waiting::default();
        let _gone = Gone(waiting.clone());
        let (sender, result) = oneshot::channel();
        let span = Span::current();
        self.pool.spawn(move || {
            let work = || span.in_scope(|| work(&waiting));
            let done = catch_unwind(AssertUnwindSafe(work));
            drop(turn);
            // The receiver is dropped if the client is gone.
            let _ = sender.send(done);
        });
        match result.await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(_)) | Err(_) => {
                tracing::error!("a piece of work ended in a panic");
                Err(Fault::broken())
            }
        }
    }
}
