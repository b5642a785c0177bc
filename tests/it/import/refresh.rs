//! An import into a workspace that is there: what it changes, and what it leaves as it is.

mod conflicts;
mod lost;
mod partial;
mod record;
mod returning;
mod stopped;

use serde_json::{Value, json};

use super::{copied, files, give, run_import};
use crate::tarbac::{Ran, Tarbac};

const ROLE: &str = "policies/custom/script-runner.cedar";

const READING: &str = "policies/readings/any-intune-role.cedar";

const FREEZE: &str = r#"@id("custom.freeze")
@doc("Nobody runs scripts.")
@message("Scripts are frozen.")
@advice("Wait for the thaw.")
forbid (
  principal,
  action == Intune::Action::"runScript",
  resource
);
"#;

/// The sample tenant, imported.
fn imported() -> Tarbac {
    let tarbac = copied("tests/exports/contoso");
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 0, "{ran}");
    tarbac
}

/// Changes what an export has.
fn export(tarbac: &Tarbac, file: &str, change: impl FnOnce(&mut Value)) {
    let path = format!("exports/{file}");
    let mut export: Value = serde_json::from_str(&tarbac.read(&path)).unwrap();
    change(&mut export);
    tarbac.write(&path, export.to_string());
}

/// Gives the custom role of the tenant a permission.
fn give_role(tarbac: &Tarbac, permission: &str) {
    export(tarbac, "graph/roleDefinitions.json", |page| {
        let rows = page["value"].as_array_mut().unwrap();
        let role = rows.iter_mut().find(|row| row["isBuiltIn"] == json!(false));
        give(role.unwrap(), permission);
    });
}

/// Gives the tenant another custom role, called Newcomer.
fn add_role(tarbac: &Tarbac) {
    export(tarbac, "graph/roleDefinitions.json", |page| {
        let rows = page["value"].as_array_mut().unwrap();
        let mut role = rows[0].clone();
        role["id"] = json!("00000000-0000-4000-8000-0000000000aa");
        role["displayName"] = json!("Newcomer");
        role["isBuiltIn"] = json!(false);
        role["isBuiltInRoleDefinition"] = json!(false);
        rows.push(role);
    });
}

fn remove_role(tarbac: &Tarbac) {
    export(tarbac, "graph/roleDefinitions.json", |page| {
        let rows = page["value"].as_array_mut().unwrap();
        rows.retain(|row| row["isBuiltIn"] == json!(true));
    });
}

/// Lets a hierarchy have another version.
fn update_site(tarbac: &Tarbac) {
    export(tarbac, "tenant.json", |tenant| {
        tenant["hierarchies"][0]["version"] = json!(2309);
    });
}

fn replace(tarbac: &Tarbac, path: &str, from: &str, to: &str) {
    let path = format!("workspace/{path}");
    let text = tarbac.read(&path);
    assert!(text.contains(from), "{text}");
    tarbac.write(&path, text.replace(from, to));
}

fn remove(tarbac: &Tarbac, path: &str) {
    std::fs::remove_file(tarbac.path(&format!("workspace/{path}"))).unwrap();
}

/// The files of a report for programs.
fn refreshed(tarbac: &Tarbac, more: &[&str]) -> Value {
    let ran = run_import(tarbac, &[&["--format", "json"], more].concat());
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"));
    report["files"].clone()
}

fn check(tarbac: &Tarbac) -> Ran {
    tarbac.run(&[
        "-C",
        "workspace",
        "check",
        "ada@contoso.example",
        "runScript",
        "WS-TST-001",
    ])
}

