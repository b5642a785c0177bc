//! Decisions of replicas, decided again with the revisions of the store.

use std::fs;

use serde_json::Value;

use super::{ARCHIVED, Fleet, number, request, until, writes};
use crate::serve::decision_log::{conform, read};
use crate::tarbac::Ran;

const LOG: &str = "decisions.ndjson";

/// A store with two revisions, and the log of a replica that was asked about the record under each: it was open, and
/// then it was archived.
fn logged() -> Fleet {
    let fleet = Fleet::new();
    fleet.published(&[]);
    let log = fleet.workspace.path(LOG);
    let server = fleet.replica(&["--decision-log", log.to_str().unwrap()]);
    assert!(writes(&server));
    fleet.workspace.write("w/entities/records.json", ARCHIVED);
    fleet.published(&[]);
    until("the second is served", &server, || number(&server) == 2);
    assert!(!writes(&server));
    assert_eq!(server.stop(), 0);
    assert_eq!(read(&log).len(), 2);
    fleet
}

fn replay(fleet: &Fleet, more: &[&str]) -> Ran {
    let url = fleet.url("store");
    let replay = ["-C", "w", "replay", LOG, "--store", &url];
    fleet.workspace.run(&[&replay, more].concat())
}

#[test]
fn each_record_is_decided_with_its_own_revision() {
    let fleet = logged();
    let ran = replay(&fleet, &["--each-revision"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.contains("same: 2 records"), "{ran}");
    assert!(
        ran.stdout.contains("each with its own of 2 revisions"),
        "{ran}"
    );
    let ran = replay(&fleet, &["--each-revision", "--format", "json"]);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let numbers: Vec<u64> = document["replay"]["revisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|of| of["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [1, 2]);
    conform("replay", &[document]);
    // With one revision for both, the other record differs.
    for more in [&["1"][..], &["2"], &[]] {
        let ran = replay(&fleet, more);
        assert_eq!(ran.status, 1, "{more:?} {ran}");
        assert!(ran.stdout.contains("1 otherwise"), "{more:?} {ran}");
    }
    assert_eq!(replay(&fleet, &["3"]).status, 2);
    assert_eq!(replay(&fleet, &["main"]).status, 2);
    // A record that lies is found.
    let mut records = read(&fleet.workspace.path(LOG));
    records[1]["decision"] = "allow".into();
    let text: String = records.iter().map(|record| format!("{record}\n")).collect();
    fleet.workspace.write(LOG, text);
    assert_eq!(replay(&fleet, &["--each-revision"]).status, 1);
}

#[test]
fn a_record_whose_revision_is_not_to_be_had_is_told() {
    let fleet = logged();
    let records = read(&fleet.workspace.path(LOG));
    let mut of_no_store = records[1].clone();
    of_no_store["revision"]
        .as_object_mut()
        .unwrap()
        .remove("number");
    let mut of_another = records[1].clone();
    of_another["revision"]["id"] = "0123456789abcdef".into();
    let mut of_neighbour = records[1].clone();
    of_neighbour["workspace"] = "fabrikam".into();
    for (record, why) in [
        (of_no_store, "it names no revision of a store"),
        (of_another, "the record names 0123456789abcdef"),
        (of_neighbour, "it is of the workspace `fabrikam`"),
    ] {
        fleet
            .workspace
            .write(LOG, format!("{}\n{record}\n", records[0]));
        let ran = replay(&fleet, &["--each-revision"]);
        assert_eq!(ran.status, 2, "{ran}");
        assert!(
            ran.stdout.contains(&format!("line 2: {why}")) || ran.stdout.contains(why),
            "{ran}"
        );
        assert!(ran.stdout.contains("1 as they were"), "{ran}");
    }
    // Of those that are pruned, only the number is left.
    fleet
        .workspace
        .write(LOG, format!("{}\n{}\n", records[0], records[1]));
    assert_eq!(fleet.store(&["prune", "--keep", "1"]).status, 0);
    let ran = replay(&fleet, &["--each-revision"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stdout.contains("line 1: the store has no revision 1"),
        "{ran}"
    );
    // Where none is to be had, nothing is reported.
    fleet.workspace.write(LOG, format!("{}\n", records[0]));
    let ran = replay(&fleet, &["--each-revision"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("the store has no revision 1"), "{ran}");
    // Neither is a folder of the store that cannot be read.
    fs::remove_dir_all(fleet.workspace.path("store")).unwrap();
    assert_eq!(replay(&fleet, &["--each-revision"]).status, 2);
}

#[test]
fn records_of_several_workspaces_are_kept_apart() {
    let fleet = super::workspaces::published();
    let log = fleet.workspace.path(LOG);
    let all = format!("{}/*", fleet.url("all"));
    let server = fleet.follow(&all, &["--decision-log", log.to_str().unwrap()]);
    let body = request("alice", "write", "record-1").to_string();
    for (name, may) in [("contoso", true), ("fabrikam", false), ("contoso", true)] {
        let path = format!("/{name}/access/v1/evaluation");
        assert_eq!(server.post_text(&path, &body, &[]).decision(), may);
    }
    assert_eq!(server.stop(), 0);
    let replay = |store: &str| {
        let replay = [
            "-C",
            "w",
            "replay",
            LOG,
            "--each-revision",
            "--store",
            store,
        ];
        fleet.workspace.run(&replay)
    };
    let ran = replay(&all);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.contains("same: 3 records"), "{ran}");
    let ran = replay(&fleet.url("all/contoso"));
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stdout.contains("it is of the workspace `fabrikam`"),
        "{ran}"
    );
    assert!(ran.stdout.contains("2 as they were"), "{ran}");
}
