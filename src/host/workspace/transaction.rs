//! Transactions: changes of several files of a workspace as a whole.
//!
//! New files are first written into the folder [`FOLDER`] of the workspace. The change is decided when the record of
//! the workspace ([`crate::record`]) lists its steps; then each step is taken, and at the end the record lists none.
//! Neither the workspace nor a folder in it is moved.
//!
//! A program that finds a record with steps takes the remaining ones ([`settled`]), so that after an interruption
//! there are only old files or only new ones. If that is impossible, nothing is decided from the mixture.
//!
//! A lock prevents two changes at once. Readers take no lock: they compare the record before and after reading.

mod change;
mod disk;
mod draft;
mod files;
mod lock;
mod state;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::{Unreadable, cache, regular};
use crate::record::{Pending, Record, State, Step};
use change::{Change, either, finish, has_new_files};
use disk::{make_folders, unmake_folders, write};
use lock::{Lock, clear};
use state::{finding_about, not_finished, state};
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::shown;

pub use draft::{Draft, DraftFile};
pub use files::{files_in, found};
pub use state::recorded;
pub(super) use state::{generation, record_of, settled};

/// The folder in which a change is prepared.
pub(super) const FOLDER: &str = ".tarbac-import";

/// The content of the folder besides the lock: the new files, the old files, and the records after and before.
const NEW: &str = "new";

const OLD: &str = "old";

const AFTER: &str = "record";

const BEFORE: &str = "record.before";

/// The file that makes git ignore the folder.
const IGNORED: (&str, &str) = (".gitignore", "*\n");

/// The reason why a change of a workspace cannot begin.
#[derive(Debug, Error, Diagnostic)]
pub enum NotBegun {
    /// An earlier change cannot be read or completed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unreadable(#[from] Unreadable),
    /// The folder of the workspace cannot be written to.
    #[error("cannot write into `{path}`: {reason}")]
    #[diagnostic(code(file::failed))]
    Unwritable {
        /// The folder.
        path: String,
        /// The reason.
        reason: io::Error,
    },
}

/// A change of a workspace, which keeps other changes out.
pub struct Transaction {
    root: PathBuf,
    lock: Lock,
    /// The folders that were created for the workspace, the outermost first.
    created: Vec<PathBuf>,
    record: Option<Record>,
    /// The finding about an interrupted change that was completed, if there was one.
    finished: Option<Finding>,
    /// Whether the record lists no steps; otherwise, an earlier change could not be completed.
    is_settled: bool,
    draft: Draft,
}

/// The folder of a workspace, its lock, its record, whether that is settled, and the files that were written to
/// complete an earlier change.
type Begun = (PathBuf, Lock, (Option<Record>, bool, Vec<String>));

impl Transaction {
    /// Begins a change of the workspace in a folder, which is created if necessary. The rest of an earlier change is
    /// completed or removed. If another change is under way, `wait` is called, and the function waits for its end.
    ///
    /// # Errors
    /// The folder cannot be created or written to, or an earlier change cannot be completed.
    pub fn begin(root: &Path, wait: impl FnOnce()) -> Result<Self, NotBegun> {
        let created = make_folders(root).map_err(|error| not_begun(root, error))?;
        let begun = Self::begin_in(root, wait);
        match begun {
            Ok((real, lock, (record, is_settled, finished))) => Ok(Self {
                draft: Draft::at(real.join(FOLDER).join(NEW)),
                root: real,
                lock,
                created,
                record,
                finished: finding_about(root, &finished),
                is_settled,
            }),
            Err(error) => {
                unmake_folders(&created);
                Err(error)
            }
        }
    }

    fn begin_in(root: &Path, wait: impl FnOnce()) -> Result<Begun, NotBegun> {
        let failed = |error: io::Error| not_begun(root, error);
        // A link to the workspace stays a link.
        let real = root.canonicalize().map_err(failed)?;
        let lock = match Lock::try_take(&real).map_err(failed)? {
            Some(lock) => lock,
            None => {
                wait();
                Lock::wait_for(&real).map_err(failed)?
            }
        };
        let record = match state(&real)?.0 {
            None => (None, true, Vec::new()),
            Some(State::Settled(record)) => (Some(record), true, Vec::new()),
            Some(State::Pending(pending)) => match finish(&real, &pending) {
                Ok(finished) => (Some(pending.after), true, finished),
                // The prepared files of that change are gone, so this one replaces it.
                Err(_) if !has_new_files(&real, &pending) => {
                    (Some(either(&real, pending)), false, Vec::new())
                }
                Err(error) => return Err(not_finished(root, &error).into()),
            },
        };
        empty(&real).map_err(failed)?;
        Ok((real, lock, record))
    }

    /// The record of the workspace before the change.
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// The finding about an interrupted change that was completed, if there was one.
    pub fn finished(&self) -> Option<&Finding> {
        self.finished.as_ref()
    }

    /// The new files.
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Takes the steps, with the files of the draft; writes nothing if there is nothing to change.
    ///
    /// # Errors
    /// A file cannot be written. The workspace is then as before or, if it cannot be restored, the next command tries
    /// to complete the change.
    pub fn commit(mut self, steps: Vec<Step>, after: Record) -> io::Result<()> {
        if self.is_settled && steps.is_empty() && self.record.as_ref() == Some(&after) {
            return Ok(());
        }
        let pending = Pending {
            before: self.record.clone(),
            steps,
            after,
        };
        let change = Change {
            root: &self.root,
            pending: &pending,
        };
        change.check_unchanged()?;
        for act in change.acts() {
            if let Err(error) = change.act(act) {
                return Err(match change.undo(act) {
                    Ok(()) => error,
                    Err(other) => {
                        let reason = format!(
                            "{error}; and what was there could not be put back: {other}. The next command tries to finish it"
                        );
                        self.lock.is_left = true;
                        self.created.clear();
                        io::Error::other(reason)
                    }
                });
            }
        }
        self.created.clear();
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.lock.give_back();
        unmake_folders(&self.created);
    }
}

fn not_begun(root: &Path, reason: io::Error) -> NotBegun {
    NotBegun::Unwritable {
        path: shown(root),
        reason,
    }
}

/// Whether a folder is one of tarbac's own, and not part of a workspace.
pub(super) fn is_aside(path: &Path) -> bool {
    // Without its mark, a folder with the name of the cache is not the cache.
    let is_cache = path.ends_with(cache::FOLDER) && path.join(cache::TAG).exists();
    is_cache || path.ends_with(FOLDER)
}

/// Removes the prepared files of an earlier change.
fn empty(root: &Path) -> io::Result<()> {
    clear(&root.join(FOLDER))?;
    fs::create_dir_all(root.join(FOLDER).join(NEW))?;
    write(&root.join(FOLDER).join(IGNORED.0), IGNORED.1)
}
