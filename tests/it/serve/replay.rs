//! `tarbac replay`: a log, decided again.

use serde_json::{Value, json};

use super::decision_log::{ask_much, conform, logging, read};
use crate::tarbac::{Tarbac, copy, sample};

/// The log of a server of this workspace that was asked much.
fn logged(workspace: &Tarbac) -> Vec<Value> {
    let log = workspace.path("decisions.ndjson");
    let server = logging(&workspace.path("."), &log, &[]);
    ask_much(&server, 40);
    server.stop();
    read(&log)
}

#[test]
fn a_log_of_the_same_revision_is_decided_the_same() {
    let workspace = sample();
    let records = logged(&workspace);
    let ran = workspace.run(&["replay", "decisions.ndjson"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(
        ran.stdout
            .contains(&format!("same: {} records", records.len())),
        "{ran}"
    );
    // A record that lies is found.
    for (key, lie) in [
        ("decision", json!("deny")),
        ("policies", json!(["roles.invented"])),
    ] {
        let mut lying = records.clone();
        lying[0][key] = lie;
        let text: String = lying.iter().map(|record| format!("{record}\n")).collect();
        workspace.write("lying.ndjson", text);
        let ran = workspace.run(&["replay", "lying.ndjson"]);
        assert_eq!(ran.status, 1, "{key}: {ran}");
        assert!(ran.stdout.contains("1 otherwise"), "{ran}");
    }
}

/// The sample with the log of a server, and with a policy since by which nobody runs scripts.
fn without_scripts() -> (Tarbac, Vec<Value>) {
    let workspace = sample();
    let records = logged(&workspace);
    copy(&workspace.path("policies"), &workspace.path("before"));
    let forbid = "@id(\"custom.no-scripts\")\n@doc(\"Nobody runs scripts.\")\nforbid (principal, action == Intune::Action::\"runScript\", resource);\n";
    workspace.write("policies/custom/no-scripts.cedar", forbid);
    (workspace, records)
}

/// Whether a recorded decision is another now.
fn is_turned(workspace: &Tarbac, record: &Value) -> bool {
    let text = |part: &str, key: &str| record[part][key].as_str().unwrap().to_owned();
    let (person, device) = (text("subject", "id"), text("resource", "id"));
    let action = text("action", "name");
    let check = ["check", &person, &action, &device, "--format", "json"];
    let now = serde_json::from_str::<Value>(&workspace.run(&check).stdout);
    let now = now.map_or("indeterminate".into(), |now| now["decision"].clone());
    now != record["decision"]
}

#[test]
fn a_change_of_the_rules_turns_what_check_says_it_turns() {
    let (workspace, records) = without_scripts();
    let ran = workspace.run(&["replay", "decisions.ndjson", "--format", "json"]);
    assert_eq!(ran.status, 1, "{ran}");
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let replay = &document["replay"];
    let decisions = records.iter().filter(|record| record["kind"] == "decision");
    let turned = decisions
        .filter(|record| is_turned(&workspace, record))
        .count();
    assert!(turned > 0);
    let searches = replay["searches"].as_array().unwrap().len();
    assert!(searches > 0);
    assert_eq!(replay["otherwise"], turned + searches, "{replay:#}");
    assert_eq!(replay["records"], records.len());
    let mut policies = replay["policies"].as_array().unwrap().iter();
    let policy = policies.find(|of| of["policy"] == "custom.no-scripts");
    assert_eq!(policy.unwrap()["lost"], turned);
    let mut people = replay["people"].as_array().unwrap().iter();
    let ada = people.find(|of| of["name"] == "ada@contoso.example");
    assert!(ada.is_some(), "{replay:#}");
    conform("replay", &[document]);
}

#[test]
fn what_turns_is_told_by_policy_and_person() {
    let (workspace, _) = without_scripts();
    let human = workspace.run(&["replay", "decisions.ndjson"]);
    for part in [
        "By policy",
        "custom.no-scripts",
        "By person",
        "allow before, deny now",
        "Searches",
    ] {
        assert!(human.stdout.contains(part), "{part}: {human}");
    }
}

#[test]
fn what_a_change_is_not_about_does_not_turn() {
    let (workspace, _) = without_scripts();
    let other = [
        "replay",
        "decisions.ndjson",
        "--action",
        "viewClientDetails",
    ];
    assert_eq!(workspace.run(&other).status, 0);
    // Without the change, as a folder of its own or taken back, nothing does.
    let mine = ["replay", "decisions.ndjson", "before"];
    let ran = workspace.run(&mine);
    assert_eq!(ran.status, 0, "{ran}");
    std::fs::remove_file(workspace.path("policies/custom/no-scripts.cedar")).unwrap();
    assert_eq!(workspace.run(&["replay", "decisions.ndjson"]).status, 0);
}

#[test]
fn a_line_that_cannot_be_decided_again_is_told() {
    let workspace = sample();
    let records = logged(&workspace);
    let mut later = records[0].clone();
    later["version"] = 2.into();
    let mut lacking = records[0].clone();
    lacking["omitted"] = json!(["/subject/id"]);
    lacking["subject"].as_object_mut().unwrap().remove("id");
    let mut harmless = records[0].clone();
    harmless["omitted"] = json!(["/context/ip", "/asked"]);
    for (line, why) in [
        ("nonsense".to_owned(), "no record"),
        (records[0].to_string()[..80].to_owned(), "no record"),
        (later.to_string(), "version 2"),
        (lacking.to_string(), "/subject/id was left out"),
    ] {
        workspace.write("log.ndjson", format!("{}\n\n{line}\n", records[0]));
        let ran = workspace.run(&["replay", "log.ndjson"]);
        assert_eq!(ran.status, 2, "{ran}");
        assert!(
            ran.stdout.contains("line 3") && ran.stdout.contains(why),
            "{ran}"
        );
    }
    workspace.write("log.ndjson", harmless.to_string());
    assert_eq!(workspace.run(&["replay", "log.ndjson"]).status, 0);
    assert_eq!(workspace.run(&["replay", "nowhere.ndjson"]).status, 2);
    let input = format!("{}\n", records[0]);
    assert_eq!(
        workspace
            .run_with(&["replay", "-"], input.as_bytes())
            .status,
        0
    );
}
