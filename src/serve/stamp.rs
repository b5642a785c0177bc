//! A digest of the files of a workspace, by which changes are noticed.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use blake3::{Hash, Hasher};
use tarbac_host::Layout;
use tarbac_host::record;
use tarbac_host::workspace::{PARTS, regular};
use walkdir::WalkDir;

/// The most bytes of a file that is compared by content. Larger files are compared by their metadata.
const SMALL: u64 = 256 * 1024;

/// A digest of the paths, sizes and times of all files, and of the content of small ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp(Hash);

impl Stamp {
    /// The stamp of the present files of a workspace.
    pub(crate) fn new(layout: &Layout) -> Self {
        let mut hasher = Hasher::new();
        for root in roots(layout) {
            // The error of an unreadable entry is part of the stamp too.
            for entry in WalkDir::new(&root).follow_links(true).sort_by_file_name() {
                match entry {
                    Ok(entry) => put(&mut hasher, entry.path(), entry.metadata().ok().as_ref()),
                    Err(error) => text(&mut hasher, error.to_string().as_bytes()),
                }
            }
        }
        Self(hasher.finalize())
    }
}

/// The files and folders that a workspace is read from.
pub(crate) fn roots(layout: &Layout) -> Vec<PathBuf> {
    let mut roots = vec![layout.root.join(record::FILE)];
    let named = [&layout.entities, &layout.policies, &layout.schema];
    for (part, named) in PARTS.iter().zip(named) {
        match named.as_slice() {
            [] => roots.push(layout.root.join(part)),
            named => roots.extend(named.iter().cloned()),
        }
    }
    roots
}

fn put(hasher: &mut Hasher, path: &Path, metadata: Option<&Metadata>) {
    text(hasher, path.as_os_str().as_encoded_bytes());
    let Some(metadata) = metadata else {
        return text(hasher, b"?");
    };
    if metadata.is_dir() {
        return text(hasher, b"/");
    }
    hasher.update(&metadata.len().to_be_bytes());
    let modified = metadata.modified().ok();
    let modified = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified = modified.map_or(0, |time| time.as_nanos());
    hasher.update(&modified.to_be_bytes());
    hasher.update(&of_file_system(metadata));
    if metadata.len() <= SMALL {
        match regular::read(path, SMALL) {
            Ok(content) => text(hasher, &content),
            Err(error) => text(hasher, error.to_string().as_bytes()),
        }
    }
}

/// Metadata that only the file system sets: device, inode and time of the last change.
#[cfg(unix)]
fn of_file_system(metadata: &Metadata) -> [u8; 32] {
    use std::os::unix::fs::MetadataExt;
    let numbers = [
        metadata.dev(),
        metadata.ino(),
        metadata.ctime() as u64,
        metadata.ctime_nsec() as u64,
    ];
    let mut bytes = [0; 32];
    for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
        place.copy_from_slice(&number.to_be_bytes());
    }
    bytes
}

#[cfg(not(unix))]
fn of_file_system(_: &Metadata) -> [u8; 32] {
    [0; 32]
}

/// Hashes a text with its length, so that no two states have the same encoding.
fn text(hasher: &mut Hasher, text: &[u8]) {
    hasher.update(&(text.len() as u64).to_be_bytes());
    hasher.update(text);
}
