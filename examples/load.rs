//! Writes a large tenant into a folder, or loads the entities of a folder and says how long it took.
//!
//! `cargo run --release --example load -- write FOLDER` and then `… -- read FOLDER`.

#![allow(clippy::unwrap_used, reason = "a tool for measuring")]

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::hint::black_box;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use cedar_policy::{Schema, SchemaFragment};
use tarbac::directory::{Directory, Input};
use tarbac::source::{Source, Text};

#[path = "../benches/support/tenant.rs"]
mod tenant;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["write", folder] => write(Path::new(folder)),
        ["read", folder] => read(Path::new(folder)),
        _ => eprintln!("usage: load write|read FOLDER"),
    }
}

fn write(folder: &Path) {
    let tenant = tenant::Tenant::large();
    let file = |name: &str| BufWriter::new(File::create(folder.join(name)).unwrap());
    tenant.write_base(&mut file("base.json")).unwrap();
    tenant.write_people(&mut file("people.json")).unwrap();
    tenant.write_devices(&mut file("devices.json")).unwrap();
}

fn read(folder: &Path) {
    let mut schema = String::new();
    let mut fragments = Vec::new();
    for file in fs::read_dir("schema").unwrap() {
        schema.clear();
        schema.push_str(&fs::read_to_string(file.unwrap().path()).unwrap());
        fragments.push(SchemaFragment::from_cedarschema_str(&schema).unwrap().0);
    }
    let schema = Schema::from_schema_fragments(fragments).unwrap();
    let files = fs::read_dir(folder).unwrap().map(|file| {
        let path = file.unwrap().path();
        Input {
            reader: Box::new(File::open(&path).unwrap()),
            source: Arc::new(Source {
                name: path.display().to_string(),
                text: Text::OnDisk(path),
            }),
        }
    });
    let requires = BTreeMap::from([(
        "Intune::RoleAssignment".to_owned(),
        vec!["Intune::Role".to_owned(), "Intune::Tenant".to_owned()],
    )]);
    let start = Instant::now();
    let (directory, findings) =
        Directory::read(files.collect(), &schema, &HashSet::new(), &requires);
    println!(
        "{} entities, {} findings in {:?}",
        directory.len(),
        findings.len(),
        start.elapsed()
    );
    for finding in findings.iter().take(5) {
        println!("{finding:?}");
    }
    for name in ["ConfigMgr::Device", "Entra::User"] {
        let rows: Vec<_> = directory
            .rows_of(&name.parse().unwrap())
            .step_by(97)
            .collect();
        for turn in ["first", "again"] {
            let start = Instant::now();
            for row in &rows {
                black_box(directory.entity(*row));
            }
            let each = start.elapsed() / u32::try_from(rows.len()).unwrap().max(1);
            println!("an entity of {name}, {turn}: {each:?}");
        }
        let uids: Vec<_> = rows.iter().map(|row| directory.uid(*row)).collect();
        let start = Instant::now();
        for uid in &uids {
            black_box(directory.row(uid));
        }
        let each = start.elapsed() / u32::try_from(rows.len()).unwrap().max(1);
        println!("a row of {name}: {each:?}");
    }
    let start = Instant::now();
    let found = directory.with_text(&"ConfigMgr::Device".parse().unwrap(), "name", "pc-0123456");
    println!("{} devices by name in {:?}", found.len(), start.elapsed());
}
