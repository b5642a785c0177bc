//! Several files of a workspace, changed as a whole.
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

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, Metadata, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use blake3::Hash;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use walkdir::WalkDir;

use super::{Unreadable, regular, unreadable};
use crate::record::{self, Found, Pending, Record, State, Step, TextHasher};

/// The folder in which a change is prepared.
pub(super) const FOLDER: &str = ".tarbac-import";

/// What is in it: the lock, the new files, those that they replace, and the records of after and before.
const LOCK: &str = "lock";
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

/// Files that are written aside.
pub struct Draft {
    folder: PathBuf,
    digests: Digests,
    /// The folder, where it is nobody else's.
    _temporary: Option<tempfile::TempDir>,
}

type Digests = Rc<RefCell<BTreeMap<String, Hash>>>;

/// A file of a [`Draft`].
pub struct DraftFile {
    file: File,
    path: String,
    hasher: TextHasher,
    digests: Digests,
}

/// A workspace that nobody else changes.
pub struct Transaction {
    root: PathBuf,
    lock: Lock,
    /// The folders that were made for it, the outermost first.
    made: Vec<PathBuf>,
    record: Option<Record>,
    /// Whether the record names no steps of an earlier change, which could not be finished.
    is_settled: bool,
    draft: Draft,
}

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

impl Draft {
    /// Begins files in a folder of their own, which goes with them.
    ///
    /// # Errors
    /// No folder can be made.
    pub fn temporary() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("tarbac-").tempdir()?;
        Ok(Self {
            folder: folder.path().to_owned(),
            digests: Digests::default(),
            _temporary: Some(folder),
        })
    }

    /// Makes a file, by its path with `/` between its parts.
    ///
    /// # Errors
    /// It cannot be made, or nothing is ever written there.
    pub fn create(&self, path: &str) -> io::Result<DraftFile> {
        if !record::is_ours(path) {
            let reason = format!("nothing is ever written to `{path}`");
            return Err(io::Error::other(reason));
        }
        let place = self.folder.join(path);
        make_folder_of(&place)?;
        Ok(DraftFile {
            file: File::create_new(place)?,
            path: path.to_owned(),
            hasher: TextHasher::default(),
            digests: Rc::clone(&self.digests),
        })
    }

    /// The digests of its files, all of which must have been written.
    pub fn digests(&self) -> BTreeMap<String, Hash> {
        self.digests.borrow().clone()
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Lets the files of a workspace be seen among its own, so that the whole can be examined.
    ///
    /// # Errors
    /// A file cannot be shown.
    pub fn show<'p>(&self, root: &Path, paths: impl Iterator<Item = &'p String>) -> io::Result<()> {
        let root = std::path::absolute(root)?;
        for path in paths {
            // What is behind a link is seen with it.
            if found(&self.folder, path)?.is_none() {
                let place = self.folder.join(path);
                make_folder_of(&place)?;
                stand_in(&root.join(path), &place)?;
            }
        }
        Ok(())
    }

    /// Forgets a file that was written, as one that is as it was.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn forget(&self, path: &str) -> io::Result<()> {
        remove(&self.folder.join(path))
    }
}

/// Lets a file be seen at another place.
#[cfg(unix)]
fn stand_in(file: &Path, place: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(file, place)
}

/// Lets a file be seen at another place.
#[cfg(not(unix))]
fn stand_in(file: &Path, place: &Path) -> io::Result<()> {
    fs::copy(file, place).map(|_| ())
}

