//! The engine for a question: the workspace as it is, or with hypothetical changes.

use tarbac_analysis::change::what_if::{self, Premises};
use tarbac_host::Workspace;
use tarbac_report as render;

use super::output::Output;
use super::{Failure, load, switches};
use crate::cli::{Changes, Format, Global};

/// The workspace with these changes, ready to decide, and what they suppose.
pub fn suppose(global: &Global, changes: &Changes) -> Result<(Workspace, Premises), Failure> {
    let mut workspace = load(global)?;
    let changes = changes.all();
    if changes.is_empty() {
        return Ok((workspace, Premises::default()));
    }
    let invalid = |findings| Failure::Invalid(findings, "Nothing was decided.");
    let (engine, premises) =
        what_if::suppose(&workspace.engine, &changes, &switches(global)?).map_err(invalid)?;
    workspace.engine = engine;
    Ok((workspace, premises))
}

/// Says what is supposed before an answer for people; what programs read says it itself.
pub fn say_premises(
    premises: &Premises,
    format: Format,
    output: &mut Output,
) -> Result<(), Failure> {
    let text = match format {
        Format::Human | Format::Table => render::premises::human(premises, output.width()),
        Format::Markdown => render::premises::markdown(premises),
        Format::Json | Format::Ndjson | Format::Csv | Format::Html => return Ok(()),
    };
    output.write(&text)
}
