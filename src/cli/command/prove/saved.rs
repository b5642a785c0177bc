//! Counterexamples saved as suites, which fail until the policies or specs are mended.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use tarbac_assurance::prove::{Proof, Prover, SpecResult};
use tarbac_host::Engine;
use tarbac_host::workspace::regular;

use crate::atomic;
use crate::failure::{Failure, ShellError};
use crate::output::{note, say};

/// Writes a suite for each refuted spec into a folder, which is created if it does not exist.
pub(crate) fn save(
    folder: &Path,
    proof: &Proof<'_>,
    prover: &Prover<'_>,
    engine: &Engine,
) -> Result<(), Failure> {
    let mut names = BTreeSet::new();
    let is_refuted = |tried: &&SpecResult<'_>| tried.refutations().next().is_some();
    for tried in proof.specs.iter().filter(is_refuted) {
        let id = tried.spec.id();
        let kept = prover.suite_of(tried, engine);
        for (environment, why) in kept.left_out {
            let asked = environment.action;
            say(&format!("{id}: not saved for {asked}: {why}\n"));
        }
        let Some(text) = kept.suite else {
            continue;
        };
        fs::create_dir_all(folder).map_err(|error| ShellError::file("make", folder, error))?;
        let path = folder.join(format!("{}.yaml", file_name(id, &mut names)));
        // A file of an earlier run is replaced; any other file was written by a person.
        if is_another(&path, &text) {
            let path = path.display();
            say(&format!(
                "{id}: not saved: `{path}` exists and is not a counterexample of this spec\n"
            ));
            continue;
        }
        atomic::write(&path, &text)
            .map_err(|error| ShellError::file("write the counterexample", &path, error))?;
        note(&format!("saved {}\n", path.display()));
    }
    Ok(())
}

/// A unique file name for a spec, valid on any file system; an id may contain any character.
fn file_name(id: &str, names: &mut BTreeSet<String>) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    let plain: String = id
        .chars()
        .map(|character| if is_plain(character) { character } else { '-' })
        .collect();
    let mut name = plain.clone();
    let mut number = 1;
    while !names.insert(name.to_lowercase()) {
        number += 1;
        name = format!("{plain}-{number}");
    }
    name
}

/// Whether something has this path and does not begin with the first line of `text`.
fn is_another(path: &Path, text: &str) -> bool {
    let first = text.lines().next().unwrap_or_default().as_bytes();
    let begins = |mut file: File| {
        let mut there = vec![0; first.len()];
        file.read_exact(&mut there).is_ok() && there == first
    };
    match regular::open(path) {
        Ok(file) => !begins(file),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}
