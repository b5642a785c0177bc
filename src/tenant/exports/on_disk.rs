//! Export files in a folder on disk, with total size and progress.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use walkdir::WalkDir;

use super::Files;
use tarbac_diagnostic::source::shown;
use tarbac_host::workspace::regular;

/// The files of a folder on disk. `wrap` may wrap each reader, for example to report progress.
pub struct Exports<W> {
    folder: PathBuf,
    wrap: W,
}

impl<W> Exports<W> {
    /// The exports in a folder; the reader of every file is passed through `wrap`.
    pub fn new(folder: impl Into<PathBuf>, wrap: W) -> Self {
        Self {
            folder: folder.into(),
            wrap,
        }
    }

    /// The total size of all files, in bytes.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn size(&self) -> io::Result<u64> {
        let size = |path: String| Ok(self.folder.join(path).metadata()?.len());
        self.found()?.into_iter().map(size).sum()
    }

    fn found(&self) -> io::Result<BTreeSet<String>> {
        let mut paths = BTreeSet::new();
        for entry in WalkDir::new(&self.folder).follow_links(true) {
            let entry = entry?;
            if entry.file_type().is_dir() {
                continue;
            }
            let path = entry
                .path()
                .strip_prefix(&self.folder)
                .unwrap_or(entry.path());
            let parts = path
                .components()
                .map(|part| part.as_os_str().to_string_lossy());
            let parts: Vec<_> = parts.collect();
            // Hidden files, as desktops create them in folders, are not exports.
            if !parts.iter().any(|part| part.starts_with('.')) {
                paths.insert(parts.join("/"));
            }
        }
        Ok(paths)
    }
}

impl<W: Fn(File) -> Box<dyn Read + Send> + Sync> Files for Exports<W> {
    fn paths(&self) -> io::Result<BTreeSet<String>> {
        self.found()
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send + '_>> {
        let path = self.folder.join(path);
        Ok((self.wrap)(regular::open(&path)?))
    }

    fn shown(&self, path: &str) -> String {
        shown(&self.folder.join(path))
    }
}
