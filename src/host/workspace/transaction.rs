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

#![expect(clippy::disallowed_methods, reason = "the shell opens files")]

mod draft;
mod lock;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use miette::Diagnostic;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use thiserror::Error;
use walkdir::WalkDir;

use super::{Unreadable, cache, is_finished, regular, shown, unreadable};
use crate::record::{self, Found, NoRecord, Pending, Record, State, Step, TextHasher};
use lock::{Lock, clear, is_locked};
use tarbac_diagnostic::finding::Finding;

pub use draft::{Draft, DraftFile};

/// The folder in which a change is prepared.
pub(super) const FOLDER: &str = ".tarbac-import";

/// What is in it beside the lock: the new files, those that they replace, and the records of after and before.
const NEW: &str = "new";
const OLD: &str = "old";
const AFTER: &str = "record";
const BEFORE: &str = "record.before";

/// What keeps git from taking it for a part of the repository.
const IGNORED: (&str, &str) = (".gitignore", "*\n");

/// The largest record that is read, in bytes: a line a file.
const LARGEST_RECORD: u64 = 64 * 1024 * 1024;

/// How often, and after how long each time, somebody looks whether a change that is under way is done.
const PATIENCE: (u32, Duration) = (500, Duration::from_millis(20));

/// What tells whether a workspace was changed as a whole: the record, and when it was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Generation(Option<(Vec<u8>, Option<SystemTime>)>);

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

/// A change of a workspace that has been prepared, as acts that follow each other.
struct Change<'a> {
    root: &'a Path,
    pending: &'a Pending,
}

