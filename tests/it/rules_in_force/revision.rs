//! Which rules and which revision an answer names.

use std::path::Path;

use serde_json::{Value, json};

use super::{EVERYTHING, MANIFEST, copy_without_manifest, git};
use crate::tarbac::{Tarbac, contoso_folder, copy, sample};
use crate::world::{device, entities};

/// What the program writes, with the revision as it is.
fn written(workspace: &Tarbac, arguments: &[&str], input: &str) -> String {
    use std::io::Write;
    let mut command = crate::tarbac::command(&workspace.path(""));
    let command = command.args(arguments);
    let command = command
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped());
    let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

/// The rules and the revision, as `validate` says them.
fn validated(workspace: &Tarbac, options: &[&str]) -> (String, String) {
    let said = written(workspace, &[options, &["validate"]].concat(), "");
    let line = said.lines().last().unwrap();
    let line = line
        .strip_prefix("rules: ")
        .unwrap_or_else(|| panic!("{said}"));
    let (rules, revision) = line.split_once(", revision ").unwrap();
    assert_eq!(revision.len(), 64, "{said}");
    (rules.to_owned(), revision.to_owned())
}

const ASKED: [&str; 3] = ["ada@contoso.example", "runScript", "WS-TST-001"];

/// The sample with a suite, and with a file that is not read.
fn with_a_file_that_is_not_read() -> Tarbac {
    let workspace = sample();
    workspace.write(
        "policies/custom/freeze.cedar.txt",
        "forbid (principal, action, resource);",
    );
    workspace.write(
        "tests/a.yaml",
        "suite: A\ncases:\n  - name: Ada runs scripts.\n    principal: ada@contoso.example\n    action: runScript\n    resource: WS-TST-001\n    expect: allow\n    because: any\n",
    );
    workspace
}

#[test]
fn every_answer_says_what_it_was_decided_with() {
    let workspace = with_a_file_that_is_not_read();
    let (rules, revision) = validated(&workspace, &[]);
    assert_eq!(rules, "shipped-and-custom");
    for command in [
        &[["check"].as_slice(), &ASKED].concat(),
        &[["explain"].as_slice(), &ASKED].concat(),
        ["check", "--requests", "-"].as_slice(),
        &["check", "--requests", "-", "--answer", "decision"],
        &["who", "runScript", "WS-TST-001"],
        &["what", "ada@contoso.example"],
        &["matrix"],
        &["access"],
        &["what-if", "--use-intune-rbac", "off"],
        &["diff", "."],
        &["validate"],
        &["readings"],
        &["test"],
    ] {
        every_document_says_it(&workspace, command, "json", &revision);
        if ["access", "what-if", "diff"].contains(&command[0]) {
            every_document_says_it(&workspace, command, "ndjson", &revision);
        }
    }
    let said = written(&workspace, &[["explain"].as_slice(), &ASKED].concat(), "");
    let provenance = format!("rules: {rules}, revision {revision}");
    assert!(said.contains(&provenance), "{said}");
}

fn every_document_says_it(workspace: &Tarbac, command: &[&str], format: &str, revision: &str) {
    let [principal, action, resource] = ASKED;
    let request = json!({ "principal": principal, "action": action, "resource": resource });
    let input = format!("{request}\n{{}}\n");
    let said = written(
        workspace,
        &[command, &["--format", format]].concat(),
        &input,
    );
    let documents = serde_json::Deserializer::from_str(&said).into_iter();
    let documents: Vec<Value> = documents.map(Result::unwrap).collect();
    // The head of lines that depend on it speaks for them.
    let count = match format {
        "ndjson" => 1,
        _ => documents.len(),
    };
    assert!(count > 0, "{command:?} {said}");
    let not_read = json!(["policies/custom/freeze.cedar.txt"]);
    for document in &documents[..count] {
        assert_eq!(
            document["rules_in_force"], "shipped-and-custom",
            "{command:?} {said}"
        );
        assert_eq!(document["revision"], revision, "{command:?} {said}");
        assert_eq!(document["not_read"], not_read, "{command:?} {said}");
    }
}

