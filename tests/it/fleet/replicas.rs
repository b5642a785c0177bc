//! Decision points that follow a store.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use super::{ARCHIVED, Fleet, blobs, number, request, until, writes};

#[test]
fn replicas_take_each_revision() {
    let fleet = Fleet::new();
    fleet.published(&[]);
    let replicas = [fleet.replica(&[]), fleet.replica(&[])];
    assert!(
        replicas
            .iter()
            .all(|server| number(server) == 1 && writes(server))
    );
    fleet.workspace.write("w/entities/records.json", ARCHIVED);
    fleet.published(&[]);
    for server in &replicas {
        until("the second is served", server, || number(server) == 2);
        assert!(!writes(server));
        assert_eq!(server.get("/version").json()["number"], 2);
    }
    let [first, second] = &replicas;
    let id = |server: &crate::serve::client::Server| {
        server.get("/livez").header("tarbac-revision").to_owned()
    };
    assert_eq!(id(first), id(second));
    let metrics = first.get("/metrics").text;
    assert!(
        metrics.contains("tarbac_store_newest_revision{workspace=\"\"} 2"),
        "{metrics}"
    );
    assert!(
        metrics.contains("tarbac_stale{workspace=\"\"} 0"),
        "{metrics}"
    );
    assert!(metrics.contains(",number=\"2\"} 1"), "{metrics}");
}

#[test]
fn a_damaged_revision_is_rejected_and_the_next_taken() {
    let fleet = Fleet::new();
    fleet.published(&[]);
    let server = fleet.replica(&[]);
    let known = blobs(&fleet.workspace.path("store"));
    // The manifest becomes visible when its blob is damaged already.
    let pending = fleet.workspace.path("pending");
    fleet.workspace.write("w/entities/records.json", ARCHIVED);
    let url = fleet.url("pending/store");
    fs::create_dir_all(&pending).unwrap();
    crate::tarbac::copy(&fleet.workspace.path("store"), &pending.join("store"));
    let ran = fleet
        .workspace
        .run(&["-C", "w", "publish", "--store", &url]);
    assert_eq!(ran.status, 0, "{ran}");
    let added = blobs(&pending.join("store"));
    let added = added.iter().find(|(path, _)| {
        !known
            .iter()
            .any(|(of, _)| of.file_name() == path.file_name())
    });
    let (path, _) = added.unwrap();
    let digest = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let target = fleet
        .workspace
        .path("store")
        .join(path.strip_prefix(pending.join("store")).unwrap());
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    fs::write(&target, "damaged").unwrap();
    let manifest = format!("revisions/{:020}.json", 2);
    fs::copy(
        pending.join("store").join(&manifest),
        fleet.workspace.path("store").join(&manifest),
    )
    .unwrap();
    until("it is told", &server, || {
        server
            .log()
            .contains(&format!("rejected: 2: the blob {digest} is damaged"))
    });
    assert_eq!(number(&server), 1);
    assert!(writes(&server));
    let ready = server.get("/readyz?verbose");
    assert_eq!(ready.status, 503);
    assert!(
        ready
            .text
            .contains("fresh: the store has a newer revision that cannot be taken"),
        "{}",
        ready.text
    );
    let ran = fleet.publish(&["--repair"]);
    assert_eq!(ran.status, 0, "{ran}");
    until("the third is served", &server, || number(&server) == 3);
    assert_eq!(server.get("/readyz").status, 200);
}

