//! Every quirk of the services, of PowerShell and of people: in `tests/exports/quirks` a folder for each,
//! with the exports and beside them what comes of them.
//!
//! A folder can have a file `ask` with command lines that are run on the workspace.

use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::{copied, files, run_import, shipped_files};

#[test]
fn every_quirk_is_taken_or_refused_as_its_snapshot_says() {
    let folder = Path::new("tests/exports/quirks");
    let entries = std::fs::read_dir(folder).unwrap();
    let mut quirks: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    quirks.sort();
    assert!(quirks.len() > 100, "{quirks:?}");
    let told: Vec<String> = quirks.par_iter().map(|quirk| told(quirk)).collect();
    for (quirk, told) in quirks.iter().zip(told) {
        insta::with_settings!({
            snapshot_path => Path::new("../../..").join(quirk),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!("expected", told, quirk.to_str().unwrap());
        });
    }
}

/// What comes of the exports: the report or the error, the entities, and the policies that do not ship.
fn told(quirk: &Path) -> String {
    let tarbac = copied(quirk.join("exports").to_str().unwrap());
    let ran = run_import(&tarbac, &["--all"]);
    let mut told = format!("exit {}\n{}{}", ran.status, ran.stdout, ran.stderr);
    // What every new workspace begins with is the same for all.
    told = told.replace("  tarbac -C workspace test --accept\n", "");
    let shipped = shipped_files();
    let workspace = tarbac.path("workspace");
    if !workspace.exists() {
        return told;
    }
    for (path, bytes) in files(&workspace) {
        let is_made = ["entities/", "policies/", "schema/"]
            .iter()
            .any(|folder| path.starts_with(folder));
        if is_made && shipped.get(&path) != Some(&bytes) {
            let text = String::from_utf8(bytes).unwrap();
            told += &format!("\n==> {path}\n{text}");
        }
    }
    if let Ok(ask) = std::fs::read_to_string(quirk.join("ask")) {
        for line in ask.lines() {
            let arguments = shlex::split(line).unwrap();
            let mut arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            arguments.extend(["-C", "workspace"]);
            let ran = tarbac.run(&arguments);
            told += &format!("\n$ {line}\n{}{}", ran.stdout, ran.stderr);
        }
    }
    told
}
