//! Suites: expected decisions of the policies, and their results.
//!
//! A suite file states decisions about people and devices of the workspace, each with exactly the policies that
//! determine it. [`read`] parses the texts into [`Suites`] in which every name, policy and fact is known, or returns
//! findings; [`run`](run::run) asks the engine.
//!
//! The facts of a case (`given`) make a directory of their own, which is checked like one on disk: a case cannot be
//! about an impossible directory.
//!
//! No file is opened here; the texts of results are in `tarbac_report`.

mod document;
mod filter;
mod lookup;
mod read;
mod resolve;
mod run;
mod schema;
mod setting;
mod shared;
mod text;

use std::sync::Arc;

use tarbac_diagnostic::code::Code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};
use tarbac_host::bundle::Bundle;
use tarbac_host::decision::{Decision, Outcome, Provenance, Request};
use tarbac_host::engine::Engine;
use tarbac_host::lookup::did_you_mean;

pub use filter::{BadFilter, Filter};
pub use read::read;
pub use run::{Missed, Tried, run};
pub use schema::schema;
#[cfg(feature = "prove")]
pub(crate) use text::SuiteText;
pub(crate) use text::{BecauseText, CaseText};

/// Suites that are ready to run.
#[derive(Debug)]
pub struct Suites {
    /// The settings of the cases, each once.
    pub settings: Vec<Setting>,
    /// The suites, in the order of their files.
    pub suites: Vec<Suite>,
    provenance: Arc<Provenance>,
}

/// A choice of readings and facts, with its engine.
#[derive(Debug)]
pub struct Setting {
    /// The engine.
    pub engine: Arc<Engine>,
    /// The given facts, in order: an expression and its value.
    pub given: Vec<(String, serde_json::Value)>,
}

/// One suite.
#[derive(Debug)]
pub struct Suite {
    /// The name.
    pub name: String,
    /// Its file.
    pub source: Arc<Source>,
    /// Its cases, then its matrices, in the order of the file.
    pub cases: Vec<Case>,
    /// The table of decisions that is kept beside it.
    pub snapshot: Option<Snapshot>,
    /// The exemptions from coverage.
    pub exemptions: Vec<Exemption>,
}

/// One case: expectations under one name.
#[derive(Debug)]
pub struct Case {
    /// The name: a sentence that holds.
    pub name: String,
    /// The place of the name.
    pub place: Place,
    /// The index of its engine among the settings.
    pub setting: usize,
    /// The expectations.
    pub checks: Vec<Check>,
}

/// One expectation about one request.
#[derive(Debug)]
pub struct Check {
    /// The request.
    pub request: Request,
    /// The expectation.
    pub expected: Arc<Expected>,
    /// The place of the expectation.
    pub place: Place,
}

/// The expectation of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The decision.
    pub decision: Decision,
    /// Exactly the policies that determine it, sorted by id; `None` if only the decision is expected.
    pub because: Option<Vec<String>>,
}

/// A table of decisions that is kept beside a suite.
#[derive(Debug)]
pub struct Snapshot {
    /// The index of its engine among the settings.
    pub setting: usize,
    /// The people, actions and resources of the table.
    pub selection: tarbac_analysis::matrix::Selection,
    /// Its place in the suite.
    pub place: Place,
}

/// A policy, or a clause of it, that needs no coverage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exemption {
    /// The id of the policy.
    pub policy: String,
    /// The clause; the whole policy without it.
    pub clause: Option<String>,
    /// The reason.
    pub reason: String,
    /// Its place in the suite.
    pub place: Place,
}

impl Suites {
    /// The provenance of decisions without readings or facts of a case.
    pub fn provenance(&self) -> &Arc<Provenance> {
        &self.provenance
    }

    /// The engine of a case or snapshot.
    pub fn engine(&self, setting: usize) -> Option<&Engine> {
        Some(self.settings.get(setting)?.engine.as_ref())
    }

    /// The policies that every setting has; `None` if there is no setting.
    pub fn bundle(&self) -> Option<&Arc<Bundle>> {
        self.settings.first().map(|setting| setting.engine.bundle())
    }

    /// Every check with its engine, in order.
    pub fn checks(&self) -> impl Iterator<Item = (&Engine, &Check)> {
        self.suites
            .iter()
            .flat_map(|suite| &suite.cases)
            .filter_map(|case| Some((self.engine(case.setting)?, case)))
            .flat_map(|(engine, case)| case.checks.iter().map(move |check| (engine, check)))
    }
}

impl Expected {
    /// Whether an outcome meets the expectation.
    pub fn is(&self, outcome: &Outcome) -> bool {
        let is_because = |policies: &Vec<String>| *policies == outcome.policies;
        self.decision == outcome.decision && self.because.as_ref().is_none_or(is_because)
    }
}

/// An error finding at a place of a suite.
fn error(code: Code, message: impl Into<String>, place: Place, text: &str) -> Finding {
    Finding::error(code, message).label(place, text)
}
