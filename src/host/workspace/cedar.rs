//! Files of tests of `cedar run-tests`, and the files of entities that they name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::Unreadable;
use super::text::{held_up_to, standard_input_up_to};
use tarbac_diagnostic::source::Source;

/// The largest file of tests of `cedar run-tests` that is read, or of entities that they name, in
/// bytes. Programs write such files, and every test repeats its entities.
const LARGEST_TESTS: u64 = 1024 * 1024 * 1024;

/// Reads a file of tests of `cedar run-tests`.
///
/// # Errors
/// The file cannot be read.
pub fn cedar_tests(path: &Path) -> Result<Arc<Source>, Unreadable> {
    held_up_to(path, LARGEST_TESTS)
}

/// Reads standard input as a file of tests of `cedar run-tests` is read.
///
/// # Errors
/// It cannot be read, or is no text.
pub fn cedar_tests_from_standard_input() -> Result<Arc<Source>, Unreadable> {
    standard_input_up_to(LARGEST_TESTS)
}

/// Reads the files of entities that tests of `cedar run-tests` name, each once. `file` is the file
/// of the tests: a name is a path seen from its folder, and must not lead out of it.
pub fn entity_files<'n>(
    file: &Path,
    names: impl IntoIterator<Item = &'n str>,
) -> BTreeMap<String, Result<String, String>> {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let read = |name: &str| {
        let path = folder.join(name);
        let real = |path: &Path| path.canonicalize().map_err(|error| error.to_string());
        if !real(&path)?.starts_with(real(folder)?) {
            return Err("it is outside of the folder of the tests".to_owned());
        }
        let source = held_up_to(&path, LARGEST_TESTS).map_err(|error| error.reason)?;
        Ok(source.text().to_owned())
    };
    let names: BTreeSet<&str> = names.into_iter().collect();
    names
        .into_iter()
        .map(|name| (name.to_owned(), read(name)))
        .collect()
}
