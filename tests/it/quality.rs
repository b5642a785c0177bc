//! Whether suites are any good: coverage and mutants.

use serde_json::{Value, json};
use tarbac::mutation::Mutant;
use tarbac::{Layout, Switches, Workspace, shipped, suite, workspace};

use crate::tarbac::{Ran, Tarbac};
use crate::world::{entities, entity, tenant, uid, uids, user};

/// A role of the workspace's own, so that there are few policies to cover.
const POLICY: &str = r#"@id("custom.readers")
@doc("A reader sees two pages, if the account is cloud-only.")
permit (
  principal in Intune::Role::"reader",
  action in [Intune::Action::"viewTimeline", Intune::Action::"viewScripts"],
  resource
)
when { principal.cloudOnly && resource.hierarchy.version >= 2403 };
"#;

/// What is given to bob.
const GIVEN: &str = r#"{ 'Entra::User::"u2" in Intune::Role::"reader"': true }"#;

fn case(name: &str, given: &str, principal: &str, action: &str, allow: bool) -> String {
    let (expect, because) = match allow {
        true => ("allow", "custom.readers"),
        false => ("deny", ""),
    };
    format!(
        "  - {{ name: {name}, given: {given}, principal: {principal}, action: {action}, resource: PC-1, expect: {expect}, because: [{because}] }}\n"
    )
}

/// A suite that says nothing but that bob sees Timeline.
fn poor() -> String {
    format!(
        "suite: Readers\ncases:\n{}",
        case(
            "Bob sees Timeline",
            GIVEN,
            "bob@t.example",
            "viewTimeline",
            true
        )
    )
}

