//! An import into a workspace that is there: what it changes, and what it leaves as it is.

use serde_json::{Value, json};

use super::{copied, files, run_import};
use crate::tarbac::{Ran, Tarbac, command};

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

/// A test of `cedar run-tests` that needs no rule.
const CEDAR_TEST: &str = r#"[{"name": "a", "request": {"principal": "Entra::User::\"a\"", "action": "Intune::Action::\"runScript\"", "resource": "ConfigMgr::Device::\"d\"", "context": {}}, "entities": "empty.json", "decision": "deny", "reason": [], "num_errors": 0}]"#;

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
        let actions = &mut role.unwrap()["rolePermissions"][0]["resourceActions"][0];
        let allowed = actions["allowedResourceActions"].as_array_mut().unwrap();
        allowed.push(json!(permission));
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
fn what_both_have_changed_is_refused_by_name_until_it_is_taken() {
    let tarbac = imported();
    // A rule of one's own in a file that an import wrote.
    let role = tarbac.read(&format!("workspace/{ROLE}"));
    tarbac.write(&format!("workspace/{ROLE}"), format!("{role}\n{FREEZE}"));
    let kept = refreshed(&tarbac, &[]);
    assert_eq!(
        kept["kept"],
        json!([{"file": ROLE, "why": "changed by hand"}])
    );
    give_role(&tarbac, "Microsoft.Intune_CloudAttach_Timeline");
    update_site(&tarbac);
    let before = files(&tarbac.path("workspace"));
    for force in [&[][..], &["--force"]] {
        let ran = run_import(&tarbac, force);
        assert_eq!(ran.status, 2, "{ran}");
        assert!(ran.stdout.is_empty(), "{ran}");
        assert!(
            ran.stderr.contains(&format!("{ROLE}: changed by hand")),
            "{ran}"
        );
        assert!(ran.stderr.contains("--take"), "{ran}");
        assert!(files(&tarbac.path("workspace")) == before);
    }
    let ran = run_import(&tarbac, &["--dry-run"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stdout.contains("In the way: 1 file"), "{ran}");
    let ran = run_import(&tarbac, &["--take", "policies/custom/other.cedar"]);
    assert_eq!(ran.status, 2, "{ran}");
    let taken = refreshed(&tarbac, &["--take", "./policies/custom/"]);
    assert_eq!(taken["changed"], json!(["entities/hierarchies.json", ROLE]));
    assert!(!tarbac.read(&format!("workspace/{ROLE}")).contains("freeze"));
}

#[test]
fn entities_that_somebody_changed_are_in_the_way_of_new_ones_only() {
    let tarbac = imported();
    replace(&tarbac, "entities/hierarchies.json", "2403", "2503");
    let kept = refreshed(&tarbac, &[]);
    assert_eq!(kept["kept"][0]["file"], "entities/hierarchies.json");
    update_site(&tarbac);
    let ran = run_import(&tarbac, &["--force"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr
            .contains("entities/hierarchies.json: changed by hand"),
        "{ran}"
    );
    // What is gone is not in the way.
    remove(&tarbac, "entities/hierarchies.json");
    let refreshed = refreshed(&tarbac, &[]);
    assert_eq!(refreshed["added"], json!(["entities/hierarchies.json"]));
}

#[test]
fn a_rule_that_somebody_removed_stays_away() {
    let tarbac = imported();
    remove(&tarbac, "policies/roles/school-administrator.cedar");
    remove(&tarbac, ROLE);
    update_site(&tarbac);
    let report = refreshed(&tarbac, &[]);
    let removed = |file: &str| json!({"file": file, "why": "removed by hand"});
    let kept = [
        removed(ROLE),
        removed("policies/roles/school-administrator.cedar"),
    ];
    assert_eq!(report["kept"], json!(kept));
    assert_eq!(report["added"], json!([]));
    give_role(&tarbac, "Microsoft.Intune_CloudAttach_Timeline");
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr.contains(&format!("{ROLE}: removed by hand")),
        "{ran}"
    );
    let report = refreshed(&tarbac, &["--take", ROLE]);
    assert_eq!(report["added"], json!([ROLE]));
}

/// What somebody took away from a role is not given back because the tenant calls it otherwise now.
#[test]
fn a_role_that_somebody_changed_does_not_come_back_under_another_name() {
    for is_removed in [false, true] {
        let tarbac = imported();
        match is_removed {
            true => remove(&tarbac, ROLE),
            false => replace(&tarbac, ROLE, "runScript", "viewTimeline"),
        }
        export(&tarbac, "graph/roleDefinitions.json", |page| {
            let rows = page["value"].as_array_mut().unwrap();
            let role = rows.iter_mut().find(|row| row["isBuiltIn"] == json!(false));
            role.unwrap()["displayName"] = json!("Script Walker");
        });
        let ran = run_import(&tarbac, &[]);
        assert_eq!(ran.status, 2, "{ran}");
        assert!(
            ran.stderr
                .contains(&format!("{ROLE}: changed or removed by hand")),
            "{ran}"
        );
        let report = refreshed(&tarbac, &["--take", ROLE]);
        assert_eq!(
            report["added"],
            json!(["policies/custom/script-walker.cedar"])
        );
    }
}

#[test]
fn a_file_that_no_import_wrote_is_not_overwritten_by_one() {
    let tarbac = imported();
    tarbac.write("workspace/policies/custom/newcomer.cedar", FREEZE);
    add_role(&tarbac);
    let ran = run_import(&tarbac, &["--force"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr
            .contains("policies/custom/newcomer.cedar: no import wrote it"),
        "{ran}"
    );
    assert_eq!(
        tarbac.read("workspace/policies/custom/newcomer.cedar"),
        FREEZE
    );
}

/// A workspace as it was made before there were records, by a tarbac with other rules.
fn without_record() -> Tarbac {
    let tarbac = imported();
    for path in [
        "tarbac-files.json",
        ".gitignore",
        "tests/everybody.yaml",
        "tests/suite.schema.json",
    ] {
        remove(&tarbac, path);
    }
    std::fs::remove_dir(tarbac.path("workspace/tests")).unwrap();
    tarbac
}

#[test]
fn a_workspace_without_a_record_loses_nothing() {
    let tarbac = without_record();
    tarbac.write("workspace/policies/custom/freeze.cedar", FREEZE);
    replace(&tarbac, READING, "@default(\"on\")", "@default(\"off\")");
    update_site(&tarbac);
    let before = files(&tarbac.path("workspace"));
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr
            .contains("entities/hierarchies.json: no import wrote it"),
        "{ran}"
    );
    assert!(ran.stderr.contains("--force"), "{ran}");
    assert!(files(&tarbac.path("workspace")) == before);
    let report = refreshed(&tarbac, &["--force"]);
    assert_eq!(report["changed"], json!(["entities/hierarchies.json"]));
    assert_eq!(report["kept"][1]["file"], READING);
    assert!(check(&tarbac).stdout.contains("custom.freeze"));
    assert!(
        tarbac
            .read(&format!("workspace/{READING}"))
            .contains("\"off\"")
    );
    // From here on there is one.
    export(&tarbac, "tenant.json", |tenant| {
        tenant["hierarchies"][0]["version"] = json!(2403);
    });
    let report = refreshed(&tarbac, &[]);
    assert_eq!(report["changed"], json!(["entities/hierarchies.json"]));
}

#[test]
fn copies_of_earlier_rules_are_updated_and_changed_ones_are_not() {
    let tarbac = imported();
    // As if an earlier tarbac had shipped and written other texts.
    let old = "// As it was.\n";
    let (copy, changed) = ("policies/README.md", "policies/guardrails/tenant.cedar");
    let now = tarbac.read(&format!("workspace/{changed}"));
    let mut record: Value =
        serde_json::from_str(&tarbac.read("workspace/tarbac-files.json")).unwrap();
    for path in [copy, changed] {
        record["shipped"][path] = json!(tarbac::record::digest(old).to_string());
    }
    tarbac.write("workspace/tarbac-files.json", record.to_string());
    tarbac.write(&format!("workspace/{copy}"), old);
    let mine = format!("// Mine.\n{now}");
    tarbac.write(&format!("workspace/{changed}"), &mine);
    for _ in 0..2 {
        let report = refreshed(&tarbac, &[]);
        assert_eq!(
            report["kept"],
            json!([{"file": changed, "why": "changed by hand; what ships is another text by now"}])
        );
        assert_eq!(tarbac.read(&format!("workspace/{changed}")), mine);
        assert_ne!(tarbac.read(&format!("workspace/{copy}")), old);
    }
    let report = refreshed(&tarbac, &["--take", changed]);
    assert_eq!(report["changed"], json!([changed]));
    assert_eq!(tarbac.read(&format!("workspace/{changed}")), now);
}

#[test]
fn other_line_ends_are_no_change() {
    let tarbac = imported();
    for (path, bytes) in files(&tarbac.path("workspace")) {
        let text = String::from_utf8(bytes).unwrap();
        tarbac.write(&format!("workspace/{path}"), text.replace('\n', "\r\n"));
    }
    update_site(&tarbac);
    let report = refreshed(&tarbac, &[]);
    assert_eq!(report["changed"], json!(["entities/hierarchies.json"]));
    assert_eq!(report["kept"], json!([]));
}

#[test]
fn rules_of_ones_own_that_no_longer_fit_are_named_where_they_are() {
    let tarbac = imported();
    tarbac.write(
        "workspace/policies/custom/wrong.cedar",
        "@id(\"custom.script-runner\")\n@doc(\"Twice.\")\npermit (principal, action, resource);\n",
    );
    update_site(&tarbac);
    let before = files(&tarbac.path("workspace"));
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr
            .contains("workspace/policies/custom/wrong.cedar:1"),
        "{ran}"
    );
    assert!(!ran.stderr.contains(".tarbac"), "{ran}");
    assert!(files(&tarbac.path("workspace")) == before);
}

