//! The files of entities of a cached workspace, with their stamps and digests.

use std::fs::Metadata;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use blake3::{Hash, Hasher};
use serde::{Deserialize, Serialize};

use crate::assembly::EntityReader;
use crate::workspace::entities::EntityFile;
use crate::workspace::regular;
use tarbac_diagnostic::source::Source;
use tarbac_store::{Directory, Input};

/// The coarsest resolution of file times, which is that of FAT.
pub(super) const COARSE: Duration = Duration::from_secs(2);

/// A file of entities.
pub(super) struct CachedFile {
    pub path: PathBuf,
    pub source: Arc<Source>,
    pub stamp: Stamp,
    /// The digest of the content, once it is known.
    pub content: Option<Hash>,
}

/// The facts that show whether a file has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    pub size: u64,
    pub modified: Option<SystemTime>,
    /// The facts that only the file system sets: the time of the last change, in seconds and nanoseconds, and the
    /// numbers of the device and the file.
    pub system: Option<(i64, i64, u64, u64)>,
}

/// The noted digest of a file of entities, or the mark that the cache wrote a file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Note {
    pub stamp: Stamp,
    pub noted: SystemTime,
    /// The digest; empty for a file of the cache.
    pub content: String,
}

/// The bytes of a written directory, made again from files of entities; `None` if these have changed.
pub(super) fn worked_out(files: &[Held], reader: &EntityReader, name: &str) -> Option<Vec<u8>> {
    let inputs = files.iter().map(|file| Input {
        source: Arc::clone(&file.source),
        reader: Box::new(regular::Later::at(&file.path)),
    });
    let (directory, findings) = reader.read(inputs.collect());
    let is_same = files.iter().all(|file| {
        let read = directory.content(&file.source);
        read.is_some_and(|read| read.hash == file.content)
    });
    let mut bytes = Vec::new();
    let is_written = directory.write(&mut bytes, name).is_ok();
    (is_same && is_written && findings.is_empty()).then_some(bytes)
}

impl CachedFile {
    pub(crate) fn new(file: &EntityFile) -> Option<Self> {
        Some(Self {
            path: file.path.canonicalize().ok()?,
            source: Arc::clone(&file.source),
            stamp: Stamp::new(&file.metadata),
            content: None,
        })
    }

    /// Whether the whole file was read, and has not changed since.
    pub(crate) fn is_read(&mut self, directory: &Directory) -> bool {
        if self.content.is_none() {
            let read = directory.content(&self.source);
            let all = read.filter(|read| read.size == self.stamp.size);
            self.content = all.map(|read| read.hash);
        }
        let now = self.path.metadata().map(|metadata| Stamp::new(&metadata));
        self.content.is_some() && now.is_ok_and(|now| now == self.stamp)
    }

    /// The digest of the content, which is read for it.
    pub(crate) fn hash(&self) -> Option<Hash> {
        let mut hasher = Hasher::new();
        hasher.update_reader(regular::open(&self.path).ok()?).ok()?;
        let now = Stamp::new(&self.path.metadata().ok()?);
        (now == self.stamp).then(|| hasher.finalize())
    }
}

/// A file of entities with a known digest.
pub(super) struct Held {
    path: PathBuf,
    source: Arc<Source>,
    content: Hash,
}

impl Held {
    pub(crate) fn new(file: &CachedFile) -> Option<Self> {
        Some(Self {
            path: file.path.clone(),
            source: Arc::clone(&file.source),
            content: file.content?,
        })
    }
}

impl Stamp {
    pub(crate) fn new(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let system = {
            use std::os::unix::fs::MetadataExt;
            let changed = (metadata.ctime(), metadata.ctime_nsec());
            Some((changed.0, changed.1, metadata.dev(), metadata.ino()))
        };
        #[cfg(not(unix))]
        let system = None;
        Self {
            size: metadata.len(),
            modified: metadata.modified().ok(),
            system,
        }
    }
}

impl Stamp {
    /// Whether two stamps belong to one file that was not written again. A failing disk changes neither.
    pub(crate) fn is_of_same_file(&self, other: &Self) -> bool {
        let number = |stamp: &Self| stamp.system.map(|(_, _, device, number)| (device, number));
        (self.size, self.modified, number(self)) == (other.size, other.modified, number(other))
    }
}

impl Note {
    /// Whether every change after the note must show in the times of the file.
    pub(crate) fn can_tell(&self) -> bool {
        let system = self.stamp.system.map(|(seconds, ..)| seconds);
        let changed = system.and_then(|seconds| u64::try_from(seconds).ok());
        let changed = changed.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        let last = self.stamp.modified.max(changed);
        let since = last.and_then(|last| self.noted.duration_since(last).ok());
        since.is_some_and(|since| since > COARSE)
    }
}
