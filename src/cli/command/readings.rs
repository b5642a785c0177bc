//! `tarbac readings`: the choices where the documents disagree.

use tarbac_report::readings as render;

use super::output::Output;
use super::{Exit, Failure, load};
use crate::cli::{Format, Global};

pub fn run(global: &Global, output: &mut Output) -> Result<Exit, Failure> {
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
