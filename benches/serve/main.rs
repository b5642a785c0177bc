//! `tarbac serve` beside the call of the library, and beside plain Cedar in the same skeleton of a server.
//!
//! `cargo bench --bench serve` prints the tables, with a name one of `evaluations`, `batches`, `searches`, `reloads` and `page`;
//! `-- --test` only checks that they can be made. The client is on the same machine, so it takes a share of the processors.

#![warn(clippy::too_many_lines)]
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a benchmark reads the clock, writes files, and has failed if it cannot measure"
)]

mod bare;
#[allow(dead_code, reason = "the benchmark of fleets uses more of it")]
#[path = "../support/client.rs"]
mod client;
mod page;
#[path = "../support/plain.rs"]
mod plain;
#[allow(dead_code, reason = "the benchmark of fleets uses more of it")]
#[path = "../support/server.rs"]
mod server;
#[path = "../support/tenant.rs"]
mod tenant;

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use tarbac::bulk::decider::Decider;
use tarbac::{Engine, Layout, Switches, Workspace, shipped};
use tenant::Tenant;

use client::{Latencies, ask, load};
use server::Server;

/// The connections of the client.
const CONNECTIONS: usize = 8;

/// The requests a second.
const RATE: u32 = 10_000;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // Plain Cedar is served by a process of its own, as tarbac is.
    if let ["bare", folder] = words.as_slice() {
        return bare::serve(Path::new(folder));
    }
    // The workspace of the figures, for a look by hand.
    if let ["write", folder] = words.as_slice() {
        return large().write(Path::new(folder));
    }
    let is_smoke = words.contains(&"--test");
    let mut named = words
        .iter()
        .filter(|word| !word.starts_with("--"))
        .peekable();
    let is_all = named.peek().is_none();
    let named: Vec<&&str> = named.collect();
    let wants = |name: &str| is_all || named.iter().any(|wanted| **wanted == name);
    let (small, large) = (small(), if is_smoke { small() } else { large() });
    let time = Duration::from_secs(if is_smoke { 1 } else { 20 });
    if wants("evaluations") {
        evaluations(&[(&small, true), (&large, false)], time);
    }
    if wants("batches") {
        batches(&large, if is_smoke { 3 } else { 300 });
    }
    if wants("searches") {
        searches(&large, if is_smoke { 1 } else { 20 });
    }
    if wants("page") {
        page::measure(&large, if is_smoke { 1 } else { 20 });
    }
    if wants("reloads") {
        reloads(&large, if is_smoke { 1 } else { 10 });
    }
}

fn small() -> Tenant {
    Tenant {
        people: 1_000,
        devices: 1_000,
        roles: 10,
        ..Tenant::default()
    }
}

fn large() -> Tenant {
    Tenant {
        roles: 10_000,
        ..Tenant::large()
    }
}

/// A workspace in a folder.
fn written(tenant: &Tenant) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    tenant.write(folder.path());
    folder
}

/// The texts of requests by people with roles on devices anywhere, the same each time.
fn bodies(tenant: &Tenant, count: u32) -> Vec<String> {
    let actions = [
        "runScript",
        "viewCollections",
        "viewTimeline",
        "viewResourceExplorer",
    ];
    let body = |number: u32| {
        let person = number.wrapping_mul(7) % (tenant.people / 50) * 50;
        let device = number.wrapping_mul(2_654_435_761) % tenant.devices;
        format!(
            r#"{{"subject":{{"type":"user","id":"{}"}},"action":{{"name":"{}"}},"resource":{{"type":"device","id":"{}"}}}}"#,
            tenant::person(person),
            actions[number as usize % actions.len()],
            tenant::device(device)
        )
    };
    (0..count).map(body).collect()
}

fn engine(folder: &Path) -> Engine {
    let layout = Layout::new(folder, shipped::rules());
    Workspace::load(&layout, &Switches::default())
        .unwrap()
        .engine
}

/// The median time of a decision by the library, in microseconds, of requests that are known and of those that are not.
fn by_library(folder: &Path, tenant: &Tenant) -> [f64; 2] {
    let engine = engine(folder);
    let requests = bare::requests(&bodies(tenant, 5_000));
    let decider = Decider::new(&engine);
    [(); 2].map(|()| {
        let times = requests.iter().map(|request| {
            let start = Instant::now();
            black_box(decider.decide(request));
            start.elapsed()
        });
        Latencies::new(times.collect()).percentile(50.0)
    })
}

