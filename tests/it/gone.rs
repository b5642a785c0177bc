//! Rules that were in force and are gone, and folders in which nobody looks for any: what is said of them.

use std::fs;

use serde_json::Value;

use crate::rules_in_force::git;
use crate::tarbac::{Ran, Tarbac, command};

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
            let said = format!("tarbac wrote `{path}`, and it is gone");
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
        "  × tarbac wrote `policies/tarbac.yaml`, and it is gone\n",
        "  × tarbac wrote `schema/tarbac.yaml`, and it is gone\n",
        "  ⚠ tarbac wrote `policies/custom/script-runner.cedar`, and it is gone\n",
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

/// Whatever is named in place of a part is what is looked at.
#[test]
fn a_part_that_is_named_is_that_of_its_workspace() {
    let workspace = begun();
    let named = ["--policies", "ws/policies", "--entities", "ws/entities"];
    let check = [&named[..], &CHECK].concat();
    assert_eq!(workspace.run(&check).status, 0);
    remove(&workspace, "policies/guardrails/tenant.cedar");
    let ran = workspace.run(&check);
    assert_eq!(ran.status, 2, "{ran}");
    for inside in [["--policies", "."], ["--policies", "../policies"]] {
        let output = command(&workspace.path("ws/policies"))
            .args([&inside[..], &["--entities", "../entities"], &CHECK].concat())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{inside:?}");
    }
    // Nobody counts on the rules of the workspace here.
    let others = [
        "--policies",
        "ws/policies/custom",
        "--entities",
        "ws/entities",
    ];
    let ran = workspace.run(&[&others[..], &CHECK].concat());
    assert_eq!(ran.status, 0, "{ran}");
}

#[test]
fn policies_beside_their_folder_are_named_however_deep() {
    for name in [
        "policies.bak",
        "policies-old",
        "old_policies",
        "Policies 2",
        ".policies",
        "rules",
        "rules.d",
        "backup/policies",
        "old/schema",
        "custom-roles",
    ] {
        let deep = format!("{name}/guardrails/deep/er/freeze.cedar");
        let workspace = Tarbac::with_tenant(&[(&deep, "forbid (principal, action, resource);")]);
        let ran = workspace.run(&["check", "ana@t.example", "runScript", "PC-1"]);
        let said = format!("note: this is not read: {deep}\n");
        assert_eq!(ran.stderr, said, "{ran}");
    }
    let files: Vec<String> = (1..=8)
        .map(|number| format!("policies.bak/a/{number}.cedar"))
        .collect();
    let workspace = Tarbac::with_tenant(&[]);
    files.iter().for_each(|file| workspace.write(file, ""));
    let ran = workspace.run(&["check", "ana@t.example", "runScript", "PC-1"]);
    let said = format!(
        "note: 8 files are not read, such as {}\n",
        files[..3].join(", ")
    );
    assert_eq!(ran.stderr, said, "{ran}");
    let ran = workspace.run(&["validate"]);
    assert_eq!(
        ran.stdout.matches("workspace::not_read").count(),
        6,
        "{ran}"
    );
    assert!(ran.stdout.contains("3 more files are not read"), "{ran}");
    // Another workspace has its own.
    let workspace = Tarbac::with_tenant(&[
        ("other/policies/x.cedar", ""),
        ("other/entities/x.json", "[]"),
        ("target/x.cedar", ""),
    ]);
    let ran = workspace.run(&["check", "ana@t.example", "runScript", "PC-1"]);
    assert_eq!(ran.stderr, "", "{ran}");
}

#[test]
fn a_folder_inside_of_a_workspace_is_told_from_one() {
    let workspace = begun();
    fs::create_dir_all(workspace.path("ws/docs/deep")).unwrap();
    for (folder, above) in [
        ("entities", ".."),
        ("policies", ".."),
        ("policies/custom", "../.."),
        ("schema", ".."),
        ("tests", ".."),
        ("docs/deep", "../.."),
    ] {
        let hint = format!("did you mean `-C {above}`?\n");
        let entities = format!("{above}/entities");
        for more in [["--entities", entities.as_str()].as_slice(), &[]] {
            let output = command(&workspace.path(&format!("ws/{folder}")))
                .args([more, &CHECK].concat())
                .output()
                .unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert!(stderr.contains(&hint), "{folder} {stderr}");
            let said = format!("not read: {above}/entities, {above}/policies, {above}/schema\n");
            assert!(stderr.contains(&said), "{folder} {stderr}");
        }
        let ran = workspace.run(&["-C", &format!("ws/{folder}"), "validate"]);
        assert!(ran.stdout.contains("workspace::inside"), "{folder} {ran}");
        assert!(
            ran.stdout.contains("did you mean `-C ws`?"),
            "{folder} {ran}"
        );
    }
    // A repository in it is something else, and so is whoever names rules and data.
    fs::create_dir_all(workspace.path("ws/docs/.git")).unwrap();
    for arguments in [
        ["-C", "ws/docs/deep", "validate"].as_slice(),
        &[
            "-C",
            "ws/entities",
            "--policies",
            "ws/policies",
            "--entities",
            "ws/entities",
            "validate",
        ],
    ] {
        let ran = workspace.run(arguments);
        assert!(!ran.stdout.contains("workspace::inside"), "{ran}");
    }
}

