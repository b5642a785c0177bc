//! Durable changes of files and folders.

#![expect(clippy::disallowed_methods, reason = "the shell opens files")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Moves a file to a place, and replaces the file there.
pub(super) fn put(file: &Path, place: &Path) -> io::Result<()> {
    match fs::rename(file, place) {
        // The place is on another file system.
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

/// Removes a file, if it exists.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Writes a file that only tarbac uses, and flushes it to the disk.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    // An existing link may lead to a file that tarbac must not write.
    remove(path)?;
    let mut file = File::create_new(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Flushes the names in a folder to the disk.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Not every file system supports this.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        // The folder was removed with the last file in it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        synced => synced,
    }
}

/// Flushes the names in a folder to the disk.
#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) fn make_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// Creates a folder and those around it; returns the ones that did not exist.
pub(super) fn make_folders(path: &Path) -> io::Result<Vec<PathBuf>> {
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
pub(super) fn unmake_folders(created: &[PathBuf]) {
    for folder in created.iter().rev() {
        let _ = fs::remove_dir(folder);
    }
}