#[test]
fn the_rules_have_one_of_three_names() {
    let workspace = Tarbac::with(&[]);
    copy(
        &contoso_folder().join("entities"),
        &workspace.path("entities"),
    );
    // Without the custom role nobody has it.
    let rules = |workspace: &Tarbac| {
        let ran = workspace.run(&["matrix", "--format", "json"]);
        let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        document["rules_in_force"].as_str().unwrap().to_owned()
    };
    assert_eq!(rules(&workspace), "shipped");
    workspace.write("policies/custom/more.cedar", EVERYTHING);
    assert_eq!(rules(&workspace), "shipped-and-custom");
    std::fs::remove_dir_all(workspace.path("policies")).unwrap();
    workspace.write("schema/ours.cedarschema", "namespace Ours { entity Door; }");
    assert_eq!(rules(&workspace), "shipped-and-custom");
    std::fs::remove_dir_all(workspace.path("schema")).unwrap();
    copy_without_manifest("schema", &workspace.path("schema"));
    workspace.write("schema/tarbac.yaml", MANIFEST);
    // Only the schema is a copy, and the policies say whose the rules are.
    assert_eq!(rules(&workspace), "shipped");
    workspace.write("policies/custom/more.cedar", EVERYTHING);
    assert_eq!(rules(&workspace), "shipped-and-custom");
    let fresh = Tarbac::with(&[]);
    fresh.run(&["init", "."]);
    assert_eq!(rules(&fresh), "own");
}

/// Elsewhere, under other names, in other files and with other line ends it is the same.
#[test]
fn the_revision_is_that_of_the_content() {
    let workspace = sample();
    let (_, revision) = validated(&workspace, &[]);
    let other = sample();
    std::fs::create_dir_all(other.path("policies/deep")).unwrap();
    let role = other.read("policies/custom/script-runner.cedar");
    std::fs::remove_dir_all(other.path("policies/custom")).unwrap();
    other.write(
        "policies/deep/z.cedar",
        format!("\u{feff}{}", role.replace('\n', "\r\n")),
    );
    std::fs::rename(
        other.path("entities/people.json"),
        other.path("entities/a.json"),
    )
    .unwrap();
    assert_eq!(validated(&other, &[]).1, revision);
    // The same rules as a copy in place of those that ship.
    let copied = sample();
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("policies"),
        &copied.path("policies"),
    );
    assert_eq!(
        validated(&copied, &[]),
        ("own".to_owned(), revision.clone())
    );
    // A reading that is named and on already changes nothing.
    assert_eq!(
        validated(&workspace, &["--reading", "any-intune-role"]).1,
        revision
    );
}

#[test]
fn another_content_has_another_revision() {
    let workspace = sample();
    let (_, revision) = validated(&workspace, &[]);
    let mut seen = vec![revision.clone()];
    let mut is_new = |workspace: &Tarbac, options: &[&str]| {
        let (_, revision) = validated(workspace, options);
        assert!(!seen.contains(&revision), "{options:?}");
        seen.push(revision);
    };
    is_new(&workspace, &["--no-reading", "any-intune-role"]);
    is_new(&workspace, &["--reading", "discovery-either"]);
    workspace.write("policies/custom/more.cedar", EVERYTHING);
    is_new(&workspace, &[]);
    workspace.write(
        "policies/custom/more.cedar",
        format!("// Ours.\n{EVERYTHING}"),
    );
    is_new(&workspace, &[]);
    workspace.write(
        "schema/custom/ours.cedarschema",
        "@doc(\"Ours.\")\nnamespace Ours { @doc(\"A door.\") entity Door; }\n",
    );
    is_new(&workspace, &[]);
    let people = workspace.read("entities/people.json");
    workspace.write(
        "entities/people.json",
        people.replacen("\"cloudOnly\": true", "\"cloudOnly\": false", 1),
    );
    is_new(&workspace, &[]);
    std::fs::remove_file(workspace.path("schema/custom/ours.cedarschema")).unwrap();
    std::fs::remove_file(workspace.path("policies/custom/more.cedar")).unwrap();
    workspace.write("entities/people.json", people);
    assert_eq!(validated(&workspace, &[]).1, revision);
}

