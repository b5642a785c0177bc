//! Rules of a workspace that have the ids of those that ship and decide otherwise.

use std::fs;
use std::path::Path;

use super::{ACROSS, MANIFEST, WITHIN, check};
use crate::loopholes::findings;
use crate::tarbac::{Ran, Tarbac, copy, sample};

const TENANT: &str = "policies/guardrails/tenant.cedar";

const SCRIPTS: &str = "policies/configmgr/pages/scripts.cedar";

/// A workspace as `init` writes it, in its root.
fn begun() -> Tarbac {
    let workspace = Tarbac::with(&[]);
    let ran = workspace.run(&["init", "."]);
    assert_eq!(ran.status, 0, "{ran}");
    workspace
}

/// What is said of departures in a workspace of which a file was changed.
fn said(path: &str, change: impl Fn(String) -> String) -> Vec<String> {
    let workspace = begun();
    let before = workspace.read(path);
    let after = change(before.clone());
    assert_ne!(before, after);
    workspace.write(path, after);
    departures(&workspace)
}

fn departures(workspace: &Tarbac) -> Vec<String> {
    let mut found = findings(workspace);
    found.retain(|finding| finding.ends_with(" policy::not_as_shipped"));
    found
}

const NONE: [&str; 0] = [];

const ONE: [&str; 1] = ["warning policy::not_as_shipped"];

#[test]
fn a_rule_that_is_narrowed_in_place_is_told() {
    assert_eq!(departures(&begun()), NONE);
    let unless = "unless { principal.tenant == resource.hierarchy.tenant };";
    for (path, from, to) in [
        (
            TENANT,
            unless,
            "unless { principal.tenant == resource.hierarchy.tenant || principal.cloudOnly };",
        ),
        (
            TENANT,
            "  principal,\n  action in",
            "  principal is Entra::User,\n  action in",
        ),
        (TENANT, "@guards(\"everything\")\n", ""),
        (
            SCRIPTS,
            "resource.hierarchy.version >= 2207",
            "resource.hierarchy.version >= 2103",
        ),
        (
            "policies/roles/help-desk-operator.cedar",
            "  resource\n);",
            "  resource\n)\nwhen { true };",
        ),
    ] {
        let found = said(path, |text| text.replacen(from, to, 1));
        assert_eq!(found, ONE, "{from}");
    }
}

#[test]
fn what_changes_no_decision_is_no_departure() {
    for (path, from, to) in [
        (TENANT, "@advice(\"Sign in", "@advice(\"Please sign in"),
        (TENANT, "@doc(\"Nobody gets", "@doc(\"No one gets"),
        (TENANT, "// Nobody crosses", "// No one crosses"),
        (
            TENANT,
            "    [Intune::Action::\"cloudAttachedDevices\", Intune::Action::\"remoteTasks\"]",
            "    [Intune::Action::\"remoteTasks\", Intune::Action::\"cloudAttachedDevices\"]",
        ),
        // A switch, which every answer names.
        (
            "policies/readings/any-intune-role.cedar",
            "@default(\"on\")",
            "@default(\"off\")",
        ),
    ] {
        let found = said(path, |text| text.replace(from, to));
        assert_eq!(found, NONE, "{from}");
    }
    // In another file.
    let workspace = begun();
    let text = workspace.read(TENANT);
    workspace.write(
        "policies/guardrails/tenants.cedar",
        format!("// Ours.\n{text}"),
    );
    fs::remove_file(workspace.path(TENANT)).unwrap();
    assert_eq!(departures(&workspace), NONE);
}

#[test]
fn a_departure_may_be_meant() {
    let narrow = |reason: &str| {
        let marked = format!(
            "@changed(\"{reason}\")\n@guardrail(\"tenant\")\nforbid (\n  principal is Entra::User,"
        );
        said(TENANT, |text| {
            text.replace("@guardrail(\"tenant\")\nforbid (\n  principal,", &marked)
        })
    };
    assert_eq!(narrow("Nobody else asks."), NONE);
    assert_eq!(narrow(" "), ONE);
}

