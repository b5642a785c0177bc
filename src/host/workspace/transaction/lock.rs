//! The lock that prevents two changes of a workspace at once.

use std::fs::{self, File, Metadata, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::disk::remove;
use super::state::state;
use super::{FOLDER, regular};
use crate::record::State;

/// The file that is locked.
const LOCK: &str = "lock";

/// The lock of a workspace, for as long as the value exists.
pub(super) struct Lock {
    folder: PathBuf,
    pub(super) file: File,
    /// Whether the files beside the lock stay, for others to use.
    pub(super) is_left: bool,
}

impl Lock {
    /// Takes the lock, and waits for it if necessary.
    pub(super) fn wait_for(root: &Path) -> io::Result<Self> {
        loop {
            let file = open_lock(root)?;
            match file.lock() {
                Err(error) if error.kind() != io::ErrorKind::Unsupported => return Err(error),
                // A file system without locks keeps nobody out.
                _ => {}
            }
            if let Some(lock) = Self::held(root, file) {
                return Ok(lock);
            }
        }
    }

    /// Takes the lock, unless another program has it.
    pub(super) fn try_take(root: &Path) -> io::Result<Option<Self>> {
        loop {
            let file = open_lock(root)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                // A file system without locks keeps nobody out.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
            if let Some(lock) = Self::held(root, file) {
                return Ok(Some(lock));
            }
        }
    }

    /// The lock; `None` if its previous owner has removed the file meanwhile.
    fn held(root: &Path, file: File) -> Option<Self> {
        let folder = root.join(FOLDER);
        // Only a lock that is held may be released, so no value is made.
        if !is_same(&file, &folder.join(LOCK)) {
            return None;
        }
        Some(Self {
            folder,
            file,
            is_left: false,
        })
    }

    /// Removes the prepared files, and then the lock.
    pub(super) fn give_back(&mut self) {
        if !std::mem::replace(&mut self.is_left, true) {
            // The next command removes what stays.
            let _ = clear(&self.folder);
            let _ = remove(&self.folder.join(LOCK));
            let _ = fs::remove_dir(&self.folder);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // An unfinished change needs its prepared files.
        let root = self.folder.parent().unwrap_or(&self.folder);
        let is_pending =
            state(root).map_or(true, |(state, _)| matches!(state, Some(State::Pending(_))));
        if !is_pending {
            self.give_back();
        }
        let _ = self.file.unlock();
    }
}

/// Removes everything but the lock.
pub(super) fn clear(folder: &Path) -> io::Result<()> {
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

/// Opens the file to be locked, in a folder that only the user can read.
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
        // A link may lead to files that tarbac must not write or remove.
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
            // The previous owner has just removed the folder.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened,
        }
    }
}

/// Whether a change is under way, for a program without write access.
pub(super) fn is_locked(root: &Path) -> bool {
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
    // On this system, an open file keeps its name.
    path.exists()
}
