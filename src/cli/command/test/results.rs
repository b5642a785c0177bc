//! The results of `test`, for people, programs and reports.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use tarbac_assurance::coverage::{self, Coverage};
use tarbac_assurance::mutation::Mutation;
use tarbac_assurance::suite::{Suite, Suites, Tried};
use tarbac_assurance::test_report::{Group, Test, TestReport};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_report::words::counted;
use tarbac_report::{self as render, VERSION};

use super::snapshots;
use super::{Snapshots, TestArgs};
use crate::failure::Failure;
use crate::output::Output;

/// The results of a run.
pub(crate) struct Results<'a> {
    pub suites: &'a Suites,
    pub tried: Vec<Tried<'a>>,
    pub snapshots: Snapshots<'a>,
    pub coverage: Option<Coverage>,
    pub mutation: Option<Mutation>,
    pub arguments: &'a TestArgs,
}

/// The JSON Schema of the results of suites.
pub(crate) const SCHEMA: fn() -> String =
    render::schema::text::<render::provenance::With<'static, Document<'static>>>;

#[derive(Debug, Serialize, JsonSchema)]
struct Document<'a> {
    version: u32,
    passed: bool,
    suites: Vec<render::suite::SuiteWire<'a>>,
    snapshots: Vec<snapshots::SnapshotWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<render::coverage::CoverageWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mutants: Option<render::mutation::MutantsWire<'a>>,
}

impl<'a> Results<'a> {
    /// Whether everything passed.
    pub(crate) fn passed(&self) -> bool {
        self.tried.iter().all(Tried::passed)
            && (self.arguments.accept || self.snapshots.passed())
            && self.coverage_findings().is_empty()
            && self.is_mutation_clean()
    }

    fn is_mutation_clean(&self) -> bool {
        match &self.mutation {
            Some(mutation) => mutation.survivors.is_empty() && mutation.unknown.is_empty(),
            None => !self.arguments.mutate,
        }
    }

    /// Suites, snapshots, coverage and mutants, in text.
    pub(crate) fn write(&self, output: &mut Output) -> Result<(), Failure> {
        let style = output.style();
        for (suite, tried) in self.by_suite() {
            output.write_fitted(&render::suite::human(suite, tried, style))?;
        }
        self.snapshots.write(self.arguments.accept, output)?;
        if let Some(coverage) = &self.coverage {
            output.write("\n")?;
            output.write(&render::coverage::human(coverage, style))?;
        }
        if let Some(mutation) = &self.mutation {
            output.write("\n")?;
            output.write(&render::mutation::human(mutation, style))?;
        } else if self.arguments.mutate {
            output.write("\nNo mutant was tried, because cases fail without a change.\n")?;
        }
        for finding in self.coverage_findings() {
            output.write_fitted(&format!("{}: {}\n", style.red("coverage"), finding.message))?;
        }
        output.write_fitted(&self.summary(output))
    }

    fn summary(&self, output: &Output) -> String {
        let decisions: usize = self.tried.iter().map(|tried| tried.case.checks.len()).sum();
        let failed = self.tried.iter().filter(|tried| !tried.passed()).count();
        let mut parts = Vec::new();
        if failed > 0 {
            parts.push(format!(
                "{failed} of {} failed",
                counted(self.tried.len(), "case")
            ));
        }
        if !self.snapshots.passed() && !self.arguments.accept {
            parts.push(format!(
                "{} of {} changed",
                self.snapshots.differing(),
                counted(self.snapshots.len(), "snapshot")
            ));
        }
        if !self.coverage_findings().is_empty() {
            parts.push("coverage".to_owned());
        }
        if !self.is_mutation_clean() {
            parts.push("mutants survive or were not tried".to_owned());
        }
        let style = output.style();
        let snapshots = match self.arguments.filter.is_empty() {
            true => counted(self.snapshots.len(), "snapshot"),
            false => "snapshots left out by the filter".to_owned(),
        };
        match parts.as_slice() {
            [] => format!(
                "{}: {}, {}, {snapshots}\n",
                style.green("passed"),
                counted(self.tried.len(), "case"),
                counted(decisions, "decision"),
            ),
            parts => format!("{}: {}\n", style.red("failed"), parts.join(", ")),
        }
    }

    /// The results as JSON.
    pub(crate) fn json(&self) -> String {
        let document = Document {
            version: VERSION,
            passed: self.passed(),
            suites: self
                .by_suite()
                .map(|(suite, tried)| render::suite::wire(suite, tried))
                .collect(),
            snapshots: self.snapshots.wire(),
            coverage: self.coverage.as_ref().map(render::coverage::wire),
            mutants: self.mutation.as_ref().map(render::mutation::wire),
        };
        render::provenance::document(document, self.suites.provenance())
    }

    /// The results for reports.
    pub(crate) fn report(&self) -> TestReport {
        let groups = self
            .by_suite()
            .map(|(suite, tried)| Group {
                name: suite.name.clone(),
                file: suite.source.name.clone(),
                tests: tried
                    .iter()
                    .map(|tried| Test {
                        name: tried.case.name.clone(),
                        place: tried.case.place.clone(),
                        failure: render::suite::failed(tried),
                    })
                    .collect(),
            })
            .collect();
        let mut findings = match self.arguments.accept {
            true => Vec::new(),
            false => self.snapshots.findings(),
        };
        findings.extend(self.coverage_findings());
        if let Some(mutation) = &self.mutation {
            findings.extend(mutation.findings());
        }
        tarbac_diagnostic::finding::sort(&mut findings);
        TestReport {
            command: "test",
            groups,
            findings,
            coverage: self.coverage.clone(),
            provenance: Some(Arc::clone(self.suites.provenance())),
        }
    }

    /// The findings about coverage: too little of it, and stale exemptions.
    fn coverage_findings(&self) -> Vec<Finding> {
        let Some(coverage) = &self.coverage else {
            return Vec::new();
        };
        let mut findings = coverage::stale(coverage, self.suites);
        if let Some(least) = self.arguments.min_coverage
            && coverage.percent() < least
        {
            findings.push(
                Finding::error(
                    code::coverage::TOO_LOW,
                    format!(
                        "the cases cover {:.1} % of the policies, and {least} % are required",
                        coverage.percent()
                    ),
                )
                .help("`tarbac test --coverage` lists the parts that no case covers"),
            );
        }
        findings
    }

    /// The results, grouped by suite.
    fn by_suite(&self) -> impl Iterator<Item = (&'a Suite, &[Tried<'a>])> {
        let mut rest = self.tried.as_slice();
        self.suites.suites.iter().filter_map(move |suite| {
            let (of_suite, others) = rest.split_at_checked(suite.cases.len())?;
            rest = others;
            (!of_suite.is_empty()).then_some((suite, of_suite))
        })
    }
}
