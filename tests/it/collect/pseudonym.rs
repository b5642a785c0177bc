//! Exports with made-up names: nobody is named, and every decision is the same.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use cedar_policy::{Context, EntityUid};
use serde_json::Value;
use tarbac::Request;
use tarbac::collect::pseudonymize;

use super::{declare, exports, imported, serve, settings};

/// A text of a file, whether it is compressed or not.
fn text(bytes: &[u8]) -> String {
    let mut text = String::new();
    match bytes.starts_with(&[0x1f, 0x8b]) {
        true => flate2::read::MultiGzDecoder::new(bytes).read_to_string(&mut text),
        false => std::io::Cursor::new(bytes).read_to_string(&mut text),
    }
    .unwrap();
    text
}

/// The records of a file.
pub(super) fn records(folder: &Path, file: &str) -> Vec<Value> {
    let plain = folder.join(file);
    let bytes = std::fs::read(&plain)
        .or_else(|_| std::fs::read(format!("{}.gz", plain.display())))
        .unwrap();
    let parsed: Value = serde_json::from_str(text(&bytes).trim_start_matches('\u{feff}')).unwrap();
    let rows = parsed.get("value").unwrap_or(&parsed);
    rows.as_array().unwrap().clone()
}

/// The texts of some properties.
fn texts(folder: &Path, file: &str, properties: &[&str]) -> BTreeSet<String> {
    let rows = records(folder, file);
    let values = rows
        .iter()
        .flat_map(|row| properties.iter().filter_map(|name| row[*name].as_str()));
    values
        .filter(|text| text.len() > 3)
        .map(str::to_owned)
        .collect()
}

#[test]
fn nobody_is_named_and_every_decision_is_the_same() {
    let original = exports("contoso");
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("shareable");
    pseudonymize(&original, &out).unwrap();
    let mut personal = texts(
        &original,
        "graph/users.json",
        &["id", "userPrincipalName", "onPremisesSecurityIdentifier"],
    );
    let groups = ["id", "displayName", "onPremisesSecurityIdentifier"];
    personal.extend(texts(&original, "graph/groups.json", &groups));
    personal.extend(texts(
        &original,
        "graph/roleAssignments.json",
        &["id", "displayName"],
    ));
    for site in ["ANT", "OLD", "P01", "RNG", "TST"] {
        for (class, properties) in [
            ("SMS_R_System", &["Name", "NetbiosName"][..]),
            ("SMS_R_User", &["UniqueUserName", "SID", "AADUserID"]),
            ("SMS_Admin", &["LogonName", "AdminSid"]),
        ] {
            let file = format!("configmgr/{site}/{class}.json");
            personal.extend(texts(&original, &file, properties));
        }
    }
    assert!(personal.len() > 80, "{}", personal.len());
    for (path, bytes) in crate::import::files(&out) {
        let found = format!("{path} {}", text(&bytes)).to_lowercase();
        for name in &personal {
            let written = serde_json::to_string(name).unwrap();
            let name = written.trim_matches('"').to_lowercase();
            assert!(!found.contains(&name), "{name} in {path}");
        }
        assert!(!found.contains("contoso"), "{path}");
    }
    // The account of a collection says nothing about who asked.
    assert_eq!(decisions(&original), decisions(&out));
}

