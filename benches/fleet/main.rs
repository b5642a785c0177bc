//! What a fleet on one store takes: publications, replicas that follow them, and many tenants in one process.
//!
//! `cargo bench --bench fleet` prints the tables, with a name one of `publications`, `replica`, `balanced` and `tenants`;
//! `-- --test` only checks that they can be made, on a small size. The store is a folder. Publishers and replicas are
//! processes of their own; the client is on the same machine, so it takes a share of the processors. `balanced` takes the
//! program `nginx`, and is left out where there is none.

#![warn(clippy::too_many_lines)]
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a benchmark reads the clock, writes files, and has failed if it cannot measure"
)]

mod balanced;
#[allow(dead_code, reason = "the benchmark of the server uses more of it")]
#[path = "../support/client.rs"]
mod client;
mod process;
#[allow(dead_code, reason = "the benchmark of the server uses more of it")]
#[path = "../support/server.rs"]
mod server;
#[path = "../support/tenant.rs"]
mod tenant;
mod tenants;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use client::{Connection, Latencies, ask, steadily};
use process::{Took, timed};
use server::Server;
use tenant::Tenant;

/// The path of an evaluation.
const EVALUATION: &str = "/access/v1/evaluation";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_smoke = arguments.iter().any(|word| word == "--test");
    let named: Vec<&String> = arguments
        .iter()
        .filter(|word| !word.starts_with("--"))
        .collect();
    let wants = |name: &str| named.is_empty() || named.iter().any(|wanted| *wanted == name);
    let large = match is_smoke {
        true => Tenant {
            devices: 1_000,
            ..Tenant::default()
        },
        false => Tenant::large(),
    };
    if wants("publications") {
        publications(&large);
    }
    if wants("replica") {
        replica(&large, if is_smoke { 1 } else { 5 });
    }
    if wants("balanced") {
        balanced::balanced(is_smoke);
    }
    if wants("tenants") {
        tenants::tenants(if is_smoke { 3 } else { 1_000 });
    }
}

/// A workspace with a store beside it.
pub struct Fleet {
    home: tempfile::TempDir,
}

impl Fleet {
    /// A workspace of a tenant, in a folder of its own.
    pub fn new(tenant: &Tenant) -> Self {
        let home = tempfile::tempdir().unwrap();
        tenant.write(&home.path().join("workspace"));
        Self { home }
    }

    /// Something in that folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// The URL of a store in the folder.
    pub fn url(&self, name: &str) -> String {
        format!("file://{}", self.path(name).display())
    }

    /// Publishes the workspace, and says what that took.
    pub fn publish(&self, more: &[&str]) -> Took {
        let (workspace, store) = (self.path("workspace"), self.url("store"));
        let workspace = workspace.to_str().unwrap();
        let publish = ["-C", workspace, "publish", "--store", &store];
        timed(&[&publish, more].concat())
    }

    /// Another policy than before, the same for the same number.
    pub fn write_policy(&self, number: usize) {
        let policy = format!(
            "@id(\"turn\")\n@doc(\"Turn {number}.\")\npermit (principal in Intune::Role::\"{}\", action == Intune::Action::\"viewTimeline\", resource);\n",
            tenant::BUILT_IN
        );
        let path = self.path("workspace/policies/custom/turn.cedar");
        fs::write(path, policy).unwrap();
    }

    /// Devices that are others than before: the operating system of each is a later one.
    fn write_devices(&self, number: usize) {
        let path = self.path("workspace/entities/devices.json");
        let text = fs::read_to_string(&path).unwrap();
        let (before, after) = (number - 1, number);
        let before = match before {
            0 => "Enterprise 10.0".to_owned(),
            before => format!("Enterprise 10.{before}"),
        };
        let text = text.replace(&before, &format!("Enterprise 10.{after}"));
        fs::write(path, text).unwrap();
    }
}

/// The texts of requests by people with roles on devices anywhere, the same each time.
pub fn bodies(tenant: &Tenant, count: u32) -> Vec<String> {
    let body = |number: u32| {
        let person = number.wrapping_mul(7) % (tenant.people / 50) * 50;
        let device = number.wrapping_mul(2_654_435_761) % tenant.devices;
        format!(
            r#"{{"subject":{{"type":"user","id":"{}"}},"action":{{"name":"runScript"}},"resource":{{"type":"device","id":"{}"}}}}"#,
            tenant::person(person),
            tenant::device(device)
        )
    };
    (0..count).map(body).collect()
}

