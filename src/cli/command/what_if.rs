//! `tarbac what-if`: what changes for whom if something is changed.

use clap::Args;
use tarbac_analysis::change::impact::States;
use tarbac_analysis::change::what_if;
use tarbac_host::{Layout, Switches};

use super::context::ContextArgs;
use super::impact::scope::{OnlyArgs, about, only};
use super::impact::{Wanted, answer, typed};
use super::suppose::{ChangesArgs, say_premises};
use super::{layout, load, load_from, switches};
use crate::arguments::format::{REPORTS, format_among};
use crate::arguments::{Format, GlobalArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Output, note};
use crate::product;

/// Show what changes for whom if something is changed.
///
/// Decides about everybody and everything before and after, and shows who gains and who loses what, on
/// which devices and why, with what to look at first. Nothing is written. Any number of changes go
/// together; --policies, --schema, --entities, --reading and --no-reading are changes too: before, the
/// workspace is as it stands.
///
/// With --plan, it also looks for the fewest role changes that go with the change: those after which nobody
/// loses what a role can keep, and, separately, those after which nobody gains what can be taken away
/// without a loss. A role change is a permission added to a custom role or taken out of it, or a new custom
/// role with those who are assigned it; its policy is ready to be put into policies/custom. Each plan is
/// compared in turn, and what it lets people gain is said: while Intune decides, a role is good for every
/// device of the tenant.
///
/// Exit status: 0 nothing changes, 1 somebody gains or loses something, 2 could not answer, or a plan does
/// not do what it should.
#[derive(Debug, Args)]
#[command(arg = format_among(REPORTS), after_help = "\
Examples:
  tarbac what-if --use-intune-rbac on --enforce-configmgr-rbac P01=off
  tarbac what-if --enforce-configmgr-rbac P01=off --plan
  tarbac what-if --site-version P01=2403 --all
  tarbac what-if --enforce-configmgr-rbac P01=off --principal ada@contoso.example --action runScript
  tarbac what-if --grant ada@contoso.example=\"Help Desk Operator\" --revoke olivia@contoso.example=\"Read Only Operator\"
  tarbac what-if --set 'ada@contoso.example.cloudOnly=false' --reading discovery-either --format json
  tarbac what-if --policies proposal/policies")]
pub(crate) struct WhatIfArgs {
    /// Plan the fewest role changes after which nobody loses anything and, separately, nobody gains what can
    /// be taken away; each plan is tried.
    #[arg(long, conflicts_with_all = ["principal", "action", "resource"])]
    pub plan: bool,

    /// Show every row, and every device with the collections it is in; --format ndjson always does.
    #[arg(long)]
    pub all: bool,

    /// What else is known about the requests.
    #[command(flatten)]
    pub context: ContextArgs,

    /// What is changed.
    #[command(flatten)]
    pub changes: ChangesArgs,

    /// Whom and what it is about.
    #[command(flatten)]
    pub only: OnlyArgs,
}

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &WhatIfArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
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
