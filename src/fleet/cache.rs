//! The local cache of a revision: its blobs, and its files as a workspace.
//!
//! `blobs/` holds the compressed files of the last good revision, `good.json` its manifest, and `tree/` the files of
//! the revision that was checked out last. A file in `tree/` is left in place while it has the right content, so that
//! caches keyed by path and modification time stay valid. Local files are not trusted: their digests are compared each
//! time.

#![expect(clippy::disallowed_methods, reason = "a cache is files")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use rayon::prelude::*;
use tempfile::{NamedTempFile, TempDir};

use crate::blob;
use crate::error::FleetError;
use crate::manifest::{FileEntry, Manifest};
use crate::path::{FOLDERS, digest_of};
use crate::publish::GivenContent;
use crate::store::Store;

/// The folders and files of a cache.
const BLOB_FOLDER: &str = "blobs";
const TREE: &str = "tree";
const UNFINISHED: &str = "unfinished";
const GOOD: &str = "good.json";
const LOCK: &str = "lock";

/// A folder with the files of a revision. Only one program can use it at a time.
pub struct Cache {
    folder: PathBuf,
    /// Held for the lifetime of the cache.
    _lock: File,
    /// The temporary folder, if none was given; it is removed with the cache.
    _temporary: Option<TempDir>,
}

/// Contents that need not be fetched, by digest.
pub(crate) type AtHand<'c> = BTreeMap<Digest, &'c GivenContent>;

impl Cache {
    /// The cache in a folder, which is created if it does not exist.
    ///
    /// # Errors
    /// The folder cannot be written to, or another program uses it.
    pub fn open(folder: &Path) -> Result<Self, FleetError> {
        Self::with(folder, None)
    }

    /// A cache in a temporary folder.
    ///
    /// # Errors
    /// The temporary folder cannot be created.
    pub fn temporary() -> Result<Self, FleetError> {
        let folder = tempfile::Builder::new().prefix("tarbac-").tempdir();
        let folder =
            folder.map_err(|reason| FleetError::file("create", &std::env::temp_dir(), reason))?;
        let path = folder.path().to_owned();
        Self::with(&path, Some(folder))
    }