#[test]
fn rules_of_ones_own_stay_in_force() {
    for force in [&[][..], &["--force"]] {
        let tarbac = imported();
        let mine = [
            ("policies/custom/freeze.cedar", FREEZE),
            ("policies/custom/deep/er/note.txt", "mine"),
            ("schema/custom/mine.cedarschema", "// mine\n"),
            ("entities/mine.json", "[]"),
            ("tests/mine.yaml", "suite: mine"),
            ("notes.md", "mine"),
            (".git/HEAD", "ref: refs/heads/main"),
        ];
        for (path, text) in mine {
            tarbac.write(&format!("workspace/{path}"), text);
        }
        replace(&tarbac, READING, "@default(\"on\")", "@default(\"off\")");
        let before = files(&tarbac.path("workspace"));
        assert_eq!(check(&tarbac).status, 1);
        update_site(&tarbac);
        let ran = run_import(&tarbac, force);
        assert_eq!(ran.status, 0, "{ran}");
        assert!(check(&tarbac).stdout.contains("custom.freeze"));
        let after = files(&tarbac.path("workspace"));
        let changed = before
            .iter()
            .filter(|(path, bytes)| after[*path] != **bytes);
        assert_eq!(
            changed.map(|(path, _)| path.as_str()).collect::<Vec<_>>(),
            ["entities/hierarchies.json", "tarbac-files.json"]
        );
        assert_eq!(before.len(), after.len());
        let said: Vec<&str> = ran
            .stdout
            .lines()
            .skip_while(|line| !line.starts_with("Changed"))
            .take_while(|line| !line.starts_with("Assumed"))
            .collect();
        insta::allow_duplicates! {
            insta::assert_snapshot!(said.join("\n").trim_end(), @r"
            Changed: 1 file
              entities/hierarchies.json

            Kept: 5 files
              entities/mine.json: no import wrote it
              policies/custom/deep/er/note.txt: no import wrote it
              policies/custom/freeze.cedar: no import wrote it
              policies/readings/any-intune-role.cedar: changed by hand
              schema/custom/mine.cedarschema: no import wrote it
            ");
        }
    }
}

#[test]
fn what_is_added_changed_and_removed_is_reported_and_tried_first() {
    let tarbac = imported();
    remove_role(&tarbac);
    add_role(&tarbac);
    let before = files(&tarbac.path("workspace"));
    let tried = refreshed(&tarbac, &["--dry-run"]);
    assert!(files(&tarbac.path("workspace")) == before);
    let written = refreshed(&tarbac, &[]);
    let mut expected = json!({
        "written": true,
        "added": ["policies/custom/newcomer.cedar"],
        "changed": ["entities/assignments.json", "entities/people.json", "entities/roles.json"],
        "removed": [ROLE],
        "unchanged": written["unchanged"],
        "kept": [],
        "conflicts": [],
        "lost": [],
    });
    assert_eq!(written, expected);
    expected["written"] = json!(false);
    assert_eq!(tried, expected);
    let after = files(&tarbac.path("workspace"));
    assert!(!after.contains_key(ROLE));
    // As if it had never been otherwise.
    let fresh = tarbac.run(&["import", "exports", "--out", "fresh"]);
    assert_eq!(fresh.status, 0, "{fresh}");
    assert!(files(&tarbac.path("fresh")) == after);
    let again = refreshed(&tarbac, &[]);
    assert_eq!(again["changed"], json!([]));
    assert!(files(&tarbac.path("workspace")) == after);
}

#[test]
fn a_dry_run_makes_no_folder() {
    let tarbac = copied("tests/exports/contoso");
    let ran = run_import(&tarbac, &["--dry-run"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(ran.stdout.starts_with("nothing was written"), "{ran}");
    assert!(!tarbac.path("workspace").exists());
}

#[test]
fn a_first_suite_waits_to_be_accepted() {
    let tarbac = imported();
    let ran = tarbac.run(&["-C", "workspace", "test"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.contains("there is no snapshot yet"), "{ran}");
    assert_eq!(
        tarbac.run(&["-C", "workspace", "test", "--accept"]).status,
        0
    );
    assert_eq!(tarbac.run(&["-C", "workspace", "test"]).status, 0);
    // Another import does not bring back what somebody removed.
    remove(&tarbac, "tests/everybody.yaml");
    remove(&tarbac, ".github/workflows/tarbac.yml");
    remove(&tarbac, ".gitignore");
    update_site(&tarbac);
    assert_eq!(run_import(&tarbac, &[]).status, 0);
    let files = files(&tarbac.path("workspace"));
    assert!(!files.contains_key("tests/everybody.yaml"));
    assert!(!files.contains_key(".github/workflows/tarbac.yml"));
    assert!(!files.contains_key(".gitignore"));
}