#[test]
fn the_revision_is_the_same_with_and_without_what_is_kept() {
    // Large enough to be kept.
    let devices: Vec<_> = (0..30_000)
        .map(|number| device(&format!("n{number}"), &format!("N-{number}"), "H"))
        .collect();
    let workspace = Tarbac::with_tenant(&[("entities/devices.json", &entities(&devices))]);
    let check = [
        "check",
        "ana@t.example",
        "runScript",
        "PC-1",
        "--format",
        "json",
    ];
    let (_, revision) = validated(&workspace, &[]);
    // Read, then kept, then used where it lies.
    for _ in 0..3 {
        assert!(written(&workspace, &check, "").contains(&revision));
    }
    assert!(workspace.path(".tarbac").exists());
    let anew = [&check[..], &["--no-cache"]].concat();
    assert!(written(&workspace, &anew, "").contains(&revision));
}

/// Files beside those that are read, which somebody may take for rules.
const NOT_READ: [&str; 23] = [
    "policies/custom/freeze.cedar.txt",
    "policies/custom/freeze.cedar~",
    "policies/freeze.cedar.bak",
    "policies/.freeze.cedar.swp",
    "policies/.cedar",
    "policies/freeze.cedar.md",
    "policies/freeze.txt",
    "policies/freeze",
    "policies/freeze.yaml",
    "policies/freeze.cedarschema",
    "schema/freeze.cedar",
    "entities/freeze.cedar",
    "entities/more.json.txt",
    "freeze.cedar",
    "Freeze.CEDAR",
    ".freeze.cedar",
    "tarbac.yaml",
    "custom/freeze.cedar",
    "guardrails/freeze.cedar",
    "policy/freeze.cedar",
    "Policies/freeze.cedar",
    "polices/freeze.cedar",
    "tests/freeze.cedar",
];

#[test]
fn files_that_are_not_read_are_told_by_whatever_decides() {
    for name in NOT_READ {
        let forbid = "forbid (principal, action, resource);";
        let workspace = Tarbac::with_tenant(&[(name, forbid)]);
        for command in [
            ["check", "ana@t.example", "runScript", "PC-1"].as_slice(),
            &["explain", "ana@t.example", "runScript", "PC-1"],
            &["who", "runScript", "PC-1"],
            &["matrix"],
        ] {
            let ran = workspace.run(command);
            assert_eq!(ran.status, 0, "{name} {ran}");
            let said = format!("note: this is not read: {name}\n");
            assert_eq!(ran.stderr.matches(&said).count(), 1, "{name} {ran}");
        }
        let ran = workspace.run(&["validate"]);
        assert!(ran.stdout.contains("workspace::not_read"), "{name} {ran}");
        assert_eq!(ran.status, 0, "{name} {ran}");
    }
}

/// A workspace that is named by its files says nothing of others.
#[test]
fn files_that_nobody_takes_for_rules_are_not_told() {
    for name in [
        "policies/README.md",
        "policies/.DS_Store",
        "policies/.gitkeep",
        "README.md",
        "notes.txt",
        "docs/example.cedar",
        "tests/specs/ours.cedar",
        "entities/.hidden",
    ] {
        let workspace = Tarbac::with_tenant(&[(name, "// Ours.\n")]);
        let ran = workspace.run(&["check", "ana@t.example", "runScript", "PC-1"]);
        assert_eq!(ran.stderr, "", "{name} {ran}");
    }
}

#[test]
fn a_file_that_is_not_read_in_either_state_is_told_once() {
    let forbid = "forbid (principal, action, resource);";
    let workspace = Tarbac::with_tenant(&[("policies/freeze.cedar.txt", forbid)]);
    git(&workspace, &["init", "-q"]);
    git(&workspace, &["add", "."]);
    git(&workspace, &["commit", "-qm", "state"]);
    let ran = workspace.run(&["diff", "HEAD"]);
    assert!(
        ran.stderr
            .contains("not read: HEAD:policies/freeze.cedar.txt\n"),
        "{ran}"
    );
    let ran = workspace.run(&["diff", "."]);
    assert_eq!(ran.stderr.matches("not read").count(), 1, "{ran}");
}
