//! The runner of suites.

use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use super::{Case, Check, Suite, Suites};
use tarbac_host::decision::{Outcome, Request};
use tarbac_host::engine::Engine;

/// The result of a case.
#[derive(Debug)]
pub struct Tried<'a> {
    /// Its suite.
    pub suite: &'a Suite,
    /// The case.
    pub case: &'a Case,
    /// The engine that decided it.
    pub engine: &'a Engine,
    /// The expectations that did not hold, in order.
    pub missed: Vec<Missed<'a>>,
}

/// An expectation that did not hold.
#[derive(Debug)]
pub struct Missed<'a> {
    /// The expectation.
    pub check: &'a Check,
    /// The outcome.
    pub outcome: Outcome,
}

impl Tried<'_> {
    /// Whether every expectation held.
    pub fn passed(&self) -> bool {
        self.missed.is_empty()
    }
}

/// Runs every case, on all cores. The results are in the order of the files.
pub fn run(suites: &Suites) -> Vec<Tried<'_>> {
    let cases: Vec<(&Suite, &Case, &Engine)> = suites
        .suites
        .iter()
        .flat_map(|suite| suite.cases.iter().map(move |case| (suite, case)))
        .filter_map(|(suite, case)| Some((suite, case, suites.engine(case.setting)?)))
        .collect();
    cases
        .par_iter()
        .map(|&(suite, case, engine)| Tried {
            suite,
            case,
            engine,
            missed: case
                .checks
                .iter()
                .filter_map(|check| missed(engine, check))
                .collect(),
        })
        .collect()
}

fn missed<'a>(engine: &Engine, check: &'a Check) -> Option<Missed<'a>> {
    let outcome = outcome(engine, &check.request);
    (!check.expected.is(&outcome)).then_some(Missed { check, outcome })
}

/// The outcome of a permission as `tarbac check` gives it, or the policies that answer a question.
fn outcome(engine: &Engine, request: &Request) -> Outcome {
    let action = engine.bundle().vocabulary().action(&request.action);
    match action.is_some_and(|action| action.is_question()) {
        true => engine.decide(request),
        false => engine.answer(request).outcome,
    }
}