/// The first publication, that of an import, and those of a change of policies.
fn publications(tenant: &Tenant) {
    let fleet = Fleet::new(tenant);
    println!("\nPublications of {} devices\n", tenant.devices);
    println!("| publication | s | MiB |");
    println!("|---|---:|---:|");
    let cache = fleet.path("cache");
    let cache = ["--cache", cache.to_str().unwrap()];
    let told = |what: &str, took: Took| {
        println!("| {what} | {:.1} | {:.0} |", took.seconds, took.mebibytes)
    };
    told("everything, the first time", fleet.publish(&[]));
    fleet.write_devices(1);
    told("entities", fleet.publish(&["--part", "entities"]));
    fleet.write_devices(2);
    told(
        "entities, the first time with a cache",
        fleet.publish(&[&["--part", "entities"], &cache[..]].concat()),
    );
    fleet.write_devices(3);
    told(
        "entities, with a cache",
        fleet.publish(&[&["--part", "entities"], &cache[..]].concat()),
    );
    fleet.write_policy(1);
    told("policies", fleet.publish(&["--part", "policies"]));
    for number in 2..5 {
        fleet.write_policy(number);
        told(
            "policies, with a cache",
            fleet.publish(&[&["--part", "policies"], &cache[..]].concat()),
        );
    }
    told(
        "nothing new, with a cache",
        fleet.publish(&[&["--part", "policies"], &cache[..]].concat()),
    );
}

/// A replica that is asked while it takes new revisions.
fn replica(tenant: &Tenant, turns: usize) {
    let fleet = Fleet::new(tenant);
    fleet.publish(&[]);
    let (store, cache) = (fleet.url("store"), fleet.path("replica"));
    let server = Server::of_stores(&[
        "--store",
        &store,
        "--poll",
        "1h",
        "--max-staleness",
        "2h",
        "--cache",
        cache.to_str().unwrap(),
    ]);
    let bodies = bodies(tenant, 5_000);
    let failures = AtomicU64::new(0);
    let asked = |connection: &mut Connection, body: &str| {
        let answer = connection.send(EVALUATION, "", body);
        if !answer.is_ok_and(|answer| answer.status == 200) {
            failures.fetch_add(1, Ordering::Relaxed);
        }
    };
    let load = |goes_on: &(dyn Fn() -> bool + Sync)| {
        steadily(&server.address, &bodies, (8, 1_000), goes_on, &asked)
    };
    let start = Instant::now();
    let calm = load(&|| start.elapsed() < Duration::from_secs(2)).told();
    let (mut takes, mut all) = (Vec::new(), Vec::new());
    for turn in 1..=turns {
        fleet.write_devices(turn);
        fleet.publish(&["--part", "entities"]);
        // The publisher is another machine: it is done before the replica looks.
        let (time, latencies) = thread::scope(|scope| {
            let polling = scope.spawn(|| {
                let start = Instant::now();
                ask(&server.address, "/-/poll", "");
                start.elapsed()
            });
            let latencies = load(&|| !polling.is_finished());
            (polling.join().unwrap(), latencies)
        });
        takes.push(time.as_secs_f64());
        all.push(latencies);
    }
    takes.sort_by(f64::total_cmp);
    let busy = Latencies::joined(all);
    let (devices, least, most) = (tenant.devices, takes[0], takes[turns - 1]);
    println!("\nA replica that takes {turns} revisions of {devices} devices\n");
    println!("- from its look to the new revision: {least:.1} to {most:.1} s");
    println!("- p50, p99 before, µs: {calm}");
    println!("- p50, p99 meanwhile, µs: {}", busy.told());
    println!(
        "- failures among {} requests: {}",
        busy.count(),
        failures.load(Ordering::Relaxed)
    );
    let mebibytes = process::peak(server.process()).unwrap_or(f64::NAN);
    println!("- peak, MiB: {mebibytes:.0}");
}

/// Copies a folder.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}
