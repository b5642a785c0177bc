//! A workspace that changes while it is served.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{PATIENCE, Server, records_folder};
use crate::tarbac::{Tarbac, copy};

/// How long nothing must happen.
const QUIET: Duration = Duration::from_secs(3);

/// A copy of the records, served.
fn served() -> (Tarbac, Server) {
    let workspace = Tarbac::with(&[]);
    for part in ["schema", "policies", "entities"] {
        copy(&records_folder().join(part), &workspace.path(part));
    }
    let server = Server::of(&workspace.path(""));
    (workspace, server)
}

fn writes(server: &Server) -> bool {
    let reply = server.evaluate(&request("alice", "write", "record-1"));
    reply.decision()
}

fn request(person: &str, action: &str, record: &str) -> Value {
    json!({
        "subject": { "type": "user", "id": person },
        "action": { "name": action },
        "resource": { "type": "record", "id": record },
    })
}

/// Waits until something holds.
fn until(what: &str, server: &Server, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "{what}\n{}", server.log());
        thread::sleep(Duration::from_millis(50));
    }
}

fn revision(server: &Server) -> String {
    server.get("/livez").header("tarbac-revision").to_owned()
}

fn figure(server: &Server, name: &str) -> String {
    let text = server.get("/metrics").text;
    let line = text.lines().find(|line| line.starts_with(name));
    line.unwrap_or_default()[name.len()..].trim().to_owned()
}

const ARCHIVED: &str = r#"[{ "uid": { "type": "user", "id": "alice" }, "attrs": {}, "parents": [] },
 { "uid": { "type": "user", "id": "bob" }, "attrs": { "role": "admin" }, "parents": [] },
 { "uid": { "type": "record", "id": "record-1" }, "attrs": { "status": "archived" }, "parents": [] }]"#;

