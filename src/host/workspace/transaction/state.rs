//! The state of a workspace by its record: settled, or within a change.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::change::finish;
use super::lock::{Lock, is_locked};
use super::{FOLDER, regular};
use crate::record::{self, NoRecord, Record, State};
use crate::workspace::consistent_read::finished_change;
use crate::workspace::{Unreadable, unreadable};
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::shown;

/// The largest record, in bytes; it has a line for each file.
pub(super) const LARGEST_RECORD: u64 = 64 * 1024 * 1024;

/// The number of times that a program checks whether another's change is complete, and the pause between two.
pub(super) const PATIENCE: (u32, Duration) = (500, Duration::from_millis(20));

/// The generation of a workspace: its record, and the time when it was written.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::workspace) struct Generation(Option<(Vec<u8>, Option<SystemTime>)>);

/// Completes an interrupted change of a workspace, if there is one. Returns the generation of the workspace, and the
/// files that were written or removed.
pub(in crate::workspace) fn settled(root: &Path) -> Result<(Generation, Vec<String>), Unreadable> {
    settled_within(root, PATIENCE)
}

pub(super) fn settled_within(
    root: &Path,
    patience: (u32, Duration),
) -> Result<(Generation, Vec<String>), Unreadable> {
    let mut left = patience.0;
    let mut finished = Vec::new();
    loop {
        let (state, generation) = state(root)?;
        let is_pending = matches!(state, Some(State::Pending(_)));
        if !is_pending && !root.join(FOLDER).is_dir() {
            return Ok((generation, finished));
        }
        let lock = Lock::try_take(root);
        if !is_pending {
            // A stopped program left these files, but no change. Without write access they stay.
            if let Ok(Some(lock)) = lock {
                drop(lock);
            }
            return Ok((generation, finished));
        }
        match lock {
            Ok(Some(_lock)) => {
                // Another program may have completed it.
                if let (Some(State::Pending(pending)), _) = self::state(root)? {
                    finished =
                        finish(root, &pending).map_err(|error| not_finished(root, &error))?;
                }
            }
            Ok(None) if left > 0 => {
                left -= 1;
                std::thread::sleep(patience.1);
            }
            Ok(None) => {
                let reason = "it is being changed by another program";
                return Err(unreadable(root, reason, Some("wait until it is done")));
            }
            Err(_) if left > 0 && is_locked(root) => {
                left -= 1;
                std::thread::sleep(patience.1);
            }
            Err(error) => return Err(not_finished(root, &error)),
        }
    }
}

/// The generation of a workspace, which tells its states apart.
pub(in crate::workspace) fn generation(root: &Path) -> Result<Generation, Unreadable> {
    Ok(state(root)?.1)
}

pub(super) fn not_finished(root: &Path, error: &io::Error) -> Unreadable {
    let reason = format!("a change of its files was interrupted, and cannot be finished: {error}");
    let help = "run a command as somebody who may write here, import again, or let git put back what was there, with tarbac-files.json";
    unreadable(root, &reason, Some(help))
}

/// The record of a workspace after any change has been completed; `None` if there is none.
///
/// # Errors
/// The record cannot be read, or a change cannot be completed.
pub fn recorded(root: &Path) -> Result<(Option<Record>, Option<Finding>), Unreadable> {
    let (_, finished) = settled(root)?;
    let finished = finding_about(root, &finished);
    match state(root)?.0 {
        Some(State::Settled(record)) => Ok((Some(record), finished)),
        None => Ok((None, finished)),
        Some(State::Pending(_)) => {
            let reason = "it is being changed by another program";
            Err(unreadable(root, reason, Some("wait until it is done")))
        }
    }
}

/// The record of a workspace and its text; `None` if there is none, or if a change is under way.
pub(in crate::workspace) fn record_of(root: &Path) -> Result<Option<(Record, String)>, Unreadable> {
    Ok(match state(root)? {
        (Some(State::Settled(record)), Generation(Some((bytes, _)))) => {
            Some((record, String::from_utf8_lossy(&bytes).into_owned()))
        }
        _ => None,
    })
}

/// The state by the record of a workspace, if there is one.
pub(super) fn state(root: &Path) -> Result<(Option<State>, Generation), Unreadable> {
    let path = root.join(record::FILE);
    let metadata = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_symlink() => {
            return Err(unreadable(&path, "it is not a regular file", None));
        }
        metadata => metadata,
    };
    let read = metadata.and_then(|metadata| {
        let bytes = regular::read(&path, LARGEST_RECORD)?;
        Ok((bytes, metadata.modified().ok()))
    });
    let (bytes, modified) = match read {
        Ok(read) => read,
        Err(error) if is_absent(&error) => return Ok((None, Generation(None))),
        Err(error) => return Err(unreadable(&path, &error.to_string(), None)),
    };
    let state = State::read(&String::from_utf8_lossy(&bytes)).map_err(|error| {
        let help = match error {
            NoRecord::Newer(_) => "use a tarbac that is at least as new as the one that wrote it",
            NoRecord::Other(_) => {
                "put back what git has of it; without the file, an import takes every file for yours"
            }
        };
        unreadable(&path, &error.to_string(), Some(help))
    })?;
    let generation = Generation(Some((bytes, modified)));
    Ok((Some(state), generation))
}

/// The finding about files that were written to complete an interrupted change, if there are any.
pub(super) fn finding_about(root: &Path, finished: &[String]) -> Option<Finding> {
    let names: Vec<String> = finished
        .iter()
        .map(|path| shown(&root.join(path)))
        .collect();
    finished_change(&names)
}

pub(super) fn is_absent(error: &io::Error) -> bool {
    // If the workspace is not a folder it has no record; its reader reports that.
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
