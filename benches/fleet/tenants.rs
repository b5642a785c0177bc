//! Many tenants in one process.

use std::time::{Duration, Instant};

use super::client::{Connection, steadily};
use super::server::Server;
use super::tenant::Tenant;
use super::{Fleet, bodies, copy, process};

/// Serves tenants of 1,000 people and as many devices each, and asks them by turns.
pub fn tenants(count: usize) {
    let tenant = Tenant {
        people: 1_000,
        devices: 1_000,
        roles: 10,
        ..Tenant::default()
    };
    let fleet = Fleet::new(&tenant);
    fleet.publish(&[]);
    for number in 0..count {
        copy(
            &fleet.path("store"),
            &fleet.path(&format!("stores/t{number:04}")),
        );
    }
    let all = format!("{}/*", fleet.url("stores"));
    let start = Instant::now();
    let server = Server::of_stores(&["--store", &all, "--poll", "60s"]);
    let ready = start.elapsed().as_secs_f64();
    let begun = process::resident(server.process()).unwrap_or(f64::NAN);
    let texts = bodies(&tenant, 100);
    // Each request is to another tenant.
    let requests: Vec<String> = (0..count)
        .flat_map(|number| {
            let bodies = texts.iter().skip(number % 10).step_by(10);
            bodies.map(move |body| format!("t{number:04} {body}"))
        })
        .collect();
    let requests: Vec<String> = (0..10)
        .flat_map(|nth| requests.iter().skip(nth).step_by(10).cloned())
        .collect();
    let ask = |connection: &mut Connection, request: &str| {
        let (name, body) = request.split_once(' ').unwrap();
        let answer = connection.send(&format!("/{name}/access/v1/evaluation"), "", body);
        assert_eq!(answer.unwrap().status, 200, "{name}");
    };
    let asking = Instant::now();
    let time = Duration::from_secs(if count < 10 { 1 } else { 30 });
    let latencies = steadily(
        &server.address,
        &requests,
        (8, 2_000),
        &|| asking.elapsed() < time,
        &ask,
    );
    let asked = process::resident(server.process()).unwrap_or(f64::NAN);
    println!("\n{count} tenants of 1,000 people in one process\n");
    println!(
        "| start, s | MiB then | p50, p99, µs | MiB after {} requests |",
        latencies.count()
    );
    println!("|---:|---:|---:|---:|");
    println!(
        "| {ready:.1} | {begun:.0} | {} | {asked:.0} |",
        latencies.told()
    );
}
