//! Work that solvers do side by side.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::solver::{NoSolver, Solver, Solving};

/// Told how many of how many pieces of work are done.
pub type Progress<'p> = &'p (dyn Fn(usize, usize) + Sync);

/// Does the same work on each of the items, in any order, with a solver for each job.
///
/// # Errors
/// There is no solver.
pub(super) fn each<I: Sync, T: Send>(
    solving: &Solving,
    items: &[I],
    progress: Progress<'_>,
    work: impl Fn(&mut Solver<'_>, &I) -> T + Sync,
) -> Result<Vec<T>, NoSolver> {
    let next = AtomicUsize::new(0);
    let done = AtomicUsize::new(0);
    let results: Mutex<Vec<(usize, T)>> = Mutex::new(Vec::with_capacity(items.len()));
    let one = || {
        let mut solver = Solver::start(solving)?;
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else {
                return Ok(());
            };
            let result = work(&mut solver, item);
            results
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((at, result));
            progress(done.fetch_add(1, Ordering::Relaxed) + 1, items.len());
        }
    };
    std::thread::scope(|scope| {
        // Even where nothing is to be asked, a solver that is missing is said to be.
        let jobs = solving.jobs.clamp(1, items.len().max(1));
        let threads: Vec<_> = (0..jobs).map(|_| scope.spawn(one)).collect();
        threads
            .into_iter()
            .map(|thread| match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect::<Vec<Result<(), NoSolver>>>()
            .into_iter()
            .collect::<Result<(), NoSolver>>()
    })?;
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(at, _)| *at);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}