    fn with(folder: &Path, temporary: Option<TempDir>) -> Result<Self, FleetError> {
        let failed = |reason| FleetError::file("use", folder, reason);
        for part in [BLOB_FOLDER, TREE, UNFINISHED] {
            private(&folder.join(part)).map_err(failed)?;
        }
        let folder = folder.canonicalize().map_err(failed)?;
        let lock = File::create(folder.join(LOCK))
            .map_err(|reason| FleetError::file("use", &folder, reason))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(FleetError::InUse(folder.display().to_string()));
            }
            Err(TryLockError::Error(reason)) => {
                return Err(FleetError::file("lock", &folder, reason));
            }
        }
        // Files that an interrupted program left behind.
        let unfinished = folder.join(UNFINISHED);
        let left = fs::read_dir(&unfinished).into_iter().flatten().flatten();
        left.for_each(|entry| drop(fs::remove_file(entry.path())));
        Ok(Self {
            folder,
            _lock: lock,
            _temporary: temporary,
        })
    }

    /// The folder with the files of the revision, in the layout of a workspace.
    pub fn tree(&self) -> PathBuf {
        self.folder.join(TREE)
    }

    /// Makes `tree/` hold the files of a revision of a store.
    ///
    /// # Errors
    /// A file is not in the store, or does not have the size and digest that the manifest states.
    pub fn hold(&self, store: &Store, manifest: &Manifest) -> Result<(), FleetError> {
        self.check_out(manifest, &AtHand::new(), Some(store))
    }

    fn blob(&self, digest: &Digest) -> PathBuf {
        self.folder.join(BLOB_FOLDER).join(format!("{digest}.zst"))
    }

    fn unfinished(&self) -> Result<NamedTempFile, FleetError> {
        let folder = self.folder.join(UNFINISHED);
        NamedTempFile::new_in(&folder)
            .map_err(|reason| FleetError::file("write into", &folder, reason))
    }

    /// Makes `tree/` hold exactly the files of a manifest: from `at_hand`, from the blobs in this cache, or from a
    /// store.
    ///
    /// # Errors
    /// No copy of a file has the size and digest that the manifest states.
    pub(crate) fn check_out(
        &self,
        manifest: &Manifest,
        at_hand: &AtHand<'_>,
        store: Option<&Store>,
    ) -> Result<(), FleetError> {
        let tree = self.tree();
        let wanted: BTreeSet<PathBuf> = manifest
            .files
            .iter()
            .map(|file| tree.join(&file.path))
            .collect();
        for folder in FOLDERS {
            clear(&tree.join(folder), &wanted)
                .map_err(|reason| FleetError::file("clear", &tree, reason))?;
        }
        let files = manifest.files.par_iter();
        files.try_for_each(|file| self.put(file, at_hand, store))
    }

    fn put(
        &self,
        file: &FileEntry,
        at_hand: &AtHand<'_>,
        store: Option<&Store>,
    ) -> Result<(), FleetError> {
        let path = self.tree().join(&file.path);
        let digest = file.blake3;
        let is_there = path
            .symlink_metadata()
            .is_ok_and(|of| of.is_file() && of.len() == file.size);
        if is_there && blob::digest_of_file(&path).is_ok_and(|of| of == (digest, file.size)) {
            return Ok(());
        }
        let unfinished = match at_hand.get(&digest) {
            Some(content) => {
                let mut unfinished = self.unfinished()?;
                content.copy(&digest, file.size, unfinished.as_file_mut())?;
                unfinished
            }
            None => self.expanded(&digest, file.size, store)?,
        };
        let folder = path.parent().unwrap_or(&path);
        private(folder).map_err(|reason| FleetError::file("create", folder, reason))?;
        let persisted = unfinished.persist(&path);
        persisted.map_err(|error| FleetError::file("write", &path, error.error))?;
        Ok(())
    }

    /// The content of a blob from this cache, or else from a store.
    fn expanded(
        &self,
        digest: &Digest,
        size: u64,
        store: Option<&Store>,
    ) -> Result<NamedTempFile, FleetError> {
        let path = self.blob(digest);
        let here = match path.is_file() {
            true => self.expand(digest, size),
            false => Err(FleetError::NoBlob {
                digest: digest.to_string(),
            }),
        };
        let (Err(_), Some(store)) = (&here, store) else {
            return here;
        };
        let mut fetched = self.unfinished()?;
        store.fetch(digest, blob::limit(size), fetched.as_file_mut())?;
        let persisted = fetched.persist(&path);
        persisted.map_err(|error| FleetError::file("write", &path, error.error))?;
        let expanded = self.expand(digest, size);
        if expanded.is_err() {
            drop(fs::remove_file(&path));
        }
        expanded
    }

    fn expand(&self, digest: &Digest, size: u64) -> Result<NamedTempFile, FleetError> {
        let mut unfinished = self.unfinished()?;
        blob::expand(&self.blob(digest), digest, size, unfinished.as_file_mut())?;
        Ok(unfinished)
    }

    /// The blob of a file in `tree/`.
    pub(crate) fn packed(&self, file: &FileEntry) -> Result<bytes::Bytes, FleetError> {
        let path = self.tree().join(&file.path);
        blob::compressed(&path).map_err(|reason| FleetError::file("read", &path, reason))
    }

    /// Keeps a revision as the last good one, to be served when the store is unreachable.
    pub(crate) fn keep(&self, manifest: &Manifest, bytes: &[u8]) -> Result<(), FleetError> {
        let path = self.folder.join(GOOD);
        let mut unfinished = self.unfinished()?;
        let written = unfinished
            .write_all(bytes)
            .and_then(|()| unfinished.as_file().sync_data());
        written.map_err(|reason| FleetError::file("write", &path, reason))?;
        let persisted = unfinished.persist(&path);
        persisted.map_err(|error| FleetError::file("write", &path, error.error))?;
        let named: BTreeSet<Digest> = manifest.files.iter().map(|file| file.blake3).collect();
        let blobs = fs::read_dir(self.folder.join(BLOB_FOLDER))
            .into_iter()
            .flatten()
            .flatten();
        for entry in blobs {
            let name = object_store::path::Path::from(entry.file_name().to_string_lossy().as_ref());
            if digest_of(&name).is_none_or(|digest| !named.contains(&digest)) {
                drop(fs::remove_file(entry.path()));
            }
        }
        Ok(())
    }

    /// The bytes of the manifest of the last good revision, if there is one.
    pub(crate) fn good(&self) -> Option<Vec<u8>> {
        fs::read(self.folder.join(GOOD)).ok()
    }
}

impl GivenContent {
    fn copy(&self, digest: &Digest, size: u64, out: &mut File) -> Result<(), FleetError> {
        let mut reader: Box<dyn Read + '_> = match self {
            Self::OnDisk(path) => {
                let file = File::open(path);
                Box::new(file.map_err(|reason| FleetError::file("read", path, reason))?)
            }
            Self::Text(text) => Box::new(Cursor::new(text.as_bytes())),
        };
        blob::copy_of(&mut reader, digest, size, out).map_err(|_| FleetError::Restless(self.name()))
    }

    /// The digest and size of the content.
    pub(crate) fn digest(&self) -> Result<(Digest, u64), FleetError> {
        match self {
            Self::OnDisk(path) => {
                blob::digest_of_file(path).map_err(|reason| FleetError::file("read", path, reason))
            }
            Self::Text(text) => Ok((Digest::hash(text.as_bytes()), text.len() as u64)),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::OnDisk(path) => path.display().to_string(),
            Self::Text(_) => "a rule that ships".to_owned(),
        }
    }
}

/// Removes the files of a folder that are not wanted.
fn clear(folder: &Path, wanted: &BTreeSet<PathBuf>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        match entry.file_type()?.is_dir() {
            true if wanted.contains(&path) => fs::remove_dir_all(&path)?,
            true => {
                clear(&path, wanted)?;
                // The removal fails if the folder still has files.
                drop(fs::remove_dir(&path));
            }
            false if wanted.contains(&path) => {}
            false => fs::remove_file(&path)?,
        }
    }
    Ok(())
}

/// Creates a folder that only its user can read, because entities may be confidential.
#[cfg(unix)]
fn private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
}

#[cfg(not(unix))]
fn private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}
