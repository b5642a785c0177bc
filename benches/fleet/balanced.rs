//! Three replicas behind a balancer, while revisions are published.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::client::{Answer, Connection, steadily};
use super::server::Server;
use super::tenant::Tenant;
use super::{EVALUATION, Fleet, bodies};

/// The replicas.
const REPLICAS: usize = 3;

/// The connections of the clients. One waits where the balancer leads it to a replica that has not read yet what it
/// wants, and the others go on.
const CONNECTIONS: usize = 32;

/// What clients met.
#[derive(Default)]
struct Met {
    failures: AtomicU64,
    /// Answers of a revision older than the one that was asked for.
    older: AtomicU64,
    /// The greatest number that has been published.
    published: AtomicU64,
}

/// Asks three replicas behind nginx through publications.
pub fn balanced(is_smoke: bool) {
    if Command::new("nginx").arg("-v").output().is_err() {
        println!("\nleft out, since there is no nginx: replicas behind a balancer");
        return;
    }
    let (rate, turns) = if is_smoke { (200, 2) } else { (10_000, 20) };
    let tenant = Tenant::default();
    let fleet = Fleet::new(&tenant);
    let cache = fleet.path("cache");
    let part = ["--part", "policies", "--cache", cache.to_str().unwrap()];
    fleet.publish(&[]);
    let store = fleet.url("store");
    let replicas = [(); REPLICAS].map(|()| Server::of_stores(&["--store", &store, "--poll", "5s"]));
    let balancer = Balancer::over(&fleet, &replicas);
    let bodies = bodies(&tenant, 5_000);
    let met = Met::default();
    met.published.store(1, Ordering::Relaxed);
    let is_over = AtomicBool::new(false);
    let start = Instant::now();
    let (latencies, seconds) = thread::scope(|scope| {
        scope.spawn(|| {
            for turn in 1..=turns {
                thread::sleep(Duration::from_millis(if is_smoke { 100 } else { 1_000 }));
                fleet.write_policy(turn);
                fleet.publish(&part);
                met.published.fetch_add(1, Ordering::Relaxed);
            }
            thread::sleep(Duration::from_millis(500));
            is_over.store(true, Ordering::Relaxed);
        });
        let goes_on = || !is_over.load(Ordering::Relaxed);
        let ask =
            |connection: &mut Connection, body: &str| asked(&balancer, &met, connection, body);
        let latencies = steadily(
            &balancer.address,
            &bodies,
            (CONNECTIONS, rate),
            &goes_on,
            &ask,
        );
        (latencies, start.elapsed().as_secs_f64())
    });
    println!("\n{REPLICAS} replicas behind nginx through {turns} publications\n");
    println!(
        "- requests: {}, {:.0} a second",
        latencies.count(),
        latencies.count() as f64 / seconds
    );
    println!("- failures: {}", met.failures.load(Ordering::Relaxed));
    println!(
        "- answers older than asked for: {}",
        met.older.load(Ordering::Relaxed)
    );
    println!("- p50, p99, µs: {}", latencies.told());
}

/// Asks for a revision that is no older than what the client has seen; every hundredth request is of somebody who knows
/// of the newest publication.
fn asked(balancer: &Balancer, met: &Met, connection: &mut Connection, body: &str) {
    let least = match connection.asked.is_multiple_of(100) {
        true => met.published.load(Ordering::Relaxed),
        false => connection.known,
    };
    let least = least.max(1);
    let header = format!("Tarbac-Min-Revision: {least}\r\n");
    match connection.send(EVALUATION, &header, body) {
        Ok(Answer {
            status: 200,
            number,
        }) => {
            met.older
                .fetch_add(u64::from(number < least), Ordering::Relaxed);
        }
        Ok(_) => {
            met.failures.fetch_add(1, Ordering::Relaxed);
        }
        Err(_) => {
            met.failures.fetch_add(1, Ordering::Relaxed);
            let known = connection.known;
            *connection = Connection::to(&balancer.address);
            connection.known = known;
        }
    }
}

/// A balancer that asks each of the replicas by turns, until this is dropped.
struct Balancer {
    child: Child,
    address: String,
    folder: PathBuf,
}

/// The balancer with the settings in a folder.
fn nginx(folder: &Path) -> Command {
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder);
    command.args(["-e", "stderr", "-c", "nginx.conf"]);
    command
}

impl Balancer {
    fn over(fleet: &Fleet, replicas: &[Server]) -> Self {
        let folder = fleet.path("nginx");
        fs::create_dir_all(&folder).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let servers = replicas.iter().map(|of| format!("server {};", of.address));
        let servers: String = servers.collect();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {kind};\n"))
            .concat();
        let text = format!(
            "daemon off;\npid nginx.pid;\nerror_log stderr error;\nworker_processes 1;\nevents {{ worker_connections 1024; }}\nhttp {{\naccess_log off;\n{temporary}upstream replicas {{ {servers} keepalive 64; }}\nserver {{\nlisten {address};\nkeepalive_requests 100000000;\nlocation / {{\nproxy_pass http://replicas;\nproxy_http_version 1.1;\nproxy_set_header Connection \"\";\nproxy_set_header Host localhost;\nproxy_next_upstream error timeout http_503 non_idempotent;\n}}\n}}\n}}\n"
        );
        fs::write(folder.join("nginx.conf"), text).unwrap();
        let child = nginx(&folder).stdout(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while TcpStream::connect(&address).is_err() {
            assert!(
                begun.elapsed() < Duration::from_secs(10),
                "nginx does not start"
            );
            thread::sleep(Duration::from_millis(10));
        }
        Self {
            child,
            address,
            folder,
        }
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        // A worker would outlive a master that is killed.
        let _ = nginx(&self.folder).args(["-s", "stop"]).status();
        let _ = self.child.wait();
    }
}
