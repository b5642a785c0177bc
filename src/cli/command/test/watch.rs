//! `tarbac test --watch`: a run after each change of the workspace.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use crate::arguments::GlobalArgs;
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{self, Output};

/// The pause that ends a change: editors save in several steps.
const SETTLING: Duration = Duration::from_millis(150);

/// The extensions of files that a run reads.
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

/// Watches the parts of the workspace, and its folder for new parts.
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

/// Waits for a relevant change, and for a pause after it.
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

/// Whether a run would read something that changed. A run opens files itself, and does not read the files `.new` that it
/// writes; a renamed folder has no extension.
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
