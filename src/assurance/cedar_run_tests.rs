//! The tests of `cedar run-tests`, Cedar's own command line: read, run and written.
//!
//! A file of them is a JSON array of
//! `{"name"?, "request": {"principal", "action", "resource", "context"}, "entities", "decision",
//! "reason", "num_errors"}`. Each test brings its own entities, or names a file with them, relative to its own
//! file; the directory of the workspace is not used. The principal, action and resource are strings such as
//! `User::"ada"`; other keys are ignored.
//!
//! A test passes by the rule of that program: plain Cedar gives the decision, each policy of `reason` is among the
//! determining ones, and exactly `num_errors` policies could not be evaluated. Entities, context and request must
//! conform to the schema, as with `--schema`. Two things are stricter: a key given twice within a test is an error,
//! and the policies come from a bundle, which has no errors.
//!
//! [`run_without_schema`] checks no conformance, like that program without `--schema`.
//!
//! [`read`] parses a file, [`run`] decides, [`write`](write()) writes our own tests in this format, and
//! [`policies_in_force`] the policies that the other program needs with them. No file is opened here.

mod entities;
mod error;
mod plain;
mod policies;
mod read;
mod run;
mod write;

use std::fmt;
use std::sync::Arc;

use crate::test_report::{self, Group, Test};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source};
use tarbac_host::decision::Decision;

pub use error::WriteError;
pub use plain::run_without_schema;
pub use policies::policies_in_force;
pub use read::read;
pub use run::run;
pub use write::{Expectation, Skipped, WrittenTests, write};

/// The substitute for a missing name.
const UNNAMED: &str = "(unnamed)";

/// A test of a file, borrowed from the text of the file.
#[derive(Debug)]
pub struct CedarTest<'t> {
    /// Its name; a test need not have one.
    pub name: Option<String>,
    /// Its place in the file.
    pub place: Place,
    case: Result<Case<'t>, Finding>,
}

/// The request and the expectation of a test.
#[derive(Debug)]
struct Case<'t> {
    principal: String,
    action: String,
    resource: String,
    context: &'t str,
    entities: EntitiesOf<'t>,
    expected: Expected,
}

/// The place of the entities of a test.
#[derive(Debug)]
enum EntitiesOf<'t> {
    /// In the test.
    Test(&'t str),
    /// In this file, relative to the folder of the test's file.
    File(String),
}

#[derive(Debug)]
struct Expected {
    decision: Decision,
    reason: Vec<String>,
    errors: usize,
}

/// The answer of plain Cedar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Allow or deny.
    pub decision: Decision,
    /// The ids of the determining policies, sorted.
    pub policies: Vec<String>,
    /// The error of each policy that could not be evaluated; sorted.
    pub errors: Vec<String>,
}

/// The result of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TestOutcome {
    /// The answer is the expected one.
    Passed(Response),
    /// The answer differs, in these ways.
    Failed(Response, Vec<AnswerDifference>),
    /// The test is malformed, or does not conform to the schema. The other program calls it an error and counts it
    /// among the failures.
    NotRun(Finding),
}

/// How an answer differs from the expected one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerDifference {
    /// Another decision; nothing else is compared then.
    Decision {
        /// The expectation.
        expected: Decision,
        /// The result.
        came: Decision,
    },
    /// Policies, by id, that should determine the decision and do not; in the order of the test.
    Reason(Vec<String>),
    /// Another number of policies that could not be evaluated.
    Errors {
        /// The expectation.
        expected: usize,
        /// The result.
        came: usize,
    },
}

impl CedarTest<'_> {
    /// The name for messages; a substitute for a test without a name.
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(UNNAMED)
    }

    /// The file with the entities, if they are not in the test itself: a path relative to the folder of the test's
    /// file. A path that leads out of that folder must not be followed.
    pub fn entities_file(&self) -> Option<&str> {
        match &self.case.as_ref().ok()?.entities {
            EntitiesOf::Test(_) => None,
            EntitiesOf::File(name) => Some(name),
        }
    }
}

impl TestOutcome {
    /// Whether the test passed.
    pub fn passed(&self) -> bool {
        matches!(self, Self::Passed(_))
    }

    /// The answer of Cedar, if it was asked.
    pub fn response(&self) -> Option<&Response> {
        match self {
            Self::Passed(response) | Self::Failed(response, _) => Some(response),
            Self::NotRun(_) => None,
        }
    }

    /// Whether tarbac itself would call the answer indeterminate because a policy could not be evaluated: to skip a
    /// forbid could allow too much. The test may have passed nevertheless.
    pub fn is_indeterminate(&self) -> bool {
        self.response()
            .is_some_and(|response| !response.errors.is_empty())
    }

    /// The failure of a test that did not pass, for a report.
    fn failure(&self, test: &CedarTest<'_>) -> Option<test_report::Failure> {
        match self {
            Self::Passed(_) => None,
            Self::NotRun(finding) => Some(test_report::Failure {
                finding: finding.clone(),
                detail: finding.message.clone(),
            }),
            Self::Failed(response, differences) => {
                let differences: Vec<String> =
                    differences.iter().map(ToString::to_string).collect();
                let message = format!("{}: {}", test.title(), differences.join("; "));
                Some(test_report::Failure {
                    finding: Finding::error(code::test::FAILED, message)
                        .label(test.place.clone(), "this test"),
                    detail: format!("{}\n{response}", differences.join("\n")),
                })
            }
        }
    }
}

/// The tests of a file and their results, for a report.
pub fn group(source: &Arc<Source>, tests: &[CedarTest<'_>], verdicts: &[TestOutcome]) -> Group {
    Group {
        name: source.name.clone(),
        file: source.name.clone(),
        tests: tests
            .iter()
            .zip(verdicts)
            .map(|(test, verdict)| Test {
                name: test.title().to_owned(),
                place: test.place.clone(),
                failure: verdict.failure(test),
            })
            .collect(),
    }
}

impl fmt::Display for AnswerDifference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decision { expected, came } => {
                write!(
                    formatter,
                    "expected {}, but got {}",
                    expected.word(),
                    came.word()
                )
            }
            Self::Reason(missing) => {
                write!(
                    formatter,
                    "expected to be decided by `{}`, but was not",
                    missing.join("`, `")
                )
            }
            Self::Errors { expected, came } => {
                let errors = if *expected == 1 { "error" } else { "errors" };
                write!(formatter, "expected {expected} {errors}, but got {came}")
            }
        }
    }
}

impl fmt::Display for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}, ", self.decision.word())?;
        match self.policies.as_slice() {
            [] => write!(formatter, "since no policy permits it")?,
            policies => write!(formatter, "decided by {}", policies.join(", "))?,
        }
        for error in &self.errors {
            write!(formatter, "\nerror: {error}")?;
        }
        Ok(())
    }
}

/// The message of an error in a part of the file, without line and column, which count from the start of the part.
fn without_position(message: &str) -> String {
    let cut = message.rsplit_once(" at line ").filter(|(_, position)| {
        position
            .split(" column ")
            .all(|number| number.parse::<usize>().is_ok())
    });
    cut.map_or(message, |(message, _)| message).to_owned()
}

/// An error with its causes, on one line.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !said.ends_with(&more) {
            said = format!("{said}: {more}");
        }
        source = error.source();
    }
    without_position(&said)
}
