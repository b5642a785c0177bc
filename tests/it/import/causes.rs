//! One cause told once: a property that no record of a file has, in place of everybody who lacks it.

use std::collections::BTreeMap;

use serde_json::json;

use super::{copied, notes};
use crate::tarbac::Tarbac;

const DISCOVERED: &str = "configmgr/P01/SMS_R_User.json";

type Notes = BTreeMap<String, Vec<String>>;

/// The notes on the exports of a plain tenant whose file lacks a property in so many records.
fn without(base: &str, file: &str, property: &str, records: usize) -> (Tarbac, Notes) {
    let tarbac = copied(&format!("tests/exports/base/{base}"));
    let path = format!("exports/{file}");
    let text = tarbac.read(&path);
    let text = text.replacen(&format!("\"{property}\""), "\"x\"", records);
    tarbac.write(&path, text);
    let notes = notes(&tarbac);
    (tarbac, notes)
}

/// The properties of a file that were not asked for, each with what is not known for want of it.
fn not_selected(notes: &Notes, of: &str) -> Vec<String> {
    let names = notes.get("not_selected").into_iter().flatten();
    names.filter(|name| name.contains(of)).cloned().collect()
}

#[test]
fn a_property_of_discovered_users_that_nobody_asked_for_is_told_once() {
    for (property, discovery) in [
        ("AADUserID", "Microsoft Entra"),
        ("SID", "Active Directory"),
        ("AgentName", "Active Directory"),
    ] {
        let (tarbac, notes) = without("configmgr", DISCOVERED, property, usize::MAX);
        let told = format!(
            "{property} of {DISCOVERED}: whom {discovery} user discovery has found is not known, so it counts as having found nobody"
        );
        assert_eq!(not_selected(&notes, DISCOVERED), [told]);
        assert!(!notes.contains_key("discovery_unknown"), "{notes:?}");
        // What a person may in Configuration Manager stays unknown to rules of one's own.
        let people = tarbac.read("workspace/entities/people.json");
        assert!(people.contains(r#""assumed":["configMgr""#), "{people}");

        let (_, notes) = without("configmgr", DISCOVERED, property, 1);
        assert_eq!(notes["discovery_unknown"], ["CONTOSO\\ada of P01"]);
        assert!(not_selected(&notes, DISCOVERED).is_empty(), "{notes:?}");
    }
}

/// An administrative user that may be a group is unmatched because nobody asked for the identifiers of groups; one that
/// is a person is not.
#[test]
fn identifiers_of_groups_that_nobody_asked_for_are_told_once() {
    for (account_type, is_told) in [(json!(1), false), (json!(null), false), (json!(0), true)] {
        let tarbac = copied("tests/exports/base/configmgr");
        let group = json!([{"id": "00000000-0000-4000-8000-0000000000c1", "displayName": "Desk"}]);
        tarbac.write("exports/graph/groups.json", group.to_string());
        let administrator = json!([{
            "AdminID": 1, "AdminSid": "S-1-5-21-1-2-3-2001", "LogonName": "CONTOSO\\Desk",
            "AccountType": account_type, "IsDeleted": false,
            "Permissions": [{"CategoryID": "SMS00001", "CategoryTypeID": 1, "RoleID": "SMS0001R"}],
        }]);
        let path = "exports/configmgr/P01/SMS_Admin.json";
        tarbac.write(path, administrator.to_string());
        let notes = notes(&tarbac);
        assert_eq!(not_selected(&notes, "graph/groups.json").len(), 1);
        let code = "unmatched_administrator";
        assert_eq!(notes.contains_key(code), is_told, "{notes:?}");
    }
}

#[test]
fn a_status_of_plans_that_nobody_asked_for_is_told_once() {
    let users = "graph/users.json";
    let (_, notes) = without("intune", users, "capabilityStatus", usize::MAX);
    let told = not_selected(
        &notes,
        "capabilityStatus of assignedPlans of graph/users.json",
    );
    assert_eq!(told.len(), 1, "{notes:?}");
    assert!(!notes.contains_key("license_unknown"), "{notes:?}");
    let (_, notes) = without("intune", users, "capabilityStatus", 1);
    assert!(not_selected(&notes, "capabilityStatus").is_empty());
    assert_eq!(notes["license_unknown"], ["ada@contoso.example"]);
}
