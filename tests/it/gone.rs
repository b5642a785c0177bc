//! Rules that were in force and are gone, and folders in which nobody looks for any: what is said of them.

mod embedded;
mod folders;
mod left_behind;
mod sparse;
mod submodules;

use std::fs;

use serde_json::Value;

use crate::rules_in_force::git;
use crate::tarbac::{Ran, Tarbac};

const CHECK: [&str; 4] = ["check", "ada@contoso.example", "runScript", "WS-TST-001"];

/// A workspace as `init` writes it.
fn begun() -> Tarbac {
    let workspace = Tarbac::with(&[]);
    let ran = workspace.run(&["init", "ws"]);
    assert_eq!(ran.status, 0, "{ran}");
    workspace
}

fn within(workspace: &Tarbac, arguments: &[&str]) -> Ran {
    workspace.run(&[&["-C", "ws"], arguments].concat())
}

fn remove(workspace: &Tarbac, path: &str) {
    fs::remove_file(workspace.path(&format!("ws/{path}"))).unwrap();
}

fn rename(workspace: &Tarbac, from: &str, to: &str) {
    let path = |path: &str| workspace.path(&format!("ws/{path}"));
    fs::rename(path(from), path(to)).unwrap();
}

/// Says in the record that something was removed on purpose.
fn note_as_removed(workspace: &Tarbac, path: &str) {
    let record = workspace.read("ws/tarbac-files.json");
    let mut record: Value = serde_json::from_str(&record).unwrap();
    record["removed"] = serde_json::json!([path]);
    workspace.write("ws/tarbac-files.json", record.to_string());
}

/// A file of policies may as well be emptied or overwritten.
fn assert_emptied_is_missed(workspace: &Tarbac, path: &str) {
    let whole = workspace.read(&format!("ws/{path}"));
    workspace.write(&format!("ws/{path}"), "// moved\n\n  // elsewhere");
    let ran = within(workspace, &CHECK);
    assert_eq!(ran.status, 2, "{path} {ran}");
    let said = format!("tarbac wrote `{path}`, and it is gone, empty or overwritten");
    assert!(ran.stderr.contains(&said), "{path} {ran}");
    // Or overwritten with another one.
    let other =
        "@id(\"other\")\n@doc(\"Other.\")\npermit (principal, action, resource) when { false };\n";
    workspace.write(&format!("ws/{path}"), other);
    let ran = within(workspace, &CHECK);
    assert!(ran.stderr.contains(&said), "{path} {ran}");
    // That it is meant is said by an annotation, and not by a comment.
    workspace.write(
        &format!("ws/{path}"),
        format!("// @changed(\"No.\")\n{other}"),
    );
    let ran = within(workspace, &CHECK);
    assert!(ran.stderr.contains(&said), "{path} {ran}");
    let ids: Vec<&str> = whole.split("@id(\"").skip(1).collect();
    let ids: Vec<&str> = ids.iter().filter_map(|id| id.split('"').next()).collect();
    for (named, is_meant) in [("something", false), (&*ids.join(" and "), true)] {
        let reason = format!("@changed(\"In place of {named}.\")\npermit");
        workspace.write(&format!("ws/{path}"), other.replace("permit", &reason));
        let ran = within(workspace, &CHECK);
        let is_gone = ran.stderr.contains("workspace::gone");
        assert_eq!(is_gone, !is_meant, "{path} {named} {ran}");
    }
    workspace.write(&format!("ws/{path}"), whole);
    assert_eq!(within(workspace, &CHECK).status, 0);
}