impl Write for DraftFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let count = self.file.write(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for DraftFile {
    fn drop(&mut self) {
        let hasher = std::mem::take(&mut self.hasher);
        let mut digests = self.digests.borrow_mut();
        digests.insert(std::mem::take(&mut self.path), hasher.finish());
    }
}

impl Transaction {
    /// Begins a change of the workspace in a folder, which is made if it does not exist. What an earlier change
    /// left is finished or removed. While another change is under way, `wait` is called, and it is waited for.
    ///
    /// # Errors
    /// The folder cannot be made or written to, or what an earlier change left cannot be finished.
    pub fn begin(root: &Path, wait: impl FnOnce()) -> Result<Self, Unreadable> {
        let made = make_folders(root)
            .map_err(|error| unreadable(root, &format!("it cannot be made: {error}"), None))?;
        let begun = Self::begin_in(root, wait);
        match begun {
            Ok((real, lock, (record, is_settled))) => Ok(Self {
                draft: Draft {
                    folder: real.join(FOLDER).join(NEW),
                    digests: Digests::default(),
                    _temporary: None,
                },
                root: real,
                lock,
                made,
                record,
                is_settled,
            }),
            Err(error) => {
                unmake_folders(&made);
                Err(error)
            }
        }
    }

    fn begin_in(
        root: &Path,
        wait: impl FnOnce(),
    ) -> Result<(PathBuf, Lock, (Option<Record>, bool)), Unreadable> {
        let failed = |error: io::Error| {
            let reason = format!("nothing can be written into it: {error}");
            unreadable(root, &reason, None)
        };
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
            None => (None, true),
            Some(State::Settled(record)) => (Some(record), true),
            Some(State::Pending(pending)) => match finish(&real, &pending) {
                Ok(()) => (Some(pending.after), true),
                // What was written aside is gone, so it is written anew.
                Err(_) if !has_new_files(&real, &pending) => (Some(either(&real, pending)), false),
                Err(error) => return Err(not_finished(root, &error)),
            },
        };
        empty(&real).map_err(failed)?;
        Ok((real, lock, record))
    }

    /// What was written into the workspace before.
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref()
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
                if !after.exists() {
                    write(&after, &self.pending.after.text()?)?;
                }
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

/// Takes the steps that are left of a change, if all of them can be.
fn finish(root: &Path, pending: &Pending) -> io::Result<()> {
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
        if step.after.is_some() && !root.join(FOLDER).join(NEW).join(path).exists() {
            let reason = format!("what `{path}` was to be is gone");
            return Err(io::Error::other(reason));
        }
        left.push(number);
    }
    for number in left {
        change.act(Act::Take(number))?;
    }
    change.act(Act::Finish)
}