#[test]
fn a_rule_that_is_gone_from_beside_others_is_told() {
    let without_the_last = |text: String| {
        let (before, _) = text.rsplit_once("\n@id(").unwrap();
        before.to_owned()
    };
    assert_eq!(said(SCRIPTS, without_the_last), ONE);
    let marked = |reason: &dyn Fn(&str) -> String| {
        said(SCRIPTS, |text| {
            let (_, last) = text.rsplit_once("\n@id(\"").unwrap();
            let reason = reason(last.split('"').next().unwrap());
            without_the_last(text).replace(
                "\n@doc(\"Nobody opens Scripts",
                &format!("\n@changed(\"{reason}\")\n@doc(\"Nobody opens Scripts"),
            )
        })
    };
    // A reason speaks for the policy that has it, and for those that it names.
    assert_eq!(marked(&|_| "Ours.".to_owned()), ONE);
    assert_eq!(marked(&|id| format!("In place of {id}x.")), ONE);
    assert_eq!(marked(&|id| format!("In place of {id}.")), NONE);
}

/// A forbid that is not in force is told by whatever decides.
#[test]
fn a_guardrail_that_is_not_here_is_told_with_each_decision() {
    let workspace = begun();
    fs::remove_file(workspace.path("tarbac-files.json")).unwrap();
    fs::remove_file(workspace.path("policies/guardrails/account.cedar")).unwrap();
    let ran = check(&workspace, &[], WITHIN);
    let said = "note: the policy `guardrails.account.disabled` ships, and is not here";
    assert!(ran.stderr.contains(said), "{ran}");
}

/// Without a record nobody knows what was written, but the manifest says what the rules are in place of.
#[test]
fn a_file_of_rules_that_is_gone_is_told_without_a_record() {
    let workspace = begun();
    fs::remove_file(workspace.path("tarbac-files.json")).unwrap();
    assert_eq!(departures(&workspace), NONE);
    fs::remove_file(workspace.path("policies/guardrails/account.cedar")).unwrap();
    assert_eq!(departures(&workspace), ONE);
    // Without a role nobody may do more.
    let workspace = begun();
    fs::remove_file(workspace.path("tarbac-files.json")).unwrap();
    fs::remove_file(workspace.path("policies/roles/help-desk-operator.cedar")).unwrap();
    assert_eq!(departures(&workspace), NONE);
}

#[test]
fn what_was_removed_on_purpose_is_no_departure() {
    let workspace = begun();
    let path = "policies/guardrails/early-update-ring.cedar";
    fs::remove_file(workspace.path(path)).unwrap();
    let record = workspace.read("tarbac-files.json");
    let mut record: serde_json::Value = serde_json::from_str(&record).unwrap();
    record["removed"] = serde_json::json!([path]);
    workspace.write("tarbac-files.json", record.to_string());
    assert_eq!(departures(&workspace), NONE);
}

/// With two manifests and a schema that asks no question, the rules are somebody's own, and whatever decides says so.
#[test]
fn two_manifests_and_a_schema_without_questions_are_rules_of_ones_own() {
    let workspace = sample();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    copy(&root.join("schema"), &workspace.path("schema"));
    for part in ["roles", "guardrails"] {
        let folder = format!("policies/{part}");
        copy(&root.join(&folder), &workspace.path(&folder));
    }
    workspace.write("policies/tarbac.yaml", MANIFEST);
    fs::remove_file(workspace.path("schema/tarbac.cedarschema")).unwrap();
    let own = |ran: &Ran| ran.stdout.contains("\"rules_in_force\": \"own\"");
    let json = ["--format", "json"];
    for command in [
        &["check"][..],
        &["explain"],
        &["check", "--set", "contoso.useIntuneRbac=true"],
    ] {
        let (command, more) = command.split_at(1);
        let ran = workspace.run(&[command, &WITHIN, more, &json].concat());
        assert!(own(&ran), "{command:?} {ran}");
    }
    let ran = workspace.run(&[&["explain"][..], &WITHIN].concat());
    assert!(ran.stdout.contains("rules: own, revision "), "{ran}");
    let ran = workspace.run(&["validate"]);
    assert!(ran.stdout.contains("rules: own, revision "), "{ran}");
    assert!(ran.stdout.contains("policy::not_as_shipped"), "{ran}");
    assert!(own(&workspace.run(&["validate", "--format", "json"])));
    let request = format!(
        "{{\"principal\": \"{}\", \"action\": \"{}\", \"resource\": \"{}\"}}\n",
        WITHIN[0], WITHIN[1], WITHIN[2]
    );
    let ran = workspace.run_with(&["check", "--requests", "-"], request.as_bytes());
    assert!(ran.stdout.contains("\"rules_in_force\":\"own\""), "{ran}");
    // The guardrail is one of them.
    assert_eq!(check(&workspace, &[], ACROSS).status, 1);
}
