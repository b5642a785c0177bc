//! The files of a workspace, with their digests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::io::{self, Read};
use std::path::Path;

use walkdir::WalkDir;

use super::regular;
use super::state::is_absent;
use crate::record::{FoundFile, TextHasher};

/// The file at a path of a workspace, with its digest; `None` if there is none. No link is followed.
///
/// # Errors
/// The path cannot be read.
pub fn found(root: &Path, path: &str) -> io::Result<Option<FoundFile>> {
    let mut place = root.to_owned();
    let mut metadata: Option<Metadata> = None;
    for part in path.split('/') {
        if metadata.is_some_and(|metadata| !metadata.is_dir()) {
            return Ok(Some(FoundFile::NoFile));
        }
        place.push(part);
        metadata = match place.symlink_metadata() {
            Ok(metadata) => Some(metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
    }
    if !metadata.is_some_and(|metadata| metadata.is_file()) {
        return Ok(Some(FoundFile::NoFile));
    }
    let mut hasher = TextHasher::default();
    let mut file = regular::open(&place)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Some(FoundFile::File(hasher.finish()))),
            count => hasher.update(buffer.get(..count).unwrap_or_default()),
        }
    }
}

/// The files in some folders of a workspace; only the known ones with their digests.
///
/// # Errors
/// A file cannot be read.
pub fn files_in(
    root: &Path,
    folders: &[&str],
    known: &BTreeSet<&String>,
) -> io::Result<BTreeMap<String, FoundFile>> {
    let mut files = BTreeMap::new();
    for path in known {
        if let Some(found) = found(root, path)? {
            files.insert((*path).clone(), found);
        }
    }
    for folder in folders {
        for entry in WalkDir::new(root.join(folder)).sort_by_file_name() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if error.io_error().is_some_and(is_absent) => continue,
                Err(error) => return Err(error.into()),
            };
            let path = entry.path().strip_prefix(root).unwrap_or(entry.path());
            let parts = path.iter().map(|part| part.to_string_lossy());
            let path = parts.collect::<Vec<_>>().join("/");
            if !entry.file_type().is_dir() {
                files.entry(path).or_insert(FoundFile::Other);
            }
        }
    }
    Ok(files)
}
