//! Exports of a tenant, and the workspaces that are made of them.

mod activations;
mod causes;
mod command;
mod devices;
mod file_names;
mod licenses;
mod quirks;
mod random;
mod refresh;
mod round_trip;
mod sample;
mod sites;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use tarbac::engine::Engine;
use tarbac::exports::{ExportsInMemory, RefusedExport};
use tarbac::import::{Imported, import};
use tarbac::{Layout, Switches, Workspace, assembly, shipped};
use walkdir::WalkDir;

use crate::tarbac::{Ran, Tarbac};

fn import_held(exports: &ExportsInMemory) -> Result<Imported, RefusedExport> {
    import(
        exports,
        &shipped_engine(),
        tarbac::exports::moment("2026-11-23T08:00:00Z").unwrap(),
    )
}

/// The policies and the schema that ship.
pub fn shipped_engine() -> Engine {
    let texts = shipped::rules().alone();
    let examination = assembly::examine(&texts, Vec::new(), &Switches::default()).unwrap();
    examination.engine.unwrap()
}

/// The policies and the schema that ship, by their paths.
fn shipped_files() -> BTreeMap<String, Vec<u8>> {
    let shipped = shipped::rules();
    let files = shipped.files().iter();
    files
        .map(|file| (file.path.clone(), file.text.clone().into_bytes()))
        .collect()
}

/// The files of a workspace.
pub fn written(imported: &Imported) -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    write(imported, folder.path());
    files(folder.path())
}

fn write(imported: &Imported, folder: &Path) {
    let create = |path: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap())?;
        std::fs::File::create_new(path)
    };
    imported.write(create).unwrap();
}

/// The files in a folder, by their paths.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = WalkDir::new(folder).into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            let path = entry.path().strip_prefix(folder).unwrap();
            (
                path.to_str().unwrap().to_owned(),
                std::fs::read(entry.path()).unwrap(),
            )
        })
        .collect()
}

/// A workspace, loaded; it must have no errors.
pub fn load(folder: &Path) -> Engine {
    Workspace::load(&Layout::new(folder, shipped::rules()), &Switches::default())
        .unwrap_or_else(|error| panic!("{error:?}"))
        .engine
}

/// A folder of the repository as the exports of a new folder.
fn copied(exports: &str) -> Tarbac {
    let tarbac = Tarbac::with(&[]);
    for (path, bytes) in files(Path::new(exports)) {
        tarbac.write(&format!("exports/{path}"), bytes);
    }
    tarbac
}

/// Asks for what the one role of the exports in `base/intune` gives its one member.
const CHECK: [&str; 6] = [
    "-C",
    "workspace",
    "check",
    "ada@contoso.example",
    "runScript",
    "D1",
];

/// Gives a role a permission, in each of the lists that its record has.
fn give(role: &mut Value, permission: &str) {
    for copy in ["permissions", "rolePermissions"] {
        let rows = role.get_mut(copy).and_then(Value::as_array_mut);
        for row in rows.into_iter().flatten() {
            for list in ["/actions", "/resourceActions/0/allowedResourceActions"] {
                if let Some(Value::Array(list)) = row.pointer_mut(list) {
                    list.push(permission.into());
                }
            }
        }
    }
}

fn run_import(tarbac: &Tarbac, more: &[&str]) -> Ran {
    tarbac.run(&[&["import", "exports", "--out", "workspace"], more].concat())
}

/// The names of each note of an import that is taken, by the code without `import::`.
fn notes(tarbac: &Tarbac) -> BTreeMap<String, Vec<String>> {
    let ran = run_import(tarbac, &["--force", "--drop-missing", "--format", "json"]);
    assert_eq!(ran.status, 0, "{ran}");
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    let notes = report["notes"].as_array().unwrap().iter();
    notes
        .map(|note| {
            let code = note["code"].as_str().unwrap();
            let names = note["names"].as_array().unwrap().iter();
            let names = names.map(|name| name.as_str().unwrap().to_owned());
            (code.replace("import::", ""), names.collect())
        })
        .collect()
}
