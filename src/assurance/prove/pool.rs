//! A pool of solvers that work in parallel.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::solver::{self, NoSolver, Solver, Solving};

/// The stack of a thread that handles formulas, in bytes. They nest as deep as there are policies, and the symbolic
/// compiler is recursive. Unused pages take no memory.
const STACK: usize = 1024 * 1024 * 1024;

/// A callback with the number of finished pieces of work and that of all.
pub type ProofProgress<'p> = &'p (dyn Fn(usize, usize) + Sync);

/// Work that is done in several steps, with progress over all of them.
pub(super) struct Steps<'p> {
    progress: ProofProgress<'p>,
    done: Cell<usize>,
    all: usize,
}

impl<'p> Steps<'p> {
    pub(super) fn new(progress: ProofProgress<'p>, all: usize) -> Self {
        Self {
            progress,
            done: Cell::new(0),
            all,
        }
    }

    /// Takes the next step, which has `pieces` pieces of work.
    pub(super) fn next<T>(&self, pieces: usize, step: impl FnOnce(ProofProgress<'_>) -> T) -> T {
        let (before, progress, all) = (self.done.get(), self.progress, self.all);
        let result = step(&|done, _| progress(before + done, all));
        self.done.set(before + pieces);
        result
    }
}

/// Does the same work on each of the items, in any order, with a solver for each job. The data that the jobs share is
/// dropped in one of their threads: formulas need the deep stack.
///
/// # Errors
/// There is no solver.
pub(super) fn each<S: Send + Sync, I: Sync, T: Send>(
    solving: &Solving,
    items: &[I],
    shared: S,
    progress: ProofProgress<'_>,
    work: impl Fn(&mut Solver<'_>, &S, &I) -> T + Sync,
) -> Result<Vec<T>, NoSolver> {
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, T)>> = Mutex::new(Vec::with_capacity(items.len()));
    let job = |shared: Arc<S>| {
        let mut solver = Solver::start(solving)?;
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else {
                return Ok(());
            };
            let result = work(&mut solver, &shared, item);
            results
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((at, result));
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, items.len());
        }
    };
    let job = &job;
    std::thread::scope(|scope| {
        // One solver is started even without items, so that a missing one is reported.
        let jobs = solving.jobs.clamp(1, items.len().max(1));
        let shared = Arc::new(shared);
        let threads: Vec<_> = (0..jobs)
            .map(|_| {
                let shared = Arc::clone(&shared);
                std::thread::Builder::new()
                    .stack_size(STACK)
                    .spawn_scoped(scope, move || job(shared))
            })
            .collect();
        drop(shared);
        let mut result = Ok(());
        for thread in threads {
            let ended = match thread {
                Ok(thread) => thread.join(),
                Err(error) => Ok(Err(solver::missing(solving, &error))),
            };
            match ended {
                Ok(ended) => result = result.and(ended),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        result
    })?;
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(at, _)| *at);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}
