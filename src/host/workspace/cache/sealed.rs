//! Sealed files: content with a digest that includes the name of the file.

use std::path::Path;

use blake3::Hasher;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::workspace::regular;

/// The largest sealed file, in bytes.
pub(super) const LARGEST: u64 = 256 * 1024 * 1024;

/// The content of a sealed file.
#[derive(Serialize, Deserialize)]
pub(super) struct Sealed<'s> {
    /// The digest of the content and the name of the file.
    pub digest: String,
    #[serde(borrow)]
    pub content: &'s RawValue,
}

/// The content of a sealed file; `None` if it has changed, or was written under another name.
pub(super) fn sealed<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let bytes = regular::read(path, LARGEST).ok()?;
    let sealed: Sealed<'_> = serde_json::from_slice(&bytes).ok()?;
    let is_as_written = sealed.digest == digest(path, sealed.content);
    is_as_written.then(|| serde_json::from_str(sealed.content.get()).ok())?
}

pub(super) fn digest(path: &Path, content: &RawValue) -> String {
    let mut key = NameHasher::default();
    key.add(&name_of(path));
    key.add(content.get());
    key.name("")
}

/// The name of a file of the cache.
pub(super) fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// A file name that is computed from texts and numbers.
#[derive(Default)]
pub(super) struct NameHasher(Hasher);

impl NameHasher {
    pub(crate) fn add(&mut self, text: &str) {
        self.count(text.len());
        self.0.update(text.as_bytes());
    }

    /// Adds a length, so that different sequences have different keys.
    pub(crate) fn count(&mut self, count: usize) {
        self.0.update(&(count as u64).to_le_bytes());
    }

    pub(crate) fn name(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.0.finalize().to_hex())
    }
}
