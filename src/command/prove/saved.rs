//! Counterexamples that are kept: each spec that is refuted, as a suite that fails today.

use std::path::Path;

use tarbac::Engine;
use tarbac::proof::{Proof, Prover};

use super::super::output::say;
use super::super::{Failure, ShellError, file};

/// Writes a suite for each spec that is refuted into a folder, which is made if it is not there.
pub fn save(
    folder: &Path,
    proof: &Proof<'_>,
    prover: &Prover<'_>,
    engine: &Engine,
) -> Result<(), Failure> {
    let refuted = proof
        .specs
        .iter()
        .filter(|tried| tried.refutations().next().is_some());
    for tried in refuted {
        let id = tried.spec.id();
        let Some(text) = prover.suite_of(tried, engine.directory()) else {
            say(&format!(
                "{id}: not saved, since no directory can have its counterexample\n"
            ));
            continue;
        };
        // An id may have anything in it, and a file name may not.
        let is_plain =
            |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
        let name: String = id
            .chars()
            .map(|character| if is_plain(character) { character } else { '-' })
            .collect();
        std::fs::create_dir_all(folder).map_err(|error| ShellError::file("make", folder, error))?;
        let path = folder.join(format!("{name}.yaml"));
        file::write(&path, &text)
            .map_err(|error| ShellError::file("write the counterexample", &path, error))?;
        say(&format!("saved {}\n", path.display()));
    }
    Ok(())
}
