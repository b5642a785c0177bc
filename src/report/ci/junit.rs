//! A report as JUnit's XML.
//!
//! There is a suite for each group of tests, and one for the findings.
//!
//! A finding is a test that failed; a warning is a test that was skipped, because a build server
//! counts every failure as a broken build.

use quick_junit::{
    NonSuccessKind, Report as Document, TestCase, TestCaseStatus as Status, TestSuite as Suite,
};

use super::{notes, title, visible};
use tarbac_assurance::test_report::{Group, Test, TestReport};
use tarbac_diagnostic::finding::{Finding, Severity};
use tarbac_diagnostic::source::Place;
use tarbac_host::excerpt::Excerpts;

/// The report as a JUnit document.
pub fn text(report: &TestReport, excerpts: &Excerpts) -> String {
    let mut document = Document::new(format!("tarbac {}", report.command));
    for group in &report.groups {
        document.add_test_suite(suite(group, excerpts));
    }
    if report.groups.is_empty() || !report.findings.is_empty() {
        document.add_test_suite(findings(report, excerpts));
    }
    match document.to_string() {
        Ok(text) => text,
        // A document in memory can be written.
        Err(error) => format!("<!-- {error} -->\n"),
    }
}

fn suite(group: &Group, excerpts: &Excerpts) -> Suite {
    let mut suite = Suite::new(visible(&group.name));
    suite
        .extra
        .insert("file".into(), visible(&group.file).into());
    for test in &group.tests {
        let mut case = TestCase::new(visible(&test.name), status(test, excerpts));
        case.set_classname(visible(&group.name));
        locate(&mut case, &test.place, excerpts);
        suite.add_test_case(case);
    }
    suite
}

fn status(test: &Test, excerpts: &Excerpts) -> Status {
    let Some(failure) = &test.failure else {
        return Status::success();
    };
    let mut lines = vec![failure.detail.trim_end().to_owned()];
    lines.extend(notes(&failure.finding, excerpts));
    let mut status = Status::non_success(NonSuccessKind::Failure);
    lines.retain(|line| !line.is_empty());
    describe(&mut status, &failure.finding, &lines);
    status
}

fn findings(report: &TestReport, excerpts: &Excerpts) -> Suite {
    let mut suite = Suite::new(report.command);
    for finding in &report.findings {
        let mut status = match finding.severity {
            Severity::Error => Status::non_success(NonSuccessKind::Failure),
            Severity::Warning => Status::skipped(),
        };
        describe(&mut status, finding, &notes(finding, excerpts));
        let mut case = TestCase::new(visible(&title(finding, excerpts)), status);
        case.set_classname(visible(finding.code.as_ref()));
        if let Some(label) = finding.labels.first() {
            locate(&mut case, &label.place, excerpts);
        }
        suite.add_test_case(case);
    }
    if report.findings.is_empty() {
        let mut case = TestCase::new("no findings", Status::success());
        case.set_classname(report.command);
        suite.add_test_case(case);
    }
    suite
}

fn describe(status: &mut Status, finding: &Finding, lines: &[String]) {
    status
        .set_message(visible(&finding.message))
        .set_type(visible(finding.code.as_ref()))
        .set_description(visible(&lines.join("\n")));
}

fn locate(case: &mut TestCase, place: &Place, excerpts: &Excerpts) {
    case.extra
        .insert("file".into(), visible(&place.source.name).into());
    if let Some(excerpt) = excerpts.at(place) {
        case.extra
            .insert("line".into(), excerpt.line.to_string().into());
    }
}
