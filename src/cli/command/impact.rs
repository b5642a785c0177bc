//! The run that `what-if` and `diff` share.

pub(crate) mod scope;

use std::path::{Path, PathBuf};
use std::slice::from_mut;

use tarbac_analysis::change::impact::{About, Affected, Comparison, Impact, States};
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::plan::{Planner, RoleChange, Roles};
use tarbac_host::Engine;
use tarbac_host::bundle::Action;
use tarbac_report as render;
use tarbac_report::impact::Report;

use super::context::{ContextArgs, context};
use crate::arguments::{Format, GlobalArgs};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{Output, devices, note, progress, say, waiting};

/// How many devices are named in one report: their names have to fit in memory together.
const NAMED: u64 = 5_000_000;

/// What is written of a comparison.
pub(crate) struct Wanted<'a> {
    /// What is supposed, or which two states are compared.
    pub premises: Premises,
    /// Whom and what it is about.
    pub about: About,
    /// What is known about the requests.
    pub context: &'a ContextArgs,
    /// Whoever gains before whoever loses everything.
    pub gains_first: bool,
    /// Every row.
    pub all: bool,
    /// The role changes that go with the change.
    pub plan: bool,
    /// Whether the workspace at hand is the state before, and not the one after.
    pub is_before: bool,
    /// The workspace.
    pub folder: &'a Path,
    /// How.
    pub format: Format,
}

/// The files and the readings that are chosen, as they are typed.
pub(crate) fn typed(global: &GlobalArgs) -> impl Iterator<Item = String> {
    let files = [
        ("policies", &global.policies),
        ("schema", &global.schema),
        ("entities", &global.entities),
    ];
    let files = files.into_iter().flat_map(|(flag, paths)| {
        let typed = move |path: &PathBuf| format!("--{flag} {}", path.display());
        paths.iter().map(typed)
    });
    let readings = [
        ("reading", &global.reading),
        ("no-reading", &global.no_reading),
    ];
    let readings = readings.into_iter().flat_map(|(flag, names)| {
        let typed = move |name: &String| format!("--{flag} {name}");
        names.iter().map(typed)
    });
    files.chain(readings)
}

/// Compares two states and writes what changes.
pub(crate) fn answer(
    states: States<'_>,
    wanted: &Wanted<'_>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let about = wanted.context;
    // What cannot be the context of one action is that of none.
    for engine in [states.before, states.after] {
        for action in engine.bundle().vocabulary().permissions() {
            context(engine, &action.uid, about)?;
        }
    }
    let context = |engine: &Engine, action: &Action| {
        context(engine, &action.uid, about).unwrap_or_else(|_| cedar_policy::Context::empty())
    };
    let comparison = states.compare_about(&wanted.about, context);
    let mut impact = compared(&comparison, "comparing");
    if wanted.gains_first {
        impact.gains_first();
    }
    if wanted.format != Format::Ndjson {
        detail(&comparison, &mut impact, (wanted.format, wanted.all));
    }
    let planning = Planner {
        states,
        impact: &impact,
        context: &context,
        compare: &|states| compared(&states.compare(context), "trying the plan"),
    };
    let failed = |findings| Failure::Invalid(findings, "Nothing was planned.");
    let roles = match (wanted.plan, wanted.format) {
        (true, _) => {
            let mut plan = planning.plan().map_err(failed)?;
            plan.in_workspace(wanted.folder);
            Roles::Planned(Box::new(plan))
        }
        // A sheet has no room for them.
        (false, Format::Csv) => Roles::InNeed(Vec::new()),
        (false, _) => Roles::InNeed(in_need(&planning)),
    };
    let at_hand = match wanted.is_before {
        true => states.before.provenance(),
        false => states.after.provenance(),
    };
    let report = Report {
        premises: &wanted.premises,
        impact: &impact,
        roles: &roles,
        states: [states.before.provenance(), states.after.provenance()],
        at_hand,
    };
    match wanted.format {
        Format::Json => output.write(&report.document())?,
        Format::Ndjson => {
            let bar = devices(impact.people.len());
            let in_full = |touched: &Affected| {
                let mut touched = touched.clone();
                comparison.detail(from_mut(&mut touched), usize::MAX, || bar.inc(1));
                touched
            };
            output.write_lines(report.ndjson(in_full))?;
            bar.finish_and_clear();
        }
        Format::Csv => output.write_sheet(report.csv())?,
        Format::Markdown => output.write(&report.markdown())?,
        Format::Html => output.write(&report.html())?,
        _ => {
            let text = report.human(wanted.all, output.width());
            output.write(&text)?;
            let engines = [states.after, states.before];
            output.write(&render::glossary::of(&text, &engines, output.width()))?;
        }
    }
    if report.plan().is_some_and(|plan| !plan.is_verified()) {
        output.flush()?;
        return Err(ShellError::Arguments {
            message: "the plan does not do what it should".to_owned(),
            help: Some("this is a mistake in tarbac; please report it".to_owned()),
        }
        .into());
    }
    if impact.totals.decisions == 0 {
        note("nobody can ask for anything in either state: is this the right workspace (-C)?\n");
    }
    Ok(match impact.totals.is_same() {
        true => Exit::Yes,
        false => Exit::No,
    })
}

/// The roles that would need a permission; where they cannot be worked out, the rest of the report can.
fn in_need(planning: &Planner<'_, '_>) -> Vec<RoleChange> {
    let bar = waiting("looking for roles");
    let found = planning.roles_in_need();
    bar.finish_and_clear();
    found.unwrap_or_else(|findings| {
        let because = findings.first().map(|finding| finding.message.as_str());
        let because = because.unwrap_or_default();
        say(&format!(
            "which roles would need a permission cannot be worked out: {because}\n"
        ));
        Vec::new()
    })
}

fn compared(comparison: &Comparison<'_>, what: &'static str) -> Impact {
    let bar = progress(what);
    bar.set_length(comparison.classes() as u64);
    let impact = comparison.impact(|| bar.inc(1));
    bar.finish_and_clear();
    impact
}

/// Finds out what the devices are in, for the rows that are shown.
fn detail(comparison: &Comparison<'_>, impact: &mut Impact, (format, all): (Format, bool)) {
    let shown = match (format, all) {
        (Format::Human, false) => render::impact::PEOPLE.min(impact.people.len()),
        _ => impact.people.len(),
    };
    let people = impact.people.get_mut(..shown).unwrap_or_default();
    let changes = people.iter().flat_map(|touched| &touched.changes);
    let count: u64 = changes.map(|change| change.count).sum();
    let named = match all && count <= NAMED {
        true => usize::MAX,
        false => render::impact::LISTED,
    };
    if all && count > NAMED {
        say(
            "these are too many devices to name all of them at once; --format ndjson names them row by row\n",
        );
    }
    let bar = devices(shown);
    comparison.detail(people, named, || bar.inc(1));
    bar.finish_and_clear();
}