/// The decisions about every person, by their places in the list, and every device.
fn decisions(exports: &Path) -> BTreeMap<(usize, String, String), tarbac::Decision> {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in imported(exports) {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let engine = crate::import::load(folder.path());
    let mut decisions = BTreeMap::new();
    let directory = engine.directory();
    let devices = "ConfigMgr::Device".parse().unwrap();
    let devices: Vec<EntityUid> = directory
        .rows_of(&devices)
        .map(|row| directory.uid(row))
        .collect();
    for (place, user) in records(exports, "graph/users.json").iter().enumerate() {
        let id = user["id"].as_str().unwrap();
        let principal: EntityUid = format!("Entra::User::\"{id}\"").parse().unwrap();
        for action in engine.bundle().vocabulary().permissions() {
            for device in devices
                .iter()
                .filter(|_| action.short_name() != "updateRoles")
            {
                let request = Request {
                    principal: principal.clone(),
                    action: action.uid.clone(),
                    resource: device.clone(),
                    context: Context::empty(),
                };
                let decision = engine.answer(&request).outcome.decision;
                let key = (place, action.uid.to_string(), device.to_string());
                decisions.insert(key, decision);
            }
        }
    }
    assert!(decisions.len() > 3000, "{}", decisions.len());
    decisions
}

/// What was collected says who asked; its copy does not.
#[test]
fn a_collection_with_made_up_names_does_not_say_who_asked() {
    let (base, _) = serve("fabrikam").start();
    let folder = tempfile::tempdir().unwrap();
    let (real, out) = (folder.path().join("real"), folder.path().join("shareable"));
    declare(&exports("fabrikam"), &real);
    super::collected(&settings(&base, &["FAB"], &real)).unwrap();
    pseudonymize(&real, &out).unwrap();
    let account = std::fs::read_to_string(out.join("collected.json")).unwrap();
    let account: Value = serde_json::from_str(&account).unwrap();
    assert_eq!(account["isPseudonymized"], true);
    assert_eq!(account.get("account"), None);
    assert_eq!(decisions_count(&out), decisions_count(&real));
    // It is not written over what is there.
    pseudonymize(&real, &out).unwrap_err();
}

fn decisions_count(exports: &Path) -> usize {
    imported(exports).len()
}

/// Exports with properties that nothing reads.
const RECORDS: [(&str, &str); 9] = [
    (
        "tenant.json",
        r#"{"name": "contoso", "owner": {"mail": "payroll"}, "hierarchies": [{"siteCode": "P01", "uploadCollection": "PAYROLL1", "note": "payroll"}, {"siteCode": "P02", "uploadCollection": "P0200014"}, {"siteCode": "P03", "uploadCollection": "All Systems"}]}"#,
    ),
    (
        "configmgr/P02/SMS_Collection.json",
        r#"[{"CollectionID": "P0200014", "Name": "Payroll", "CollectionType": 2}, {"CollectionID": "SMS00001", "Name": "All Systems", "CollectionType": 2}]"#,
    ),
    (
        "configmgr/P01/SMS_Role.json",
        r#"[{"RoleID": "SMS0001R", "RoleName": "Full Administrator", "Operations": [{"ObjectTypeID": 1, "GrantedOperations": 2, "PSComputerName": "cm01"}]}]"#,
    ),
    (
        "configmgr/P01/SMS_AvailableOperation.json",
        r#"[{"ObjectTypeID": 1, "ObjectTypeName": "SMS_Collection", "OperationName": "Read", "BitFlag": 1, "PSComputerName": "cm01"}]"#,
    ),
    (
        "graph/roleEligibilityScheduleInstances.json",
        r#"[{"principalId": "p", "roleDefinitionId": "0A0A0A0A-0000-4000-8000-000000000001", "roleDefinition": {"id": "0a0a0a0a-0000-4000-8000-000000000001", "isBuiltIn": false, "displayName": "Payroll"}},
                {"principalId": "p", "roleDefinitionId": "3a2c62db-5318-420d-8d74-23affee5d9d5", "roleDefinition": {"id": "3a2c62db-5318-420d-8d74-23affee5d9d5", "isBuiltIn": true, "displayName": "Intune Administrator"}}]"#,
    ),
    (
        "graph/groups/0b0b0b0b-0000-4000-8000-000000000001/eligibilitySchedules.json",
        r#"[{"principalId": "p", "groupId": "g", "status": "Provisioned", "scheduleInfo": {"startDateTime": {"value": "2020-01-01T00:00:00Z", "DateTime": "payroll"}}}]"#,
    ),
    (
        "configmgr/P01/SMS_R_User.json",
        r#"[{"ResourceID": 1, "UniqueUserName": "payroll", "SID": "S-1-12-1-1111111111-2222222222-3333333333-444444444", "AgentName": {"value": ["SMS_AD_USER_DISCOVERY_AGENT"], "Count": 1}},
            {"ResourceID": 2, "UniqueUserName": "payroll", "SID": "payroll"}]"#,
    ),
    (
        "Devices_3f0c.csv",
        "Device name,Managed by\nCM01,ConfigMgr\n",
    ),
    ("graph/people.txt", "cm01"),
];

/// What PowerShell or a person adds to a record is not in the copy, and what is in it fits together.
#[test]
fn the_copy_has_what_is_read_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let (real, out) = (folder.path().join("real"), folder.path().join("shareable"));
    let custom = "0a0a0a0a-0000-4000-8000-000000000001";
    for (file, text) in RECORDS {
        let path = real.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    assert_eq!(pseudonymize(&real, &out).unwrap(), ["graph/people.txt"]);
    for (path, bytes) in crate::import::files(&out) {
        let found = text(&bytes).to_lowercase();
        for name in ["cm01", "payroll", "0b0b0b0b", "1111111111", custom] {
            assert!(!found.contains(name), "{name} in {path}");
        }
    }
    let declared: Value =
        serde_json::from_str(&std::fs::read_to_string(out.join("tenant.json")).unwrap()).unwrap();
    assert_eq!(declared["hierarchies"][1]["uploadCollection"], "P0200014");
    assert_eq!(
        declared["hierarchies"][2]["uploadCollection"],
        "All Systems"
    );
    let users = records(&out, "configmgr/P01/SMS_R_User.json");
    assert_eq!(users[0]["AgentName"][0], "SMS_AD_USER_DISCOVERY_AGENT");
    let roles = records(&out, "configmgr/P01/SMS_Role.json");
    assert_eq!(roles[0]["RoleName"], "Full Administrator");
    assert_eq!(roles[0]["Operations"][0]["GrantedOperations"], 2);
    let [of_custom, of_shipped] =
        <[Value; 2]>::try_from(records(&out, "graph/roleEligibilityScheduleInstances.json"))
            .unwrap();
    assert_eq!(
        of_custom["roleDefinitionId"],
        of_custom["roleDefinition"]["id"]
    );
    assert_eq!(
        of_shipped["roleDefinition"]["displayName"],
        "Intune Administrator"
    );
    assert_eq!(
        of_shipped["roleDefinitionId"],
        "3a2c62db-5318-420d-8d74-23affee5d9d5"
    );
    assert!(out.join("devices.csv").exists());
}

/// A copy that fails leaves nothing.
#[test]
fn there_is_no_half_of_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let (real, out) = (folder.path().join("real"), folder.path().join("shareable"));
    declare(&exports("fabrikam"), &real);
    std::fs::create_dir_all(real.join("graph")).unwrap();
    std::fs::write(real.join("graph/users.json"), "[{\"id\": ").unwrap();
    pseudonymize(&real, &out).unwrap_err();
    assert!(!out.exists());
    std::fs::create_dir(&out).unwrap();
    pseudonymize(&real, &out).unwrap_err();
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0);
}