/// Whether the new files that are missing were all written aside.
fn has_new_files(root: &Path, pending: &Pending) -> bool {
    let mut steps = pending.steps.iter();
    steps.all(|step| {
        let is_there = root.join(FOLDER).join(NEW).join(&step.path).exists();
        let digest = step.after.map(Found::File);
        step.after.is_none()
            || is_there
            || found(root, &step.path).is_ok_and(|found| found == digest)
    })
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
pub(super) fn settled(root: &Path) -> Result<Generation, Unreadable> {
    settled_within(root, PATIENCE)
}

fn settled_within(root: &Path, patience: (u32, Duration)) -> Result<Generation, Unreadable> {
    let mut left = patience.0;
    loop {
        let (state, generation) = state(root)?;
        let is_pending = matches!(state, Some(State::Pending(_)));
        if !is_pending && !root.join(FOLDER).is_dir() {
            return Ok(generation);
        }
        let lock = Lock::try_of(root);
        if !is_pending {
            // What a program left that was stopped, and no change; whoever cannot remove it leaves it.
            if let Ok(Some(lock)) = lock {
                drop(lock);
            }
            return Ok(generation);
        }
        match lock {
            Ok(Some(_lock)) => {
                // Somebody else may have finished it.
                if let (Some(State::Pending(pending)), _) = self::state(root)? {
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

fn not_finished(root: &Path, error: &io::Error) -> Unreadable {
    let reason = format!("a change of its files was interrupted, and cannot be finished: {error}");
    let help = "run a command as somebody who may write here, import again, or let git put back what was there, with tarbac-files.json";
    unreadable(root, &reason, Some(help))
}

/// What was written into a workspace before, once no change is half done; `None` where there is no record.
///
/// # Errors
/// The record cannot be read, or a change cannot be finished.
pub fn recorded(root: &Path) -> Result<Option<Record>, Unreadable> {
    settled(root)?;
    match state(root)?.0 {
        Some(State::Settled(record)) => Ok(Some(record)),
        None => Ok(None),
        Some(State::Pending(_)) => {
            let reason = "it is being changed by another program";
            Err(unreadable(root, reason, Some("wait until it is done")))
        }
    }
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
        let help =
            "put back what git has of it; without the file, an import takes every file for yours";
        unreadable(&path, &error.to_string(), Some(help))
    })?;
    let generation = Generation(Some((bytes, modified)));
    Ok((Some(state), generation))
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
    path.ends_with(super::cache::FOLDER) || path.ends_with(FOLDER)
}

/// Puts a file into a place, whatever is there.
fn put(file: &Path, place: &Path) -> io::Result<()> {
    match fs::rename(file, place) {
        // The place is in a file system of its own.
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
            let name = place.file_name().unwrap_or_default().to_string_lossy();
            let beside = place.with_file_name(format!(".tarbac-{name}.part"));
            let copied = fs::copy(file, &beside)
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
    let mut file = File::create(path)?;
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

/// Keeps others from changing a workspace, for as long as it is held.
struct Lock {
    folder: PathBuf,
    file: File,
    /// Whether what is beside it is to be left for others.
    is_left: bool,
}

impl Lock {
    /// Takes the lock, or waits for it.
    fn of(root: &Path) -> io::Result<Self> {
        loop {
            let file = open_lock(root)?;
            file.lock()?;
            if let Some(lock) = Self::held(root, file) {
                return Ok(lock);
            }
        }
    }

    /// Takes the lock, unless another program has it.
    fn try_of(root: &Path) -> io::Result<Option<Self>> {
        loop {
            let file = open_lock(root)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            if let Some(lock) = Self::held(root, file) {
                return Ok(Some(lock));
            }
        }
    }

    /// The lock, unless whoever had it before has removed its file.
    fn held(root: &Path, file: File) -> Option<Self> {
        let folder = root.join(FOLDER);
        // A lock that is not held must not be given back, so none is made.
        if !is_same(&file, &folder.join(LOCK)) {
            return None;
        }
        Some(Self {
            folder,
            file,
            is_left: false,
        })
    }

    /// Removes what was prepared, and then the lock.
    fn give_back(&mut self) {
        if !std::mem::replace(&mut self.is_left, true) {
            // What cannot be removed is removed by the next command.
            let _ = clear(&self.folder);
            let _ = remove(&self.folder.join(LOCK));
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A change that is still to be finished needs what was prepared for it.
        let root = self.folder.parent().unwrap_or(&self.folder);
        let is_pending =
            state(root).map_or(true, |(state, _)| matches!(state, Some(State::Pending(_))));
        if !is_pending {
            self.give_back();
        }
        let _ = self.file.unlock();
    }
}

/// Removes what was prepared for an earlier change.
fn empty(root: &Path) -> io::Result<()> {
    clear(&root.join(FOLDER))?;
    fs::create_dir_all(root.join(FOLDER).join(NEW))?;
    write(&root.join(FOLDER).join(IGNORED.0), IGNORED.1)
}

/// Removes everything but the lock.
fn clear(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => fs::remove_dir_all(entry.path())?,
            false if entry.file_name() == LOCK => {}
            false => remove(&entry.path())?,
        }
    }
    Ok(())
}

/// Opens the file that is locked, in a folder that only whoever changes the workspace looks into.
fn open_lock(root: &Path) -> io::Result<File> {
    let folder = root.join(FOLDER);
    loop {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(&folder) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        // A link may lead to files that are not ours to write or to remove.
        if folder.symlink_metadata().is_ok_and(|there| !there.is_dir()) {
            let reason = format!("`{FOLDER}` in it is no folder");
            return Err(io::Error::other(reason));
        }
        let path = folder.join(LOCK);
        if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
            let reason = format!("`{FOLDER}/{LOCK}` in it is not a regular file");
            return Err(io::Error::other(reason));
        }
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        match options.open(path) {
            // Whoever had it has just removed the folder.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
    }
}

/// Whether a change is under way, for somebody who may not write.
fn is_locked(root: &Path) -> bool {
    let Ok(file) = regular::open(&root.join(FOLDER).join(LOCK)) else {
        return false;
    };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

#[cfg(unix)]
fn is_same(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |metadata: Metadata| (metadata.dev(), metadata.ino());
    let held = file.metadata().map(id);
    let there = path.symlink_metadata().map(id);
    matches!((held, there), (Ok(held), Ok(there)) if held == there)
}

#[cfg(not(unix))]
fn is_same(_: &File, path: &Path) -> bool {
    // A file that is open keeps its name here.
    path.exists()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::record::{Origin, Written, digest};

    /// The files of a workspace before and after, and some that no change is about.
    const BEFORE_AND_AFTER: [(&str, Option<&str>, Option<&str>); 6] = [
        (
            "entities/people.json",
            Some("old people"),
            Some("new people"),
        ),
        ("policies/custom/gone.cedar", Some("old role"), None),
        ("policies/custom/new.cedar", None, Some("new role")),
        ("schema/deep/er/new.cedarschema", None, Some("new schema")),
        ("policies/same.cedar", Some("same"), Some("same")),
        ("policies/custom/mine.cedar", Some("mine"), Some("mine")),
    ];

    type Files = BTreeMap<String, String>;

    fn files_of(side: fn(&(&str, Option<&str>, Option<&str>)) -> Option<String>) -> Files {
        let files = BEFORE_AND_AFTER.iter();
        let files = files.filter_map(|file| Some((file.0.to_owned(), side(file)?)));
        files.collect()
    }

    fn old() -> Files {
        files_of(|file| file.1.map(str::to_owned))
    }

    fn new() -> Files {
        files_of(|file| file.2.map(str::to_owned))
    }

    fn recorded_files(files: &Files) -> Record {
        let files = files.iter().filter(|(path, _)| !path.contains("mine"));
        let files = files.map(|(path, text)| {
            let written = Written {
                origin: Origin::Tenant,
                digest: digest(text),
            };
            (path.clone(), written)
        });
        Record {
            files: files.collect(),
        }
    }

    fn steps() -> Vec<Step> {
        let steps = BEFORE_AND_AFTER.iter().filter(|file| file.1 != file.2);
        let steps = steps.map(|file| Step {
            path: file.0.to_owned(),
            before: file.1.map(digest),
            after: file.2.map(digest),
        });
        steps.collect()
    }

    /// A workspace as it is before, with or without a record.
    fn workspace(has_record: bool) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in old() {
            let path = folder.path().join(path);
            make_folder_of(&path).unwrap();
            fs::write(path, text).unwrap();
        }
        if has_record {
            let text = recorded_files(&old()).text().unwrap();
            fs::write(folder.path().join(record::FILE), text).unwrap();
        }
        folder
    }

    /// Everything in a folder but the record.
    fn there(root: &Path) -> Files {
        let entries = WalkDir::new(root).into_iter().map(Result::unwrap);
        let entries = entries.filter(|entry| !entry.file_type().is_dir());
        let mut files: Files = entries
            .map(|entry| {
                let path = entry.path().strip_prefix(root).unwrap();
                let text = fs::read_to_string(entry.path()).unwrap();
                (path.to_str().unwrap().to_owned(), text)
            })
            .collect();
        files.remove(record::FILE);
        files
    }

    fn begun(root: &Path) -> Transaction {
        let transaction = Transaction::begin(root, || panic!("nobody else is here")).unwrap();
        for step in steps() {
            if step.after.is_some() {
                let mut file = transaction.draft().create(&step.path).unwrap();
                file.write_all(new()[&step.path].as_bytes()).unwrap();
            }
        }
        transaction
    }

    /// What was decided about a workspace.
    fn pending(has_record: bool) -> Pending {
        Pending {
            before: has_record.then(|| recorded_files(&old())),
            steps: steps(),
            after: recorded_files(&new()),
        }
    }

    /// A change that is stopped after so many acts; `None` where there are no more.
    fn stopped_after(count: usize, root: &Path, has_record: bool) -> Option<Act> {
        let transaction = begun(root);
        let pending = pending(has_record);
        let change = Change {
            root: &transaction.root,
            pending: &pending,
        };
        let acts = change.acts();
        for act in acts.iter().take(count) {
            change.act(*act).unwrap();
        }
        // Whoever is stopped cleans nothing up, and loses the lock.
        transaction.lock.file.unlock().unwrap();
        std::mem::forget(transaction);
        acts.get(count).copied()
    }

    fn assert_nothing_is_left(root: &Path) {
        assert!(!root.join(FOLDER).exists());
        if let Some(state) = state(root).unwrap().0 {
            assert!(matches!(state, State::Settled(_)));
        }
    }

    #[test]
    fn a_stop_after_any_act_leaves_the_old_or_the_new() {
        for has_record in [true, false] {
            let mut kinds = BTreeSet::new();
            for count in 0.. {
                let folder = workspace(has_record);
                let next = stopped_after(count, folder.path(), has_record);
                settled(folder.path()).unwrap();
                let files = there(folder.path());
                let is_decided = matches!(next, Some(Act::Take(_) | Act::Finish) | None);
                match is_decided {
                    true => assert_eq!(files, new(), "{next:?}"),
                    false => assert_eq!(files, old(), "{next:?}"),
                }
                let record = recorded(folder.path()).unwrap();
                match (is_decided, has_record) {
                    (true, _) => assert_eq!(record, Some(recorded_files(&new()))),
                    (false, true) => assert_eq!(record, Some(recorded_files(&old()))),
                    (false, false) => assert_eq!(record, None),
                }
                assert_nothing_is_left(folder.path());
                kinds.insert(is_decided);
                if next.is_none() {
                    break;
                }
            }
            assert_eq!(kinds.len(), 2);
        }
    }

    #[test]
    fn the_next_change_finishes_what_was_left_as_well() {
        for count in 0..steps().len() * 2 + 4 {
            let folder = workspace(true);
            stopped_after(count, folder.path(), true);
            let transaction = Transaction::begin(folder.path(), || panic!()).unwrap();
            let record = transaction.record().cloned().unwrap();
            drop(transaction);
            let files = there(folder.path());
            assert!(
                files == old() && record == recorded_files(&old())
                    || files == new() && record == recorded_files(&new()),
                "{count}: {files:?}"
            );
            assert_nothing_is_left(folder.path());
        }
    }

    #[test]
    fn an_act_that_fails_leaves_what_was_there() {
        let count = steps().len() * 2 + 4;
        for (has_record, is_done) in [(true, true), (true, false), (false, true), (false, false)] {
            for failing in 0..count {
                let folder = workspace(has_record);
                let transaction = begun(folder.path());
                let pending = pending(has_record);
                let change = Change {
                    root: &transaction.root,
                    pending: &pending,
                };
                let acts = change.acts();
                for act in &acts[..failing] {
                    change.act(*act).unwrap();
                }
                // The act that fails may have done what it should by then.
                if is_done {
                    change.act(acts[failing]).unwrap();
                }
                change.undo(acts[failing]).unwrap();
                let files = there(folder.path()).into_iter();
                let files: Files = files
                    .filter(|(path, _)| !path.starts_with(FOLDER))
                    .collect();
                assert_eq!(files, old(), "{:?}", acts[failing]);
                drop(transaction);
                let record = recorded(folder.path()).unwrap();
                assert_eq!(record, has_record.then(|| recorded_files(&old())));
                assert_nothing_is_left(folder.path());
            }
        }
    }

    #[test]
    fn half_a_change_is_not_read_while_somebody_makes_it() {
        let folder = workspace(true);
        let transaction = begun(folder.path());
        let pending = pending(true);
        let change = Change {
            root: &transaction.root,
            pending: &pending,
        };
        let acts = change.acts();
        let decided = acts.iter().position(|act| *act == Act::Decide).unwrap();
        let before = settled(folder.path()).unwrap();
        acts[..=decided + 1]
            .iter()
            .for_each(|act| change.act(*act).unwrap());
        let error = settled_within(folder.path(), (2, Duration::ZERO)).unwrap_err();
        assert!(error.to_string().contains("another program"), "{error}");
        acts[decided + 2..]
            .iter()
            .for_each(|act| change.act(*act).unwrap());
        drop(transaction);
        assert_ne!(settled(folder.path()).unwrap(), before);
        assert_eq!(there(folder.path()), new());
    }

    #[test]
    fn two_changes_at_once_keep_each_other_out() {
        let folder = workspace(true);
        let root = folder.path();
        std::thread::scope(|scope| {
            for number in 0..8 {
                scope.spawn(move || {
                    let transaction = Transaction::begin(root, || {}).unwrap();
                    let path = "entities/people.json";
                    let text = format!("written by {number}");
                    let before = found(root, path).unwrap();
                    let mut file = transaction.draft().create(path).unwrap();
                    file.write_all(text.as_bytes()).unwrap();
                    drop(file);
                    let Some(Found::File(before)) = before else {
                        panic!("{before:?}");
                    };
                    let step = Step {
                        path: path.to_owned(),
                        before: Some(before),
                        after: Some(digest(&text)),
                    };
                    // Whoever came between would have changed the file.
                    transaction.commit(vec![step], Record::default()).unwrap();
                });
            }
        });
        assert!(there(root)["entities/people.json"].starts_with("written by "));
        assert_nothing_is_left(root);
    }

    #[test]
    fn what_somebody_saved_in_the_meantime_is_not_overwritten() {
        let folder = workspace(true);
        let transaction = begun(folder.path());
        fs::write(folder.path().join("entities/people.json"), "saved").unwrap();
        let error = transaction.commit(steps(), recorded_files(&new()));
        assert!(
            error
                .unwrap_err()
                .to_string()
                .contains("entities/people.json")
        );
        let mut files = old();
        files.insert("entities/people.json".to_owned(), "saved".to_owned());
        assert_eq!(there(folder.path()), files);
    }

    #[test]
    fn a_file_that_somebody_changed_after_a_stop_is_not_overwritten() {
        let folder = workspace(true);
        let decided = steps().len() + 3;
        stopped_after(decided, folder.path(), true);
        fs::write(folder.path().join("entities/people.json"), "saved").unwrap();
        let error = settled(folder.path()).unwrap_err();
        assert!(
            error.to_string().contains("entities/people.json"),
            "{error}"
        );
        let saved = fs::read_to_string(folder.path().join("entities/people.json"));
        assert_eq!(saved.unwrap(), "saved");
        // As it was, it is replaced with the rest.
        fs::write(folder.path().join("entities/people.json"), "old people").unwrap();
        settled(folder.path()).unwrap();
        assert_eq!(there(folder.path()), new());
    }

    #[test]
    fn nobody_decides_where_what_was_prepared_is_gone_and_an_import_begins_anew() {
        let folder = workspace(true);
        let decided = steps().len() + 3;
        stopped_after(decided + 1, folder.path(), true);
        fs::remove_dir_all(folder.path().join(FOLDER)).unwrap();
        let error = settled(folder.path()).unwrap_err();
        assert!(error.to_string().contains("interrupted"), "{error}");
        let transaction = Transaction::begin(folder.path(), || panic!()).unwrap();
        let record = transaction.record().unwrap();
        // What was written before or after is known, whatever of it there is.
        for path in ["entities/people.json", "policies/custom/gone.cedar"] {
            let Some(Found::File(now)) = found(folder.path(), path).unwrap() else {
                panic!("{path}");
            };
            assert_eq!(record.files[path].digest, now, "{path}");
        }
    }

    #[test]
    fn nothing_outside_of_the_workspace_is_written() {
        let folder = workspace(true);
        let transaction = begun(folder.path());
        for path in ["../x", ".git/hooks/x", "entities/../../x", record::FILE] {
            assert!(transaction.draft().create(path).is_err(), "{path}");
        }
        drop(transaction);
        #[cfg(unix)]
        {
            let elsewhere = tempfile::tempdir().unwrap();
            let link = folder.path().join("schema");
            std::os::unix::fs::symlink(elsewhere.path(), link).unwrap();
            let transaction = begun(folder.path());
            // A record that was made up names a step through the link.
            assert!(transaction.commit(steps(), Record::default()).is_err());
            assert_eq!(there(elsewhere.path()), Files::new());
        }
    }

    #[test]
    fn a_workspace_that_was_not_there_is_not_there_after_a_failure() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("a/b/workspace");
        drop(begun(&root));
        assert!(!folder.path().join("a").exists());
        let steps = steps().into_iter().filter(|step| step.before.is_none());
        let transaction = begun(&root);
        transaction
            .commit(steps.collect(), Record::default())
            .unwrap();
        assert!(root.join("policies/custom/new.cedar").exists());
        assert_nothing_is_left(&root);
    }
}