#[test]
fn a_change_is_served_and_the_same_content_is_none() {
    let (workspace, server) = served();
    assert!(writes(&server));
    let before = revision(&server);
    let content = workspace.read("entities/records.json");
    workspace.write("entities/records.json", ARCHIVED);
    until("it is refused", &server, || !writes(&server));
    assert_ne!(revision(&server), before);
    workspace.write("entities/records.json", &content);
    until("it is as before", &server, || writes(&server));
    assert_eq!(revision(&server), before);
    let loads = figure(&server, r#"tarbac_reloads_total{result="ok"}"#);
    workspace.write("entities/records.json", &content);
    thread::sleep(QUIET);
    assert_eq!(revision(&server), before);
    assert_eq!(
        figure(&server, r#"tarbac_reloads_total{result="ok"}"#),
        loads
    );
}

#[test]
fn what_is_wrong_is_told_and_not_served() {
    let (workspace, server) = served();
    let policies = workspace.read("policies/records.cedar");
    let before = revision(&server);
    workspace.write(
        "policies/records.cedar",
        format!("{policies}\npermit (oops"),
    );
    let invalid = r#"tarbac_reloads_total{result="invalid"}"#;
    until("it is counted", &server, || figure(&server, invalid) == "1");
    assert!(writes(&server));
    assert_eq!(server.get("/readyz").status, 200);
    assert_eq!(revision(&server), before);
    let told: Vec<String> = server
        .log()
        .lines()
        .filter(|line| line.contains("not served"))
        .map(str::to_owned)
        .collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("records.cedar:"), "{told:?}");
    let mended = policies.replace("resource.status == \"active\"", "false");
    workspace.write("policies/records.cedar", mended);
    until("it is mended", &server, || !writes(&server));
    assert_ne!(revision(&server), before);
}

#[test]
fn folders_and_files_that_move_are_seen() {
    let (workspace, server) = served();
    let path = |path: &str| workspace.path(path);
    // A new sub-folder.
    let forbid = "@id(\"no\")\nforbid (principal, action == Action::\"write\", resource);\n";
    workspace.write("policies/new/no.cedar", forbid);
    until("a new folder", &server, || !writes(&server));
    // A file that is renamed to something else.
    fs::rename(path("policies/new/no.cedar"), path("policies/new/no.old")).unwrap();
    until("a renamed file", &server, || writes(&server));
    // A folder that is replaced as a whole.
    copy(&path("entities"), &path("next"));
    workspace.write("next/records.json", ARCHIVED);
    fs::rename(path("entities"), path("last")).unwrap();
    fs::rename(path("next"), path("entities")).unwrap();
    until("a replaced folder", &server, || !writes(&server));
    // A folder that goes and comes back.
    fs::rename(path("entities"), path("away")).unwrap();
    thread::sleep(QUIET);
    fs::rename(path("last"), path("entities")).unwrap();
    until("a folder that is back", &server, || writes(&server));
    // And what lies in it is still watched.
    workspace.write("entities/records.json", ARCHIVED);
    until("a change in it", &server, || !writes(&server));
}

/// As a Kubernetes ConfigMap is mounted: the files are links through a link that is swapped.
#[cfg(unix)]
#[test]
fn a_link_that_is_swapped_is_seen() {
    use std::os::unix::fs::symlink;

    let workspace = Tarbac::with(&[]);
    for part in ["schema", "policies"] {
        copy(&records_folder().join(part), &workspace.path(part));
    }
    copy(
        &records_folder().join("entities"),
        &workspace.path("entities/..one"),
    );
    let path = |path: &str| workspace.path(path);
    symlink(Path::new("..one"), path("entities/..data")).unwrap();
    symlink(
        Path::new("..data/records.json"),
        path("entities/records.json"),
    )
    .unwrap();
    let server = Server::of(&path(""));
    assert!(writes(&server));
    workspace.write("entities/..two/records.json", ARCHIVED);
    symlink(Path::new("..two"), path("entities/..next")).unwrap();
    fs::rename(path("entities/..next"), path("entities/..data")).unwrap();
    fs::remove_dir_all(path("entities/..one")).unwrap();
    until("a swapped link", &server, || !writes(&server));
}

#[test]
fn half_of_a_file_is_never_served() {
    let (workspace, server) = served();
    let (first, rest) = ARCHIVED.split_at(ARCHIVED.len() / 2);
    workspace.write("entities/records.json", first);
    thread::sleep(Duration::from_millis(1200));
    assert!(writes(&server));
    workspace.write("entities/records.json", [first, rest].concat());
    until("the whole", &server, || !writes(&server));
}

/// What asks while two revisions take turns gets answers of the one or the other, and never of both.
#[test]
fn no_answer_is_of_two_revisions() {
    let (workspace, server) = served();
    let policies = workspace.read("policies/records.cedar");
    let other = format!(
        "{policies}\n@id(\"no\")\nforbid (principal, action in [Action::\"read\", Action::\"write\"], resource);\n"
    );
    let items: Value = (0..100)
        .map(|number| request("alice", ["read", "write"][number % 2], "record-1"))
        .collect();
    let batch = json!({ "evaluations": items });
    let stop = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        let ask = || {
            let mut seen = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let reply = server.post("/access/v1/evaluations", &batch);
                assert_eq!(reply.status, 200);
                let revision = reply.header("tarbac-revision").to_owned();
                let decisions = reply.json()["evaluations"].clone();
                let decisions = decisions.as_array().unwrap().iter();
                let mut decisions: Vec<bool> = decisions
                    .map(|of| of["decision"].as_bool().unwrap())
                    .collect();
                decisions.dedup();
                seen.push((revision, decisions));
            }
            seen
        };
        let asking = [scope.spawn(ask), scope.spawn(ask)];
        for turn in 0..6 {
            let before = revision(&server);
            let text = if turn % 2 == 0 { &other } else { &policies };
            workspace.write("policies/records.cedar", text);
            until("the turn", &server, || revision(&server) != before);
        }
        stop.store(true, Ordering::Relaxed);
        asking.map(|asking| asking.join().unwrap()).concat()
    });
    let mut seen = seen;
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(
        seen.iter().all(|(_, decisions)| decisions.len() == 1),
        "{seen:?}"
    );
}

#[cfg(unix)]
#[test]
fn it_is_read_again_when_that_is_asked_for() {
    let workspace = Tarbac::with(&[]);
    for part in ["schema", "policies", "entities"] {
        copy(&records_folder().join(part), &workspace.path(part));
    }
    let server = Server::with(&workspace.path(""), &["--no-watch"]);
    workspace.write("entities/records.json", ARCHIVED);
    thread::sleep(QUIET);
    assert!(writes(&server));
    let reply = server.post("/-/reload", &Value::Null).json();
    assert_eq!(reply["result"], "ok");
    assert!(!writes(&server));
    assert_eq!(
        server.post("/-/reload", &Value::Null).json()["result"],
        "unchanged"
    );
    workspace.write("entities/records.json", "[");
    let refused = server.post("/-/reload", &Value::Null);
    assert_eq!(refused.status, 422);
    assert!(!refused.text.contains("records.json"), "{refused:?}");
    assert!(!writes(&server));
    fs::remove_dir_all(workspace.path("entities")).unwrap();
    copy(
        &records_folder().join("entities"),
        &workspace.path("entities"),
    );
    server.signal("HUP");
    until("the signal", &server, || writes(&server));
}
