//! The page of a decision point that follows a store: its history, its replicas, and what is stale.

use std::fs;
use std::time::Instant;

use serde_json::{Value, json};

use super::{ARCHIVED, Fleet, number, until};
use crate::serve::client::{PATIENCE, Reply, Server};

/// A store with two revisions, in the second of which a record is archived.
fn published() -> Fleet {
    let fleet = Fleet::new();
    fleet.published(&["--message", "the first of all"]);
    fleet.workspace.write("w/entities/records.json", ARCHIVED);
    fleet.published(&[]);
    fleet
}

/// What `store diff` says.
fn written(fleet: &Fleet, old: &str, new: &str) -> Value {
    let ran = fleet.store(&["diff", old, new, "--format", "json"]);
    assert_eq!(ran.status, 1, "{ran}");
    serde_json::from_str(&ran.stdout).unwrap()
}

/// A view, once what it asks is computed.
fn computed(server: &Server, path: &str) -> Reply {
    let began = Instant::now();
    loop {
        let reply = server.get(path);
        let is_running = reply.text.contains("data-job=") || reply.status == 429;
        if !is_running || began.elapsed() > PATIENCE {
            assert_eq!(reply.status, 200, "{reply:?}");
            return reply;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

#[test]
fn changes_between_revisions_are_those_of_the_command() {
    let fleet = published();
    let server = fleet.replica(&[]);
    let list = server.get("/changes").text;
    for part in [
        "the first of all",
        "Served",
        "Since 1",
        "tarbac store log --store",
    ] {
        assert!(list.contains(part), "{part}: {list}");
    }
    let expected = written(&fleet, "1", "2");
    let lost = expected["totals"]["lost"].as_u64().unwrap();
    assert!(lost > 0);
    let page = computed(&server, "/changes?old=1&new=2").text;
    assert!(page.contains("decisions lost"), "{page}");
    assert!(page.contains(&format!("</span>{lost}</span>")), "{page}");
    assert!(page.contains("tarbac store diff 1 2 --store"), "{page}");
    // What has happened is not planned.
    assert!(!page.contains(">Plan<"), "{page}");
    // A decision of the served revision can be explained.
    assert!(page.contains("/why?"), "{page}");
    let back = computed(&server, "/changes?old=2&new=1").text;
    assert!(
        back.contains("decisions gained") && !back.contains("/why?"),
        "{back}"
    );
    let csv = computed(&server, "/changes?old=1&new=2&format=csv");
    assert!(
        csv.header("content-disposition")
            .contains("changes-1-2.csv")
    );
    assert_eq!(csv.text.lines().count() as u64, 1 + lost);
}

#[test]
fn programs_are_told_of_revisions_too() {
    let fleet = published();
    let server = fleet.replica(&[]);
    let body = json!({ "old": 1, "new": 2 });
    let begun = server.post("/api/v1/changes", &body);
    assert_eq!(begun.status, 202, "{begun:?}");
    let location = begun.header("location").to_owned();
    let began = Instant::now();
    let document = loop {
        let document = server.get(&format!("{location}?wait=10s")).json();
        if document.get("totals").is_some() {
            break document;
        }
        assert!(began.elapsed() < PATIENCE, "{document}");
    };
    let command = document["command"].as_str().unwrap();
    let equal = "tarbac store diff 1 2 --store file:";
    assert!(command.starts_with(equal), "{command}");
    let expected = written(&fleet, "1", "2");
    for part in ["asked", "totals", "concerns", "people"] {
        assert_eq!(document[part], expected[part], "{part}");
    }
    let revisions = server.get("/api/v1/revisions").json();
    assert_eq!(revisions["count"], 2);
    assert_eq!(revisions["revisions"][0]["number"], 2);
    assert_eq!(revisions["revisions"][1]["message"], "the first of all");
    assert_eq!(server.get("/api/v1/status").json()["number"], 2);
    for (wrong, status) in [
        (json!({ "old": 1, "new": "x" }), 400),
        (json!({ "new": 2 }), 400),
        (json!({ "old": 1, "new": 2, "principle": "alice" }), 400),
    ] {
        assert_eq!(
            server.post("/api/v1/changes", &wrong).status,
            status,
            "{wrong}"
        );
    }
    // A number that there is not is told by what was begun.
    let begun = server.post("/api/v1/changes", &json!({ "old": 77 }));
    let reply = server.get(&format!("{}?wait=10s", begun.header("location")));
    assert_eq!(reply.status, 422, "{reply:?}");
    assert!(reply.text.contains("no revision 77"), "{reply:?}");
}

#[test]
fn a_folder_has_no_history() {
    let fleet = Fleet::new();
    let server = Server::of(&fleet.workspace.path("w"));
    let page = server.get("/").text;
    assert!(
        !page.contains(">Changes<") && !page.contains("Replicas"),
        "{page}"
    );
    assert!(server.get("/changes").text.contains("tarbac help fleet"));
    assert_eq!(server.get("/api/v1/revisions").status, 400);
    assert_eq!(
        server.post("/api/v1/changes", &json!({ "old": 1 })).status,
        400
    );
}

#[test]
fn the_overview_shows_the_replicas() {
    let fleet = published();
    let server = fleet.replica(&["--announce", "--instance", "berlin"]);
    until("it is announced", &server, || {
        server.get("/api/v1/revisions").json()["replicas"][0]["instance"] == "berlin"
    });
    let page = server.get("/").text;
    for part in ["berlin", "Fresh", "Revision 2", "2 of 2"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let csv = server.get("/?format=csv").text;
    assert!(
        csv.lines().any(|line| line == "replica,berlin,2,Fresh"),
        "{csv}"
    );
}

/// Whether a view has the red bar, and what it says.
fn bar(server: &Server) -> Option<String> {
    let page = server.get("/").text;
    let (_, bar) = page.split_once("id=\"stale\"").unwrap();
    let (tag, rest) = bar.split_once('>').unwrap();
    let (_, because) = rest.split_once("id=\"stale-because\">").unwrap();
    let because = because.split('<').next().unwrap().to_owned();
    (!tag.contains("hidden")).then_some(because)
}

#[test]
fn what_is_stale_has_a_red_bar() {
    let fleet = published();
    let server = fleet.replica(&["--max-staleness", "500ms"]);
    until("it is fresh", &server, || bar(&server).is_none());
    let (store, away) = (fleet.workspace.path("store"), fleet.workspace.path("away"));
    fs::rename(&store, &away).unwrap();
    until("it is stale", &server, || {
        bar(&server).is_some_and(|because| because.contains("has not answered for too long"))
    });
    let stale = server.get("/api/v1/status").json()["stale"].clone();
    assert!(
        stale.as_str().unwrap().contains("has not answered"),
        "{stale}"
    );
    // The views still answer, with what was heard before.
    assert_eq!(number(&server), 2);
    assert!(server.get("/changes").text.contains("the store"));
    fs::rename(&away, &store).unwrap();
    until("it is fresh again", &server, || bar(&server).is_none());
    // A revision that cannot be taken.
    fs::write(store.join(format!("revisions/{:020}.json", 3)), "{").unwrap();
    until("it is told", &server, || {
        bar(&server).is_some_and(|because| because.contains("cannot be taken"))
    });
    until("it is listed", &server, || {
        let list = server.get("/changes").text;
        list.contains("the manifest of revision 3 is wrong")
    });
}
