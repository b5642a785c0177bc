//! Mutants: the policies with one small change, and the cases that would notice it.

use serde_json::{Value, json};
use tarbac::mutation::Mutant;
use tarbac::{Layout, Switches, Workspace, shipped, suite, workspace as on_disk};

use super::{case, good, poor, run, workspace};
use crate::tarbac::Ran;
use crate::world::{entities, entity, uid, uids, user};

#[test]
fn mutants_that_no_case_notices_are_shown_with_one_that_would() {
    let ran = run(&poor(), &["--mutate"]);
    assert_eq!(ran.status, 1, "{ran}");
    insta::assert_snapshot!(ran);
}

#[test]
fn the_cases_that_are_shown_kill_the_mutants() {
    let workspace = workspace(&poor());
    let mut survivors = usize::MAX;
    // Each round puts the cases that were shown into the suite.
    for _ in 0..8 {
        let ran = workspace.run(&["test", "--mutate", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(json["passed"], ran.status == 0, "{ran}");
        let found = json["mutants"]["survivors"].as_array().unwrap();
        assert!(found.len() < survivors, "{ran}");
        survivors = found.len();
        let mut suite = workspace.read("tests/readers.yaml");
        for survivor in found {
            for line in survivor["case"].as_str().unwrap().lines() {
                suite += &format!("  {line}\n");
            }
        }
        workspace.write("tests/readers.yaml", suite);
        if survivors == 0 {
            return;
        }
    }
    panic!("{survivors} mutants survive");
}

#[test]
fn a_good_suite_notices_every_mutant() {
    let ran = run(&good(), &["--mutate"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.contains(" 0 survived"), "{ran}");
}

#[test]
fn a_suite_that_fails_tries_no_mutant() {
    let ran = run(&poor().replace("allow", "deny"), &["--mutate"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.contains("No mutant was tried"), "{ran}");
}

/// The quick way, in which one policy is asked again, against the slow one: the changed policy is
/// written into a workspace, which is loaded and tested as any other.
#[test]
fn a_mutant_is_noticed_as_a_changed_workspace_would_be() {
    for (suite_text, least) in [(poor(), 5), (good(), 20)] {
        let tarbac = workspace(&suite_text);
        let loaded = Workspace::load(
            &Layout::new(tarbac.path(""), shipped::rules()),
            &Switches::default(),
        )
        .unwrap();
        let bundle = std::sync::Arc::clone(loaded.engine.bundle());
        let files =
            on_disk::suite_files(&Layout::new(tarbac.path(""), shipped::rules()), &[]).unwrap();
        let sources: Vec<_> = files.iter().map(|file| file.source.clone()).collect();
        let (suites, findings) =
            suite::read(&sources, &|_| true, loaded.engine, &Switches::default());
        assert!(findings.is_empty(), "{findings:?}");
        let suites = suites.unwrap();
        let mutation = tarbac::mutation::run(
            &suites,
            &bundle,
            &|policy| policy.id() == "custom.readers",
            &|_, _| {},
        );
        let unnoticed: Vec<&str> = mutation
            .survivors
            .iter()
            .map(|survivor| &survivor.mutant)
            .chain(&mutation.equivalent)
            .map(|mutant| mutant.what.as_str())
            .collect();
        let mut noticed = 0;
        for mutant in Mutant::all(bundle.policy("custom.readers").unwrap(), &bundle) {
            let text = match &mutant.changed {
                Some(changed) => format!(
                    "@id(\"custom.readers\")\n@message(\"\")\n@advice(\"\")\n{}",
                    changed.ast()
                ),
                None => String::new(),
            };
            let slow = workspace(&suite_text);
            slow.write("policies/custom/readers.cedar", &text);
            let ran = slow.run(&["test"]);
            // A case that names a policy that is gone cannot be read: it is noticed all the more.
            let is_noticed = ran.status != 0;
            assert_eq!(
                is_noticed,
                !unnoticed.contains(&mutant.what.as_str()),
                "{}\n{text}\n{ran}",
                mutant.what
            );
            noticed += usize::from(is_noticed);
        }
        assert!(noticed >= least, "{noticed}");
    }
}

/// A policy about the moment and about a record as a whole, and a case in which it does not apply.
fn subtle(condition: &str) -> Ran {
    let workspace = workspace(&format!(
        "suite: Subtle\ncases:\n{}",
        case(
            "Bob sees nothing",
            "{}",
            "bob@t.example",
            "viewTimeline",
            false
        )
    ));
    workspace.write(
        "policies/custom/readers.cedar",
        format!(
            "@id(\"custom.readers\")\n@doc(\"Some see Timeline.\")\npermit (principal, action == Intune::Action::\"viewTimeline\", resource)\nwhen {{ {condition} }};\n"
        ),
    );
    workspace.run(&["test", "--mutate"])
}

#[test]
fn a_moment_that_no_case_gives_is_looked_for() {
    let ran = subtle("context has now && context.now < datetime(\"2026-12-01\")");
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.contains("the policy is dropped"), "{ran}");
    assert!(
        !ran.stdout.contains(
            "equivalent  custom.readers  policies/custom/readers.cedar:1: the policy is dropped"
        ),
        "{ran}"
    );
}

/// The sets of what Configuration Manager grants, each with its element.
const RECORD: [(&str, &str); 11] = [
    ("discoveredByEntra", "Hierarchy"),
    ("discoveredByActiveDirectory", "Hierarchy"),
    ("read", "Collection"),
    ("readResource", "Collection"),
    ("notifyResource", "Collection"),
    ("runCmPivot", "Collection"),
    ("runScript", "Collection"),
    ("readBitLockerRecoveryKey", "Collection"),
    ("readScripts", "Hierarchy"),
    ("readApplications", "Hierarchy"),
    ("approveApplications", "Hierarchy"),
];

#[test]
fn people_whose_records_differ_are_of_two_classes() {
    // The policy looks into no field of the record, and at all of them.
    let record = RECORD
        .map(|(set, of)| format!("{set}: [ConfigMgr::{of}::\"H\"]"))
        .join(", ");
    let workspace = workspace(
        "suite: S\nsnapshot: { principals: classes, actions: viewTimeline, resources: PC-1 }\n",
    );
    workspace.write(
        "policies/custom/readers.cedar",
        format!(
            "@id(\"custom.readers\")\n@doc(\"Some see Timeline.\")\npermit (principal, action == Intune::Action::\"viewTimeline\", resource)\nwhen {{ principal has configMgr && principal.configMgr == {{{record}}} }};\n"
        ),
    );
    let person = |id: &str, without: &str| {
        let sets = RECORD.map(|(set, of)| match set == without {
            true => (set.to_owned(), json!([])),
            false => (set.to_owned(), uids(&format!("ConfigMgr::{of}"), &["H"])),
        });
        let mut person = user(id, &format!("{id}@t.example"), &[]);
        person["attrs"]["configMgr"] = Value::Object(sets.into_iter().collect());
        person
    };
    let hierarchy = json!({ "hierarchy": uid("ConfigMgr::Hierarchy", "H") });
    let more = [
        entity("ConfigMgr::Collection", "H", hierarchy, &[]),
        person("u7", ""),
        person("u8", "approveApplications"),
    ];
    workspace.write("entities/more.json", entities(&more));
    let ran = workspace.run(&["test", "--accept"]);
    assert_eq!(ran.status, 0, "{ran}");
    let text = workspace.read("tests/readers.snap");
    assert!(text.contains("u7@t.example"), "{text}");
    assert!(text.contains("u8@t.example"), "{text}");
}
