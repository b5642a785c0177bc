//! `tarbac test`: suites, snapshots, coverage and mutants.

mod cedar;
mod results;
mod snapshots;
#[cfg(feature = "watch")]
mod watch;

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tarbac_assurance::suite::{self, Filter, Suites, Tried};
use tarbac_assurance::test_report::TestReport;
use tarbac_assurance::{coverage, mutation};
use tarbac_diagnostic::source::Source;
use tarbac_host::Engine;
use tarbac_host::bundle::Policy;
use tarbac_host::excerpt::Excerpts;
use tarbac_host::workspace::{SuiteFile, complete_suites, suite_files};
use thiserror::Error;

use super::report::{Reports, ReportsArgs};
use super::{layout, load, switches};
use crate::arguments::format::{DOCUMENTS, format_among};
use crate::arguments::{Format, GlobalArgs};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{Output, is_ci, with_progress};
use crate::product;
use results::Results;

pub(crate) use cedar::SCHEMA as CEDAR_SCHEMA;
pub(crate) use results::SCHEMA;
pub(crate) use snapshots::{Compared, Snapshots};

/// Run the suites of a workspace: are the decisions as expected?
///
/// A suite is a YAML file under `tests/`. Each case states a decision and exactly the policies that determine it. A
/// snapshot is a table of decisions in a file beside the suite. `tarbac schema suite` writes the JSON Schema of suites,
/// for editors; `tarbac init` writes suites to start from.
///
/// A failed case is shown with the expected decision, the actual one, and its explanation. Beside a snapshot that
/// differs, a file `.new` is left; under CI nothing is written.
///
/// Exit status: 0 all passed, 1 something failed, 2 could not run, for example because there is no case.
#[derive(Debug, Default, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac -C contoso test
  tarbac test tests/help-desk.yaml --filter \"cloud-only\"
  tarbac test --filter principal=ada@contoso.example --filter action=runScript
  tarbac test --accept                     take the new snapshots
  tarbac test --coverage --mutate          are the suites any good?
  tarbac test --report junit=junit.xml --report github=-
  tarbac test --cedar tests.json           run a file of `cedar run-tests`
  tarbac help testing                      the page on suites")]
pub(crate) struct TestArgs {
    /// Run the suites of these files and folders; by default all under `tests/`.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Run only cases with this text in their name or that of their suite, or those about principal=NAME, action=NAME or
    /// resource=NAME; if repeated, all filters must match.
    #[arg(long, value_name = "FILTER")]
    pub filter: Vec<Filter>,

    /// Accept the current decisions as snapshots.
    #[arg(long, conflicts_with = "filter")]
    pub accept: bool,

    /// Run again whenever a file of the workspace is saved.
    #[arg(long, conflicts_with = "report")]
    pub watch: bool,

    /// Measure which policies and clauses the cases cover.
    ///
    /// Each policy must decide a case. Each scope, entry of an action list and conjunct must be true in a case, be false in
    /// one, and make the difference in one. The reports lcov, cobertura and listing have the coverage line by line.
    #[arg(long)]
    pub coverage: bool,

    /// Measure coverage, and fail if it is less than this percentage.
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    pub min_coverage: Option<f64>,

    /// Try mutants: change the policies one small way at a time, and see whether a case fails.
    ///
    /// A mutant with which all cases pass is shown with a case that would fail, ready to paste.
    #[arg(long)]
    pub mutate: bool,

    /// Measure and change the policies that ship too, not only those of the workspace.
    #[arg(long)]
    pub shipped: bool,

    /// Run a file of `cedar run-tests` instead of the suites; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paths", "filter", "accept", "watch", "coverage", "min_coverage", "mutate"])]
    pub cedar: Option<PathBuf>,

    /// With --cedar, decide without a schema and without the rules that ship, like `cedar run-tests` without --schema.
    #[arg(long, requires = "cedar", conflicts_with = "schema")]
    pub no_schema: bool,

    /// Write the cases as a file of `cedar run-tests` to standard output, and run nothing.
    ///
    /// With --to-cedar=DIR, the input of `cedar run-tests` is written into this folder: tests.json, policies.cedar (the
    /// policies in force) and schema.cedarschema.
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, default_missing_value = "-", conflicts_with_all = ["cedar", "accept", "watch", "coverage", "min_coverage", "mutate"])]
    pub to_cedar: Option<PathBuf>,

    /// Further reports.
    #[command(flatten)]
    pub reports: ReportsArgs,
}

/// The value of `--min-coverage` is no percentage.
#[derive(Debug, Clone, Copy, Error)]
#[error("a number from 0 to 100 is wanted")]
struct NoPercentage;

fn percent(text: &str) -> Result<f64, NoPercentage> {
    match text.parse() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err(NoPercentage),
    }
}