#[test]
fn the_folder_is_never_moved() {
    let tarbac = imported();
    let inode = |path: &str| {
        let metadata = std::fs::metadata(tarbac.path(path)).unwrap();
        std::os::unix::fs::MetadataExt::ino(&metadata)
    };
    let folders = [
        "workspace",
        "workspace/entities",
        "workspace/policies/custom",
    ];
    let before = folders.map(inode);
    update_site(&tarbac);
    // From inside, as a shell in the folder would.
    let ran = command(&tarbac.path("workspace"))
        .args(["import", "../exports", "--out", "."])
        .output()
        .unwrap();
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(folders.map(inode), before);
    assert!(
        tarbac
            .read("workspace/entities/hierarchies.json")
            .contains("2309")
    );
    // A link to the workspace stays one.
    std::os::unix::fs::symlink("workspace", tarbac.path("link")).unwrap();
    let ran = tarbac.run(&["import", "exports", "--out", "link"]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(tarbac.path("link").is_symlink());
}

#[test]
fn what_a_link_leads_to_is_not_written() {
    let tarbac = imported();
    let elsewhere = tarbac.path("elsewhere");
    std::fs::rename(tarbac.path("workspace/policies/custom"), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, tarbac.path("workspace/policies/custom")).unwrap();
    give_role(&tarbac, "Microsoft.Intune_CloudAttach_Timeline");
    let before = files(&elsewhere);
    let ran = run_import(&tarbac, &["--take", ROLE]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("behind a link"), "{ran}");
    assert!(files(&elsewhere) == before);
}

#[test]
fn the_modes_of_files_stay() {
    use std::os::unix::fs::PermissionsExt;
    let tarbac = imported();
    let path = tarbac.path("workspace/entities/hierarchies.json");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    update_site(&tarbac);
    assert_eq!(run_import(&tarbac, &[]).status, 0);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// A record that names steps, as a program leaves it that is stopped in between; what they write is gone.
fn stopped(tarbac: &Tarbac) {
    stopped_before(tarbac, "[]");
}

/// The same before this was written to a file.
fn stopped_before(tarbac: &Tarbac, text: &str) {
    let path = "workspace/tarbac-files.json";
    let mut record: Value = serde_json::from_str(&tarbac.read(path)).unwrap();
    record["pending"] = json!({
        "is_first": false,
        "steps": [{
            "path": "entities/people.json",
            "before": record["tenant"]["entities/people.json"],
            "after": tarbac::record::digest(text).to_string(),
        }],
        "shipped": record["shipped"],
        "tenant": record["tenant"],
    });
    tarbac.write(path, record.to_string());
}

#[test]
fn no_command_decides_from_half_a_change() {
    let tarbac = imported();
    stopped(&tarbac);
    for arguments in [
        &["check", "ada@contoso.example", "runScript", "WS-TST-001"][..],
        &["validate"],
        &["matrix"],
        &["test"],
        &["fmt", "--check"],
        &["who", "runScript", "WS-TST-001"],
    ] {
        let ran = tarbac.run(&[&["-C", "workspace"], arguments].concat());
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{ran}");
        assert!(ran.stderr.contains("was interrupted"), "{ran}");
        // Nor from a part of it that is named.
        let entities = [
            "--entities",
            "workspace/entities",
            "--policies",
            "workspace/policies",
        ];
        let ran = tarbac.run(&[&entities[..], arguments].concat());
        assert_eq!(ran.status, 2, "{ran}");
    }
    let ran = tarbac.run(&["-C", "workspace", "diff", "../workspace"]);
    assert_eq!(ran.status, 2, "{ran}");
    // The next import puts it right.
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 0, "{ran}");
    assert_eq!(check(&tarbac).status, 0);
    assert!(!tarbac.path("workspace/.tarbac-import").exists());
}

/// What came with a repository looks like an import that was stopped; whoever finishes it says so.
#[test]
fn what_is_finished_is_told() {
    for command in [
        &["check", "ada@contoso.example", "runScript", "WS-TST-001"][..],
        &["validate"],
        &["matrix"],
        &["fmt"],
        &["fmt", "--check"],
        &["test", "--cedar", "cedar.json"],
        &["test", "--cedar", "cedar.json", "--no-schema"],
        &["prove", "--compare", "../workspace"],
        &["import", "../exports", "--out", "."],
        &["import", "../exports", "--out", ".", "--dry-run"],
    ] {
        let tarbac = imported();
        tarbac.write("workspace/empty.json", "[]");
        tarbac.write("workspace/cedar.json", CEDAR_TEST);
        let mut people: Value =
            serde_json::from_str(&tarbac.read("workspace/entities/people.json")).unwrap();
        people.as_array_mut().unwrap().rotate_left(1);
        let text = people.to_string();
        stopped_before(&tarbac, &text);
        tarbac.write("workspace/.tarbac-import/new/entities/people.json", &text);
        let output = crate::tarbac::command(&tarbac.path("workspace"))
            .args(command)
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        let told = "a change that was stopped was finished: `entities/people.json` changed";
        // A name may stand alone or with where it is.
        let said = said
            .replace("./entities", "entities")
            .replace("../workspace/", "");
        assert_eq!(said.matches(told).count(), 1, "{command:?} {said}");
        let ran = check(&tarbac);
        assert_eq!(ran.stderr, "", "{ran}");
    }
}

#[test]
fn a_record_that_is_none_is_no_missing_one() {
    let tarbac = imported();
    let record = tarbac.read("workspace/tarbac-files.json");
    tarbac.write(
        "workspace/tarbac-files.json",
        format!("<<<<<<< HEAD\n{record}"),
    );
    let ran = check(&tarbac);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("tarbac-files.json"), "{ran}");
    assert_eq!(run_import(&tarbac, &["--force"]).status, 2);
    // One that would have files written elsewhere is none either.
    let wrong = record.replace("\"policies/README.md\"", "\"../README.md\"");
    tarbac.write("workspace/tarbac-files.json", wrong);
    assert_eq!(check(&tarbac).status, 2);
}