fn evaluations(tenants: &[(&Tenant, bool)], time: Duration) {
    println!("\nOne evaluation over loopback, {RATE} a second on {CONNECTIONS} connections\n");
    println!(
        "| devices | roles | library, first and again, µs | tarbac p50, p99, µs | plain Cedar p50, p99, µs |"
    );
    println!("|---:|---:|---:|---:|---:|");
    for (tenant, is_beside_cedar) in tenants {
        let folder = written(tenant);
        let [first, again] = by_library(folder.path(), tenant);
        let bodies = bodies(tenant, 5_000);
        let over_loopback = |server: &Server| {
            let path = "/access/v1/evaluation";
            load(&server.address, path, &bodies, (CONNECTIONS, RATE), time).told()
        };
        let ours = over_loopback(&Server::tarbac(folder.path()));
        let theirs = match is_beside_cedar {
            true => over_loopback(&Server::bare(folder.path())),
            false => String::new(),
        };
        let (devices, roles) = (tenant.devices, tenant.roles);
        println!("| {devices} | {roles} | {first:.1}, {again:.1} | {ours} | {theirs} |");
    }
}

fn batches(tenant: &Tenant, turns: usize) {
    let folder = written(tenant);
    let server = Server::tarbac(folder.path());
    let items = bodies(tenant, 1_000).join(",");
    let body = format!(r#"{{"evaluations":[{items}]}}"#);
    let path = "/access/v1/evaluations";
    ask(&server.address, path, &body);
    let start = Instant::now();
    for _ in 0..turns {
        ask(&server.address, path, &body);
    }
    let decisions = 1_000.0 * turns as f64 / start.elapsed().as_secs_f64();
    println!("\nBatches of 1,000, one after the other: {decisions:.0} decisions a second");
}

fn searches(tenant: &Tenant, turns: usize) {
    let folder = written(tenant);
    let server = Server::tarbac(folder.path());
    println!(
        "\nSearches on {} people and {} devices, ms\n",
        tenant.people, tenant.devices
    );
    println!("| search | first | again |");
    println!("|---|---:|---:|");
    let (person, device) = (tenant::person(0), tenant::device(0));
    let user = format!(r#"{{"type":"user","id":"{person}"}}"#);
    let thing = format!(r#"{{"type":"device","id":"{device}"}}"#);
    for (kind, subject, resource) in [
        ("subject", r#"{"type":"user"}"#, thing.as_str()),
        ("resource", &user, r#"{"type":"device"}"#),
        ("action", &user, &thing),
    ] {
        let body = format!(
            r#"{{"subject":{subject},"action":{{"name":"viewCollections"}},"resource":{resource}}}"#
        );
        let path = format!("/access/v1/search/{kind}");
        let timed = || {
            let start = Instant::now();
            ask(&server.address, &path, &body);
            start.elapsed()
        };
        let first = timed().as_secs_f64() * 1e3;
        let again = Latencies::new((0..turns).map(|_| timed()).collect());
        println!(
            "| {kind} | {first:.1} | {:.1} |",
            again.percentile(50.0) / 1e3
        );
    }
}

/// What asks while a workspace is read again and again.
fn reloads(tenant: &Tenant, turns: u32) {
    let folder = written(tenant);
    let server = Server::tarbac(folder.path());
    let bodies = bodies(tenant, 5_000);
    let path = "/access/v1/evaluation";
    let rate = (CONNECTIONS, RATE / 10);
    let calm = load(&server.address, path, &bodies, rate, Duration::from_secs(2)).told();
    let reloading = thread::scope(|scope| {
        let change = || {
            for turn in 0..turns {
                let policy = format!(
                    "@id(\"turn\")\n@doc(\"Turn {turn}.\")\npermit (principal in Intune::Role::\"{}\", action == Intune::Action::\"viewTimeline\", resource);\n",
                    tenant::BUILT_IN
                );
                fs::write(folder.path().join("policies/custom/turn.cedar"), policy).unwrap();
                ask(&server.address, "/-/reload", "");
            }
        };
        let changing = scope.spawn(change);
        let mut all = Vec::new();
        while !changing.is_finished() {
            all.push(load(
                &server.address,
                path,
                &bodies,
                rate,
                Duration::from_secs(1),
            ));
        }
        Latencies::joined(all).told()
    });
    println!(
        "\nEvaluations while {turns} revisions of {} devices are read, p50, p99, µs\n",
        tenant.devices
    );
    println!("- without a reload: {calm}");
    println!("- during reloads: {reloading}");
}