#[test]
fn nothing_is_decided_without_a_rule_that_may_have_forbidden_something() {
    for path in [
        "policies/guardrails/tenant.cedar",
        "policies/guardrails/account.cedar",
        "policies/authority.cedar",
        "policies/configmgr/identity.cedar",
        "policies/readings/any-intune-role.cedar",
        "policies/tarbac.yaml",
        "schema/tarbac.yaml",
        "schema/intune.cedarschema",
    ] {
        let workspace = begun();
        assert_eq!(within(&workspace, &CHECK).status, 0);
        if path.ends_with(".cedar") {
            assert_emptied_is_missed(&workspace, path);
        }
        remove(&workspace, path);
        for command in [
            CHECK.as_slice(),
            &["explain", CHECK[1], CHECK[2], CHECK[3]],
            &["who", CHECK[2], CHECK[3]],
            &["what", CHECK[1], CHECK[3]],
            &["matrix"],
            &["access"],
            &["what-if", "--use-intune-rbac", "off"],
            &["diff", "ws"],
            &["test"],
            &["prove"],
            &["readings"],
        ] {
            let ran = within(&workspace, command);
            assert_eq!(ran.status, 2, "{path} {command:?} {ran}");
            let said = format!("tarbac wrote `{path}`, and it is gone, empty or overwritten");
            assert!(ran.stderr.contains(&said), "{path} {command:?} {ran}");
        }
        let ran = within(&workspace, &["validate"]);
        assert_eq!(ran.status, 1, "{path} {ran}");
        assert!(ran.stdout.contains("workspace::gone"), "{path} {ran}");
    }
}

#[test]
fn a_rule_that_is_gone_is_shown_where_it_was_noted() {
    let workspace = begun();
    remove(&workspace, "policies/tarbac.yaml");
    remove(&workspace, "schema/tarbac.yaml");
    remove(&workspace, "policies/custom/script-runner.cedar");
    let ran = within(&workspace, &["validate"]);
    for said in [
        "  × tarbac wrote `policies/tarbac.yaml`, and it is gone, empty or overwritten\n",
        "  × tarbac wrote `schema/tarbac.yaml`, and it is gone, empty or overwritten\n",
        "  ⚠ tarbac wrote `policies/custom/script-runner.cedar`, and it is gone, empty or overwritten\n",
        "╰── written by init or import\n",
        "put back what git has, or import again with `--take PATH`",
        "errors: 2 errors, 1 warning\n",
    ] {
        assert!(ran.stdout.contains(said), "{said} {ran}");
    }
}

#[test]
fn a_folder_of_rules_that_was_renamed_is_noticed() {
    for (from, to) in [
        ("policies", "policies.bak"),
        ("policies", "rules"),
        ("policies", "old-policies"),
        ("policies/guardrails", "guardrails"),
        ("policies/configmgr", "entities/configmgr"),
        ("schema", "schema.old"),
    ] {
        let workspace = begun();
        workspace.write(
            "ws/policies/custom/freeze.cedar",
            "forbid (principal, action, resource);\n",
        );
        rename(&workspace, from, to);
        let ran = within(&workspace, &CHECK);
        assert_eq!(ran.status, 2, "{to} {ran}");
        assert!(ran.stderr.contains("gone"), "{to} {ran}");
    }
}

/// What was moved is in force, and so is what ships.
#[test]
fn what_is_in_force_all_the_same_is_not_gone() {
    let workspace = begun();
    rename(&workspace, "policies/guardrails", "policies/limits");
    let ran = within(&workspace, &CHECK);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran}");
    // Every rule is the one that ships, and that they replace it need not be said.
    for part in ["policies", "schema"] {
        fs::remove_dir_all(workspace.path(&format!("ws/{part}"))).unwrap();
    }
    note_as_removed(&workspace, "policies/tarbac.yaml");
    let ran = within(&workspace, &CHECK);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(!ran.stderr.contains("policies/guardrails"), "{ran}");
}

