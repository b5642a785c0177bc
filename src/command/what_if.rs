//! `tarbac what-if`: what changes for whom if something is changed.

use tarbac::impact::States;
use tarbac::render::impact::Asked;
use tarbac::what_if::{self, Change};
use tarbac::{Layout, Switches};

use super::impact::{Wanted, answer, typed};
use super::output::{Output, note};
use super::{Exit, Failure, layout, load, load_from, switches};
use crate::cli::{Global, WhatIf};

pub fn run(global: &Global, arguments: &WhatIf, output: &mut Output) -> Result<Exit, Failure> {
    let changed = layout(global);
    let before = load_from(&Layout::of(&global.workspace), &Switches::default(), global)?.engine;
    // Other files are read by themselves; what is changed besides is changed there.
    let read = match changed == Layout::of(&global.workspace) {
        true => None,
        false => Some(load(global)?.engine),
    };
    let changes = changes(arguments);
    let switches = switches(global)?;
    if read.is_none() && changes.is_empty() && switches == Switches::default() {
        note("no change is named; `tarbac what-if --help` lists them\n");
    }
    let invalid = |findings| Failure::Invalid(findings, "Nothing was compared.");
    let after =
        what_if::after(read.as_ref().unwrap_or(&before), &changes, &switches).map_err(invalid)?;
    let states = States {
        before: &before,
        after: &after,
    };
    let wanted = Wanted {
        asked: Asked {
            changes: changes
                .iter()
                .map(Change::typed)
                .chain(typed(global))
                .collect(),
            notes: what_if::consequences(read.as_ref().unwrap_or(&before), &changes),
        },
        about: &arguments.context,
        gains_first: false,
        all: arguments.all,
        plan: arguments.plan,
        folder: &global.workspace,
        format: global.format,
    };
    answer(states, &wanted, output)
}

/// What is asked for, in the order of the flags.
fn changes(arguments: &WhatIf) -> Vec<Change> {
    let flag = |flag: &str, values: &[String]| -> Vec<Change> {
        let change = |value: &String| Change::Flag {
            flag: flag.to_owned(),
            value: value.clone(),
        };
        values.iter().map(change).collect()
    };
    let mut changes = flag("use-intune-rbac", &arguments.use_intune_rbac);
    changes.extend(flag(
        "enforce-configmgr-rbac",
        &arguments.enforce_configmgr_rbac,
    ));
    changes.extend(flag("site-version", &arguments.site_version));
    changes.extend(flag("scoped-permissions", &arguments.scoped_permissions));
    changes.extend(arguments.set.iter().cloned().map(Change::Set));
    changes.extend(arguments.grant.iter().cloned().map(Change::Grant));
    changes.extend(arguments.revoke.iter().cloned().map(Change::Revoke));
    changes
}
