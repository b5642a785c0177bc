//! The comparison of two states, for `what-if` and `diff`.

pub(crate) mod scope;

use std::path::{Path, PathBuf};
use std::slice::from_mut;
use std::sync::{Mutex, PoisonError};

use indicatif::ProgressBar;
use tarbac_analysis::change::impact::{About, Affected, Comparison, States};
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::inquiry::{
    self, ComparisonInquiry, InquiryError, InquiryStep, Naming, Progress, RolesInquiry,
};
use tarbac_analysis::plan::PlannedRoles;
use tarbac_report as render;
use tarbac_report::impact::ImpactReport;

use super::colophon::colophon;
use super::context::ContextArgs;
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
    /// The names of the two states, if both have one.
    pub states: Option<[String; 2]>,
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
    let inquiry = options.inquiry()?;
    let compared = inquiry::compare(states, &inquiry, &Bars::default())
        .map_err(|error| Failure::inquiry(error, "Nothing was planned."))?;
    let (impact, mut roles) = (compared.impact, compared.roles);
    if let PlannedRoles::Planned(plan) = &mut roles {
        plan.in_workspace(options.folder);
    }
    if options.all && compared.is_short {
        say(
            "there are too many devices to list all of them; --format ndjson lists them row by row\n",
        );
    }
    if let Some(because) = compared.without_roles {
        say(&format!(
            "the roles that would need a permission cannot be found: {}\n",
            because.message
        ));
    }
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
    write_report(&report, &compared.comparison, states, options, output)?;
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

impl ComparisonOptions<'_> {
    fn inquiry(&self) -> Result<ComparisonInquiry, InquiryError> {
        let naming = Naming {
            rows: match (self.format, self.all) {
                // Its rows are filled in when they are written.
                (Format::Ndjson | Format::Html, _) => 0,
                (Format::Human, false) => render::impact::PEOPLE,
                _ => usize::MAX,
            },
            named: if self.all {
                usize::MAX
            } else {
                render::impact::LISTED
            },
            otherwise: render::impact::LISTED,
            most: NAMED,
        };
        Ok(ComparisonInquiry {
            about: self.about.clone(),
            context: self.context.given()?,
            gains_first: self.gains_first,
            roles: match (self.plan, self.format) {
                (true, _) => RolesInquiry::Plan,
                // CSV has no place for them.
                (false, Format::Csv) => RolesInquiry::None,
                (false, _) => RolesInquiry::InNeed,
            },
            naming,
        })
    }
}

/// The progress bar of a step.
#[derive(Default)]
struct Bars {
    bar: Mutex<Option<ProgressBar>>,
}

impl Bars {
    fn with(&self, then: impl FnOnce(&mut Option<ProgressBar>)) {
        then(&mut self.bar.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Progress for Bars {
    fn begin(&self, step: InquiryStep, parts: usize) {
        let counted = |what| {
            let bar = progress(what);
            bar.set_length(parts as u64);
            bar
        };
        let begun = match step {
            InquiryStep::Comparing => counted("comparing"),
            InquiryStep::Trying => counted("trying the plan"),
            InquiryStep::Naming => devices(parts),
            InquiryStep::Roles => waiting("looking for roles"),
        };
        self.with(|bar| *bar = Some(begun));
    }

    fn advance(&self) {
        self.with(|bar| {
            if let Some(bar) = bar {
                bar.inc(1);
            }
        });
    }

    fn end(&self) {
        self.with(|bar| {
            if let Some(bar) = bar.take() {
                bar.finish_and_clear();
            }
        });
    }
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
        Format::Html => {
            let in_full = |affected: &Affected, named: usize| {
                let mut affected = affected.clone();
                comparison.detail(from_mut(&mut affected), named, || {});
                affected
            };
            let colophon = colophon(states.after, options.states.clone());
            let engines = [states.after, states.before];
            output.write(&report.html(&colophon, (&engines, options.all), in_full))?;
        }
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
