//! Properties that some records of an export have and others lack: whoever lacks one has no more by it.

use serde_json::{Value, json};

use super::super::{copied, run_import};
use super::{check, export};
use crate::tarbac::Tarbac;

const USERS: &str = "graph/users.json";
const ADA: &str = "ada@contoso.example";
const BEN: &str = "ben@contoso.example";

/// Gives each record of an export a property, or takes it away.
fn give(tarbac: &Tarbac, file: &str, property: &str, value: impl Fn(&Value) -> Option<Value>) {
    export(tarbac, file, |page| {
        for row in page["value"].as_array_mut().unwrap() {
            match value(row) {
                Some(value) => row[property] = value,
                None => drop(row.as_object_mut().unwrap().remove(property)),
            }
        }
    });
}

/// The sample tenant with the account of Ada disabled, imported.
fn with_ada_disabled() -> Tarbac {
    let tarbac = copied("tests/exports/contoso");
    let is_enabled = |row: &Value| Some(json!(row["userPrincipalName"] != json!(ADA)));
    give(&tarbac, USERS, "accountEnabled", is_enabled);
    assert_eq!(run_import(&tarbac, &[]).status, 0);
    assert_ada_is_refused(&tarbac);
    tarbac
}

fn assert_ada_is_refused(tarbac: &Tarbac) {
    let ran = check(tarbac);
    assert_eq!(ran.status, 1, "{ran}");
    assert!(ran.stdout.contains("guardrails.account.disabled"), "{ran}");
}

#[test]
fn an_account_without_a_state_among_others_is_taken_as_disabled() {
    for state in [None, Some(Value::Null)] {
        for has_state in [|name: &str| name != ADA, |name: &str| name == BEN] {
            let tarbac = with_ada_disabled();
            give(&tarbac, USERS, "accountEnabled", |row| {
                match has_state(row["userPrincipalName"].as_str().unwrap()) {
                    true => Some(json!(true)),
                    false => state.clone(),
                }
            });
            let ran = run_import(&tarbac, &["--all"]);
            assert_eq!(ran.status, 0, "{ran}");
            assert!(
                ran.stdout.contains("import::account_state_unknown"),
                "{ran}"
            );
            assert_ada_is_refused(&tarbac);
        }
    }
}

#[test]
fn a_page_of_accounts_without_states_takes_them_as_disabled() {
    let tarbac = with_ada_disabled();
    let mut of_second_page = Vec::new();
    export(&tarbac, USERS, |page| {
        let rows = page["value"].as_array_mut().unwrap();
        let is_ada = |row: &mut Value| row["userPrincipalName"] == json!(ADA);
        of_second_page.extend(rows.extract_if(.., is_ada));
    });
    let page = json!({"value": of_second_page});
    tarbac.write("exports/graph/users-2.json", page.to_string());
    give(&tarbac, "graph/users-2.json", "accountEnabled", |_| None);
    let ran = run_import(&tarbac, &[]);
    assert_eq!(ran.status, 0, "{ran}");
    assert_ada_is_refused(&tarbac);
}

#[test]
fn a_system_that_may_be_retired_is_no_device() {
    const SYSTEMS: &str = "configmgr/TST/SMS_R_System.json";
    for property in ["Obsolete", "Decommissioned"] {
        for value in [None, Some(Value::Null)] {
            let tarbac = copied("tests/exports/contoso");
            let is_it = |row: &Value| row["Name"] == json!("WS-TST-001");
            give(&tarbac, SYSTEMS, property, |row| {
                Some(json!(u8::from(is_it(row))))
            });
            assert_eq!(run_import(&tarbac, &[]).status, 0);
            assert!(check(&tarbac).stderr.contains("name::unknown"));
            give(&tarbac, SYSTEMS, property, |row| match is_it(row) {
                true => value.clone(),
                false => Some(json!(0)),
            });
            let ran = run_import(&tarbac, &["--all"]);
            assert_eq!(ran.status, 0, "{ran}");
            assert!(ran.stdout.contains("WS-TST-001 of TST"), "{ran}");
            assert!(check(&tarbac).stderr.contains("name::unknown"));
        }
    }
}
