//! Folders in which nobody looks for rules, and files that may not be read.

use std::fs;

use super::{CHECK, begun, remove, within};
use crate::tarbac::{Tarbac, command, copy};

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

/// A rule is missing as well where the parts are read through links, or by another name.
#[test]
#[cfg(unix)]
fn a_link_does_not_hide_what_is_missing() {
    use std::os::unix::fs::symlink;
    let workspace = begun();
    fs::create_dir_all(workspace.path("whole")).unwrap();
    for part in ["policies", "schema", "entities"] {
        symlink(
            format!("../ws/{part}"),
            workspace.path(&format!("whole/{part}")),
        )
        .unwrap();
    }
    let guardrails = workspace.path("within/policies/guardrails");
    copy(&workspace.path("ws"), &workspace.path("within"));
    fs::remove_file(workspace.path("within/tarbac-files.json")).unwrap();
    fs::remove_dir_all(&guardrails).unwrap();
    symlink("../../ws/policies/guardrails", guardrails).unwrap();
    let policies = ["whole/policies", "within/policies", "ws/policies/custom/.."];
    let check = |policies: &str| {
        let named = ["--policies", policies, "--entities", "ws/entities"];
        workspace.run(&[&named[..], &CHECK].concat())
    };
    let whole = [&["-C", "whole"][..], &CHECK].concat();
    for of in policies {
        assert_eq!(check(of).status, 0, "{of}");
    }
    assert_eq!(workspace.run(&whole).status, 0);
    remove(&workspace, "policies/guardrails/tenant.cedar");
    for of in policies {
        let ran = check(of);
        assert!(ran.stderr.contains("workspace::gone"), "{of}: {ran}");
    }
    let ran = workspace.run(&whole);
    assert_eq!(ran.status, 2, "{ran}");
}

/// The record stands in the workspace in the middle of a chain of links.
#[test]
#[cfg(unix)]
fn each_link_of_a_chain_counts() {
    use std::os::unix::fs::symlink;
    let workspace = begun();
    copy(&workspace.path("ws"), &workspace.path("end"));
    fs::remove_file(workspace.path("end/tarbac-files.json")).unwrap();
    fs::remove_dir_all(workspace.path("end/policies/guardrails")).unwrap();
    fs::rename(
        workspace.path("ws/policies/guardrails"),
        workspace.path("rules"),
    )
    .unwrap();
    let link = |to: &str, at: &str| symlink(to, workspace.path(at)).unwrap();
    link("../../rules", "ws/policies/guardrails");
    link("../../ws/policies/guardrails", "end/policies/guardrails");
    let check = |root: &str| workspace.run(&[&["-C", root][..], &CHECK].concat());
    assert_eq!((check("ws").status, check("end").status), (0, 0));
    fs::remove_file(workspace.path("rules/tenant.cedar")).unwrap();
    for root in ["ws", "end"] {
        let ran = check(root);
        assert!(ran.stderr.contains("workspace::gone"), "{root}: {ran}");
    }
}

/// A rule whose text was taken away is missing by whatever path its file is read, and no other file is taken for it.
#[test]
fn a_file_without_rules_is_missing_by_any_path() {
    let workspace = begun();
    let path = "policies/guardrails/tenant.cedar";
    let text = workspace.read(&format!("ws/{path}"));
    let from = |folder: &str, policies: &str| {
        let up = "../".repeat(folder.matches('/').count());
        let entities = format!("{up}entities");
        let schema = format!("{up}schema");
        let named = [
            "--policies",
            policies,
            "--entities",
            &entities,
            "--schema",
            &schema,
        ];
        let mut command = command(&workspace.path(folder));
        let output = command
            .args([&named[..], &CHECK].concat())
            .output()
            .unwrap();
        output.status.code()
    };
    let paths = [
        ("ws/policies", "."),
        ("ws/policies/guardrails", ".."),
        ("ws/policies", "../policies"),
    ];
    workspace.write(&format!("ws/{path}"), format!("{text}// Ours.\n"));
    workspace.write(&format!("ws/policies/archive/{path}"), "// Moved.\n");
    assert_eq!(within(&workspace, &CHECK).status, 0);
    for (folder, policies) in paths {
        assert_eq!(from(folder, policies), Some(0), "{folder} {policies}");
    }
    workspace.write(&format!("ws/{path}"), "// Gone.\n");
    assert_eq!(within(&workspace, &CHECK).status, 2);
    for (folder, policies) in paths {
        assert_eq!(from(folder, policies), Some(2), "{folder} {policies}");
    }
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

#[test]
fn policies_of_a_workspace_whose_entities_are_named_are_told() {
    let workspace = begun();
    let freeze = "@id(\"freeze\")\nforbid (principal, action, resource);\n";
    workspace.write("ws/policies/custom/freeze.cedar", freeze);
    let entities = ["--entities", "ws/entities"];
    let ran = workspace.run(&[&entities[..], &CHECK].concat());
    assert!(
        ran.stderr.contains("ws/policies/custom/freeze.cedar"),
        "{ran}"
    );
    let policies = ["--policies", "ws/policies/custom"];
    let ran = workspace.run(&[&entities[..], &policies, &CHECK].concat());
    assert!(!ran.stderr.contains("not read"), "{ran}");
}
