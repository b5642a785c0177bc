//! A report as a document of tarbac's own: every test, every finding, every place.

use serde::Serialize;

use super::failed;
use crate::findings::{Entry, entry, errors_and_warnings};
use crate::{VERSION, json, provenance};
use tarbac_assurance::test_report::{self, TestReport};
use tarbac_host::excerpt::Excerpts;

#[derive(Debug, Serialize)]
struct Document<'a> {
    version: u32,
    command: &'a str,
    /// The numbers of tests and of failed tests.
    tests: usize,
    failed: usize,
    /// The numbers of findings, without the tests.
    errors: usize,
    warnings: usize,
    groups: Vec<Group<'a>>,
    findings: Vec<Entry<'a>>,
    #[serde(flatten)]
    provenance: Option<provenance::ProvenanceWire<'a>>,
}

#[derive(Debug, Serialize)]
struct Group<'a> {
    name: &'a str,
    file: &'a str,
    tests: Vec<Test<'a>>,
}

#[derive(Debug, Serialize)]
struct Test<'a> {
    name: &'a str,
    file: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    passed: bool,
    failure: Option<Failure<'a>>,
}

#[derive(Debug, Serialize)]
struct Failure<'a> {
    finding: Entry<'a>,
    detail: &'a str,
}

/// The report as a JSON document.
pub fn text(report: &TestReport, excerpts: &Excerpts) -> String {
    let (errors, warnings) = errors_and_warnings(&report.findings);
    json(&Document {
        version: VERSION,
        command: report.command,
        tests: report.tests().count(),
        failed: failed(report),
        errors,
        warnings,
        groups: report
            .groups
            .iter()
            .map(|group| Group {
                name: &group.name,
                file: &group.file,
                tests: group
                    .tests
                    .iter()
                    .map(|test| self::test(test, excerpts))
                    .collect(),
            })
            .collect(),
        findings: report
            .findings
            .iter()
            .map(|finding| entry(finding, excerpts))
            .collect(),
        provenance: report
            .provenance
            .as_deref()
            .map(provenance::ProvenanceWire::new),
    })
}

fn test<'a>(test: &'a test_report::Test, excerpts: &Excerpts) -> Test<'a> {
    let excerpt = excerpts.at(&test.place);
    Test {
        name: &test.name,
        file: &test.place.source.name,
        line: excerpt.map(|excerpt| excerpt.line),
        column: excerpt.map(|excerpt| excerpt.column),
        passed: test.failure.is_none(),
        failure: test.failure.as_ref().map(|failure| Failure {
            finding: entry(&failure.finding, excerpts),
            detail: &failure.detail,
        }),
    }
}
