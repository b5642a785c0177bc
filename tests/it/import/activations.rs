//! Eligible memberships that take several activations, one after the other.

use serde_json::{Value, json};

use super::{copied, notes};

const BEN: &str = "00000000-0000-4000-8000-0000000000a2";
const INTUNE_ADMINISTRATOR: &str = "3a2c62db-5318-420d-8d74-23affee5d9a5";

/// The id of a group of nobody.
fn group(number: u32) -> String {
    format!("00000000-0000-4000-8000-0000000000c{number}")
}

/// Who is eligible, where groups may be activated by whom until when, and the group 5 may activate a role.
fn eligible(groups: &[(&str, u32, Value)]) -> Vec<String> {
    let tarbac = copied("tests/exports/base/intune");
    let write = |file: &str, rows: Vec<Value>| {
        tarbac.write(
            &format!("exports/graph/{file}.json"),
            json!(rows).to_string(),
        );
    };
    let named = |number| json!({"id": group(number), "displayName": format!("G{number}")});
    write("groups", [1, 5, 6].map(named).to_vec());
    for number in [5, 6] {
        write(&format!("groups/{}/members", group(number)), Vec::new());
    }
    let rows = groups.iter().map(|(principal, number, until)| {
        json!({
            "principalId": principal, "groupId": group(*number), "accessId": "member",
            "status": "Provisioned", "endDateTime": until,
        })
    });
    write("groupEligibilitySchedules", rows.collect());
    let role = json!({
        "principalId": group(5), "roleDefinitionId": INTUNE_ADMINISTRATOR, "status": "Provisioned",
        "endDateTime": "2098-01-01T00:00:00Z",
    });
    write("roleEligibilitySchedules", vec![role]);
    notes(&tarbac).remove("eligible").unwrap_or_default()
}

#[test]
fn whoever_may_activate_a_group_may_then_activate_the_roles_and_groups_that_it_may() {
    let of_group = |number: u32| format!("ben@contoso.example: G{number} ({})", group(number));
    let role = "ben@contoso.example: Intune Administrator, until 2098-01-01T00:00:00Z";
    assert_eq!(
        eligible(&[(BEN, 5, Value::Null)]),
        [of_group(5), role.to_owned()]
    );
    // The end is the earliest of all.
    let until = ", until 2097-01-01T00:00:00Z";
    let role = "ben@contoso.example: Intune Administrator";
    assert_eq!(
        eligible(&[
            (&group(6), 5, Value::Null),
            (BEN, 6, json!("2097-01-01T00:00:00Z"))
        ]),
        [5, 6]
            .map(of_group)
            .into_iter()
            .chain([role.to_owned()])
            .map(|name| name + until)
            .collect::<Vec<_>>()
    );
    // Groups that may activate each other come to an end.
    assert!(eligible(&[(&group(6), 5, Value::Null), (&group(5), 6, Value::Null)]).is_empty());
}
