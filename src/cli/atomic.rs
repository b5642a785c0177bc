//! Atomic writing of files.
//!
//! At any moment a file is the old one or the new one, even if the program is stopped.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

/// The prefix of the names of unfinished files; the `.gitignore` of a workspace has it.
const UNFINISHED: &str = ".tarbac-";

/// Replaces a file that exists.
pub(crate) fn replace(path: &Path, text: &str) -> io::Result<()> {
    // A link stays a link; its target is replaced.
    let path = fs::canonicalize(path)?;
    let metadata = fs::metadata(&path)?;
    put(&path, text, Some(&metadata))
}

/// Writes a file, whether it exists or not. A pipe or a device cannot be replaced; it is written to.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => replace(path, text),
        Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(_) => OpenOptions::new()
            .write(true)
            .open(path)?
            .write_all(text.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
            put(path, text, None)
        }
        Err(error) => Err(error),
    }
}

/// Writes a regular file. Anything else in its place, such as a link, is an error.
pub(crate) fn write_regular(path: &Path, text: &str) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => {
            Err(io::Error::other("it is not a regular file"))
        }
        _ => write(path, text),
    }
}

/// The folder of a file.
pub(crate) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn put(path: &Path, text: &str, replaced: Option<&Metadata>) -> io::Result<()> {
    let mut file = new_file(folder(path))?;
    file.write_all(text.as_bytes())?;
    if let Some(replaced) = replaced {
        file.as_file().set_permissions(replaced.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    // A file that cannot be removed does no harm.
    let _ = tidy(folder(path));
    Ok(())
}

/// A temporary file in the folder of its target, with the permissions of any new file. It is locked while it is written.
fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    loop {
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix(UNFINISHED).suffix(".new");
        #[cfg(unix)]
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        #[cfg(unix)]
        let builder = builder.permissions(permissions);
        let file = builder.tempfile_in(folder)?;
        match file.as_file().lock() {
            // Another program may have removed the file before it was locked.
            Ok(()) if !file.path().exists() => {}
            // On a file system without locks, no program removes such files.
            _ => return Ok(file),
        }
    }
}

/// Removes unfinished files of programs that were stopped.
fn tidy(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_ours = name.starts_with(UNFINISHED) && name.ends_with(".new");
        if is_ours && entry.file_type()?.is_file() {
            let file = OpenOptions::new().write(true).open(entry.path())?;
            if file.try_lock().is_ok() {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}
