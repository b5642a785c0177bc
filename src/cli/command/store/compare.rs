//! The decisions that differ between two revisions of a store.

use tarbac_analysis::change::impact::States;
use tarbac_analysis::change::what_if::Premises;
use tarbac_fleet::{FleetError, Manifest, Store};
use tarbac_host::Workspace;

use super::StoreDiffArgs;
use crate::arguments::GlobalArgs;
use crate::command::fleet::{in_short, load_revision};
use crate::command::impact::{ComparisonOptions, write_comparison};
use crate::command::note_warnings;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

pub(crate) fn diff(
    global: &GlobalArgs,
    arguments: &StoreDiffArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let store = arguments.at.open()?;
    let old = manifest(&store, arguments.old)?;
    let new = match arguments.new {
        Some(number) => manifest(&store, number)?,
        None => {
            store
                .newest()?
                .ok_or(FleetError::NoRevision { number: 1 })?
                .manifest
        }
    };
    let before = loaded(global, &store, &old)?.engine;
    let after = loaded(global, &store, &new)?.engine;
    let compared = format!(
        "store diff {} {}: {} and {}",
        old.number,
        new.number,
        in_short(&old),
        in_short(&new)
    );
    let scope = arguments.only.given();
    let options = ComparisonOptions {
        premises: Premises {
            besides: vec![compared],
            notes: scope.in_words().into_iter().collect(),
            ..Premises::default()
        },
        states: Some([in_short(&old), in_short(&new)]),
        about: scope.about([&before, &after])?,
        context: &arguments.context,
        gains_first: true,
        is_before: false,
        all: arguments.all,
        plan: false,
        folder: &global.workspace,
        format: global.format,
    };
    let states = States {
        before: &before,
        after: &after,
    };
    write_comparison(states, &options, output)
}

fn manifest(store: &Store, number: u64) -> Result<Manifest, Failure> {
    let revision = store
        .revision(number)?
        .ok_or(FleetError::NoRevision { number })?;
    Ok(revision.manifest)
}

fn loaded(global: &GlobalArgs, store: &Store, manifest: &Manifest) -> Result<Workspace, Failure> {
    let workspace = load_revision(global, store, manifest)??;
    note_warnings(&workspace);
    Ok(workspace)
}
