//! `tarbac diff`: the decisions that differ between two states of a workspace.

use std::path::PathBuf;

use clap::Args;
use tarbac_analysis::change::impact::States;
use tarbac_analysis::change::what_if::Premises;
use tarbac_host::workspace::{stands_alone, state};
use tarbac_host::{Layout, LoadError, Workspace};

use super::context::ContextArgs;
use super::impact::scope::ScopeArgs;
use super::impact::{ComparisonOptions, typed_flags, write_comparison};
use super::{layout, load_from, note_warnings, reading, switches};
use crate::arguments::GlobalArgs;
use crate::arguments::format::{REPORTS, format_among};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::Output;
use crate::product;

/// Show who gains and loses access between two workspaces, policies or git revisions.
///
/// The report is that of what-if, with gains first. OLD and NEW are each a workspace, a folder or file of policies that is
/// joined with the entities of this workspace, or a revision of the git repository of this workspace. Without NEW, OLD is
/// compared with this workspace.
///
/// Exit status: 0 nothing changes, 1 somebody gains or loses something, 2 could not answer.
#[derive(Debug, Args)]
#[command(arg = format_among(REPORTS), after_help = "\
Examples:
  tarbac diff HEAD~1
  tarbac diff main proposal/policies
  tarbac diff ../contoso-last-week --all --format json
  tarbac help what-if                      the page on changes")]
pub(crate) struct DiffArgs {
    /// The state before.
    pub old: String,

    /// The state after; by default this workspace.
    pub new: Option<String>,

    /// Show every row, and every device with the collections it is in.
    #[arg(long)]
    pub all: bool,

    /// The context of the requests.
    #[command(flatten)]
    pub context: ContextArgs,

    /// The limits of the comparison.
    #[command(flatten)]
    pub only: ScopeArgs,
}

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &DiffArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (layout, switches) = (layout(global), switches(global)?);
    check_files(global, arguments, &layout)?;
    let layout = Layout {
        others: [&arguments.old]
            .into_iter()
            .chain(&arguments.new)
            .map(PathBuf::from)
            .collect(),
        ..layout
    };
    let read = |name: &str| {
        let state = reading(global, |options| {
            let examination = state(&layout, name, &switches, options)?;
            Ok::<_, Failure>(Workspace::from_examination(examination)?)
        })?;
        note_warnings(&state);
        Ok::<_, Failure>(state)
    };
    let before = read(&arguments.old)?.engine;
    let after = match &arguments.new {
        Some(new) => read(new)?.engine,
        None => load_from(&layout, &switches, global)?.engine,
    };
    let states = States {
        before: &before,
        after: &after,
    };
    let new = arguments.new.as_deref().unwrap_or("this workspace");
    let compared = format!("diff {} {new}", arguments.old);
    let scope = arguments.only.given();
    let options = ComparisonOptions {
        premises: Premises {
            besides: std::iter::once(compared)
                .chain(typed_flags(global))
                .collect(),
            notes: scope.in_words().into_iter().collect(),
            ..Premises::default()
        },
        states: Some([arguments.old.clone(), new.to_owned()]),
        about: scope.about([&before, &after])?,
        context: &arguments.context,
        gains_first: true,
        is_before: false,
        all: arguments.all,
        plan: false,
        folder: &global.workspace,
        format: global.format,
    };
    write_comparison(states, &options, output)
}

/// Refuses named files if both states have files of their own.
fn check_files(global: &GlobalArgs, arguments: &DiffArgs, layout: &Layout) -> Result<(), Failure> {
    let Some(new) = &arguments.new else {
        return Ok(());
    };
    let stand_alone = |name: &str| stands_alone(layout, name).map_err(LoadError::from);
    let needs_workspace = !stand_alone(&arguments.old)? || !stand_alone(new)?;
    if needs_workspace || *layout == Layout::new(&global.workspace, product::rules()) {
        return Ok(());
    }
    let message =
        "--policies, --schema and --entities cannot be used with two states that have their own";
    Err(ShellError::Arguments {
        message: message.to_owned(),
        help: Some("name files or a folder of policies, or leave them out".to_owned()),
    }
    .into())
}
