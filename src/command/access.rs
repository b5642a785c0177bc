//! `tarbac access`: who can do what, through which role, and which assignments give nothing.

use cedar_policy::Context;
use tarbac::render;
use tarbac::standing::Review;

use super::check::context;
use super::output::{Output, progress};
use super::{Exit, Failure, load};
use crate::cli::{Access, Format, Global};

pub fn run(global: &Global, arguments: &Access, output: &mut Output) -> Result<Exit, Failure> {
    let engine = load(global)?.engine;
    // What cannot be the context of one action is that of none.
    for action in engine.bundle().vocabulary().permissions() {
        context(&engine, &action.uid, &arguments.context)?;
    }
    let review = Review::new(&engine, |action| {
        context(&engine, &action.uid, &arguments.context).unwrap_or_else(|_| Context::empty())
    });
    let bar = progress("deciding");
    bar.set_length(review.classes() as u64);
    let mut standing = review.standing(|| bar.inc(1));
    bar.finish_and_clear();
    if arguments.all {
        let bar = progress("looking up devices");
        bar.set_length(standing.people.len() as u64);
        let named = render::standing::LISTED;
        review.detail(&mut standing.people, named, || bar.inc(1));
        bar.finish_and_clear();
    }
    match global.format {
        Format::Json => output.write(&render::standing::document(&standing))?,
        Format::Ndjson => output.write_lines(render::standing::ndjson(&standing))?,
        Format::Csv => output.write_sheet(render::standing::csv(&standing))?,
        Format::Markdown => output.write(&render::standing::markdown(&standing))?,
        Format::Html => output.write(&render::standing::html(&standing))?,
        _ => output.write(&render::standing::human(&standing, arguments.all))?,
    }
    Ok(match (standing.has_unknown(), standing.has_findings()) {
        (true, _) => Exit::Unanswered,
        (false, true) => Exit::No,
        (false, false) => Exit::Yes,
    })
}
