//! The page of a large tenant: names that are found, views, a what-if and the access review.

use std::thread;
use std::time::{Duration, Instant};

use super::client::{Latencies, PageAnswer, get, load, send};
use super::server::Server;
use super::tenant::{self, Tenant};

/// What changes for everybody: nobody has a role any more that Intune gives.
const EVERYTHING: &str = "use-intune-rbac=contoso%3Doff&enforce-configmgr-rbac=P01%3Don";

/// The pause between two looks at what is being computed.
const GLANCE: Duration = Duration::from_millis(5);

/// Prints how long each takes, and how many bytes come.
pub fn measure(tenant: &Tenant, turns: usize) {
    let folder = super::written(tenant);
    let server = Server::tarbac(folder.path());
    let (people, devices) = (tenant.people, tenant.devices);
    println!("\nThe page of {people} people and {devices} devices\n");
    found(&server, turns);
    views(&server, tenant, turns);
    computed(&server);
    beside(&server, tenant);
}

/// Evaluations while a what-if is computed, and without one.
fn beside(server: &Server, tenant: &Tenant) {
    let bodies = super::bodies(tenant, 5_000);
    let asked = |time| {
        let rate = (super::CONNECTIONS, 500);
        load(
            &server.address,
            "/access/v1/evaluation",
            &bodies,
            rate,
            time,
        )
        .told()
    };
    let calm = asked(Duration::from_secs(4));
    let path = "/what-if?site-version=P01%3D2403&plan=on";
    let is_running = get(&server.address, path).text.contains("data-job=");
    let busy = asked(Duration::from_secs(4));
    println!(
        "\n500 evaluations a second, p50, p99, µs: {calm}; beside a what-if: {busy} (running: {is_running})"
    );
}

/// Names while they are typed, in milliseconds.
fn found(server: &Server, turns: usize) {
    println!("| typed | first, ms | median of {turns} | slowest |");
    println!("|---|---:|---:|---:|");
    for typed in [
        "p",
        "pc-",
        "pc-00",
        "pc-0012345",
        "person1",
        "person99",
        "contoso",
        "role 1",
        "zz",
    ] {
        let path = format!("/api/v1/find?q={}&limit=8", typed.replace(' ', "%20"));
        let first = get(&server.address, &path).time;
        let again = Latencies::new(
            (0..turns)
                .map(|_| get(&server.address, &path).time)
                .collect(),
        );
        let [median, slowest] = [50.0, 100.0].map(|percent| again.percentile(percent) / 1e3);
        println!(
            "| `{typed}` | {:.1} | {median:.1} | {slowest:.1} |",
            ms(first)
        );
    }
}

/// The views that answer at once: the time, and the bytes that are sent.
fn views(server: &Server, tenant: &Tenant, turns: usize) {
    println!("\n| view | first, ms | median of {turns} | kB sent |");
    println!("|---|---:|---:|---:|");
    let (person, device) = (tenant::person(0), tenant::device(tenant.devices / 2));
    let who = format!("/who?action=viewCollections&resource={device}");
    let views = [
        ("Overview", "/".to_owned()),
        ("Who can", who.clone()),
        ("Who can, and who may not", format!("{who}&may-not=on")),
        ("What can", format!("/what?principal={person}")),
        (
            "Why",
            format!("/why?principal={person}&action=runScript&resource={device}"),
        ),
        ("What if, the form", "/what-if".to_owned()),
        ("Roles and permissions", "/roles".to_owned()),
        ("Search", "/find?q=pc".to_owned()),
    ];
    for (name, path) in views {
        let first = get(&server.address, &path);
        let again = Latencies::new(
            (0..turns)
                .map(|_| get(&server.address, &path).time)
                .collect(),
        );
        row(name, &first, &again);
    }
}

fn row(name: &str, first: &PageAnswer, again: &Latencies) {
    assert_eq!(first.status, 200, "{name}");
    println!(
        "| {name} | {:.0} | {:.0} | {:.0} |",
        ms(first.time),
        again.percentile(50.0) / 1e3,
        first.bytes as f64 / 1e3
    );
}

/// What takes its time: until something is shown, until it is done, and until a stop has freed the threads.
fn computed(server: &Server) {
    println!("\n| view | first answer, ms | done, s | kB sent | a stop, ms |");
    println!("|---|---:|---:|---:|---:|");
    let lost = format!("/what-if?{EVERYTHING}&tab=lost");
    let planned = format!("/what-if?{EVERYTHING}&tab=plan&plan=on");
    for (name, path) in [
        ("Access review", "/access"),
        ("Access review, people", "/access?tab=people"),
        ("What if, lost", &lost),
        (
            "What if, look at first",
            &lost.replace("tab=lost", "tab=first"),
        ),
        ("What if, plan", &planned),
    ] {
        let stopped = stopped(server, path);
        let began = Instant::now();
        let first = get(&server.address, path);
        let mut answer = first.clone();
        while answer.text.contains("data-job=") {
            thread::sleep(GLANCE);
            answer = get(&server.address, path);
        }
        let (done, bytes) = (began.elapsed().as_secs_f64(), answer.bytes as f64 / 1e3);
        assert_eq!(answer.status, 200, "{name}");
        println!(
            "| {name} | {:.0} | {done:.1} | {bytes:.0} | {stopped} |",
            ms(first.time)
        );
    }
}

/// How long after a stop nothing is computed any more; empty where it was done before that.
fn stopped(server: &Server, path: &str) -> String {
    let answer = get(&server.address, path);
    let Some((_, job)) = answer.text.split_once("data-job=\"") else {
        return String::new();
    };
    let job = job.split('"').next().unwrap();
    let began = Instant::now();
    send(&server.address, "DELETE", job);
    while !get(&server.address, "/metrics")
        .text
        .contains("tarbac_what_ifs_running 0")
    {
        thread::sleep(GLANCE);
    }
    format!("{:.0}", ms(began.elapsed()))
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
