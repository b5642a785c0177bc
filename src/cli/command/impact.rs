//! The comparison of two states, for `what-if` and `diff`.

pub(crate) mod scope;

use std::path::{Path, PathBuf};
use std::slice::from_mut;

use tarbac_analysis::change::impact::{About, Affected, Comparison, Impact, States};
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::plan::{PlannedRoles, Planner, RoleChange};
use tarbac_host::Engine;
use tarbac_host::bundle::Action;
use tarbac_report as render;
use tarbac_report::impact::ImpactReport;

use super::context::{ContextArgs, check_context, context};
use crate::arguments::{Format, GlobalArgs};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{Output, devices, note, progress, say, waiting};

/// The most devices that one report names: their names must fit in memory.
const NAMED: u64 = 5_000_000;

/// The options of a comparison.
pub(crate) struct ComparisonOptions<'a> {
    /// The premises, or the two states that are compared.
    pub premises: Premises,
    /// The limits of the comparison.
    pub about: About,
    /// The context of the requests.
    pub context: &'a ContextArgs,
    /// Whether gains are listed first.
    pub gains_first: bool,
    /// Whether every row is shown.
    pub all: bool,
    /// Whether role changes are planned.
    pub plan: bool,
    /// Whether the workspace of this run is the state before. Otherwise it is the state after.
    pub is_before: bool,
    /// The folder of the workspace.
    pub folder: &'a Path,
    /// The format of the report.
    pub format: Format,
}

/// The flags for files and readings as they were typed.
pub(crate) fn typed_flags(global: &GlobalArgs) -> impl Iterator<Item = String> {
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

/// Compares two states and writes the report.
pub(crate) fn write_comparison(
    states: States<'_>,
    options: &ComparisonOptions<'_>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let about = options.context;
    check_context(states.before, about)?;
    check_context(states.after, about)?;
    let context = |engine: &Engine, action: &Action| {
        context(engine, &action.uid, about).unwrap_or_else(|_| cedar_policy::Context::empty())
    };
    let comparison = states.compare_about(&options.about, context);
    let mut impact = compared(&comparison, "comparing");
    if options.gains_first {
        impact.gains_first();
    }
    if options.format != Format::Ndjson {
        detail(&comparison, &mut impact, (options.format, options.all));
    }
    let planning = Planner {
        states,
        impact: &impact,
        context: &context,
        compare: &|states| compared(&states.compare(context), "trying the plan"),
    };
    let roles = roles(&planning, options)?;
    let at_hand = match options.is_before {
        true => states.before.provenance(),
        false => states.after.provenance(),
    };
    let report = ImpactReport {
        premises: &options.premises,
        impact: &impact,
        roles: &roles,
        states: [states.before.provenance(), states.after.provenance()],
        at_hand,
    };
    write_report(&report, &comparison, states, options, output)?;
    if report.plan().is_some_and(|plan| !plan.is_verified()) {
        output.flush()?;
        return Err(ShellError::Arguments {
            message: "the plan failed when it was tried".to_owned(),
            help: Some("this is a mistake in tarbac; please report it".to_owned()),
        }
        .into());
    }
    if impact.totals.decisions == 0 {
        note("no request is possible in either state: is this the right workspace (-C)?\n");
    }
    Ok(match impact.totals.is_same() {
        true => Exit::Yes,
        false => Exit::No,
    })
}

/// The role changes of a plan, or the roles that would need a permission.
fn roles(
    planning: &Planner<'_, '_>,
    options: &ComparisonOptions<'_>,
) -> Result<PlannedRoles, Failure> {
    let failed = |findings| Failure::Invalid(findings, "Nothing was planned.");
    Ok(match (options.plan, options.format) {
        (true, _) => {
            let mut plan = planning.plan().map_err(failed)?;
            plan.in_workspace(options.folder);
            PlannedRoles::Planned(Box::new(plan))
        }
        // CSV has no place for them.
        (false, Format::Csv) => PlannedRoles::InNeed(Vec::new()),
        (false, _) => PlannedRoles::InNeed(in_need(planning)),
    })
}

/// Writes the report in its format.
fn write_report(
    report: &ImpactReport<'_>,
    comparison: &Comparison<'_>,
    states: States<'_>,
    options: &ComparisonOptions<'_>,
    output: &mut Output,
) -> Result<(), Failure> {
    match options.format {
        Format::Json => output.write(&report.document())?,
        Format::Ndjson => {
            let bar = devices(report.impact.people.len());
            let in_full = |affected: &Affected| {
                let mut affected = affected.clone();
                comparison.detail(from_mut(&mut affected), usize::MAX, || bar.inc(1));
                affected
            };
            output.write_lines(report.ndjson(in_full))?;
            bar.finish_and_clear();
        }
        Format::Csv => output.write_sheet(report.csv())?,
        Format::Markdown => output.write(&report.markdown())?,
        Format::Html => output.write(&report.html())?,
        _ => {
            let text = report.human(options.all, output.width());
            output.write(&text)?;
            let engines = [states.after, states.before];
            output.write(&render::glossary::paragraph(
                &text,
                &engines,
                output.width(),
            ))?;
        }
    }
    Ok(())
}

/// The roles that would need a permission. If they cannot be found, the report goes without them.
fn in_need(planning: &Planner<'_, '_>) -> Vec<RoleChange> {
    let bar = waiting("looking for roles");
    let found = planning.roles_in_need();
    bar.finish_and_clear();
    found.unwrap_or_else(|findings| {
        let because = findings.first().map(|finding| finding.message.as_str());
        let because = because.unwrap_or_default();
        say(&format!(
            "the roles that would need a permission cannot be found: {because}\n"
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

/// Fills in the devices and their parents in the rows that are shown.
fn detail(comparison: &Comparison<'_>, impact: &mut Impact, (format, all): (Format, bool)) {
    let shown = match (format, all) {
        (Format::Human, false) => render::impact::PEOPLE.min(impact.people.len()),
        _ => impact.people.len(),
    };
    let people = impact.people.get_mut(..shown).unwrap_or_default();
    let changes = people.iter().flat_map(|affected| &affected.changes);
    let count: u64 = changes.map(|change| change.count).sum();
    let named = match all && count <= NAMED {
        true => usize::MAX,
        false => render::impact::LISTED,
    };
    if all && count > NAMED {
        say(
            "there are too many devices to list all of them; --format ndjson lists them row by row\n",
        );
    }
    let bar = devices(shown);
    comparison.detail(people, named, || bar.inc(1));
    bar.finish_and_clear();
}
