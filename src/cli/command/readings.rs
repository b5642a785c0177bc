//! `tarbac readings`: the choices where the documents disagree.

use clap::Args;
use tarbac_report::readings as render;

use super::load;
use crate::arguments::format::{DOCUMENTS, format_among};
use crate::arguments::{Format, GlobalArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// List the readings: choices where the documents disagree.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac readings
  tarbac readings --reading discovery-either")]
pub(crate) struct ReadingsArgs {}

pub(crate) fn run(
    global: &GlobalArgs,
    _: &ReadingsArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let engine = load(global)?.engine;
    let readings = engine.bundle().readings();
    output.write(&match global.format {
        Format::Json => render::document(readings, &engine),
        _ => {
            let (style, width) = (output.style(), output.width());
            render::human(readings, engine.readings(), style, width)
        }
    })?;
    Ok(Exit::Yes)
}
