//! The draft of a transaction: its new files, before they are put into their places.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use blake3::Hash;

use super::disk::{make_folder_of, remove};
use super::files::found;
use crate::record::{self, TextHasher};

/// New files in a folder of their own.
pub struct Draft {
    folder: PathBuf,
    digests: Digests,
    /// The folder, if it belongs to the draft alone.
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

impl Draft {
    /// A draft in a folder.
    pub(super) fn at(folder: PathBuf) -> Self {
        Self {
            folder,
            digests: Digests::default(),
            _temporary: None,
        }
    }

    /// A draft in a temporary folder, which is removed with it.
    ///
    /// # Errors
    /// The folder cannot be created.
    pub fn temporary() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("tarbac-").tempdir()?;
        Ok(Self {
            folder: folder.path().to_owned(),
            digests: Digests::default(),
            _temporary: Some(folder),
        })
    }

    /// Creates a file by its path, with `/` between the parts.
    ///
    /// # Errors
    /// The file cannot be created, or tarbac never writes to this path.
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

    /// The digests of the files, all of which must be complete.
    pub fn digests(&self) -> BTreeMap<String, Hash> {
        self.digests.borrow().clone()
    }

    /// The folder of the files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes files of a workspace visible in the folder of the draft, so that both can be examined together.
    ///
    /// # Errors
    /// A file cannot be made visible.
    pub fn show<'p>(&self, root: &Path, paths: impl Iterator<Item = &'p String>) -> io::Result<()> {
        let root = std::path::absolute(root)?;
        for path in paths {
            // A file behind a link is visible through the link.
            if found(&self.folder, path)?.is_none() {
                let place = self.folder.join(path);
                make_folder_of(&place)?;
                stand_in(&root.join(path), &place)?;
            }
        }
        Ok(())
    }

    /// Removes a file that has not changed.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn forget(&self, path: &str) -> io::Result<()> {
        remove(&self.folder.join(path))
    }
}

/// Makes a file visible at another place.
#[cfg(unix)]
fn stand_in(file: &Path, place: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(file, place)
}

/// Makes a file visible at another place.
#[cfg(not(unix))]
fn stand_in(file: &Path, place: &Path) -> io::Result<()> {
    std::fs::copy(file, place).map(|_| ())
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