#[test]
fn what_was_removed_on_purpose_is_noted() {
    for noted in [
        "policies/guardrails/tenant.cedar",
        "policies/guardrails/",
        "policies",
    ] {
        let workspace = begun();
        remove(&workspace, "policies/guardrails/tenant.cedar");
        assert_eq!(within(&workspace, &CHECK).status, 2);
        note_as_removed(&workspace, noted);
        let ran = within(&workspace, &CHECK);
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{noted} {ran}");
    }
    for noted in [
        "",
        "/",
        "policies/guardrails/tenant",
        "policies/guardrails/tenan",
        ".",
        "../ws",
    ] {
        let workspace = begun();
        remove(&workspace, "policies/guardrails/tenant.cedar");
        note_as_removed(&workspace, noted);
        assert_eq!(within(&workspace, &CHECK).status, 2, "{noted}");
    }
}

#[test]
fn roles_and_data_that_are_gone_are_told() {
    for path in [
        "policies/custom/script-runner.cedar",
        "policies/roles/school-administrator.cedar",
    ] {
        let workspace = begun();
        remove(&workspace, path);
        let ran = within(&workspace, &[&CHECK[..], &["--format", "json"]].concat());
        assert_eq!(ran.status, 0, "{ran}");
        let said = format!("note: this is missing: ws/{path}\n");
        assert_eq!(ran.stderr, said, "{ran}");
        let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(
            answer["not_read"],
            serde_json::json!([format!("ws/{path}")])
        );
        let ran = within(&workspace, &["validate", "--deny-warnings"]);
        assert_eq!(ran.status, 1, "{ran}");
        assert!(
            ran.stdout.contains(&format!("tarbac wrote `{path}`")),
            "{ran}"
        );
    }
    let workspace = begun();
    rename(&workspace, "entities/assignments.json", "assignments.json");
    let ran = within(&workspace, &["validate"]);
    assert!(
        ran.stdout
            .contains("tarbac wrote `entities/assignments.json`"),
        "{ran}"
    );
}

/// What is gone in a revision of git is told as it is on disk.
#[test]
fn what_is_gone_in_a_revision_is_told() {
    let workspace = begun();
    git(&workspace, &["init", "-q"]);
    let commit = |message: &str| {
        git(&workspace, &["add", "-A"]);
        git(&workspace, &["commit", "-qm", message]);
    };
    commit("whole");
    let forbid = "policies/guardrails/tenant.cedar";
    let text = workspace.read(&format!("ws/{forbid}"));
    remove(&workspace, forbid);
    commit("without a forbid");
    workspace.write(&format!("ws/{forbid}"), &text);
    remove(&workspace, "policies/custom/script-runner.cedar");
    remove(&workspace, "policies/roles/school-administrator.cedar");
    commit("without roles");
    git(&workspace, &["checkout", "-q", "HEAD~2", "--", "."]);
    for command in [["diff", "HEAD~1"], ["prove", "--compare=HEAD~1"]] {
        let ran = within(&workspace, &command);
        assert_eq!(ran.status, 2, "{ran}");
        let said = format!("tarbac wrote `{forbid}`, and it is gone, empty or overwritten");
        assert!(ran.stderr.contains(&said), "{ran}");
        assert!(ran.stderr.contains("HEAD~1:tarbac-files.json"), "{ran}");
    }
    let ran = within(&workspace, &["diff", "HEAD"]);
    assert_ne!(ran.status, 2, "{ran}");
    let said = "note: this is missing: HEAD:policies/custom/script-runner.cedar, HEAD:policies/roles/school-administrator.cedar\n";
    assert_eq!(ran.stderr, said, "{ran}");
    assert_eq!(within(&workspace, &["diff", "HEAD~2"]).stderr, "");
    // As on disk, what is removed on purpose is not gone.
    note_as_removed(&workspace, forbid);
    remove(&workspace, forbid);
    commit("on purpose");
    let ran = within(&workspace, &["diff", "HEAD"]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{ran}");
    // Nor does another workspace on disk lack a forbid unnoticed.
    note_as_removed(&workspace, "policies/other.cedar");
    let ran = workspace.run(&["prove", "--compare", "ws"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr.contains("and it is gone, empty or overwritten"),
        "{ran}"
    );
}
