//! Import, export, import gives the same workspace.

use serde_json::{Value, json};

use super::{copied, files, run_import};

#[test]
fn what_roles_are_exported_as_is_imported_as_the_same() {
    let tarbac = copied("tests/exports/contoso");
    // Roles with everything that a policy does not say: permissions that nothing is decided about, no
    // permission that something is, no description, a name that is taken, and one that needs quoting.
    let definitions = "exports/graph/roleDefinitions.json";
    let mut page: Value = serde_json::from_str(&tarbac.read(definitions)).unwrap();
    let rows = page["value"].as_array_mut().unwrap();
    let odd = [
        (
            "f2",
            "Script Runner",
            "Another one.",
            vec!["CloudAttach_Scripts", "ManagedDevices_Read"],
        ),
        (
            "f3",
            "Reports only",
            "",
            vec!["Audit_Read", "Organization_Read"],
        ),
        (
            "f4",
            "Quotes \"and\" \\ \u{2028}lines\n}; permit",
            "Two\nlines, \"quoted\"",
            vec!["CloudAttach_Timeline"],
        ),
        ("f5", "Büro", "", vec!["CloudAttach_Timeline"]),
        ("f6", "东京", "", vec!["CloudAttach_Timeline"]),
    ];
    for (id, name, description, permissions) in odd {
        let actions: Vec<String> = permissions
            .iter()
            .map(|id| format!("Microsoft.Intune_{id}"))
            .collect();
        rows.push(json!({
            "id": format!("00000000-0000-4000-8000-0000000000{id}"),
            "displayName": name,
            "description": description,
            "isBuiltIn": false,
            "rolePermissions": [{"resourceActions": [{"allowedResourceActions": actions, "notAllowedResourceActions": []}]}],
        }));
    }
    tarbac.write(definitions, page.to_string());
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 0, "{ran}");
    let before = files(&tarbac.path("workspace"));
    assert_eq!(
        before
            .keys()
            .filter(|path| path.starts_with("policies/custom/"))
            .count(),
        6
    );
    let same = tarbac.run(&["-C", "workspace", "role", "diff", "exports"]);
    assert_eq!(same.status, 0, "{same}");

    let mut exported = 0;
    for row in page["value"].as_array_mut().unwrap() {
        if row["isBuiltIn"] == json!(false) {
            let id = row["id"].as_str().unwrap().to_owned();
            let ran = tarbac.run(&["-C", "workspace", "role", "export", &id]);
            assert_eq!(ran.status, 0, "{ran}");
            let mut body: Value = serde_json::from_str(&ran.stdout).unwrap();
            body["id"] = json!(id);
            body["isBuiltIn"] = json!(false);
            *row = body;
            exported += 1;
        }
    }
    assert_eq!(exported, 6);
    tarbac.write(definitions, page.to_string());
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 0, "{ran}");
    let after = files(&tarbac.path("workspace"));
    for (path, bytes) in &before {
        let (before, after) = (
            String::from_utf8_lossy(bytes),
            String::from_utf8_lossy(&after[path]),
        );
        assert_eq!(before, after, "{path}");
    }
    assert_eq!(before.len(), after.len());
}

#[test]
fn a_role_that_was_imported_is_compared_by_all_its_permissions() {
    let tarbac = copied("tests/exports/contoso");
    let definitions = "exports/graph/roleDefinitions.json";
    let mut page: Value = serde_json::from_str(&tarbac.read(definitions)).unwrap();
    let give = |page: &mut Value, permission: &str| {
        let rows = page["value"].as_array_mut().unwrap();
        let row = rows
            .iter_mut()
            .find(|row| row["isBuiltIn"] == json!(false))
            .unwrap();
        let allowed =
            &mut row["rolePermissions"][0]["resourceActions"][0]["allowedResourceActions"];
        allowed.as_array_mut().unwrap().push(json!(permission));
        page.to_string()
    };
    tarbac.write(definitions, give(&mut page, "Microsoft.Intune_Audit_Read"));
    assert_eq!(run_import(&tarbac, &[]).status, 0);
    let ran = tarbac.run(&["-C", "workspace", "role", "diff", "exports"]);
    assert_eq!(ran.status, 0, "{ran}");
    tarbac.write(
        definitions,
        give(&mut page, "Microsoft.Intune_MobileApps_Read"),
    );
    let ran = tarbac.run(&["-C", "workspace", "role", "diff", "exports"]);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(
        ran.stdout.contains("+ Microsoft.Intune_MobileApps_Read"),
        "{ran}"
    );
}
