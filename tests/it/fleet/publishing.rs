//! Publications, and what is done with revisions.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use super::{ARCHIVED, Fleet, program};
use crate::serve::decision_log::conform;
use crate::tarbac::{Tarbac, contoso_folder};

/// The revision of a workspace, as `validate` prints it.
fn revision(tarbac: &Tarbac, folder: &str) -> String {
    let mut command = crate::tarbac::command(&tarbac.path(""));
    let output = command
        .args(["-C", folder, "validate", "--format", "json"])
        .output()
        .unwrap();
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document
        .pointer("/provenance/revision")
        .or(document.get("revision"))
        .unwrap()
        .as_str()
        .unwrap()
        .to_owned()
}

/// The ids of all revisions, the newest first, as they are.
fn log(fleet: &Fleet) -> Value {
    let url = fleet.url("store");
    let output = program(
        fleet,
        &["store", "log", "--store", &url, "--format", "json"],
    )
    .output()
    .unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_revision_is_what_validate_says() {
    let fleet = Fleet::new();
    let first = fleet.published(&["-m", "the first"]);
    assert_eq!(
        (&first["result"], &first["number"]),
        (&"published".into(), &1.into())
    );
    let log = log(&fleet);
    assert_eq!(log["revisions"][0]["id"], revision(&fleet.workspace, "w"));
    assert_eq!(log["revisions"][0]["message"], "the first");
    assert_eq!(fleet.published(&[])["result"], "unchanged");
    assert_eq!(fleet.store(&["status"]).status, 0);
}

/// A revision has the rules that ship, so that a reader of another version decides by the same.
#[test]
fn the_rules_that_ship_go_along() {
    let tarbac = Tarbac::with(&[]);
    crate::tarbac::copy(
        &contoso_folder().join("entities"),
        &tarbac.path("w/entities"),
    );
    crate::tarbac::copy(
        &contoso_folder().join("policies"),
        &tarbac.path("w/policies"),
    );
    let url = format!("file://{}", tarbac.path("store").display());
    let ran = tarbac.run(&["-C", "w", "publish", "--store", &url]);
    assert_eq!(ran.status, 0, "{ran}");
    let manifest =
        fs::read_to_string(tarbac.path(&format!("store/revisions/{:020}.json", 1))).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["manifest"]["id"], revision(&tarbac, "w"));
    let files = manifest["manifest"]["files"].as_array().unwrap();
    let has = |path: &str| files.iter().any(|file| file["path"] == path);
    assert!(has("policies/tarbac.yaml") && has("schema/tarbac.yaml"));
    let shipped = |part: &str| {
        files.iter().any(|file| {
            file["path"]
                .as_str()
                .unwrap()
                .starts_with(&format!("{part}/shipped/"))
        })
    };
    assert!(shipped("policies") && shipped("schema"));
}

#[test]
fn a_workspace_with_errors_is_not_published() {
    let fleet = Fleet::new();
    fleet.workspace.write(
        "w/policies/wrong.cedar",
        "permit (principal, action, resource) when { principal.nothing };",
    );
    let ran = fleet.publish(&[]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stderr.contains("policies/wrong.cedar"), "{ran}");
    assert!(!ran.stderr.contains("/tree/"), "{ran}");
    assert!(ran.stderr.ends_with("Nothing was published.\n"), "{ran}");
    assert!(!fleet.workspace.path("store/revisions").exists());
    assert_eq!(fleet.store(&["status"]).status, 1);
}

/// What is examined is the union: a policy that is right beside the entities of its author is not right beside others.
#[test]
fn the_union_of_two_parts_is_examined() {
    let fleet = Fleet::new();
    fleet.published(&[]);
    fleet.workspace.write(
        "w/schema/records.cedarschema",
        "entity user; entity record; action read appliesTo { principal: user, resource: record };",
    );
    for entry in fs::read_dir(fleet.workspace.path("w/policies")).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    fleet.workspace.write(
        "w/policies/all.cedar",
        "@id(\"all\")\npermit (principal, action, resource);\n",
    );
    for entry in fs::read_dir(fleet.workspace.path("w/schema")).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with("records.cedarschema") {
            fs::remove_file(path).unwrap();
        }
    }
    let ran = fleet.publish(&["--part", "policies"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stderr.contains("entities/"), "{ran}");
}