#[test]
fn what_was_left_before_anything_was_decided_is_tidied_up_by_the_next_command() {
    let tarbac = imported();
    let before = files(&tarbac.path("workspace"));
    tarbac.write("workspace/.tarbac-import/new/entities/people.json", "[]");
    tarbac.write("workspace/.tarbac-import/lock", "");
    assert_eq!(check(&tarbac).status, 0);
    assert!(files(&tarbac.path("workspace")) == before);
    assert!(!tarbac.path("workspace/.tarbac-import").exists());
}

#[test]
fn imports_at_once_leave_one_of_them() {
    let tarbac = imported();
    for (path, bytes) in files(&tarbac.path("exports")) {
        tarbac.write(&format!("others/{path}"), bytes);
    }
    update_site(&tarbac);
    let start = |exports: &str| {
        let mut import = command(&tarbac.path("."));
        import.args(["import", exports, "--out", "workspace"]);
        import.stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let running: Vec<_> = ["exports", "others", "exports", "others"].map(start).into();
    for mut import in running {
        assert!(import.wait().unwrap().success());
    }
    let left = files(&tarbac.path("workspace"));
    let is_one_of_them = ["exports", "others"].iter().any(|exports| {
        let ran = tarbac.run(&["import", exports, "--out", exports_out(exports)]);
        assert_eq!(ran.status, 0, "{ran}");
        files(&tarbac.path(exports_out(exports))) == left
    });
    assert!(is_one_of_them);
}

fn exports_out(exports: &str) -> &str {
    match exports {
        "exports" => "fresh-1",
        _ => "fresh-2",
    }
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

/// What somebody forgets to export is not lost.
#[test]
fn a_refresh_without_whole_exports_is_refused() {
    for (missing, told) in [
        (&["graph", "configmgr", "devices.csv"][..], "graph/"),
        (&["graph"], "graph/"),
        (&["configmgr"], "configmgr/P01/"),
        (&["configmgr/OLD"], "configmgr/OLD/"),
        (
            &["configmgr/P01/SMS_Admin.json"],
            "configmgr/P01/SMS_Admin.json",
        ),
        (&["graph/users.json"], "graph/users.json"),
        (&["graph/groups"], "graph/groups/<id>/members.json"),
        (&["devices.csv"], "devices.csv"),
        (
            &["graph/roleEligibilityScheduleInstances.json"],
            "graph/roleEligibilityScheduleInstances.json",
        ),
    ] {
        let tarbac = imported();
        let before = files(&tarbac.path("workspace"));
        for path in missing {
            let path = tarbac.path(&format!("exports/{path}"));
            match path.is_dir() {
                true => std::fs::remove_dir_all(path).unwrap(),
                false => std::fs::remove_file(path).unwrap(),
            }
        }
        for more in [
            &[][..],
            &["--force"],
            &["--dry-run", "--all"],
            &["--dry-run", "--format", "json"],
        ] {
            let ran = run_import(&tarbac, more);
            assert_eq!(ran.status, 2, "{missing:?} {ran}");
            assert!(ran.to_string().contains(told), "{missing:?} {ran}");
            assert!(files(&tarbac.path("workspace")) == before, "{missing:?}");
        }
        let ran = run_import(&tarbac, &["--drop-missing"]);
        assert_eq!(ran.status, 0, "{missing:?} {ran}");
        // From here on nobody misses it.
        let ran = run_import(&tarbac, &[]);
        assert_eq!(ran.status, 0, "{missing:?} {ran}");
    }
}

#[test]
fn a_refresh_that_would_leave_nothing_of_a_kind_is_refused() {
    for file in [
        "graph/users.json",
        "graph/groups.json",
        "graph/roleAssignments.json",
    ] {
        let tarbac = imported();
        export(&tarbac, file, |page| page["value"] = json!([]));
        let ran = run_import(&tarbac, &[]);
        assert_eq!(ran.status, 2, "{file} {ran}");
        assert!(
            ran.stderr.contains("it has data that the exports lack"),
            "{file} {ran}"
        );
        assert_eq!(run_import(&tarbac, &["--drop-missing"]).status, 0, "{file}");
    }
    // As with the sample tenant, or with a workspace from before it was noted what was exported.
    let tarbac = imported();
    let mut record: Value =
        serde_json::from_str(&tarbac.read("workspace/tarbac-files.json")).unwrap();
    assert!(record.as_object_mut().unwrap().remove("exports").is_some());
    tarbac.write("workspace/tarbac-files.json", record.to_string());
    for part in ["graph", "configmgr"] {
        std::fs::remove_dir_all(tarbac.path(&format!("exports/{part}"))).unwrap();
    }
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr
            .contains("entities/people.json: the exports have nothing of it"),
        "{ran}"
    );
    std::fs::remove_file(tarbac.path("workspace/tarbac-files.json")).unwrap();
    let ran = run_import(&tarbac, &["--force"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr
            .contains("entities/people.json: the exports have nothing of it"),
        "{ran}"
    );
}

/// A hierarchy that is declared no more is missed by nobody, and pages and endings may be others.
#[test]
fn what_is_expected_of_a_refresh_is_what_the_tenant_has() {
    let tarbac = imported();
    export(&tarbac, "tenant.json", |tenant| {
        let hierarchies = tenant["hierarchies"].as_array_mut().unwrap();
        hierarchies.retain(|of| of["siteCode"] != json!("OLD"));
    });
    std::fs::remove_dir_all(tarbac.path("exports/configmgr/OLD")).unwrap();
    std::fs::rename(
        tarbac.path("exports/devices.csv"),
        tarbac.path("exports/DevicesWithInventory_1.CSV"),
    )
    .unwrap();
    std::fs::rename(
        tarbac.path("exports/graph/users.json"),
        tarbac.path("exports/graph/users.JSON"),
    )
    .unwrap();
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 0, "{ran}");
}

#[test]
fn a_record_of_a_newer_tarbac_is_told_as_one() {
    for record in [
        "{\"version\":2}",
        "{\"version\": 2, \"files\": [], \"about\": 1}",
    ] {
        let tarbac = imported();
        tarbac.write("workspace/tarbac-files.json", record);
        for ran in [check(&tarbac), run_import(&tarbac, &[])] {
            assert_eq!(ran.status, 2, "{ran}");
            assert!(
                ran.stderr.contains("a newer tarbac has written it"),
                "{ran}"
            );
            assert!(
                ran.stderr.contains("use a tarbac that is at least as new"),
                "{ran}"
            );
        }
    }
}

#[test]
fn endings_of_exports_may_be_in_any_case() {
    let tarbac = imported();
    let before = files(&tarbac.path("workspace/entities"));
    for (from, to) in [
        ("tenant.json", "tenant.JSON"),
        ("devices.csv", "DevicesWithInventory_1.CSV"),
        ("graph/users.json", "graph/users.Json"),
        ("graph/groups.json", "graph/groups.NDJSON"),
        (
            "configmgr/P01/SMS_R_System.json",
            "configmgr/P01/SMS_R_System.JSON",
        ),
        (
            "configmgr/P01/SMS_Admin.json",
            "configmgr/P01/SMS_Admin.JSON",
        ),
    ] {
        let path = |path: &str| tarbac.path(&format!("exports/{path}"));
        std::fs::rename(path(from), path(to)).unwrap();
    }
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 0, "{ran}");
    assert!(!ran.stdout.contains("import::not_read"), "{ran}");
    assert!(files(&tarbac.path("workspace/entities")) == before);
    // Nobody knows which of two is meant.
    tarbac.write("exports/tenant.json", "{}");
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("is there as well"), "{ran}");
}