/// A suite that says everything about the role.
fn good() -> String {
    let and = |fact: &str| GIVEN.replace(" }", &format!(", {fact} }}"));
    let hybrid = and(r#"'Entra::User::"u2".cloudOnly': false"#);
    let old = and(r#"'ConfigMgr::Hierarchy::"H".version': 2402"#);
    let new = and(r#"'ConfigMgr::Hierarchy::"H".version': 2404"#);
    let mut text = poor();
    text += &case(
        "Bob sees Scripts",
        GIVEN,
        "bob@t.example",
        "viewScripts",
        true,
    );
    text += &case(
        "And on a newer site",
        &new,
        "bob@t.example",
        "viewScripts",
        true,
    );
    text += &case(
        "Nobody else does",
        GIVEN,
        "u4",
        "[viewTimeline, viewScripts]",
        false,
    );
    text += &case(
        "No hybrid account",
        &hybrid,
        "bob@t.example",
        "viewTimeline",
        false,
    );
    text += &case(
        "Not on an older site",
        &old,
        "bob@t.example",
        "viewTimeline",
        false,
    );
    let others = "[viewCollections, viewResourceExplorer, viewSoftwareUpdates, runScript, runCmPivotQuery, viewClientDetails, viewApplications, takeApplicationActions, enrollNow, rotateBitLockerKeys, initiateConfigurationManagerAction]";
    text += &case("Nothing else", GIVEN, "bob@t.example", others, false);
    text += &case("No settings", GIVEN, "bob@t.example", "updateRoles", false).replace("PC-1", "t");
    text
}

fn workspace(suite: &str) -> Tarbac {
    let workspace = Tarbac::with_tenant(&[
        ("tests/readers.yaml", suite),
        ("policies/custom/readers.cedar", POLICY),
    ]);
    let mut all = tenant();
    all.extend([
        entity("Intune::Role", "reader", json!({}), &[]),
        user("u4", "dora@t.example", &[]),
    ]);
    workspace.write("entities/tenant.json", entities(&all));
    workspace
}

fn run(suite: &str, arguments: &[&str]) -> Ran {
    workspace(suite).run(&[&["test"], arguments].concat())
}

#[test]
fn coverage_says_what_no_case_shows() {
    insta::assert_snapshot!(run(&poor(), &["--coverage"]));
}

#[test]
fn a_good_suite_covers_everything() {
    let ran = run(&good(), &["--min-coverage", "100"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.contains("coverage: 100.0 %"), "{ran}");
}

#[test]
fn too_little_coverage_fails() {
    let ran = run(&poor(), &["--min-coverage", "90"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.contains("and 90 % are wanted"), "{ran}");
    assert_eq!(run(&poor(), &["--min-coverage", "10"]).status, 0);
}

#[test]
fn what_is_exempt_is_not_asked_and_must_not_be_covered() {
    let exempt = |what: &str| format!("exempt:\n  - {{ {what}, reason: it is tried elsewhere }}\n");
    let policy = exempt("policy: custom.readers");
    let ran = run(&(policy.clone() + &poor()), &["--min-coverage", "100"]);
    assert_eq!(ran.status, 0, "{ran}");
    let ran = run(&(policy + &good()), &["--coverage"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(
        ran.stdout.contains("is exempt, and covered all the same"),
        "{ran}"
    );

    let clause = exempt("policy: custom.readers, clause: when principal.cloudOnly");
    let ran = run(&(clause.clone() + &poor()), &["--coverage"]);
    assert!(!ran.stdout.contains("principal.cloudOnly"), "{ran}");
    let ran = run(&(clause + &good()), &["--coverage"]);
    assert_eq!(ran.status, 1, "{ran}");
}

#[test]
fn the_policies_in_the_binary_are_measured_on_demand() {
    let ran = run(&poor(), &["--coverage", "--shipped"]);
    assert!(ran.stdout.contains("guardrails.tenant.device"), "{ran}");
    let ran = run(&poor(), &["--coverage"]);
    assert!(!ran.stdout.contains("guardrails.tenant.device"), "{ran}");
}

#[test]
fn the_listing_has_the_numbers_beside_the_lines() {
    let workspace = workspace(&good());
    let ran = workspace.run(&["test", "--report", "listing=listing.txt"]);
    assert_eq!(ran.status, 0, "{ran}");
    insta::assert_snapshot!(workspace.read("listing.txt"));
}

#[test]
fn lcov_is_read_by_somebody_elses_reader() {
    let workspace = workspace(&poor());
    workspace.run(&["test", "--report", "lcov=lcov.info"]);
    let text = workspace.read("lcov.info");
    insta::assert_snapshot!(text);
    let report = lcov::Report::from_reader(lcov::Reader::new(text.as_bytes())).unwrap();
    assert_eq!(report.sections.len(), 1);
    let section = report.sections.values().next().unwrap();
    assert_eq!(section.functions.len(), 1);
    assert!(section.branches.len() >= 12);
}

#[test]
fn cobertura_is_well_formed_and_complete() {
    let workspace = workspace(&poor());
    workspace.run(&["test", "--report", "cobertura=cobertura.xml"]);
    insta::assert_snapshot!(workspace.read("cobertura.xml"));
}

#[test]
fn only_test_measures_coverage() {
    let ran = workspace(&poor()).run(&["validate", "--report", "lcov=-"]);
    assert_eq!(ran.status, 2, "{ran}");
}

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
            &Layout::of(tarbac.path(""), shipped::rules()),
            &Switches::default(),
        )
        .unwrap();
        let bundle = std::sync::Arc::clone(loaded.engine.bundle());
        let files =
            workspace::suite_files(&Layout::of(tarbac.path(""), shipped::rules()), &[]).unwrap();
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
        for mutant in Mutant::of(bundle.policy("custom.readers").unwrap(), &bundle) {
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

#[test]
fn nothing_is_measured_of_nothing() {
    for percent in ["nan", "101", "-1", "many"] {
        assert_eq!(
            run(&good(), &["--min-coverage", percent]).status,
            2,
            "{percent}"
        );
    }
    let workspace = workspace(&poor().replace("custom.readers", ""));
    std::fs::remove_dir_all(workspace.path("policies")).unwrap();
    for option in ["--coverage", "--mutate"] {
        let ran = workspace.run(&["test", option]);
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stderr.contains("--shipped"), "{ran}");
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
