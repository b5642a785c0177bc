//! Transactions: several files of a workspace, changed as a whole.
//!
//! New files are written aside, in the folder [`FOLDER`] of the workspace. The change is decided on when the
//! record of the workspace ([`crate::record`]) names its steps; then each step is taken, and the record names
//! none again. Neither the workspace nor any folder in it is moved.
//!
//! Whoever finds a record with steps takes those that are left ([`settled`]), so that a program that was stopped
//! leaves the old files or the new ones. Where that cannot be done, nobody decides from a mixture.
//!
//! A lock keeps two changes apart. Readers take none: they compare the record before and after.

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
use state::{not_finished, state, told};
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::shown;

pub use draft::{Draft, DraftFile};
pub use files::{files_in, found};
pub use state::recorded;
pub(super) use state::{generation, record_of, settled};

/// The folder in which a change is prepared.
pub(super) const FOLDER: &str = ".tarbac-import";

/// What is in it beside the lock: the new files, those that they replace, and the records of after and before.
const NEW: &str = "new";

const OLD: &str = "old";

const AFTER: &str = "record";

const BEFORE: &str = "record.before";

/// What keeps git from taking it for a part of the repository.
const IGNORED: (&str, &str) = (".gitignore", "*\n");

/// Why a workspace cannot be changed.
#[derive(Debug, Error, Diagnostic)]
pub enum NotBegun {
    /// What an earlier change left cannot be read or finished.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unreadable(#[from] Unreadable),
    /// Nothing can be written into its folder.
    #[error("cannot write into `{path}`: {reason}")]
    #[diagnostic(code(file::failed))]
    Unwritable {
        /// The folder.
        path: String,
        /// Why not.
        reason: io::Error,
    },
}

/// A workspace that nobody else changes.
pub struct Transaction {
    root: PathBuf,
    lock: Lock,
    /// The folders that were made for it, the outermost first.
    made: Vec<PathBuf>,
    record: Option<Record>,
    /// What is to be told where an interrupted change was finished.
    finished: Option<Finding>,
    /// Whether the record names no steps of an earlier change, which could not be finished.
    is_settled: bool,
    draft: Draft,
}

/// The folder of a workspace, its lock, what was written into it before, whether that is settled, and which files
/// were written for it to be.
type Begun = (PathBuf, Lock, (Option<Record>, bool, Vec<String>));

impl Transaction {
    /// Begins a change of the workspace in a folder, which is made if it does not exist. What an earlier change
    /// left is finished or removed. While another change is under way, `wait` is called, and it is waited for.
    ///
    /// # Errors
    /// The folder cannot be made or written to, or what an earlier change left cannot be finished.
    pub fn begin(root: &Path, wait: impl FnOnce()) -> Result<Self, NotBegun> {
        let made = make_folders(root).map_err(|error| not_begun(root, error))?;
        let begun = Self::begin_in(root, wait);
        match begun {
            Ok((real, lock, (record, is_settled, finished))) => Ok(Self {
                draft: Draft::at(real.join(FOLDER).join(NEW)),
                root: real,
                lock,
                made,
                record,
                finished: told(root, &finished),
                is_settled,
            }),
            Err(error) => {
                unmake_folders(&made);
                Err(error)
            }
        }
    }

    fn begin_in(root: &Path, wait: impl FnOnce()) -> Result<Begun, NotBegun> {
        let failed = |error: io::Error| not_begun(root, error);
        // A link to the workspace stays one.
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
                // What was written aside is gone, so it is written anew.
                Err(_) if !has_new_files(&real, &pending) => {
                    (Some(either(&real, pending)), false, Vec::new())
                }
                Err(error) => return Err(not_finished(root, &error).into()),
            },
        };
        empty(&real).map_err(failed)?;
        Ok((real, lock, record))
    }

    /// What was written into the workspace before.
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// What is to be told where an interrupted change was finished.
    pub fn finished(&self) -> Option<&Finding> {
        self.finished.as_ref()
    }

    /// The files that are written.
    pub fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Takes the steps, and writes nothing where there is nothing to do. The files that they write are those of the
    /// draft.
    ///
    /// # Errors
    /// A file cannot be written; the workspace is as it was then.
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
        change.look()?;
        for act in change.acts() {
            if let Err(error) = change.act(act) {
                return Err(match change.undo(act) {
                    Ok(()) => error,
                    Err(other) => {
                        let reason = format!(
                            "{error}; and what was there could not be put back: {other}. The next command tries to finish it"
                        );
                        self.lock.is_left = true;
                        self.made.clear();
                        io::Error::other(reason)
                    }
                });
            }
        }
        self.made.clear();
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        self.lock.give_back();
        unmake_folders(&self.made);
    }
}

fn not_begun(root: &Path, reason: io::Error) -> NotBegun {
    NotBegun::Unwritable {
        path: shown(root),
        reason,
    }
}

/// Whether something is the business of tarbac alone, and no part of a workspace.
pub(super) fn is_aside(path: &Path) -> bool {
    // A folder that only has the name of the cache is none.
    let is_cache = path.ends_with(cache::FOLDER) && path.join(cache::TAG).exists();
    is_cache || path.ends_with(FOLDER)
}

/// Removes what was prepared for an earlier change.
fn empty(root: &Path) -> io::Result<()> {
    clear(&root.join(FOLDER))?;
    fs::create_dir_all(root.join(FOLDER).join(NEW))?;
    write(&root.join(FOLDER).join(IGNORED.0), IGNORED.1)
}
