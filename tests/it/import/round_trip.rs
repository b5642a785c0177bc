//! Import, export, import gives the same workspace.

use serde_json::{Value, json};

use super::{copied, files, give, run_import};
use crate::tarbac::Tarbac;

const DEFINITIONS: &str = "exports/graph/roleDefinitions.json";

/// Roles with everything that a policy does not say: permissions that nothing is decided about, no
/// permission that something is, no description, a name that is taken, and one that needs quoting.
fn odd_roles() -> impl Iterator<Item = Value> {
    let odd = [
        (
            "f2",
            "Script Runner",
            "Another one.",
            &["CloudAttach_Scripts", "ManagedDevices_Read"][..],
        ),
        (
            "f3",
            "Reports only",
            "",
            &["Audit_Read", "Organization_Read"],
        ),
        (
            "f4",
            "Quotes \"and\" \\ \u{2028}lines\n}; permit",
            "Two\nlines, \"quoted\"",
            &["CloudAttach_Timeline"],
        ),
        ("f5", "Büro", "", &["CloudAttach_Timeline"]),
        ("f6", "东京", "", &["CloudAttach_Timeline"]),
    ];
    odd.into_iter().map(|(id, name, description, permissions)| {
        let actions = permissions.iter().map(|id| format!("Microsoft.Intune_{id}"));
        let actions: Vec<String> = actions.collect();
        json!({
            "id": format!("00000000-0000-4000-8000-0000000000{id}"),
            "displayName": name,
            "description": description,
            "isBuiltIn": false,
            "rolePermissions": [{"resourceActions": [{"allowedResourceActions": actions, "notAllowedResourceActions": []}]}],
        })
    })
}

/// The rows of a page with each role of one's own as the workspace exports it.
fn exported(tarbac: &Tarbac, page: &Value) -> Value {
    let mut page = page.clone();
    let mut exported = 0;
    for row in page["value"].as_array_mut().unwrap() {
        if row["isBuiltIn"] == json!(false) {
            let id = row["id"].as_str().unwrap().to_owned();
            let ran = tarbac.run(&["-C", "workspace", "role", "export", &id]);
            assert_eq!(ran.status, 0, "{ran}");
            *row = serde_json::from_str(&ran.stdout).unwrap();
            row["id"] = json!(id);
            row["isBuiltIn"] = json!(false);
            exported += 1;
        }
    }
    assert_eq!(exported, 6);
    page
}

#[test]
fn what_roles_are_exported_as_is_imported_as_the_same() {
    let tarbac = copied("tests/exports/contoso");
    let mut page: Value = serde_json::from_str(&tarbac.read(DEFINITIONS)).unwrap();
    page["value"].as_array_mut().unwrap().extend(odd_roles());
    tarbac.write(DEFINITIONS, page.to_string());
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 0, "{ran}");
    let before = files(&tarbac.path("workspace"));
    let custom = before
        .keys()
        .filter(|path| path.starts_with("policies/custom/"));
    assert_eq!(custom.count(), 6);
    let same = tarbac.run(&["-C", "workspace", "role", "diff", "exports"]);
    assert_eq!(same.status, 0, "{same}");

    tarbac.write(DEFINITIONS, exported(&tarbac, &page).to_string());
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 0, "{ran}");
    let after = files(&tarbac.path("workspace"));
    for (path, bytes) in &before {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!(text(bytes), text(&after[path]), "{path}");
    }
    assert_eq!(before.len(), after.len());
}

#[test]
fn a_role_that_was_imported_is_compared_by_all_its_permissions() {
    let tarbac = copied("tests/exports/contoso");
    let mut page: Value = serde_json::from_str(&tarbac.read(DEFINITIONS)).unwrap();
    let mut given = |permission: &str| {
        let mut rows = page["value"].as_array_mut().unwrap().iter_mut();
        let row = rows.find(|row| row["isBuiltIn"] == json!(false));
        give(row.unwrap(), permission);
        page.to_string()
    };
    tarbac.write(DEFINITIONS, given("Microsoft.Intune_Audit_Read"));
    assert_eq!(run_import(&tarbac, &[]).status, 0);
    let ran = tarbac.run(&["-C", "workspace", "role", "diff", "exports"]);
    assert_eq!(ran.status, 0, "{ran}");
    tarbac.write(DEFINITIONS, given("Microsoft.Intune_MobileApps_Read"));
    let ran = tarbac.run(&["-C", "workspace", "role", "diff", "exports"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(
        ran.stdout.contains("+ Microsoft.Intune_MobileApps_Read"),
        "{ran}"
    );
}
