//! Exports that lack what the workspace has.

use serde_json::{Value, json};

use super::super::{copied, files, run_import};
use super::{export, imported};

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
            // Nothing is told to be missing that is there, though nothing was read of it.
            for export in ["SMS_Role", "SMS_AvailableOperation", "SMS_SecuredCategory"] {
                let is_there = tarbac.path(&format!("exports/configmgr/P01/{export}.json"));
                let is_told = ran
                    .to_string()
                    .contains(&format!("configmgr/P01/{export}.json"));
                assert!(!is_told || !is_there.exists(), "{missing:?} {ran}");
            }
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
fn the_exports_of_another_tenant_are_no_refresh() {
    let tarbac = imported();
    let before = files(&tarbac.path("workspace"));
    let mut tenant: Value = serde_json::from_str(&tarbac.read("exports/tenant.json")).unwrap();
    let name = tenant["name"].as_str().unwrap().to_owned();
    tenant["name"] = json!("another");
    tarbac.write("exports/tenant.json", tenant.to_string());
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr.contains(&format!("tenant.json of {name}")),
        "{ran}"
    );
    assert!(files(&tarbac.path("workspace")) == before, "{ran}");
    let ran = run_import(&tarbac, &["--drop-missing"]);
    assert_eq!(ran.status, 0, "{ran}");
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
            .contains("entities/people.json: the exports have no data for it"),
        "{ran}"
    );
    std::fs::remove_file(tarbac.path("workspace/tarbac-files.json")).unwrap();
    let ran = run_import(&tarbac, &["--force"]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr
            .contains("entities/people.json: the exports have no data for it"),
        "{ran}"
    );
}

/// What is declared no longer is as much a loss as an export that is missing, be the exports of it there or not.
#[test]
fn a_hierarchy_that_is_declared_no_more_is_refused() {
    for (exports, record) in [(true, true), (false, true), (true, false), (false, false)] {
        let tarbac = imported();
        if !record {
            // As an import wrote it that did not note what was declared.
            let text = tarbac.read("workspace/tarbac-files.json");
            let mut record: Value = serde_json::from_str(&text).unwrap();
            let noted = record["exports"].as_array_mut().unwrap();
            noted.retain(|of| !of.as_str().unwrap().starts_with("tenant.json: "));
            tarbac.write("workspace/tarbac-files.json", record.to_string());
        }
        let before = files(&tarbac.path("workspace"));
        export(&tarbac, "tenant.json", |tenant| {
            let hierarchies = tenant["hierarchies"].as_array_mut().unwrap();
            hierarchies.retain(|of| of["siteCode"] != json!("OLD"));
        });
        if !exports {
            std::fs::remove_dir_all(tarbac.path("exports/configmgr/OLD")).unwrap();
        }
        for more in [&[][..], &["--force"], &["--dry-run"]] {
            let ran = run_import(&tarbac, more);
            assert_eq!(ran.status, 2, "{ran}");
            let lost = match record {
                true => "tenant.json: hierarchy OLD",
                false => "configmgr/OLD/",
            };
            assert!(ran.to_string().contains(lost), "{ran}");
            assert!(files(&tarbac.path("workspace")) == before, "{ran}");
        }
        let ran = run_import(&tarbac, &["--drop-missing"]);
        assert_eq!(ran.status, 0, "{ran}");
        assert_eq!(run_import(&tarbac, &[]).status, 0);
    }
}

/// It makes others needed, and these are not what is missing.
#[test]
fn an_empty_list_of_administrative_users_is_named_itself() {
    let tarbac = imported();
    export(&tarbac, "configmgr/P01/SMS_Admin.json", |page| {
        page["value"] = json!([]);
    });
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("configmgr/P01/SMS_Admin.json"), "{ran}");
    assert!(!ran.stderr.contains("IsDeleted"), "{ran}");
    for other in ["SMS_Role", "SMS_AvailableOperation", "SMS_SecuredCategory"] {
        assert!(!ran.stderr.contains(other), "{ran}");
    }
    assert_eq!(run_import(&tarbac, &["--drop-missing"]).status, 0);
    assert_eq!(run_import(&tarbac, &[]).status, 0);
}

