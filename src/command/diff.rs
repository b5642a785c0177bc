//! `tarbac diff`: what changes for whom between two states of a workspace.

use tarbac::Workspace;
use tarbac::impact::States;
use tarbac::workspace::state;

use super::impact::{Wanted, answer};
use super::output::Output;
use super::{Exit, Failure, layout, load, reading, switches};
use crate::cli::{Diff, Global};

pub fn run(global: &Global, arguments: &Diff, output: &mut Output) -> Result<Exit, Failure> {
    let (layout, switches) = (layout(global), switches(global)?);
    let read = |name: &str| {
        reading(global, |means| {
            Ok(Workspace::of(state(&layout, name, &switches, means)?)?)
        })
    };
    let before = read(&arguments.old)?.engine;
    let after = match &arguments.new {
        Some(new) => read(new)?.engine,
        None => load(global)?.engine,
    };
    let states = States {
        before: &before,
        after: &after,
    };
    let wanted = Wanted {
        about: &arguments.context,
        all: arguments.all,
        plan: false,
        hint: false,
        format: global.format,
    };
    answer(states, &wanted, output)
}
