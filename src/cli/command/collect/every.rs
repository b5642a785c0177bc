//! Collections again and again, each imported into a workspace.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use clap::Parser as _;
use tarbac_collect::CollectSettings;
use tarbac_report as render;

use super::{CollectArgs, once};
use crate::arguments::{Arguments, Command};
use crate::command::import as import_command;
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::Output;

/// Collects for ever. A collection or an import that fails is told, and the workspace stays as it is until the next one.
pub(super) fn run(
    arguments: &CollectArgs,
    mut settings: CollectSettings,
    out: &Path,
    pause: Duration,
    output: &mut Output,
) -> Result<Exit, Failure> {
    loop {
        let done = round(arguments, &settings, out, output);
        // One that was stopped begins anew: what it has may be old.
        settings.is_resumed = false;
        if let Err(failure) = done {
            failure.report();
        }
        output.flush()?;
        sleep(pause);
    }
}

fn round(
    arguments: &CollectArgs,
    settings: &CollectSettings,
    out: &Path,
    output: &mut Output,
) -> Result<(), Failure> {
    let (_, collected) = once(arguments, settings, out)?;
    output.write(&render::collect::human(
        &collected,
        out,
        &[],
        output.style(),
    ))?;
    match &arguments.import {
        Some(workspace) => import(out, workspace, output),
        None => Ok(()),
    }
}

/// Imports a collection into a workspace.
pub(super) fn import(out: &Path, workspace: &Path, output: &mut Output) -> Result<(), Failure> {
    let words = ["tarbac".into(), "import".into(), out.into(), "--out".into()];
    let words = words.into_iter().chain([workspace.as_os_str().to_owned()]);
    let parsed = Arguments::try_parse_from(words).map_err(|error| ShellError::Arguments {
        message: error.to_string(),
        help: None,
    })?;
    match &parsed.command {
        Command::Import(import) => import_command::run(&parsed.global, import, output).map(|_| ()),
        _ => Ok(()),
    }
}
