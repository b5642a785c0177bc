//! Files that somebody wrote or changed, in the way of a refresh.

use serde_json::{Value, json};

use super::super::{files, run_import};
use super::{
    FREEZE, ROLE, add_role, export, give_role, imported, refreshed, remove, replace, update_site,
};

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

/// Nor because it comes in the place of a role that the tenant has no more.
#[test]
fn a_role_that_somebody_changed_does_not_come_back_in_place_of_another() {
    const OTHER: &str = "policies/custom/other.cedar";
    let tarbac = imported();
    let roles = |change: &dyn Fn(&mut Vec<Value>)| {
        export(&tarbac, "graph/roleDefinitions.json", |page| {
            change(page["value"].as_array_mut().unwrap());
        });
    };
    let is_custom = |row: &Value| row["isBuiltIn"] == json!(false);
    roles(&|rows| {
        let mut other = rows.iter().find(|row| is_custom(row)).unwrap().clone();
        other["displayName"] = json!("Other");
        other["id"] = json!("00000000-0000-4000-8000-0000000000ff");
        rows.push(other);
    });
    assert_eq!(refreshed(&tarbac, &[])["added"], json!([OTHER]));
    replace(&tarbac, ROLE, "runScript", "viewTimeline");
    roles(&|rows| {
        rows.retain(|row| row["displayName"] != json!("Other"));
        let role = rows.iter_mut().find(|row| is_custom(row));
        role.unwrap()["displayName"] = json!("Other");
    });
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr
            .contains(&format!("{ROLE}: changed or removed by hand")),
        "{ran}"
    );
    assert_eq!(
        refreshed(&tarbac, &["--take", ROLE])["changed"],
        json!(["entities/roles.json", OTHER])
    );
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
