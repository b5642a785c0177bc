//! The run of `tarbac prove`: specs, comparisons and mutants, put to a solver.

use std::path::PathBuf;
use std::sync::Arc;

use tarbac_assurance::prove::{self, Prover, Solving, Spec};
use tarbac_assurance::test_report::TestReport;
use tarbac_diagnostic::finding;
use tarbac_diagnostic::source::Source;
use tarbac_host::bundle::{Bundle, Policy};
use tarbac_host::decision::Provenance;
use tarbac_host::engine::authority_findings;
use tarbac_host::excerpt::Excerpts;
use tarbac_host::workspace::{complete_suites, spec_files};
use tarbac_host::{Engine, Layout};

use super::super::report::Reports;
use super::super::{layout, load_from, switches};
use super::results::Results;
use super::{ProveArgs, compare, saved};
use crate::arguments::{Format, GlobalArgs};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{Output, with_progress};
use crate::product;

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &ProveArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let reports = Reports::prepare(&arguments.reports, output)?;
    let solving = solving(arguments);
    let layout = Layout {
        others: arguments.compare.iter().map(PathBuf::from).collect(),
        ..layout(global)
    };
    let engine = load_from(&layout, &switches(global)?, global)?.engine;
    decides(engine.bundle(), engine.readings())?;
    if let Some(old) = &arguments.compare {
        return compare::run(global, arguments, old, &engine, &solving, &reports, output);
    }
    let provenance = Some(Arc::clone(engine.provenance()));
    let (specs, warnings) = match specs(global, arguments, &engine) {
        Ok(read) => read,
        Err(failure) => {
            // Reports have the errors that keep specs from being proved.
            if let Failure::Invalid(findings, _) = &failure {
                write_report(Vec::new(), findings.clone(), provenance, &reports, output)?;
            }
            return Err(failure);
        }
    };
    let prover = prover(&engine, &solving)?;
    let proof = with_progress("proving", |counter| prover.prove(&specs, counter));
    let proof = proof.map_err(|error| Failure::Error(Box::new(error)))?;
    let is_proved = !proof.is_refuted() && !proof.is_unknown();
    let wanted =
        |policy: &Policy| arguments.shipped || !product::rules().holds(&policy.place().source);
    // A spec that is refuted without a change says nothing about mutants.
    let mutation = match arguments.mutate && is_proved {
        true => {
            let mutation = with_progress("trying mutants", |counter| {
                prover.mutate(&specs, &wanted, counter)
            });
            Some(mutation.map_err(|error| Failure::Error(Box::new(error)))?)
        }
        false => None,
    };
    let results = Results {
        proof,
        mutation,
        warnings,
        engine: &engine,
        arguments,
    };
    match global.format {
        Format::Json => output.write(&results.json())?,
        _ => results.write(output)?,
    }
    let (groups, findings) = (results.groups(), results.all_findings());
    write_report(groups, findings, provenance, &reports, output)?;
    if let Some(folder) = &arguments.save_counterexamples {
        saved::save(folder, &results.proof, &prover, &engine)?;
    }
    Ok(results.exit())
}

/// Writes the reports that the arguments name.
pub(super) fn write_report(
    groups: Vec<tarbac_assurance::test_report::Group>,
    mut findings: Vec<finding::Finding>,
    provenance: Option<Arc<Provenance>>,
    reports: &Reports<'_>,
    output: &mut Output,
) -> Result<(), Failure> {
    if reports.is_empty() {
        return Ok(());
    }
    finding::sort(&mut findings);
    let report = TestReport {
        command: "prove",
        groups,
        findings,
        coverage: None,
        provenance,
    };
    reports.write(&report, &Excerpts::around(report.places()), output)
}

/// Refuses policies without an authority: they decide nothing.
pub(super) fn decides(bundle: &Bundle, readings: &[String]) -> Result<(), Failure> {
    let findings = authority_findings(bundle, readings);
    match findings.is_empty() {
        true => Ok(()),
        false => Err(Failure::Invalid(findings, "Nothing was proved.")),
    }
}

fn solving(arguments: &ProveArgs) -> Solving {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    Solving {
        solver: arguments.solver.clone(),
        timeout: arguments.timeout,
        jobs: arguments.jobs.map_or_else(processors, usize::from),
    }
}

pub(super) fn prover<'a>(engine: &'a Engine, solving: &'a Solving) -> Result<Prover<'a>, Failure> {
    Prover::new(engine.bundle(), engine.readings(), solving).map_err(|unknown| {
        ShellError::Arguments {
            message: format!("nothing can be proved under this schema: {unknown}"),
            help: None,
        }
        .into()
    })
}

/// The specs that the arguments select, with the warnings about them.
fn specs(
    global: &GlobalArgs,
    arguments: &ProveArgs,
    engine: &Engine,
) -> Result<(Vec<Spec>, Vec<finding::Finding>), Failure> {
    if arguments.paths.is_empty() {
        complete_suites(&layout(global))?;
    }
    let files = spec_files(&layout(global), &arguments.paths)?;
    let sources: Vec<Arc<Source>> = files.into_iter().map(|(_, source)| source).collect();
    let (mut specs, findings) = prove::read(&sources, engine);
    if finding::any_error(&findings) {
        return Err(Failure::Invalid(
            findings,
            "The specs have errors, so nothing was proved.",
        ));
    }
    specs.retain(|spec| {
        arguments.filter.iter().all(|wanted| {
            spec.id().contains(wanted) || spec.doc().is_some_and(|doc| doc.contains(wanted))
        })
    });
    if specs.is_empty() && !(arguments.filter.is_empty() && arguments.paths.is_empty()) {
        return Err(ShellError::Arguments {
            message: "there is no spec to prove".to_owned(),
            help: Some("specs are Cedar policies under `tests/specs/`, or in the files that are named; --filter looks in their ids and docs".to_owned()),
        }
        .into());
    }
    Ok((specs, findings))
}
