//! What changes for whom between two states, as `what-if` and `diff` say it.

use tarbac::bundle::Action;
use tarbac::impact::{Comparison, Impact, States};
use tarbac::{Engine, plan, render};

use super::check::context;
use super::output::{Output, progress, say};
use super::{Exit, Failure, ShellError};
use crate::cli::{Context, Format};

/// What is written of a comparison.
pub struct Wanted<'a> {
    /// What is known about the requests.
    pub about: &'a Context,
    /// Every row.
    pub all: bool,
    /// The role changes that go with the change.
    pub plan: bool,
    /// Whether to say that there are plans.
    pub hint: bool,
    /// How.
    pub format: Format,
}

/// Compares two states and writes what changes.
pub fn answer(
    states: States<'_>,
    wanted: &Wanted<'_>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let about = wanted.about;
    // What cannot be the context of one action is that of none.
    for engine in [states.before, states.after] {
        for action in engine.bundle().vocabulary().permissions() {
            context(engine, &action.uid, about)?;
        }
    }
    let context = |engine: &Engine, action: &Action| {
        context(engine, &action.uid, about).unwrap_or_else(|_| cedar_policy::Context::empty())
    };
    let comparison = states.compare(context);
    let mut impact = compared(&comparison, "comparing");
    detail(&comparison, &mut impact, wanted.all);
    let plan = match wanted.plan {
        true => {
            let tried = |states: States<'_>| compared(&states.compare(context), "trying the plan");
            let plan = plan::plan(states, &impact, &context, &tried);
            Some(plan.map_err(|findings| Failure::Invalid(findings, "Nothing was planned."))?)
        }
        false => None,
    };
    let plan = plan.as_ref();
    match wanted.format {
        Format::Json => output.write(&render::impact::document(&impact, plan))?,
        Format::Ndjson => output.write_lines(render::impact::ndjson(&impact, plan))?,
        Format::Csv => output.write_sheet(render::impact::csv(&impact))?,
        Format::Markdown => output.write(&render::impact::markdown(&impact, plan))?,
        Format::Html => output.write(&render::impact::html(&impact, plan))?,
        _ => output.write(&render::impact::human(&impact, plan, wanted.all))?,
    }
    if plan.is_some_and(|plan| !plan.is_verified()) {
        output.flush()?;
        return Err(ShellError::Arguments {
            message: "the plan does not do what it should".to_owned(),
            help: Some("this is a mistake in tarbac; please report it".to_owned()),
        }
        .into());
    }
    if wanted.hint && impact.totals.lost > 0 {
        say("--plan adds the role changes after which nobody loses what a role can keep\n");
    }
    let totals = &impact.totals;
    let is_same = totals.gained + totals.lost == 0 && totals.unknown_before == totals.unknown_after;
    Ok(if is_same { Exit::Yes } else { Exit::No })
}

fn compared(comparison: &Comparison<'_>, what: &'static str) -> Impact {
    let bar = progress(what);
    bar.set_length(comparison.classes() as u64);
    let impact = comparison.impact(|| bar.inc(1));
    bar.finish_and_clear();
    impact
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
