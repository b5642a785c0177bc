//! `tarbac test`: runs suites and compares snapshots.

mod snapshots;

use std::sync::Arc;

use serde::Serialize;
use tarbac::render::suite::number;
use tarbac::render::{self, VERSION};
use tarbac::source::Source;
use tarbac::suite::{self, Suites, Tried};
use tarbac::workspace::{SuiteFile, suite_files};

use super::output::Output;
use super::{Exit, Failure, ShellError, layout, load, switches};
use crate::cli::{Format, Global, Test};
use snapshots::Snapshots;

pub fn run(global: &Global, arguments: &Test, output: &mut Output) -> Result<Exit, Failure> {
    let (files, suites) = prepare(global, arguments)?;
    let snapshots = Snapshots::compare(&suites, &files)?;
    let tried = suite::run(&suites);
    if tried.is_empty() && snapshots.is_empty() {
        return Err(nothing_to_run(arguments));
    }
    match global.format {
        Format::Json => output.write(&render::json(&document(&suites, &tried, &snapshots)))?,
        _ => {
            for (suite, tried) in by_suite(&suites, &tried) {
                output.write(&render::suite::human(suite, tried, output.style()))?;
            }
            snapshots.write(output)?;
            output.write(&summary(&tried, &snapshots, output))?;
        }
    }
    snapshots.keep(arguments.accept)?;
    let passed = tried.iter().all(Tried::passed) && (arguments.accept || snapshots.passed());
    Ok(if passed { Exit::Yes } else { Exit::No })
}

/// Reads the suites and finds out what they mean.
fn prepare(global: &Global, arguments: &Test) -> Result<(Vec<SuiteFile>, Suites), Failure> {
    let engine = load(global)?.engine;
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

fn nothing_to_run(arguments: &Test) -> Failure {
    let help = match arguments.filter.is_empty() {
        true => "suites are YAML files under `tests/` of the workspace; `tarbac init` writes some to start from",
        false => "no case is left by the filters",
    };
    ShellError::Arguments {
        message: "there is no case to run".to_owned(),
        help: Some(help.to_owned()),
    }
    .into()
}

/// The results, suite by suite.
fn by_suite<'a, 't>(
    suites: &'a Suites,
    tried: &'t [Tried<'a>],
) -> impl Iterator<Item = (&'a suite::Suite, &'t [Tried<'a>])> {
    let mut rest = tried;
    suites.suites.iter().filter_map(move |suite| {
        let (of_suite, others) = rest.split_at_checked(suite.cases.len())?;
        rest = others;
        (!of_suite.is_empty()).then_some((suite, of_suite))
    })
}

fn summary(tried: &[Tried<'_>], snapshots: &Snapshots, output: &Output) -> String {
    let decisions: usize = tried.iter().map(|tried| tried.case.checks.len()).sum();
    let failed = tried.iter().filter(|tried| !tried.passed()).count();
    let mut parts = Vec::new();
    if failed > 0 {
        parts.push(format!("{failed} of {} failed", number(tried.len(), "case")));
    }
    if snapshots.differing() > 0 {
        parts.push(format!(
            "{} of {} differ",
            snapshots.differing(),
            number(snapshots.len(), "snapshot")
        ));
    }
    let style = output.style();
    match parts.as_slice() {
        [] => format!(
            "{}: {}, {}, {}\n",
            style.green("passed"),
            number(tried.len(), "case"),
            number(decisions, "decision"),
            number(snapshots.len(), "snapshot"),
        ),
        parts => format!("{}: {}\n", style.red("failed"), parts.join(", ")),
    }
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    version: u32,
    passed: bool,
    suites: Vec<render::suite::Wire<'a>>,
    snapshots: Vec<snapshots::Wire<'a>>,
}

fn document<'a>(
    suites: &'a Suites,
    tried: &'a [Tried<'a>],
    snapshots: &'a Snapshots,
) -> Document<'a> {
    Document {
        version: VERSION,
        passed: tried.iter().all(Tried::passed) && snapshots.passed(),
        suites: by_suite(suites, tried)
            .map(|(suite, tried)| render::suite::wire(suite, tried))
            .collect(),
        snapshots: snapshots.wire(),
    }
}
