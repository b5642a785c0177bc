//! `tarbac test --watch`: runs again whenever something in the workspace is saved.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use crate::arguments::GlobalArgs;
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{self, Output};

/// How long after a change to wait for more: editors save in several steps.
const SETTLING: Duration = Duration::from_millis(150);

/// The endings of files that make a difference.
const ENDINGS: [&str; 6] = ["cedar", "cedarschema", "json", "yaml", "yml", "snap"];

/// Runs once, and again after each change, until the program is stopped.
pub(crate) fn run(
    global: &GlobalArgs,
    output: &mut Output,
    mut once: impl FnMut(&mut Output) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    loop {
        // Watching begins before the run, so that nothing saved during it is missed.
        let (_watcher, changes) = watch(global)?;
        match once(output) {
            Ok(_) => {}
            Err(failure @ Failure::Output(_)) => return Err(failure),
            Err(failure) => failure.report(),
        }
        output.flush()?;
        output::note("\nwatching; Ctrl-C ends it\n");
        wait(&changes)?;
        output.clear()?;
    }
}

type Changes = Receiver<notify::Result<Event>>;

/// Watches the parts of the workspace, and its folder for parts that come into being.
fn watch(global: &GlobalArgs) -> Result<(RecommendedWatcher, Changes), ShellError> {
    let (sender, changes) = channel();
    let failed = |path: &Path, error: notify::Error| {
        ShellError::file("watch", path, std::io::Error::other(error))
    };
    let root = &global.workspace;
    let mut watcher = notify::recommended_watcher(sender).map_err(|error| failed(root, error))?;
    let parts = ["entities", "policies", "schema", "tests"].map(|part| root.join(part));
    let named = [&global.policies, &global.schema, &global.entities];
    let recursive: Vec<&PathBuf> = parts
        .iter()
        .chain(named.into_iter().flatten())
        .filter(|path| path.exists())
        .collect();
    watcher
        .watch(root, RecursiveMode::NonRecursive)
        .map_err(|error| failed(root, error))?;
    for path in recursive {
        watcher
            .watch(path, RecursiveMode::Recursive)
            .map_err(|error| failed(path, error))?;
    }
    Ok((watcher, changes))
}

/// Waits for a change that matters, and until no more follow at once.
fn wait(changes: &Changes) -> Result<(), ShellError> {
    while let Ok(change) = changes.recv() {
        match change {
            Ok(event) if matters(&event) => {
                while changes.recv_timeout(SETTLING).is_ok() {}
                return Ok(());
            }
            Ok(_) => {}
            Err(error) => output::say(&format!("cannot watch: {error}\n")),
        }
    }
    let reason = std::io::Error::other("the watcher has stopped");
    Err(ShellError::file("watch", Path::new("."), reason))
}

/// Whether something has changed that a run reads. A run opens files itself, and what it leaves
/// beside a snapshot it does not read; a folder that is renamed has no ending.
fn matters(event: &Event) -> bool {
    let is_read = |path: &PathBuf| match (path.file_name(), path.extension()) {
        (Some(name), _) if name.to_string_lossy().starts_with('.') => false,
        (_, Some(ending)) => ENDINGS
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known)),
        (_, None) => true,
    };
    !event.kind.is_access() && event.paths.iter().any(is_read)
}