#[test]
fn scoped_permissions_that_are_declared_no_more_are_refused() {
    for left in [None, Some(json!(false))] {
        let tarbac = copied("tests/exports/contoso");
        let declare = |declared: Option<Value>| {
            export(&tarbac, "tenant.json", |tenant| {
                let tenant = tenant.as_object_mut().unwrap();
                match declared {
                    Some(declared) => tenant.insert("scopedPermissions".to_owned(), declared),
                    None => tenant.remove("scopedPermissions"),
                };
            });
        };
        declare(Some(json!(true)));
        assert_eq!(run_import(&tarbac, &[]).status, 0);
        declare(left);
        let ran = run_import(&tarbac, &[]);
        assert_eq!(ran.status, 2, "{ran}");
        let said = ran.stderr.contains("tenant.json: scopedPermissions");
        assert!(said, "{ran}");
        assert_eq!(run_import(&tarbac, &["--drop-missing"]).status, 0);
    }
}

/// Without them, somebody who was disabled or removed would be back, and a device that is not uploaded one.
#[test]
fn properties_that_are_exported_no_more_are_refused() {
    for (file, property, value) in [
        ("graph/users.json", "accountEnabled", json!(true)),
        ("graph/groups.json", "visibility", json!("Private")),
        ("configmgr/P01/SMS_R_System.json", "Obsolete", json!(0)),
        (
            "configmgr/P01/SMS_R_System.json",
            "Decommissioned",
            json!(0),
        ),
        ("configmgr/P01/SMS_Admin.json", "IsDeleted", json!(false)),
    ] {
        let tarbac = copied("tests/exports/contoso");
        let select = |value: Option<&Value>| {
            export(&tarbac, file, |page| {
                for row in page["value"].as_array_mut().unwrap() {
                    let row = row.as_object_mut().unwrap();
                    match value {
                        Some(value) => row.insert(property.to_owned(), value.clone()),
                        None => row.remove(property),
                    };
                }
            });
        };
        select(Some(&value));
        assert_eq!(run_import(&tarbac, &[]).status, 0, "{property}");
        let before = files(&tarbac.path("workspace"));
        select(None);
        let ran = run_import(&tarbac, &[]);
        assert_eq!(ran.status, 2, "{property} {ran}");
        assert!(ran.stderr.contains(&format!("{file}: {property}")), "{ran}");
        assert!(files(&tarbac.path("workspace")) == before, "{ran}");
        assert_eq!(run_import(&tarbac, &["--drop-missing"]).status, 0);
        assert_eq!(run_import(&tarbac, &[]).status, 0);
    }
}

#[test]
fn a_collection_that_alone_is_uploaded_is_not_forgotten() {
    let tarbac = copied("tests/exports/contoso");
    let declare = |collection: Option<&str>| {
        export(&tarbac, "tenant.json", |tenant| {
            let hierarchies = tenant["hierarchies"].as_array_mut().unwrap();
            let mut hierarchies = hierarchies.iter_mut();
            let of = hierarchies.find(|of| of["siteCode"] == json!("TST"));
            let of = of.unwrap().as_object_mut().unwrap();
            match collection {
                Some(collection) => of.insert("uploadCollection".to_owned(), json!(collection)),
                None => of.remove("uploadCollection"),
            };
        });
    };
    declare(Some("TST00001"));
    assert_eq!(run_import(&tarbac, &[]).status, 0);
    declare(None);
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 2, "{ran}");
    assert!(
        ran.stderr.contains("tenant.json: uploadCollection of TST"),
        "{ran}"
    );
    assert_eq!(run_import(&tarbac, &["--drop-missing"]).status, 0);
}

#[test]
fn pages_and_endings_of_a_refresh_may_be_others() {
    let tarbac = imported();
    // The letter case of a site code does not matter.
    export(&tarbac, "tenant.json", |tenant| {
        tenant["hierarchies"][0]["siteCode"] = json!("tst");
    });
    for (from, to) in [
        ("devices.csv", "DevicesWithInventory_1.CSV"),
        ("graph/users.json", "graph/users.JSON"),
    ] {
        let path = |path: &str| tarbac.path(&format!("exports/{path}"));
        std::fs::rename(path(from), path(to)).unwrap();
    }
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 0, "{ran}");
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
