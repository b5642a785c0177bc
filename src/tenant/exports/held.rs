//! Exports in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Read};

use super::Files;

/// Exports in memory, by path: for programs that collect them themselves.
#[derive(Debug, Default, Clone)]
pub struct ExportsInMemory(BTreeMap<String, Vec<u8>>);

impl ExportsInMemory {
    /// Adds a file, or replaces it.
    pub fn put(&mut self, path: impl Into<String>, bytes: impl Into<Vec<u8>>) {
        self.0.insert(path.into(), bytes.into());
    }

    /// The files, by path.
    pub fn files_mut(&mut self) -> impl ExactSizeIterator<Item = (&String, &mut Vec<u8>)> {
        self.0.iter_mut()
    }
}

impl Files for ExportsInMemory {
    fn paths(&self) -> io::Result<BTreeSet<String>> {
        Ok(self.0.keys().cloned().collect())
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send + '_>> {
        let bytes = self.0.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Cursor::new(bytes)))
    }

    fn shown(&self, path: &str) -> String {
        path.to_owned()
    }
}
