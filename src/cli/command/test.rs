//! `tarbac test`: runs suites, compares snapshots, measures the suites and tries mutants.

mod cedar;
mod results;
mod snapshots;
#[cfg(feature = "watch")]
mod watch;

use std::sync::Arc;

use tarbac_assurance::suite::{self, Suites, Tried};
use tarbac_assurance::test_report::Report;
use tarbac_assurance::{coverage, mutation};
use tarbac_diagnostic::source::Source;
use tarbac_host::Engine;
use tarbac_host::bundle::Policy;
use tarbac_host::excerpt::Excerpts;
use tarbac_host::workspace::{SuiteFile, suite_files};

use super::output::{Output, is_ci, progress};
use super::report::Reports;
use super::{Exit, Failure, ShellError, layout, load, switches};
use crate::cli::{Format, Global, Test};
use crate::product;
use results::Results;

pub use cedar::SCHEMA as CEDAR_SCHEMA;
pub use results::SCHEMA;
pub use snapshots::Snapshots;

pub fn run(global: &Global, arguments: &Test, output: &mut Output) -> Result<Exit, Failure> {
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

/// Runs everything that is asked for, one time.
fn once(
    global: &Global,
    arguments: &Test,
    reports: &Reports<'_>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    if arguments.accept && is_ci() {
        return Err(snapshots::nothing_is_written());
    }
    let loaded = load(global).map(|workspace| workspace.engine);
    let provenance = loaded.as_ref().ok();
    let provenance = provenance.map(|engine| Arc::clone(engine.provenance()));
    let prepared = loaded.and_then(|engine| read(global, arguments, engine));
    // What keeps suites from being run is for the reports as well.
    if let Err(Failure::Invalid(findings, _)) = &prepared {
        let report = Report {
            command: "test",
            groups: Vec::new(),
            findings: findings.clone(),
            coverage: None,
            provenance,
        };
        reports.write(&report, &Excerpts::around(report.places()), output)?;
    }
    let (files, suites) = prepared?;
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
    // A suite that fails as things are says nothing about other policies.
    let passed = tried.iter().all(Tried::passed);
    let mutation = bundle.filter(|_| arguments.mutate && passed).map(|bundle| {
        let bar = progress("trying mutants");
        let mutation = mutation::run(&suites, bundle, &wanted, &|done, all| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        });
        bar.finish_and_clear();
        mutation
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
    // Last, so that all is said whether or not a file can be written.
    output.flush()?;
    results.snapshots.keep(arguments.accept)?;
    Ok(exit)
}

/// Reads the suites and finds out what they mean.
pub fn prepare(global: &Global, arguments: &Test) -> Result<(Vec<SuiteFile>, Suites), Failure> {
    read(global, arguments, load(global)?.engine)
}

fn read(
    global: &Global,
    arguments: &Test,
    engine: Engine,
) -> Result<(Vec<SuiteFile>, Suites), Failure> {
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

fn nothing_to_run(arguments: &Test) -> Failure {
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
