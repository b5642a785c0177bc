//! Test files of `cedar run-tests`, and the files of entities that they name.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

use thiserror::Error;

use super::Unreadable;
use super::text::{held_up_to, standard_input_up_to};
use tarbac_diagnostic::source::Source;

/// The largest test file of `cedar run-tests`, or file of entities for it, in bytes. Programs write such files, and
/// every test repeats its entities.
const LARGEST_TESTS: u64 = 1024 * 1024 * 1024;

/// Reads a test file of `cedar run-tests`.
///
/// # Errors
/// The file cannot be read.
pub fn cedar_tests(path: &Path) -> Result<Arc<Source>, Unreadable> {
    held_up_to(path, LARGEST_TESTS)
}

/// Reads standard input as a test file of `cedar run-tests`.
///
/// # Errors
/// Standard input cannot be read, or is not text.
pub fn cedar_tests_from_standard_input() -> Result<Arc<Source>, Unreadable> {
    standard_input_up_to(LARGEST_TESTS)
}

/// The texts of the files of entities that tests name, or the errors, by the name in the test.
pub type EntityFiles = BTreeMap<String, Result<String, EntityFileError>>;

/// The reason why a file of entities was not read; displays as a sentence about the file.
#[derive(Debug, Error)]
pub enum EntityFileError {
    /// The file is outside of the folder of the tests.
    #[error("it is outside of the folder of the tests")]
    Outside,
    /// There is no such file, or its folder cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is too large or not text.
    #[error("{}", .0.reason)]
    Unreadable(#[from] Unreadable),
}

/// Reads the files of entities that the tests in `file` name, each once. A name is a path relative to the folder of
/// `file`, and must not lead out of it.
pub fn entity_files<'n>(file: &Path, names: impl IntoIterator<Item = &'n str>) -> EntityFiles {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let read = |name: &str| {
        let path = folder.join(name);
        if !path.canonicalize()?.starts_with(folder.canonicalize()?) {
            return Err(EntityFileError::Outside);
        }
        Ok(held_up_to(&path, LARGEST_TESTS)?.text().to_owned())
    };
    let names: BTreeSet<&str> = names.into_iter().collect();
    names
        .into_iter()
        .map(|name| (name.to_owned(), read(name)))
        .collect()
}