#[test]
fn parts_are_published_by_different_people() {
    let fleet = Fleet::new();
    fleet.published(&["--part", "policies"]);
    fleet.published(&["--part", "entities"]);
    let whole = revision(&fleet.workspace, "w");
    assert_eq!(log(&fleet)["revisions"][0]["id"], whole);
    // The importer has older policies, and does not bring them back.
    let policy = "@id(\"more\")\npermit (principal, action == Action::\"read\", resource);\n";
    fleet.workspace.write("w/policies/more.cedar", policy);
    fleet.published(&["--part", "policies"]);
    fs::remove_file(fleet.workspace.path("w/policies/more.cedar")).unwrap();
    fleet.workspace.write("w/entities/records.json", ARCHIVED);
    fleet.published(&["--part", "entities"]);
    fleet.workspace.write("w/policies/more.cedar", policy);
    assert_eq!(
        log(&fleet)["revisions"][0]["id"],
        revision(&fleet.workspace, "w")
    );
}

#[test]
fn suites_are_run_on_what_is_published() {
    let fleet = Fleet::new();
    let suite = |expect: &str, because: &str| {
        format!(
            "suite: Records\ncases:\n  - name: alice writes\n    principal: alice\n    action: write\n    resource: record-1\n    expect: {expect}\n    because: [{because}]\n"
        )
    };
    fleet
        .workspace
        .write("w/tests/records.yaml", suite("deny", ""));
    let ran = fleet.publish(&["--test"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(!fleet.workspace.path("store/revisions").exists());
    fleet.workspace.write(
        "w/tests/records.yaml",
        suite("allow", "records.write-active"),
    );
    let ran = fleet.publish(&["--test"]);
    assert_eq!(ran.status, 0, "{ran}");
}

#[test]
fn revisions_are_compared_reverted_and_pruned() {
    let fleet = Fleet::new();
    fleet.published(&[]);
    fleet.workspace.write("w/entities/records.json", ARCHIVED);
    fleet.published(&[]);
    let ran = fleet.store(&["diff", "1", "2", "--format", "json"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert_eq!(fleet.store(&["diff", "2"]).status, 0);
    let ran = fleet.store(&["revert", "1", "-m", "undo"]);
    assert_eq!(ran.status, 0, "{ran}");
    let revisions = log(&fleet);
    assert_eq!(revisions["revisions"][0]["number"], 3);
    assert_eq!(revisions["revisions"][0]["reverts_to"], 1);
    assert_eq!(
        revisions["revisions"][0]["id"],
        revisions["revisions"][2]["id"]
    );
    assert_eq!(fleet.store(&["revert", "9"]).status, 2);
    let ran = fleet.store(&["prune", "--keep", "1"]);
    assert!(
        ran.stdout.starts_with("removed 2 revisions, 0 files"),
        "{ran}"
    );
    assert_eq!(log(&fleet)["revisions"].as_array().unwrap().len(), 1);
}

/// What programs get is as the schemas say.
#[test]
fn documents_have_the_shape_that_is_published() {
    let fleet = Fleet::new();
    let json = |ran: crate::tarbac::Ran| -> Value { serde_json::from_str(&ran.stdout).unwrap() };
    let nothing = json(fleet.store(&["status", "--format", "json"]));
    let first = fleet.published(&["-m", "the first"]);
    let unchanged = fleet.published(&[]);
    fleet.workspace.write("w/entities/records.json", ARCHIVED);
    fleet.published(&[]);
    let reverted = json(fleet.store(&["revert", "1", "--format", "json"]));
    assert_eq!(reverted["reverts_to"], 1);
    conform("publish", &[first, unchanged, reverted]);
    let server = fleet.replica(&["--announce", "--instance", "a"]);
    crate::fleet::until("it says so", &server, || {
        fleet.workspace.path("store/replicas/a.json").exists()
    });
    let status = json(fleet.store(&["status", "--format", "json"]));
    assert_eq!(status["replicas"][0]["state"], "ok");
    conform("store-status", &[nothing, status]);
    fleet
        .workspace
        .write(&format!("store/revisions/{:020}.json", 2), "{");
    let log = log(&fleet);
    assert!(log["revisions"][1]["error"].is_string(), "{log}");
    conform("store-log", &[log]);
    let pruned = json(fleet.store(&["prune", "--keep", "1", "--format", "json"]));
    assert_eq!(pruned["revisions"], 2);
    conform("store-prune", &[pruned]);
}

/// Ten publishers at once, each with a folder of its own: no number is left out, and at the end the store has the newest
/// of both parts.
#[test]
fn ten_publishers_at_once_undo_nothing() {
    let fleet = Fleet::new();
    fleet.published(&[]);
    let url = fleet.url("store");
    let folders: Vec<Fleet> = (0..10).map(|_| Fleet::new()).collect();
    let policy = |turn: usize| {
        format!("@id(\"turn{turn}\")\npermit (principal, action == Action::\"read\", resource);\n")
    };
    let people = |turn: usize| ARCHIVED.replace("alice", &format!("alice{turn}"));
    let publish = |turn: usize, own: &Fleet| {
        own.workspace.write("w/policies/turn.cedar", policy(turn));
        own.workspace.write("w/entities/records.json", people(turn));
        let part = ["policies", "entities"][turn % 2];
        let publish = ["-C", "w", "publish", "--store", &url, "--part", part];
        let ran = own
            .workspace
            .run(&[&publish[..], &["--format", "json"]].concat());
        assert_eq!(ran.status, 0, "{ran}");
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        (document["number"].as_u64().unwrap(), turn)
    };
    let mut published: Vec<(u64, usize)> = std::thread::scope(|scope| {
        let turns = folders.iter().enumerate();
        let running: Vec<_> = turns
            .map(|(turn, own)| scope.spawn(move || publish(turn, own)))
            .collect();
        let done = running.into_iter().map(|running| running.join().unwrap());
        done.collect()
    });
    published.sort_unstable();
    let numbers: Vec<u64> = published.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (2..=11).collect::<Vec<u64>>());
    // Whoever was last of each part has the last word about it, and about it alone.
    let last = |of: usize| published.iter().rev().find(|(_, turn)| turn % 2 == of);
    let (policies, entities) = (last(0).unwrap().1, last(1).unwrap().1);
    fleet
        .workspace
        .write("w/policies/turn.cedar", policy(policies));
    fleet
        .workspace
        .write("w/entities/records.json", people(entities));
    assert_eq!(
        log(&fleet)["revisions"][0]["id"],
        revision(&fleet.workspace, "w")
    );
}

/// A program that is killed at any time leaves a store from which the next goes on.
#[cfg(unix)]
#[test]
fn a_killed_publication_does_no_harm() {
    let fleet = Fleet::new();
    fleet.published(&[]);
    let url = fleet.url("store");
    let folder = fleet.workspace.path("tmp");
    fs::create_dir_all(&folder).unwrap();
    for round in 0..50_u64 {
        let text = format!(
            "@id(\"round{round}\")\npermit (principal, action == Action::\"read\", resource);\n"
        );
        fleet.workspace.write("w/policies/round.cedar", text);
        let mut child = program(&fleet, &["-C", "w", "publish", "--store", &url])
            .env("TMPDIR", &folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(round * 4));
        let _ = child.kill();
        child.wait().unwrap();
    }
    let last = fleet.published(&["-m", "the last"]);
    let revisions = log(&fleet);
    let numbers = revisions["revisions"].as_array().unwrap().iter();
    let mut numbers: Vec<u64> = numbers.map(|of| of["number"].as_u64().unwrap()).collect();
    numbers.reverse();
    let newest = last["number"].as_u64().unwrap();
    assert_eq!(
        numbers,
        ((newest + 1).saturating_sub(20).max(1)..=newest).collect::<Vec<u64>>()
    );
    assert_eq!(
        revisions["revisions"][0]["id"],
        revision(&fleet.workspace, "w")
    );
}