#[test]
fn policies_in_the_json_format_are_told_from_links() {
    let policy = r#"{"effect": "forbid", "principal": {"op": "All"}, "action": {"op": "All"}, "resource": {"op": "All"}, "conditions": []}"#;
    for text in [
        policy.to_owned(),
        format!("[{policy}]"),
        format!(
            r#"{{"staticPolicies": {{"p": {policy}}}, "templates": {{}}, "templateLinks": []}}"#
        ),
    ] {
        for name in ["policies/freeze.json", "policies/custom/freeze.cedar.json"] {
            let workspace = Tarbac::with_tenant(&[(name, &text)]);
            for command in [
                ["check", "ana@t.example", "runScript", "PC-1"].as_slice(),
                &["who", "runScript", "PC-1"],
            ] {
                let ran = workspace.run(command);
                assert_eq!(ran.status, 2, "{ran}");
                assert!(
                    ran.stderr
                        .contains("cedar translate-policy --direction json-to-cedar"),
                    "{ran}"
                );
            }
        }
    }
    let workspace = Tarbac::with_tenant(&[("policies/links.json", "{}")]);
    let ran = workspace.run(&["validate"]);
    assert!(ran.stdout.contains("policy::link"), "{ran}");
    assert!(!ran.stdout.contains("json-to-cedar"), "{ran}");
}

/// Runs the program as somebody to whom permissions mean something, as they do not to root.
#[cfg(unix)]
fn as_nobody(workspace: &Tarbac, arguments: &[&str]) -> (Option<i32>, String) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    let folder = workspace.path("");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = command(&folder);
    if folder.metadata().unwrap().uid() == 0 {
        command.uid(65_534).gid(65_534);
    }
    let output = command.args(arguments).output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), stderr)
}

/// What may not be read is not taken for absent.
#[cfg(unix)]
#[test]
fn what_may_not_be_read_is_an_error() {
    use std::os::unix::fs::PermissionsExt;
    let workspace = begun();
    let check = [&["-C", "ws"], &CHECK[..]].concat();
    let (status, stderr) = as_nobody(&workspace, &check);
    assert_eq!((status, stderr.as_str()), (Some(0), ""));
    for path in [
        "policies",
        "policies/custom",
        "policies/custom/script-runner.cedar",
        "policies/guardrails",
        "policies/guardrails/tenant.cedar",
        "policies/tarbac.yaml",
        "schema",
        "schema/intune.cedarschema",
        "entities",
        "entities/people.json",
        "tarbac-files.json",
        "",
    ] {
        let place = workspace.path(&format!("ws/{path}"));
        let before = place.metadata().unwrap().permissions();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o000)).unwrap();
        let (status, stderr) = as_nobody(&workspace, &check);
        assert_eq!(status, Some(2), "{path} {stderr}");
        assert!(stderr.contains("Permission denied"), "{path} {stderr}");
        fs::set_permissions(&place, before).unwrap();
    }
}

/// What is missing is not what is there and not read.
#[test]
fn what_is_missing_is_told_from_what_is_not_read() {
    let workspace = begun();
    remove(&workspace, "policies/custom/script-runner.cedar");
    workspace.write("ws/policies/custom/freeze.cedar.txt", "");
    let ran = within(&workspace, &CHECK);
    let said = "note: this is not read: ws/policies/custom/freeze.cedar.txt\n\
                note: this is missing: ws/policies/custom/script-runner.cedar\n";
    assert_eq!(ran.stderr, said, "{ran}");
    let roles = fs::read_dir(workspace.path("ws/policies/roles")).unwrap();
    let roles = roles.count();
    fs::remove_dir_all(workspace.path("ws/policies/roles")).unwrap();
    let ran = within(&workspace, &CHECK);
    let said = format!(
        "note: {} files are missing, such as ws/policies/custom/script-runner.cedar, ws/policies/roles/",
        roles + 1
    );
    assert!(ran.stderr.contains(&said), "{ran}");
}

/// What is read through a link is read, and lies elsewhere as well.
#[cfg(unix)]
#[test]
fn what_a_link_leads_to_is_read() {
    use std::os::unix::fs::symlink;
    let forbid = "@id(\"custom.freeze\")\n@doc(\"A.\")\n@message(\"B.\")\n@advice(\"C.\")\nforbid (principal, action, resource);\n";
    let check = ["check", "ana@t.example", "runScript", "PC-1"];
    for (folder, link, target) in [
        ("rules", "policies", "rules"),
        ("rules/custom", "policies", "rules"),
        ("our-policies", "policies/custom", "../our-policies"),
        ("shared/policies", "policies", "shared/policies"),
    ] {
        let file = format!("{folder}/freeze.cedar");
        let workspace = Tarbac::with_tenant(&[(&file, forbid)]);
        let place = workspace.path(link);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        symlink(target, place).unwrap();
        let ran = workspace.run(&check);
        assert_eq!((ran.status, ran.stderr.as_str()), (1, ""), "{link} {ran}");
        assert!(ran.stdout.contains("custom.freeze"), "{link} {ran}");
        // What the link does not reach is not.
        workspace.write("rules.bak/freeze.cedar", forbid);
        let ran = workspace.run(&check);
        let said = "note: this is not read: rules.bak/freeze.cedar\n";
        assert_eq!(ran.stderr, said, "{link} {ran}");
    }
    // A link to a file, and one beside a part that leads into it.
    let workspace =
        Tarbac::with_tenant(&[("rules/freeze.cedar", forbid), ("policies/a.cedar", "")]);
    symlink(
        "../rules/freeze.cedar",
        workspace.path("policies/freeze.cedar"),
    )
    .unwrap();
    symlink("policies", workspace.path("custom")).unwrap();
    let ran = workspace.run(&check);
    assert_eq!((ran.status, ran.stderr.as_str()), (1, ""), "{ran}");
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
        let said = format!("tarbac wrote `{forbid}`, and it is gone");
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
    assert!(ran.stderr.contains("and it is gone"), "{ran}");
}
