//! What a collection of a large tenant takes, from a server on the same machine.
//!
//! `cargo bench --bench collect` prints the table; `-- --test` checks that it can be made, on a small size. Server and
//! collection are processes of their own, so that the memory is that of the collection alone.

#![warn(clippy::too_many_lines)]
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a benchmark reads the clock, writes files, and has failed if it cannot measure"
)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use tarbac::collect::{
    CollectSettings, Secret, SignInError, SiteSettings, SiteSignIn, TokenSource, Waits, collect,
};
use tarbac::exports::catalog::CLOUDS;

#[path = "support/exports.rs"]
mod exports;
#[path = "support/memory.rs"]
mod memory;
#[allow(dead_code, reason = "the tests use more of it")]
#[path = "support/service.rs"]
mod service;

use exports::Exports;
use service::{Rows, Service};

/// The hierarchy whose memberships are many.
const SITE: &str = "P01";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["serve", folder, memberships] => serve(Path::new(folder), memberships.parse().unwrap()),
        ["collect", base, out] => timed(base, Path::new(out)),
        _ => compare(arguments.contains(&"--test")),
    }
}

/// Collects from a tenant of some size, and prints what it took.
fn compare(smoke: bool) {
    let (size, memberships) = match smoke {
        true => (Exports::small(), 1_000),
        // What stands in the list of devices is no part of this; it is the memberships that are many.
        false => (
            Exports {
                devices: 100_000,
                memberships: 1,
                ..Exports::large()
            },
            10_000_000,
        ),
    };
    let home = tempfile::tempdir().unwrap();
    let (folder, out) = (home.path().join("exports"), home.path().join("out"));
    size.write(&folder).unwrap();
    let mut server = Command::new(std::env::current_exe().unwrap())
        .args(["serve", folder.to_str().unwrap(), &memberships.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut base = String::new();
    let mut lines = BufReader::new(server.stdout.take().unwrap());
    lines.read_line(&mut base).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["collect", base.trim(), out.to_str().unwrap()])
        .output();
    server.kill().unwrap();
    server.wait().unwrap();
    let output = output.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let figures: Vec<f64> = text
        .split_whitespace()
        .map(|figure| figure.parse().unwrap())
        .collect();
    println!("\n| records | memberships | s | records a second | MiB |");
    println!("|---|---|---|---|---|");
    println!(
        "| {} | {memberships} | {:.1} | {:.0} | {:.0} |",
        figures[0],
        figures[1],
        figures[0] / figures[1],
        figures[2]
    );
}

fn serve(folder: &Path, memberships: u64) {
    let mut service = Service::new(folder);
    service.page = 999;
    let made = |row: u64| {
        let (device, nth) = (row / 10, row % 10);
        format!(
            "{{\"@odata.etag\":null,\"CollectionID\":\"{SITE}{nth:05}\",\"ResourceID\":{device}}}"
        )
    };
    let file = format!("configmgr/{SITE}/SMS_FullCollectionMembership.json");
    service.put(&file, Rows::Made(memberships, made));
    // The tenant that is made up has no role of Microsoft Entra.
    service.put("graph/directoryRoles.json", Rows::Kept(Vec::new()));
    let (base, _) = service.start();
    println!("{base}");
    loop {
        std::thread::park();
    }
}

struct Known;

impl TokenSource for Known {
    fn token(&self) -> Result<Secret, SignInError> {
        Ok(Secret::new("the-token"))
    }
}

fn timed(base: &str, out: &Path) {
    let settings = CollectSettings {
        out: out.to_owned(),
        program: "bench".to_owned(),
        cloud: CLOUDS[0],
        graph: Some(base.to_owned()),
        graph_token: Some(Arc::new(Known)),
        sites: vec![SiteSettings {
            code: SITE.to_owned(),
            url: format!("{base}/{SITE}"),
            sign_in: SiteSignIn::Token(Arc::new(Known)),
        }],
        authorities: None,
        has_all_groups: true,
        is_resumed: false,
        jobs: 4,
        rows_of_page: 50_000,
        waits: Waits::default(),
        progress: Arc::new(|_| {}),
    };
    let start = Instant::now();
    let collected = collect(&settings).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let rows: u64 = collected.calls.iter().map(|call| call.rows).sum();
    println!("{rows} {seconds} {}", memory::peak().unwrap_or(f64::NAN));
}
