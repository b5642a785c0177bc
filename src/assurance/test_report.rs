//! The outcome of a command as tests and findings, which every report format reads.
//!
//! Tests have names and pass or fail; findings have codes and places. A failed test is a finding too, so that a report
//! with only the ones or only the others leaves nothing out. The formats are in `tarbac_report`.

use std::sync::Arc;

use crate::coverage::Coverage;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::Place;
use tarbac_host::decision::Provenance;

/// The tests and findings of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestReport {
    /// The command, for example `validate`.
    pub command: &'static str,
    /// The tests it ran, in order; none for a command that tests nothing.
    pub groups: Vec<Group>,
    /// The findings beside the tests, in order of file and place.
    pub findings: Vec<Finding>,
    /// The coverage of the policies by the tests, if it was measured.
    pub coverage: Option<Coverage>,
    /// The provenance of the decisions; `None` if an error prevented them, or if no rules of a workspace were used.
    pub provenance: Option<Arc<Provenance>>,
}

/// Tests that belong together: a suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name of the suite.
    pub name: String,
    /// Its file, as messages show it.
    pub file: String,
    /// Its tests, in order.
    pub tests: Vec<Test>,
}

/// One test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// The name.
    pub name: String,
    /// Its place in the file.
    pub place: Place,
    /// The failure; `None` if the test passed.
    pub failure: Option<Failure>,
}

/// The failure of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The failure as a finding, at the place of the test.
    pub finding: Finding,
    /// The expectation, the result and the reasons, on as many lines as necessary.
    pub detail: String,
}

impl TestReport {
    /// All findings: the failures of tests, then the findings beside them.
    pub fn all_findings(&self) -> impl Iterator<Item = &Finding> {
        self.tests()
            .filter_map(|test| test.failure.as_ref())
            .map(|failure| &failure.finding)
            .chain(&self.findings)
    }

    /// Every place in the report: those of findings and of tests.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        let tests = self.tests().map(|test| &test.place);
        self.all_findings().flat_map(Finding::places).chain(tests)
    }

    /// The tests of all groups.
    pub fn tests(&self) -> impl Iterator<Item = &Test> {
        self.groups.iter().flat_map(|group| &group.tests)
    }
}
