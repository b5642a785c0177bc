//! What changes for whom between two states, as `what-if` and `diff` say it.

use tarbac::impact::{Comparison, Impact, States};
use tarbac::{Engine, render};

use super::check::context;
use super::output::{Output, progress};
use super::{Exit, Failure};
use crate::cli::{Context, Format};

/// Compares two states and writes what changes.
pub fn answer(
    states: States<'_>,
    about: &Context,
    all: bool,
    format: Format,
    output: &mut Output,
) -> Result<Exit, Failure> {
    // What cannot be the context of one action is that of none.
    for engine in [states.before, states.after] {
        for action in engine.bundle().vocabulary().permissions() {
            context(engine, &action.uid, about)?;
        }
    }
    let comparison = states.compare(|engine: &Engine, action| {
        context(engine, &action.uid, about).unwrap_or_else(|_| cedar_policy::Context::empty())
    });
    let bar = progress("comparing");
    bar.set_length(comparison.classes() as u64);
    let mut impact = comparison.impact(|| bar.inc(1));
    bar.finish_and_clear();
    detail(&comparison, &mut impact, all);
    match format {
        Format::Json => output.write(&render::impact::document(&impact))?,
        Format::Ndjson => {
            for line in render::impact::ndjson(&impact) {
                output.write(&line)?;
            }
        }
        Format::Csv => {
            let sheet = render::impact::csv(&impact);
            output.write(&sheet.map_err(|error| Failure::Output(error.into()))?)?;
        }
        Format::Markdown => output.write(&render::impact::markdown(&impact))?,
        Format::Html => output.write(&render::impact::html(&impact))?,
        _ => output.write(&render::impact::human(&impact, all))?,
    }
    Ok(match impact.totals.gained + impact.totals.lost {
        0 => Exit::Yes,
        _ => Exit::No,
    })
}

/// Finds out what the devices are in, for the rows that are shown.
fn detail(comparison: &Comparison<'_>, impact: &mut Impact, all: bool) {
    let (shown, named) = match all {
        true => (usize::MAX, usize::MAX),
        false => (render::impact::PEOPLE, render::impact::LISTED),
    };
    let shown = shown.min(impact.people.len());
    let bar = progress("looking up devices");
    bar.set_length(shown as u64);
    let people = impact.people.get_mut(..shown).unwrap_or_default();
    comparison.detail(people, named, || bar.inc(1));
    bar.finish_and_clear();
}
