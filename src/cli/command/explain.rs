//! `tarbac explain`: why a decision is what it is, and what would change it.

use tarbac_host::Workspace;
use tarbac_report::{self as render, explanation};

use super::check::{exit, request};
use super::output::Output;
use super::suppose::{say_premises, suppose};
use super::{Exit, Failure};
use crate::cli::{Ask, Format, Global};

pub fn run(global: &Global, ask: &Ask, output: &mut Output) -> Result<Exit, Failure> {
    let (Workspace { engine, .. }, premises) = suppose(global, &ask.changes)?;
    let request = request(
        &engine,
        [&ask.principal, &ask.action, &ask.resource],
        &ask.context,
    )?;
    let explanation = tarbac_analysis::explain(&engine, &request);
    say_premises(&premises, global.format, output)?;
    output.write(&match global.format {
        Format::Json => render::json(&explanation::wire(&explanation, &premises)),
        _ => explanation::human(&explanation, output.width()),
    })?;
    Ok(exit(explanation.answer.outcome.decision))
}
