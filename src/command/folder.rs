//! A folder that is written as a whole: it is the old one or the new one, whatever happens in between.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{ShellError, file};

/// A folder beside the one that it will be.
pub struct NewFolder {
    path: PathBuf,
    made: TempDir,
}

impl NewFolder {
    /// Begins a folder that will be at this path, beside which there is room for it.
    pub fn at(path: &Path) -> Result<Self, ShellError> {
        // A link stays a link; what it leads to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let parent = file::folder(&path);
        fs::create_dir_all(parent).map_err(|error| ShellError::file("make", parent, error))?;
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix(".tarbac-");
        // Whoever may read other new folders may read this one.
        #[cfg(unix)]
        let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        #[cfg(unix)]
        let builder = builder.permissions(permissions);
        let made = builder.tempdir_in(parent);
        let made = made.map_err(|error| ShellError::file("make a folder in", parent, error))?;
        Ok(Self { path, made })
    }

    /// Makes a file in it, by its path with `/` between its parts.
    pub fn create(&self, path: &str) -> io::Result<fs::File> {
        let path = self.made.path().join(path);
        fs::create_dir_all(file::folder(&path))?;
        fs::File::create_new(path)
    }

    /// Where it is until it is put into its place.
    pub fn path(&self) -> &Path {
        self.made.path()
    }

    /// Puts it where nothing is, or an empty folder.
    pub fn put(self) -> Result<(), ShellError> {
        let failed = |error| ShellError::file("make", &self.path, error);
        fs::rename(self.made.path(), &self.path).map_err(failed)
    }

    /// Puts it in the place of a folder, of which only the parts of these names go: the rest is kept.
    pub fn replace(self, parts: &[&str]) -> Result<(), ShellError> {
        let old = self.made.path();
        let failed = |error| ShellError::file("replace", &self.path, error);
        exchange(old, &self.path).map_err(failed)?;
        // From here on the new folder is there, and the old one has its name.
        keep(old, &self.path, parts).or_else(|error| {
            exchange(old, &self.path).map_err(failed)?;
            Err(failed(error))
        })
    }
}

/// Moves what is in a folder into another one, except for some parts: all of it, or nothing.
fn keep(old: &Path, new: &Path, parts: &[&str]) -> io::Result<()> {
    let mut moved: Vec<OsString> = Vec::new();
    for entry in fs::read_dir(old)? {
        let name = entry?.file_name();
        if parts.iter().any(|part| name == *part) {
            continue;
        }
        if let Err(error) = fs::rename(old.join(&name), new.join(&name)) {
            for name in moved {
                fs::rename(new.join(&name), old.join(&name))?;
            }
            return Err(error);
        }
        moved.push(name);
    }
    Ok(())
}

/// Exchanges two folders at once.
#[cfg(any(target_os = "linux", target_vendor = "apple"))]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;

    match renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        // Not every file system can.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => exchange_by_steps(one, other),
        exchanged => Ok(exchanged?),
    }
}

/// Exchanges two folders.
#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    exchange_by_steps(one, other)
}

/// Exchanges two folders, or leaves them as they are.
fn exchange_by_steps(one: &Path, other: &Path) -> io::Result<()> {
    let aside = one.with_extension("former");
    fs::rename(other, &aside)?;
    if let Err(error) = fs::rename(one, other) {
        fs::rename(&aside, other)?;
        return Err(error);
    }
    fs::rename(&aside, one)
}
