//! `tarbac explain`: why a decision is what it is, and what would change it.

use tarbac::render::{self, explanation};

use super::check::{exit, request};
use super::output::Output;
use super::{Exit, Failure, load};
use crate::cli::{Ask, Format, Global};

pub fn run(global: &Global, ask: &Ask, output: &mut Output) -> Result<Exit, Failure> {
    let engine = load(global)?.engine;
    let request = request(
        &engine,
        [&ask.principal, &ask.action, &ask.resource],
        &ask.context,
    )?;
    let explanation = tarbac::explain(&engine, &request);
    output.write(&match global.format {
        Format::Json => render::json(&explanation::wire(&explanation)),
        _ => explanation::human(&explanation),
    })?;
    Ok(exit(explanation.answer.outcome.decision))
}
