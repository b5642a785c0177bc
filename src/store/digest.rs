//! Digests of files, computed while they are read.

use std::io::{self, Read};

use blake3::{Hash, Hasher};

/// The size and digest of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// The number of bytes.
    pub size: u64,
    /// The digest of the bytes.
    pub hash: Hash,
}

/// A reader that computes the digest of the bytes that pass through it.
pub(super) struct Digesting<R> {
    reader: R,
    hasher: Hasher,
    size: u64,
}

impl<R> Digesting<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            hasher: Hasher::new(),
            size: 0,
        }
    }

    /// The size and digest of the bytes so far.
    pub(crate) fn content(&self) -> Content {
        Content {
            size: self.size,
            hash: self.hasher.finalize(),
        }
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.hasher.update(buffer.get(..count).unwrap_or_default());
        self.size += count as u64;
        Ok(count)
    }
}

/// The digest of several files, independent of their order.
pub(super) fn of_all(contents: &[Content]) -> Hash {
    let mut hashes: Vec<&[u8; 32]> = contents.iter().map(|of| of.hash.as_bytes()).collect();
    hashes.sort_unstable();
    let mut hasher = Hasher::new();
    for hash in hashes {
        hasher.update(hash);
    }
    hasher.finalize()
}

/// The digest of a directory with an overlay.
pub(super) fn of_changed(one: Hash, put: Hash) -> Hash {
    let mut hasher = Hasher::new();
    hasher.update(b"with");
    hasher.update(one.as_bytes());
    hasher.update(put.as_bytes());
    hasher.finalize()
}