/// What is done one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// Keeps what a step replaces or removes.
    Keep(usize),
    /// Sees to it that what was written aside is on the disk.
    Sync,
    /// Writes the record of afterwards aside, and keeps the one that is there.
    Records,
    /// Names the steps in the record: from here on it is the new workspace that will be there.
    Decide,
    /// Takes a step.
    Take(usize),
    /// Puts the record of afterwards into its place.
    Finish,
}

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
        let lock = match Lock::try_of(&real).map_err(failed)? {
            Some(lock) => lock,
            None => {
                wait();
                Lock::of(&real).map_err(failed)?
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

impl Change<'_> {
    fn acts(&self) -> Vec<Act> {
        let count = self.pending.steps.len();
        let before = (0..count).map(Act::Keep);
        let before = before.chain([Act::Sync, Act::Records, Act::Decide]);
        before
            .chain((0..count).map(Act::Take))
            .chain([Act::Finish])
            .collect()
    }

    /// Refuses where anything is not as it was found: somebody may have saved a file in the meantime.
    fn look(&self) -> io::Result<()> {
        for step in &self.pending.steps {
            let now = found(self.root, &step.path)?;
            if now != step.before.map(Found::File) {
                return Err(io::Error::other(format!(
                    "`{}` has changed in the meantime; run the command again",
                    step.path
                )));
            }
        }
        Ok(())
    }

    fn act(&self, act: Act) -> io::Result<()> {
        let aside = self.root.join(FOLDER);
        match act {
            Act::Keep(number) => match self.step(number)? {
                Step { before: None, .. } => Ok(()),
                Step { path, .. } => {
                    let (place, old) = (self.root.join(path), aside.join(OLD).join(path));
                    make_folder_of(&old)?;
                    match fs::hard_link(&place, &old) {
                        Ok(()) => Ok(()),
                        // Not every file system has such links, and this may be another one.
                        Err(_) => fs::copy(&place, &old).map(|_| ()),
                    }
                }
            },
            Act::Sync => {
                let new = self.pending.steps.par_iter();
                let new = new.filter(|step| step.after.is_some());
                new.try_for_each(|step| {
                    let path = aside.join(NEW).join(&step.path);
                    File::options().write(true).open(path)?.sync_all()
                })
            }
            Act::Records => {
                write(&aside.join(AFTER), &self.pending.after.text()?)?;
                match self.pending.before {
                    Some(_) => {
                        let before = aside.join(BEFORE);
                        fs::copy(self.root.join(record::FILE), before).map(|_| ())
                    }
                    None => Ok(()),
                }
            }
            Act::Decide => {
                let text = State::Pending(self.pending.clone()).text()?;
                let path = aside.join("pending");
                write(&path, &text)?;
                put(&path, &self.root.join(record::FILE))?;
                sync_folder(self.root)
            }
            Act::Take(number) => {
                let step = self.step(number)?;
                let place = self.root.join(&step.path);
                match step.after {
                    Some(_) => {
                        let new = aside.join(NEW).join(&step.path);
                        match fs::metadata(&place) {
                            // Whoever could read the old one can read the new one.
                            Ok(old) => fs::set_permissions(&new, old.permissions())?,
                            Err(_) => make_folder_of(&place)?,
                        }
                        put(&new, &place)
                    }
                    None => remove(&place),
                }
            }
            Act::Finish => {
                for step in &self.pending.steps {
                    if let Some(folder) = self.root.join(&step.path).parent() {
                        sync_folder(folder)?;
                    }
                }
                let after = aside.join(AFTER);
                write(&after, &self.pending.after.text()?)?;
                put(&after, &self.root.join(record::FILE))?;
                sync_folder(self.root)
            }
        }
    }

    /// Puts back what was there before an act failed.
    fn undo(&self, failed: Act) -> io::Result<()> {
        let taken = match failed {
            Act::Keep(_) | Act::Sync | Act::Records => return Ok(()),
            Act::Decide => 0,
            Act::Take(number) => number + 1,
            Act::Finish => self.pending.steps.len(),
        };
        let aside = self.root.join(FOLDER);
        for step in self.pending.steps.iter().take(taken).rev() {
            let place = self.root.join(&step.path);
            if found(self.root, &step.path)? == step.before.map(Found::File) {
                continue;
            }
            match step.before {
                Some(_) => put(&aside.join(OLD).join(&step.path), &place)?,
                None => remove(&place)?,
            }
            // A folder that was made for it is of no use; others are not empty.
            let folders = Path::new(&step.path).ancestors().skip(1);
            for folder in folders.filter(|folder| *folder != Path::new("")) {
                let _ = fs::remove_dir(self.root.join(folder));
            }
        }
        let record = self.root.join(record::FILE);
        match self.pending.before {
            Some(_) => put(&aside.join(BEFORE), &record),
            None => remove(&record),
        }
    }

    fn step(&self, number: usize) -> io::Result<&Step> {
        let step = self.pending.steps.get(number);
        step.ok_or_else(|| io::Error::other("there is no such step"))
    }
}

/// Takes the steps that are left of a change, if all of them can be, and says of which files.
fn finish(root: &Path, pending: &Pending) -> io::Result<Vec<String>> {
    let change = Change { root, pending };
    let mut left = Vec::new();
    for (number, step) in pending.steps.iter().enumerate() {
        let now = found(root, &step.path)?;
        if now == step.after.map(Found::File) {
            continue;
        }
        let path = &step.path;
        // Whatever is neither the old nor the new is somebody else's.
        if now != step.before.map(Found::File) {
            let reason = format!("`{path}` is neither as it was nor as it was to be");
            return Err(io::Error::other(reason));
        }
        if !has_new_file(root, step)? {
            let reason = format!("what `{path}` was to be is gone");
            return Err(io::Error::other(reason));
        }
        left.push(number);
    }
    let mut paths = Vec::new();
    for number in left {
        change.act(Act::Take(number))?;
        paths.push(change.step(number)?.path.clone());
    }
    change.act(Act::Finish)?;
    Ok(paths)
}

/// Whether the new files that are missing were all written aside.
fn has_new_files(root: &Path, pending: &Pending) -> bool {
    let mut steps = pending.steps.iter();
    steps.all(|step| {
        let digest = step.after.map(Found::File);
        has_new_file(root, step).unwrap_or_default()
            || found(root, &step.path).is_ok_and(|found| found == digest)
    })
}

/// Whether what a step writes, if it writes anything, lies aside as it was written: what is beside a record may have
/// come with a repository, and be anything.
fn has_new_file(root: &Path, step: &Step) -> io::Result<bool> {
    let path = [FOLDER, NEW, &step.path].join("/");
    Ok(step.after.is_none() || found(root, &path)? == step.after.map(Found::File))
}

/// What was written, before or after, where a change cannot be finished.
fn either(root: &Path, pending: Pending) -> Record {
    let mut record = pending.before.unwrap_or_default();
    for step in pending.steps {
        let now = found(root, &step.path).ok().flatten();
        let is_new = now.is_some() && now == step.after.map(Found::File);
        if let (true, Some(written)) = (is_new, pending.after.files.get(&step.path)) {
            record.files.insert(step.path, *written);
        }
    }
    record
}

/// Sees to it that no change of a workspace is half done, and says how it is to be told from a later state.
/// Besides, which files were written or removed for that.
pub(super) fn settled(root: &Path) -> Result<(Generation, Vec<String>), Unreadable> {
    settled_within(root, PATIENCE)
}

fn settled_within(
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
        let lock = Lock::try_of(root);
        if !is_pending {
            // What a program left that was stopped, and no change; whoever cannot remove it leaves it.
            if let Ok(Some(lock)) = lock {
                drop(lock);
            }
            return Ok((generation, finished));
        }
        match lock {
            Ok(Some(_lock)) => {
                // Somebody else may have finished it.
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

/// How the state of a workspace is to be told from another one.
pub(super) fn generation(root: &Path) -> Result<Generation, Unreadable> {
    Ok(state(root)?.1)
}

fn not_begun(root: &Path, reason: io::Error) -> NotBegun {
    NotBegun::Unwritable {
        path: shown(root),
        reason,
    }
}

fn not_finished(root: &Path, error: &io::Error) -> Unreadable {
    let reason = format!("a change of its files was interrupted, and cannot be finished: {error}");
    let help = "run a command as somebody who may write here, import again, or let git put back what was there, with tarbac-files.json";
    unreadable(root, &reason, Some(help))
}

/// What was written into a workspace before, once no change is half done; `None` where there is no record.
///
/// # Errors
/// The record cannot be read, or a change cannot be finished.
pub fn recorded(root: &Path) -> Result<(Option<Record>, Option<Finding>), Unreadable> {
    let (_, finished) = settled(root)?;
    let finished = told(root, &finished);
    match state(root)?.0 {
        Some(State::Settled(record)) => Ok((Some(record), finished)),
        None => Ok((None, finished)),
        Some(State::Pending(_)) => {
            let reason = "it is being changed by another program";
            Err(unreadable(root, reason, Some("wait until it is done")))
        }
    }
}

/// What was written into a workspace, with the text that says so; `None` where there is no record, or it is being
/// changed.
pub(super) fn record_of(root: &Path) -> Result<Option<(Record, String)>, Unreadable> {
    Ok(match state(root)? {
        (Some(State::Settled(record)), Generation(Some((bytes, _)))) => {
            Some((record, String::from_utf8_lossy(&bytes).into_owned()))
        }
        _ => None,
    })
}

/// What the record of a workspace says, if there is one.
fn state(root: &Path) -> Result<(Option<State>, Generation), Unreadable> {
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

/// What to say of files of a workspace that were written because a change had been interrupted.
fn told(root: &Path, finished: &[String]) -> Option<Finding> {
    let names: Vec<String> = finished
        .iter()
        .map(|path| shown(&root.join(path)))
        .collect();
    is_finished(&names)
}

fn is_absent(error: &io::Error) -> bool {
    // A workspace that is no folder has no record; whoever reads it says so.
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// What is at a path of a workspace, with its digest; `None` where nothing is. Nothing is followed out of it.
///
/// # Errors
/// It cannot be read.
pub fn found(root: &Path, path: &str) -> io::Result<Option<Found>> {
    let mut place = root.to_owned();
    let mut metadata: Option<Metadata> = None;
    for part in path.split('/') {
        if metadata.is_some_and(|metadata| !metadata.is_dir()) {
            return Ok(Some(Found::NoFile));
        }
        place.push(part);
        metadata = match place.symlink_metadata() {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
    }
    if !metadata.is_some_and(|metadata| metadata.is_file()) {
        return Ok(Some(Found::NoFile));
    }
    let mut hasher = TextHasher::default();
    let mut file = regular::open(&place)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Some(Found::File(hasher.finish()))),
            count => hasher.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

/// The files in some folders of a workspace: with the digests of those that are known, and the others without.
///
/// # Errors
/// One of them cannot be read.
pub fn files_in(
    root: &Path,
    folders: &[&str],
    known: &BTreeSet<&String>,
) -> io::Result<BTreeMap<String, Found>> {
    let mut files = BTreeMap::new();
    for path in known {
        if let Some(found) = found(root, path)? {
            files.insert((*path).clone(), found);
        }
    }
    for folder in folders {
        let entries = WalkDir::new(root.join(folder))
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|entry| !is_aside(entry.path()));
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if error.io_error().is_some_and(is_absent) => continue,
                Err(error) => return Err(error.into()),
            };
            let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
            let parts = path.iter().map(|part| part.to_string_lossy());
            let path = parts.collect::<Vec<_>>().join("/");
            if !entry.file_type().is_dir() {
                files.entry(path).or_insert(Found::Other);
            }
        }
    }
    Ok(files)
}

/// Whether something is the business of tarbac alone, and no part of a workspace.
pub(super) fn is_aside(path: &Path) -> bool {
    // A folder that only has the name of the cache is none.
    let is_cache = path.ends_with(cache::FOLDER) && path.join(cache::TAG).exists();
    is_cache || path.ends_with(FOLDER)
}

/// Puts a file into a place, whatever is there.
fn put(file: &Path, place: &Path) -> io::Result<()> {
    match fs::rename(file, place) {
        // The place is in a file system of its own.
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let name = place.file_name().unwrap_or_default().to_string_lossy();
            let beside = place.with_file_name(format!(".tarbac-{name}.part"));
            let copied = remove(&beside)
                .and_then(|()| fs::copy(file, &beside))
                .and_then(|_| File::open(&beside)?.sync_all())
                .and_then(|()| fs::rename(&beside, place));
            if copied.is_err() {
                let _ = remove(&beside);
            }
            copied
        }
        put => put,
    }
}

/// Removes a file that may be there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Writes a file that nobody else sees, and sees to it that it is on the disk.
fn write(path: &Path, text: &str) -> io::Result<()> {
    // A link that is there may lead to what is not ours to write.
    remove(path)?;
    let mut file = File::create_new(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Sees to it that the names in a folder are on the disk.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Not every file system can.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        // The last file in it was removed, and the folder with it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        synced => synced,
    }
}

/// Sees to it that the names in a folder are on the disk.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

fn make_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// Makes a folder and those that it is in, and says which there were not.
fn make_folders(path: &Path) -> io::Result<Vec<PathBuf>> {
    let missing = path.ancestors().take_while(|folder| {
        *folder != Path::new("")
            && folder
                .symlink_metadata()
                .is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    });
    let mut missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
    missing.reverse();
    if let Err(error) = fs::create_dir_all(path) {
        unmake_folders(&missing);
        return Err(error);
    }
    Ok(missing)
}

/// Removes folders that are empty.
fn unmake_folders(made: &[PathBuf]) {
    for folder in made.iter().rev() {
        let _ = fs::remove_dir(folder);
    }
}

/// Removes what was prepared for an earlier change.
fn empty(root: &Path) -> io::Result<()> {
    clear(&root.join(FOLDER))?;
    fs::create_dir_all(root.join(FOLDER).join(NEW))?;
    write(&root.join(FOLDER).join(IGNORED.0), IGNORED.1)
}