#[test]
fn a_replica_outlives_its_store() {
    let fleet = Fleet::new();
    fleet.published(&[]);
    let cache = fleet.workspace.path("cache");
    let cache = cache.to_str().unwrap();
    let stale = ["--max-staleness", "500ms"];
    let serving = fleet.replica(&stale);
    let refusing =
        fleet.replica(&[&stale[..], &["--when-stale", "refuse", "--cache", cache]].concat());
    until("it is ready", &serving, || {
        serving.get("/readyz").status == 200
    });
    let (store, away) = (fleet.workspace.path("store"), fleet.workspace.path("away"));
    fs::rename(&store, &away).unwrap();
    until("it is stale", &serving, || {
        serving.get("/readyz").status == 503
    });
    assert!(writes(&serving));
    until("it refuses", &refusing, || {
        refusing
            .evaluate(&request("alice", "write", "record-1"))
            .status
            == 503
    });
    let reply = refusing.evaluate(&request("alice", "write", "record-1"));
    assert_eq!(reply.header("retry-after"), "1");
    drop(refusing);
    // A start without the store.
    let ran = fleet.refused(&[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("it has no revision"), "{ran}");
    let kept = fleet.replica(&["--cache", cache]);
    assert!(writes(&kept) && number(&kept) == 1);
    assert!(
        kept.log().contains("serving what was kept on this machine"),
        "{}",
        kept.log()
    );
    fs::rename(&away, &store).unwrap();
    for server in [&serving, &kept] {
        until("it is ready", server, || {
            server.get("/readyz").status == 200
        });
    }
}

#[test]
fn a_request_names_the_least_revision() {
    let fleet = Fleet::new();
    fleet.published(&[]);
    // It looks by itself so seldom that it has to be asked to.
    let url = fleet.url("store");
    let server = crate::serve::client::Server::with(
        &fleet.workspace.path(""),
        &["--store", &url, "--poll", "1h", "--max-staleness", "2h"],
    );
    let body = request("alice", "write", "record-1").to_string();
    let least = |least: &str| {
        server.post_text(
            "/access/v1/evaluation",
            &body,
            &[("tarbac-min-revision", least)],
        )
    };
    assert!(least("1").decision());
    let far = least("99");
    assert_eq!((far.status, far.header("retry-after")), (503, "1"));
    assert_eq!(least("x").status, 400);
    fleet.workspace.write("w/entities/records.json", ARCHIVED);
    fleet.published(&[]);
    let reply = least("2");
    assert!(!reply.decision());
    assert!(reply.header("tarbac-revision").ends_with(";number=2"));
    fleet.workspace.write("w/entities/records.json", "[]");
    fleet.published(&[]);
    let polled = server.send("POST", "/-/poll", b"", &[]);
    assert_eq!((polled.status, number(&server)), (200, 3));
}

/// A client that goes from one replica to the next names the last revision that it has seen, and no answer is older.
#[test]
fn a_client_moves_between_replicas() {
    let fleet = Fleet::new();
    fleet.published(&[]);
    // One looks often, and the others only when they are asked for more than they have.
    let url = fleet.url("store");
    let seldom = ["--store", &url, "--poll", "1h", "--max-staleness", "2h"];
    let folder = fleet.workspace.path("");
    let slow = || crate::serve::client::Server::with(&folder, &seldom);
    let replicas = [fleet.replica(&[]), slow(), slow()];
    let body = request("alice", "write", "record-1").to_string();
    let open = fleet.workspace.read("w/entities/records.json");
    let mut known = 1;
    for round in 2..6_u64 {
        let text = if round % 2 == 0 { ARCHIVED } else { &open };
        fleet.workspace.write("w/entities/records.json", text);
        fleet.published(&["--part", "entities"]);
        until("the first has it", &replicas[0], || {
            number(&replicas[0]) == round
        });
        for server in &replicas {
            let header = [("tarbac-min-revision", known.to_string())];
            let header = header
                .each_ref()
                .map(|(name, value)| (*name, value.as_str()));
            let reply = server.post_text("/access/v1/evaluation", &body, &header);
            assert_eq!(reply.decision(), round % 2 == 1, "{round}");
            let header = reply.header("tarbac-revision");
            let seen: u64 = header.split_once(";number=").unwrap().1.parse().unwrap();
            assert!(seen >= known, "{seen} after {known}");
            known = seen;
        }
        assert_eq!(known, round);
    }
}

/// The revision of a replica was pruned, while it ran or while it did not.
#[test]
fn a_replica_goes_on_after_a_prune() {
    let fleet = Fleet::new();
    fleet.published(&[]);
    let cache = fleet.workspace.path("cache");
    let cache = ["--cache", cache.to_str().unwrap()];
    let (running, stopped) = (fleet.replica(&[]), fleet.replica(&cache));
    assert_eq!(stopped.stop(), 0);
    for text in [ARCHIVED, "[]"] {
        fleet.workspace.write("w/entities/records.json", text);
        fleet.published(&[]);
    }
    assert_eq!(fleet.store(&["prune", "--keep", "1"]).status, 0);
    // What it had is nowhere but in its cache, and there is something newer.
    let again = fleet.replica(&cache);
    assert_eq!(number(&again), 3);
    let fresh = fleet.replica(&[]);
    assert_eq!(number(&fresh), 3);
    until("it is taken", &running, || number(&running) == 3);
    fleet.workspace.write("w/entities/records.json", ARCHIVED);
    fleet.published(&[]);
    for server in [&running, &again, &fresh] {
        until("the next is taken", server, || number(server) == 4);
        assert_eq!(server.get("/readyz").status, 200);
    }
}

#[test]
fn replicas_say_how_they_are() {
    let fleet = Fleet::new();
    fleet.published(&[]);
    let replicas: Vec<_> = ["a", "b", "c"]
        .map(|name| fleet.replica(&["--announce", "--instance", name, "--drain", "1s"]))
        .into_iter()
        .collect();
    let status = || {
        let ran = fleet.store(&["status", "--format", "json"]);
        let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        (ran.status, document["replicas"].as_array().unwrap().len())
    };
    until("all are there", &replicas[0], || status() == (0, 3));
    // One has not been heard of for four minutes.
    let old = fs::File::options()
        .write(true)
        .open(fleet.workspace.path("store/replicas/b.json"))
        .unwrap();
    old.set_modified(std::time::SystemTime::now() - Duration::from_secs(240))
        .unwrap();
    assert_eq!(status(), (1, 3));
    for replica in replicas {
        assert_eq!(replica.stop(), 0);
    }
    assert_eq!(status(), (0, 0));
}

#[test]
fn only_signed_revisions_are_taken() {
    let fleet = Fleet::new();
    let openssl = |arguments: &[&str]| {
        let ran = Command::new("openssl")
            .args(arguments)
            .current_dir(fleet.workspace.path(""))
            .output();
        assert!(ran.unwrap().status.success(), "{arguments:?}");
    };
    openssl(&["genpkey", "-algorithm", "ed25519", "-out", "key.pem"]);
    openssl(&["pkey", "-in", "key.pem", "-pubout", "-out", "key.pub"]);
    fleet.published(&["--sign", "key.pem"]);
    let server = fleet.replica(&["--trust", "key.pub"]);
    fleet.workspace.write("w/entities/records.json", ARCHIVED);
    fleet.published(&[]);
    until("it is told", &server, || {
        server
            .log()
            .contains("revision 2 is not trusted: it has no signature")
    });
    assert!(writes(&server));
    assert_eq!(fleet.refused(&["--trust", "key.pem"]).status, 2);
}

/// Requests while revisions come: none fails, and none is answered by an older one than the one before.
#[test]
fn no_request_fails_while_revisions_come() {
    let fleet = Fleet::new();
    fleet.published(&[]);
    let server = fleet.replica(&[]);
    let open = fs::read_to_string(fleet.workspace.path("w/entities/records.json")).unwrap();
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut last = 0;
            let began = Instant::now();
            while last < 5 {
                assert!(
                    began.elapsed() < crate::serve::client::PATIENCE,
                    "{}",
                    server.log()
                );
                let reply = server.evaluate(&request("alice", "write", "record-1"));
                let decision = reply.decision();
                let header = reply.header("tarbac-revision");
                let number: u64 = header.split_once(";number=").unwrap().1.parse().unwrap();
                assert!(number >= last, "{number} after {last}");
                assert_eq!(decision, number % 2 == 1, "{number}");
                last = number;
            }
        });
        for round in 2..6 {
            let text = if round % 2 == 0 { ARCHIVED } else { &open };
            fleet.workspace.write("w/entities/records.json", text);
            fleet.published(&["--part", "entities"]);
        }
        asking.join().unwrap();
    });
}

#[test]
fn what_a_revision_has_is_not_given_beside_it() {
    let fleet = Fleet::new();
    fleet.published(&[]);
    let ran = fleet.refused(&["--policies", "w/policies"]);
    assert_eq!(ran.status, 2);
    assert!(
        ran.stderr
            .contains("a revision of a store has its own policies"),
        "{ran}"
    );
    let ran = fleet.refused(&["--check"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(
        ran.stdout.contains("store 1: 127.0.0.1:0: revision"),
        "{ran}"
    );
}
