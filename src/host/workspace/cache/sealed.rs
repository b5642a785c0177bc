//! Sealed files: content with a digest that holds under one name only.

use std::path::Path;

use blake3::Hasher;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::workspace::regular;

/// The largest file beside the directories that is read, in bytes.
pub(super) const LARGEST: u64 = 256 * 1024 * 1024;

/// What is written beside the directories.
#[derive(Serialize, Deserialize)]
pub(super) struct Sealed<'s> {
    /// That of the content, which holds under one name only.
    pub digest: String,
    #[serde(borrow)]
    pub content: &'s RawValue,
}

/// What was written to a file; `None` where it is not as it was written, or was written under another name.
pub(super) fn sealed<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let bytes = regular::read(path, LARGEST).ok()?;
    let sealed: Sealed<'_> = serde_json::from_slice(&bytes).ok()?;
    let is_as_written = sealed.digest == digest(path, sealed.content);
    is_as_written.then(|| serde_json::from_str(sealed.content.get()).ok())?
}

pub(super) fn digest(path: &Path, content: &RawValue) -> String {
    let mut key = Key::default();
    key.add(&name_of(path));
    key.add(content.get());
    key.name("")
}

/// The name of a file of the cache.
pub(super) fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// A name made of texts and numbers.
#[derive(Default)]
pub(super) struct Key(Hasher);

impl Key {
    pub(crate) fn add(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text.as_bytes());
    }

    /// Says how many follow, so that nothing passes for the beginning of something else.
    pub(crate) fn count(&mut self, count: usize) {
        self.0.update(&(count as u64).to_le_bytes());
    }

    pub(crate) fn name(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.0.finalize().to_hex())
    }
}
