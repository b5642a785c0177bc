//! Reports in the formats of other programs: build servers, code scanning, coverage viewers.
//!
//! One file for each format, with every struct of its wire form. A format that knows only tests has a test for each
//! finding, and one that knows only findings has a finding for each failed test, so that nothing is missing in any.
//! The same report is always the same text: it has no time and nothing random in it, and files have the names that
//! messages give them.

pub mod github;
pub mod junit;
pub mod markdown;
pub mod sarif;
pub mod tap;

use strum::{Display, EnumString, VariantArray, VariantNames};
use thiserror::Error;

use super::coverage;
use super::findings::errors_and_warnings;
use super::words::counted;
use tarbac_assurance::coverage::Coverage;
use tarbac_assurance::test_report::TestReport;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::printable::is_obeyed;
use tarbac_diagnostic::source::Place;
use tarbac_host::excerpt::Excerpts;

/// The formats of reports, in the order in which messages list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumString, VariantArray, VariantNames)]
#[strum(
    serialize_all = "lowercase",
    parse_err_ty = UnknownFormat,
    parse_err_fn = UnknownFormat::named
)]
pub enum ReportFormat {
    /// JUnit's XML, which nearly every build server reads.
    Junit,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of a GitHub workflow, as commands to its runner.
    Github,
    /// A page in GitHub's Markdown, for the summary of a job.
    Markdown,
    /// The Test Anything Protocol, version 13.
    Tap,
    /// The coverage of the policies as a trace file of LCOV.
    Lcov,
    /// The coverage of the policies as XML of Cobertura.
    Cobertura,
    /// The text of the policies with the coverage beside each line.
    Listing,
}

/// The name of a format that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("there is no format `{0}`; the formats are {names}", names = ReportFormat::names())]
pub struct UnknownFormat(String);

impl UnknownFormat {
    fn named(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl ReportFormat {
    /// All formats.
    pub const ALL: &[Self] = <Self as VariantArray>::VARIANTS;

    /// Whether the format has only coverage.
    pub fn is_of_coverage(self) -> bool {
        matches!(self, Self::Lcov | Self::Cobertura | Self::Listing)
    }

    /// All names, separated by commas.
    pub fn names() -> String {
        <Self as VariantNames>::VARIANTS.join(", ")
    }
}

/// A report in a format. The excerpts are those of [`TestReport::places`].
pub fn render(format: ReportFormat, report: &TestReport, excerpts: &Excerpts) -> String {
    match format {
        ReportFormat::Junit => junit::text(report, excerpts),
        ReportFormat::Sarif => sarif::text(report, excerpts),
        ReportFormat::Github => github::text(report, excerpts),
        ReportFormat::Markdown => markdown::text(report, excerpts),
        ReportFormat::Tap => tap::text(report, excerpts),
        ReportFormat::Lcov => of_coverage(report, coverage::lcov::text),
        ReportFormat::Cobertura => of_coverage(report, coverage::cobertura::text),
        ReportFormat::Listing => of_coverage(report, coverage::listing::text),
    }
}

/// A report of coverage; it is empty where coverage was not measured.
fn of_coverage(report: &TestReport, text: fn(&Coverage) -> String) -> String {
    let nothing = Coverage::default();
    text(report.coverage.as_ref().unwrap_or(&nothing))
}

/// The summary in a few words: `5 tests, 2 failed, 1 warning`.
fn headline(report: &TestReport) -> String {
    let tests = report.tests().count();
    let failed = failed(report);
    let mut parts = Vec::new();
    if tests > 0 {
        parts.push(counted(tests, "test"));
        parts.push(match failed {
            0 => "all passed".to_owned(),
            failed => format!("{failed} failed"),
        });
    }
    let (errors, warnings) = errors_and_warnings(&report.findings);
    if errors > 0 {
        parts.push(counted(errors, "error"));
    }
    if warnings > 0 {
        parts.push(counted(warnings, "warning"));
    }
    match parts.is_empty() {
        true => "no findings".to_owned(),
        false => parts.join(", "),
    }
}

/// The number of failed tests.
fn failed(report: &TestReport) -> usize {
    report.tests().filter(|test| test.failure.is_some()).count()
}

/// A place as compilers write it: `file:line:column`, or the file alone where the line is not known.
fn position(place: &Place, excerpts: &Excerpts) -> String {
    let file = &place.source.name;
    match excerpts.at(place) {
        Some(excerpt) => format!("{file}:{}:{}", excerpt.line, excerpt.column),
        None => file.clone(),
    }
}

/// A finding's message and the first of its places, in one line.
fn title(finding: &Finding, excerpts: &Excerpts) -> String {
    match finding.labels.first() {
        Some(label) => {
            let position = position(&label.place, excerpts);
            format!("{} ({position})", finding.message)
        }
        None => finding.message.clone(),
    }
}

/// The rest of a finding: a line for each place and one for the help.
fn notes(finding: &Finding, excerpts: &Excerpts) -> Vec<String> {
    let places = finding.labels.iter().map(|label| {
        let position = position(&label.place, excerpts);
        format!("{position}: {}", label.text)
    });
    let help = finding.help.iter().map(|help| format!("help: {help}"));
    places.chain(help).collect()
}

/// A text without the characters that documents may not contain or that a terminal would obey.
fn visible(text: &str) -> String {
    text.chars()
        .filter(|character| *character != '\r')
        .map(|character| match character {
            '\n' | '\t' => character,
            '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
            character if is_obeyed(character) => '\u{fffd}',
            character => character,
        })
        .collect()
}

/// A visible text on one line.
fn one_line(text: &str) -> String {
    visible(text).replace(['\n', '\t'], " ")
}
