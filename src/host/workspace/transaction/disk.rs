//! Files and folders, put so that they are on the disk.

#![expect(clippy::disallowed_methods, reason = "the shell opens files")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Puts a file into a place, whatever is there.
pub(super) fn put(file: &Path, place: &Path) -> io::Result<()> {
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
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Writes a file that nobody else sees, and sees to it that it is on the disk.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    // A link that is there may lead to what is not ours to write.
    remove(path)?;
    let mut file = File::create_new(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Sees to it that the names in a folder are on the disk.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
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
pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

pub(super) fn make_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// Makes a folder and those that it is in, and says which there were not.
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
pub(super) fn unmake_folders(made: &[PathBuf]) {
    for folder in made.iter().rev() {
        let _ = fs::remove_dir(folder);
    }
}
