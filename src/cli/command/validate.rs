//! `tarbac validate`: everything that is wrong with a workspace.

use std::sync::Arc;

use tarbac_analysis::authority;
#[cfg(feature = "prove")]
use tarbac_assurance::prove;
use tarbac_assurance::test_report::Report;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::{self, Finding};
use tarbac_diagnostic::source::{Place, Source};
use tarbac_host::engine::authority_findings;
use tarbac_host::excerpt::Excerpts;
use tarbac_host::{bundle, workspace};
use tarbac_report as render;

#[cfg(not(feature = "prove"))]
use super::output;
use super::output::Output;
use super::report::Reports;
use super::{Exit, Failure, layout, switches};
use crate::cli::{Format, Global, Validate};
use crate::product;

pub fn run(global: &Global, arguments: &Validate, output: &mut Output) -> Result<Exit, Failure> {
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
    // Without sound policies and schema, nothing can be said of specs.
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
    let report = Report {
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

/// A file that the formatter would change. One with a syntax error has a finding already, and what
/// ships is formatted when it is built.
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