impl TestArgs {
    /// Whether coverage must be measured.
    pub(crate) fn wants_coverage(&self) -> bool {
        self.coverage
            || self.min_coverage.is_some()
            || self
                .reports
                .report
                .iter()
                .any(|report| report.format.is_of_coverage())
    }
}

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &TestArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let reports = Reports::prepare(&arguments.reports, output)?;
    match (&arguments.cedar, &arguments.to_cedar, arguments.watch) {
        (Some(path), _, _) => cedar::run(global, arguments, path, &reports, output),
        (_, Some(folder), _) => cedar::write(global, arguments, folder, output),
        #[cfg(not(feature = "watch"))]
        (_, _, true) => Err(ShellError::left_out("watch")),
        #[cfg(feature = "watch")]
        (_, _, true) => watch::run(global, output, |output| {
            once(global, arguments, &reports, output)
        }),
        _ => once(global, arguments, &reports, output),
    }
}

/// One run of suites, snapshots, coverage and mutants.
fn once(
    global: &GlobalArgs,
    arguments: &TestArgs,
    reports: &Reports<'_>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    if arguments.accept && is_ci() {
        return Err(snapshots::nothing_is_written());
    }
    let (files, suites) = read_or_report(global, arguments, reports, output)?;
    let snapshots = Snapshots::compare(&suites, &files)?;
    let tried = suite::run(&suites);
    if tried.is_empty() && snapshots.is_empty() {
        return Err(nothing_to_run(arguments));
    }
    let wanted =
        |policy: &Policy| arguments.shipped || !product::rules().holds(&policy.place().source);
    let bundle = suites.bundle();
    if (arguments.wants_coverage() || arguments.mutate)
        && !bundle.is_some_and(|bundle| bundle.policies().iter().any(wanted))
    {
        return Err(nothing_to_measure());
    }
    let coverage = bundle
        .filter(|_| arguments.wants_coverage())
        .map(|bundle| coverage::measure(&suites, bundle, &wanted));
    // A suite that fails without a change says nothing about mutants.
    let passed = tried.iter().all(Tried::passed);
    let mutation = bundle.filter(|_| arguments.mutate && passed).map(|bundle| {
        with_progress("trying mutants", |counter| {
            mutation::run(&suites, bundle, &wanted, counter)
        })
    });
    let results = Results {
        suites: &suites,
        tried,
        snapshots,
        coverage,
        mutation,
        arguments,
    };
    match global.format {
        Format::Json => output.write(&results.json())?,
        _ => results.write(output)?,
    }
    if !reports.is_empty() {
        let report = results.report();
        reports.write(&report, &Excerpts::around(report.places()), output)?;
    }
    let exit = match results.passed() {
        true => Exit::Yes,
        false => Exit::No,
    };
    // Last, so that the answer is complete even if a file cannot be written.
    output.flush()?;
    results.snapshots.keep(arguments.accept)?;
    Ok(exit)
}

/// The suites that the arguments select. Reports have the errors that keep them from being run.
fn read_or_report(
    global: &GlobalArgs,
    arguments: &TestArgs,
    reports: &Reports<'_>,
    output: &mut Output,
) -> Result<(Vec<SuiteFile>, Suites), Failure> {
    let loaded = load(global).map(|workspace| workspace.engine);
    let provenance = loaded.as_ref().ok();
    let provenance = provenance.map(|engine| Arc::clone(engine.provenance()));
    let prepared = loaded.and_then(|engine| read(global, arguments, engine));
    if let Err(Failure::Invalid(findings, _)) = &prepared {
        let report = TestReport {
            command: "test",
            groups: Vec::new(),
            findings: findings.clone(),
            coverage: None,
            provenance,
        };
        reports.write(&report, &Excerpts::around(report.places()), output)?;
    }
    prepared
}

/// The suites that the arguments select.
pub(crate) fn prepare(
    global: &GlobalArgs,
    arguments: &TestArgs,
) -> Result<(Vec<SuiteFile>, Suites), Failure> {
    read(global, arguments, load(global)?.engine)
}

fn read(
    global: &GlobalArgs,
    arguments: &TestArgs,
    engine: Engine,
) -> Result<(Vec<SuiteFile>, Suites), Failure> {
    if arguments.paths.is_empty() {
        complete_suites(&layout(global))?;
    }
    let files = suite_files(&layout(global), &arguments.paths)?;
    let sources: Vec<Arc<Source>> = files.iter().map(|file| Arc::clone(&file.source)).collect();
    let is_wanted = |source: &Source| {
        files
            .iter()
            .any(|file| file.wanted && file.source.name == source.name)
    };
    let (suites, findings) = suite::read(&sources, &is_wanted, engine, &switches(global)?);
    let Some(mut suites) = suites else {
        return Err(Failure::Invalid(
            findings,
            "The suites have errors, so nothing was run.",
        ));
    };
    suites.retain(&arguments.filter);
    Ok((files, suites))
}

fn nothing_to_measure() -> Failure {
    ShellError::Arguments {
        message: "the workspace has no policy of its own to measure".to_owned(),
        help: Some("--shipped includes the policies in the binary".to_owned()),
    }
    .into()
}

fn nothing_to_run(arguments: &TestArgs) -> Failure {
    let help = match arguments.filter.is_empty() {
        true => {
            "suites are YAML files under `tests/` of the workspace; `tarbac init` writes some to start from"
        }
        false => "no case is left by the filters",
    };
    ShellError::Arguments {
        message: "there is no case to run".to_owned(),
        help: Some(help.to_owned()),
    }
    .into()
}
