//! `tarbac what-if`: what changes for whom if something is changed.

use tarbac_analysis::change::impact::States;
use tarbac_analysis::change::what_if;
use tarbac_host::{Layout, Switches};

use super::impact::{Wanted, about, answer, only, typed};
use super::output::{Output, note};
use super::suppose::say_premises;
use super::{Exit, Failure, layout, load, load_from, switches};
use crate::cli::{Format, Global, WhatIf};
use crate::product;

pub fn run(global: &Global, arguments: &WhatIf, output: &mut Output) -> Result<Exit, Failure> {
    let changed = layout(global);
    let before = load_from(
        &Layout::of(&global.workspace, product::rules()),
        &Switches::default(),
        global,
    )?
    .engine;
    // Other files are read by themselves; what is changed besides is changed there.
    let read = match changed == Layout::of(&global.workspace, product::rules()) {
        true => None,
        false => Some(load(global)?.engine),
    };
    let changes = arguments.changes.all();
    let switches = switches(global)?;
    if read.is_none() && changes.is_empty() && switches == Switches::default() {
        note("no change is named; `tarbac what-if --help` lists them\n");
    }
    let invalid = |findings| Failure::Invalid(findings, "Nothing was compared.");
    let (after, mut premises) =
        what_if::suppose(read.as_ref().unwrap_or(&before), &changes, &switches).map_err(invalid)?;
    premises.besides.extend(typed(global));
    let about = about([&before, &after], &arguments.only)?;
    premises.notes.extend(only(&arguments.only));
    // In Markdown they are a part of the report.
    if global.format == Format::Human {
        say_premises(&premises, global.format, output)?;
    }
    let states = States {
        before: &before,
        after: &after,
    };
    let wanted = Wanted {
        premises,
        about,
        context: &arguments.context,
        gains_first: false,
        is_before: true,
        all: arguments.all,
        plan: arguments.plan,
        folder: &global.workspace,
        format: global.format,
    };
    answer(states, &wanted, output)
}
