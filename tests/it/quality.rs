//! Whether suites are any good: coverage and mutants.

mod mutants;

use serde_json::json;
use tarbac::workspace;

use crate::tarbac::{Ran, Tarbac};
use crate::world::{entities, entity, tenant, user};

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
    assert!(ran.stdout.contains("and 90 % are required"), "{ran}");
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
