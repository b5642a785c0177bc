//! Roles that somebody changed or removed, and that the tenant lacks for a while or from now on.

use serde_json::{Value, json};

use super::super::run_import;
use super::{ROLE, add_role, export, give_role, imported, refreshed, remove, remove_role, replace};
use crate::tarbac::Tarbac;

const DEFINITIONS: &str = "exports/graph/roleDefinitions.json";
const RECORD: &str = "workspace/tarbac-files.json";

/// Changes the record of the workspace.
fn record(tarbac: &Tarbac, change: impl FnOnce(&mut Value)) {
    let mut record: Value = serde_json::from_str(&tarbac.read(RECORD)).unwrap();
    change(&mut record);
    tarbac.write(RECORD, record.to_string());
}

/// Lists a path as removed on purpose.
fn list_as_removed(tarbac: &Tarbac, path: &str) {
    record(tarbac, |record| record["removed"] = json!([path]));
}

/// Takes running scripts from the role in one way or another.
fn cut_down(tarbac: &Tarbac, way: &str) {
    match way {
        "changed" => replace(tarbac, ROLE, "runScript", "viewTimeline"),
        "removed" => remove(tarbac, ROLE),
        _ => {
            remove(tarbac, ROLE);
            list_as_removed(tarbac, ROLE);
        }
    }
}

fn assert_karin_is_refused(tarbac: &Tarbac) {
    let karin = "karin@contoso.example";
    let ran = tarbac.run(&["-C", "workspace", "check", karin, "runScript", "WS-TST-001"]);
    assert_eq!(ran.status, 1, "{ran}");
}

fn rename_role(tarbac: &Tarbac) {
    export(tarbac, "graph/roleDefinitions.json", |page| {
        let rows = page["value"].as_array_mut().unwrap();
        let role = rows.iter_mut().find(|row| row["isBuiltIn"] == json!(false));
        role.unwrap()["displayName"] = json!("Runner of Scripts");
    });
}

/// The kept files of a refresh that adds none.
fn kept(tarbac: &Tarbac) -> Value {
    let report = refreshed(tarbac, &[]);
    assert_eq!(report["written"], json!(true), "{report}");
    assert_eq!(report["added"], json!([]));
    report["kept"].clone()
}

#[test]
fn a_role_that_the_tenant_has_again_is_as_somebody_left_it() {
    for (way, kept_meanwhile, kept_later) in [
        (
            "changed",
            "changed by hand; the exports have it no more",
            "changed by hand",
        ),
        ("removed", "removed by hand", "removed by hand"),
        ("listed", "removed by hand", "removed by hand"),
    ] {
        let tarbac = imported();
        cut_down(&tarbac, way);
        assert_karin_is_refused(&tarbac);
        let definitions = tarbac.read(DEFINITIONS);
        remove_role(&tarbac);
        for _ in 0..2 {
            let expected = json!([{"file": ROLE, "why": kept_meanwhile}]);
            assert_eq!(kept(&tarbac), expected);
        }
        tarbac.write(DEFINITIONS, definitions);
        let expected = json!([{"file": ROLE, "why": kept_later}]);
        assert_eq!(kept(&tarbac), expected);
        assert_karin_is_refused(&tarbac);
    }
}

#[test]
fn a_role_that_the_tenant_has_again_does_not_come_back_under_another_name() {
    for way in ["changed", "removed", "listed"] {
        let tarbac = imported();
        cut_down(&tarbac, way);
        let definitions = tarbac.read(DEFINITIONS);
        remove_role(&tarbac);
        assert_eq!(run_import(&tarbac, &[]).status, 0);
        tarbac.write(DEFINITIONS, definitions);
        rename_role(&tarbac);
        let ran = run_import(&tarbac, &[]);
        assert_eq!(ran.status, 2, "{way} {ran}");
        let told = format!("{ROLE}: changed or removed by hand");
        assert!(ran.stderr.contains(&told), "{ran}");
        assert_karin_is_refused(&tarbac);
        let report = refreshed(&tarbac, &["--take", ROLE]);
        let added = json!(["policies/custom/runner-of-scripts.cedar"]);
        assert_eq!(report["added"], added);
    }
}

#[test]
fn a_role_that_is_gone_for_good_is_forgotten_when_it_is_taken() {
    for way in ["changed", "removed"] {
        let tarbac = imported();
        cut_down(&tarbac, way);
        remove_role(&tarbac);
        assert_eq!(kept(&tarbac)[0]["file"], ROLE);
        add_role(&tarbac);
        assert_eq!(run_import(&tarbac, &[]).status, 2, "{way}");
        let report = refreshed(&tarbac, &["--take", ROLE]);
        assert_eq!(report["added"], json!(["policies/custom/newcomer.cedar"]));
        assert_eq!(kept(&tarbac), json!([]));
        assert!(!tarbac.path(&format!("workspace/{ROLE}")).exists());
    }
}

#[test]
fn a_file_that_is_listed_as_removed_is_not_written_until_it_is_taken() {
    let removed = json!([{"file": ROLE, "why": "removed by hand"}]);
    for listed in [ROLE, "policies/custom/"] {
        let tarbac = imported();
        remove(&tarbac, ROLE);
        list_as_removed(&tarbac, listed);
        // As an import left it that forgot the role.
        record(&tarbac, |record| {
            record["tenant"].as_object_mut().unwrap().remove(ROLE);
        });
        assert_eq!(kept(&tarbac), removed);
        give_role(&tarbac, "Microsoft.Intune_CloudAttach_Timeline");
        assert_eq!(kept(&tarbac), removed);
        assert_karin_is_refused(&tarbac);
        let report = refreshed(&tarbac, &["--take", ROLE]);
        assert_eq!(report["added"], json!([ROLE]));
        assert_eq!(kept(&tarbac), json!([]));
        let is_listed = tarbac.read(RECORD).contains("\"removed\"");
        assert_eq!(is_listed, listed != ROLE);
    }
}
