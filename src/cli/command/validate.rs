//! `tarbac validate`: the findings about a workspace.

use std::sync::Arc;

use clap::Args;
use tarbac_analysis::authority;
#[cfg(feature = "prove")]
use tarbac_assurance::prove;
use tarbac_assurance::test_report::TestReport;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::{self, Finding};
use tarbac_diagnostic::source::{Place, Source};
use tarbac_host::engine::authority_findings;
use tarbac_host::excerpt::Excerpts;
use tarbac_host::{bundle, workspace};
use tarbac_report as render;

use super::report::{Reports, ReportsArgs};
use super::{layout, switches};
use crate::arguments::format::{DOCUMENTS, format_among};
use crate::arguments::{Format, GlobalArgs};
use crate::exit::Exit;
use crate::failure::Failure;
#[cfg(not(feature = "prove"))]
use crate::output;
use crate::output::Output;
use crate::product;

/// Find errors and warnings in a workspace.
///
/// Reads schema, policies and entities, and lists all findings, each with a code, the place, and help. No other command
/// decides with a workspace that has errors.
///
/// Exit status: 0 clean, 1 findings, 2 could not read. Without --deny-warnings, warnings alone are clean.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac -C contoso validate
  tarbac -C contoso validate --deny-warnings --format json
  tarbac validate --report github=- --report sarif=tarbac.sarif
  tarbac help ci                           the page on continuous integration")]
pub(crate) struct ValidateArgs {
    /// Treat warnings as findings.
    #[arg(long)]
    pub deny_warnings: bool,

    /// Further reports.
    #[command(flatten)]
    pub reports: ReportsArgs,
}

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &ValidateArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let reports = Reports::prepare(&arguments.reports, output)?;
    let layout = layout(global);
    let examination = workspace::examine(&layout, &switches(global)?)?;
    let mut findings = examination.findings;
    findings.extend(examination.policies.iter().filter_map(unformatted));
    let specs: Vec<Arc<Source>> = workspace::spec_files(&layout, &[])?
        .into_iter()
        .map(|(_, source)| source)
        .collect();
    findings.extend(specs.iter().filter_map(unformatted));
    // Specs can be checked only under valid policies and a valid schema.
    if let Some(engine) = &examination.engine {
        findings.extend(authority_findings(engine.bundle(), engine.readings()));
        findings.extend(authority::contradicting(engine));
        #[cfg(feature = "prove")]
        findings.extend(prove::read(&specs, engine).1);
        #[cfg(not(feature = "prove"))]
        if !specs.is_empty() {
            output::note("note: specs are not checked: this build of tarbac leaves out `prove`\n");
        }
    }
    finding::sort(&mut findings);

    let engine = examination.engine.as_ref();
    let report = TestReport {
        command: "validate",
        groups: Vec::new(),
        findings,
        coverage: None,
        provenance: engine.map(|engine| Arc::clone(engine.provenance())),
    };
    let findings = &report.findings;
    let excerpts = Excerpts::around(report.places());
    let provenance = report.provenance.as_deref();
    match global.format {
        Format::Json => {
            output.write(&render::findings::document(findings, &excerpts, provenance))?;
        }
        _ => {
            let style = output.style();
            if !findings.is_empty() {
                output.write(&render::findings::human(findings, &excerpts, style))?;
                output.write("\n")?;
            }
            output.write(&render::findings::summary(findings, style))?;
            if let Some(provenance) = provenance {
                output.write(&render::provenance::human(provenance, output.width()))?;
            }
        }
    }
    reports.write(&report, &excerpts, output)?;
    let is_clean = match arguments.deny_warnings {
        true => findings.is_empty(),
        false => !finding::any_error(findings),
    };
    Ok(if is_clean { Exit::Yes } else { Exit::No })
}

/// A finding for a file that the formatter would change. A file with a syntax error has a finding already, and the rules
/// that ship are formatted.
fn unformatted(source: &Arc<Source>) -> Option<Finding> {
    if product::rules().has_text(source.text()) || bundle::formatted(source).ok()? == source.text()
    {
        return None;
    }
    Some(
        Finding::warning(
            code::policy::UNFORMATTED,
            format!("`{}` is not formatted", source.name),
        )
        .label(Place::new(source, 0..0), "in this file")
        .help("run `tarbac fmt`"),
    )
}
