//! What an import of a large tenant takes, beside what only parsing the same JSON takes, in one run.
//!
//! `cargo bench --bench import` prints the table; `cargo bench --bench import -- write FOLDER` only
//! writes the exports, to try the program on; `-- --test` checks that it can be made, on a small size.

#![warn(clippy::too_many_lines)]
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a benchmark reads the clock, writes files, and has failed if it cannot measure"
)]

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read};
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use serde::de::IgnoredAny;
use tarbac::exports::Exports as Folder;
use tarbac::{Layout, Switches, assembly, import, shipped, workspace};

#[path = "support/exports.rs"]
mod exports;
#[path = "support/memory.rs"]
mod memory;

use exports::Exports;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["write", folder, ..] => Exports::large().write(Path::new(folder)).unwrap(),
        // The memory of an import is that of a process of its own.
        ["import", exports, out] => timed(|| import_into(Path::new(exports), Path::new(out))),
        ["parse", exports] => timed(|| parse(Path::new(exports))),
        _ => compare(arguments.contains(&"--test")),
    }
}

/// Imports and only parses the same exports, each in a process of its own.
fn compare(smoke: bool) {
    let home = tempfile::tempdir().unwrap();
    let (folder, out) = (home.path().join("exports"), home.path().join("out"));
    let size = match smoke {
        true => Exports::small(),
        false => Exports::large(),
    };
    size.write(&folder).unwrap();
    println!(
        "\n| users | groups | devices | memberships | import s | import MiB | parsing s | ratio |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let (parsing, _) = measure(&["parse", folder.to_str().unwrap()]);
    let (seconds, memory) = measure(&["import", folder.to_str().unwrap(), out.to_str().unwrap()]);
    println!(
        "| {} | {} | {} | {} | {seconds:.1} | {memory:.0} | {parsing:.1} | {:.1} |",
        size.users,
        size.groups,
        size.devices,
        size.devices * size.memberships,
        seconds / parsing
    );
}

/// Seconds and MiB of this benchmark with other arguments.
fn measure(arguments: &[&str]) -> (f64, f64) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let (seconds, memory) = text.trim().split_once(' ').unwrap();
    (seconds.parse().unwrap(), memory.parse().unwrap())
}

fn timed(run: impl FnOnce()) {
    let start = Instant::now();
    run();
    let seconds = start.elapsed().as_secs_f64();
    println!("{seconds} {}", memory::peak().unwrap_or(f64::NAN));
}

/// All that `tarbac import` does but for its report.
fn import_into(exports: &Path, out: &Path) {
    let shipped =
        assembly::examine(&shipped::rules().alone(), Vec::new(), &Switches::default()).unwrap();
    let files = Folder::new(exports, |file: File| Box::new(file) as Box<dyn Read + Send>);
    let imported = import::import(&files, &shipped.engine.unwrap(), jiff::Timestamp::MAX).unwrap();
    let create = |path: &str| {
        let path = out.join(path);
        fs::create_dir_all(path.parent().unwrap())?;
        Ok(BufWriter::with_capacity(1 << 18, File::create(path)?))
    };
    imported.write(create).unwrap();
    drop(imported);
    let examination =
        workspace::examine(&Layout::new(out, shipped::rules()), &Switches::default()).unwrap();
    assert!(examination.engine.is_some());
}

/// The least that any reader of the files does.
fn parse(folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            parse(&path);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            let reader = BufReader::with_capacity(1 << 16, File::open(path).unwrap());
            let _: IgnoredAny = serde_json::from_reader(reader).unwrap();
        }
    }
}
