//! Imports that are stopped half-way, and imports at once.

use serde_json::{Value, json};

use super::super::{files, run_import};
use super::{ROLE, check, give_role, imported, update_site};
use crate::tarbac::{Tarbac, command};

/// A test of `cedar run-tests` that needs no rule.
const CEDAR_TEST: &str = r#"[{"name": "a", "request": {"principal": "Entra::User::\"a\"", "action": "Intune::Action::\"runScript\"", "resource": "ConfigMgr::Device::\"d\"", "context": {}}, "entities": "empty.json", "decision": "deny", "reason": [], "num_errors": 0}]"#;

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
    std::fs::create_dir_all(tarbac.path("link")).unwrap();
    std::fs::create_dir_all(tarbac.path("deep/entities")).unwrap();
    let link = |to: &str, at: &str| std::os::unix::fs::symlink(to, tarbac.path(at)).unwrap();
    link("../workspace/entities", "link/entities");
    link(
        "../../workspace/entities/people.json",
        "deep/entities/people.json",
    );
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
        // Nor through a link to one.
        for link in ["link", "deep"] {
            let ran = tarbac.run(&[&["-C", link], arguments].concat());
            assert_eq!(ran.status, 2, "{ran}");
            assert!(ran.stderr.contains("was interrupted"), "{link}: {ran}");
        }
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
