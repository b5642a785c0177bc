//! `tarbac what-if`: the decisions that a hypothetical change turns.

use clap::Args;
use tarbac_analysis::change::impact::States;
use tarbac_analysis::change::what_if;
use tarbac_host::workspace::is_workspace;
use tarbac_host::{Layout, Switches};

use super::context::ContextArgs;
#[cfg(feature = "fleet")]
use super::fleet::EachArgs;
use super::impact::scope::ScopeArgs;
use super::impact::{ComparisonOptions, typed_flags, write_comparison};
use super::suppose::{ChangesArgs, write_premises};
use super::{layout, load, load_from, switches};
use crate::arguments::format::{REPORTS, format_among};
use crate::arguments::{Format, GlobalArgs};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{Output, note};
use crate::product;

/// Show who gains and loses access by a change of the tenant or the rules.
///
/// Decides about every person, permission and device before and after the change, and shows the gains and losses with
/// devices and reasons, and first the changes that deserve a look. Nothing is written. Several changes can be given;
/// --policies, --schema, --entities, --reading and --no-reading are changes too. The state before is the workspace
/// without any of them.
///
/// With --plan, it also finds the fewest role changes that prevent losses and, separately, the fewest that prevent gains
/// without causing losses. A role change adds a permission to a custom role, removes one, or makes a new custom role with
/// its members; its policy can be copied into policies/custom. Each plan is tried, and the report lists any extra access:
/// under Intune authority, a role applies to every device of the tenant.
///
/// Exit status: 0 nothing changes, 1 somebody gains or loses something, 2 could not answer, or a plan failed when it was
/// tried.
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
    /// Plan the fewest role changes that prevent losses and, separately, gains; each plan is tried.
    #[arg(long, conflicts_with_all = ["principal", "action", "resource"])]
    pub plan: bool,

    /// Show every row, and every device with the collections it is in; --format ndjson always does.
    #[arg(long)]
    pub all: bool,

    /// The context of the requests.
    #[command(flatten)]
    pub context: ContextArgs,

    /// The changes to suppose.
    #[command(flatten)]
    pub changes: ChangesArgs,

    /// Several workspaces.
    #[cfg(feature = "fleet")]
    #[command(flatten)]
    pub each: EachArgs,

    /// The limits of the comparison.
    #[command(flatten)]
    pub only: ScopeArgs,
}

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &WhatIfArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    #[cfg(feature = "fleet")]
    return arguments.each.run(global, output, |global, output| {
        report(global, arguments, output)
    });
    #[cfg(not(feature = "fleet"))]
    report(global, arguments, output)
}

fn report(
    global: &GlobalArgs,
    arguments: &WhatIfArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let changed = layout(global);
    let unchanged = Layout::new(&global.workspace, product::rules());
    if changed != unchanged && !is_workspace(&global.workspace) {
        return Err(ShellError::Arguments {
            message: format!(
                "nothing was compared, because `{}` is no workspace: what is named beside it would count as the change",
                global.workspace.display()
            ),
            help: Some("say with -C which workspace is to be changed".to_owned()),
        }
        .into());
    }
    let before = load_from(&unchanged, &Switches::default(), global)?.engine;
    // Other files make a workspace of their own, to which the other changes apply.
    let read = match changed == unchanged {
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
    premises.besides.extend(typed_flags(global));
    let scope = arguments.only.given();
    let about = scope.about([&before, &after])?;
    premises.notes.extend(scope.in_words());
    // A report in Markdown has them itself.
    if global.format == Format::Human {
        write_premises(&premises, global.format, output)?;
    }
    let states = States {
        before: &before,
        after: &after,
    };
    let options = ComparisonOptions {
        premises,
        states: None,
        about,
        context: &arguments.context,
        gains_first: false,
        is_before: true,
        all: arguments.all,
        plan: arguments.plan,
        folder: &global.workspace,
        format: global.format,
    };
    write_comparison(states, &options, output)
}
