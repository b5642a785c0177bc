//! Accounts that are disabled: refused whatever they hold, and named where it is reviewed.

use serde_json::Value;

use crate::tarbac::{Tarbac, sample};

/// The sample tenant with these accounts disabled.
fn disabled(names: &[&str]) -> Tarbac {
    let workspace = sample();
    let text = workspace.read("entities/people.json");
    let mut people: Value = serde_json::from_str(&text).unwrap();
    for person in people.as_array_mut().unwrap() {
        if names.contains(&person["attrs"]["userPrincipalName"].as_str().unwrap()) {
            person["attrs"]["accountEnabled"] = Value::Bool(false);
        }
    }
    workspace.write("entities/people.json", people.to_string());
    workspace
}

const BEN: &str = "ben@contoso.example";
const OLIVIA: &str = "olivia@contoso.example";
const JONAS: &str = "jonas@contoso.example";

#[test]
fn a_disabled_account_may_nothing() {
    let workspace = disabled(&[BEN, OLIVIA, JONAS]);
    for (who, what, on) in [
        (BEN, "runScript", "WS-TST-001"),
        (BEN, "runScript", "WS-BER-014"),
        (OLIVIA, "viewCollections", "WS-TST-001"),
        (OLIVIA, "Roles/Update", "contoso"),
        (JONAS, "Roles/Update", "contoso"),
    ] {
        for readings in [&[][..], &["--no-reading", "any-intune-role"]] {
            let ran = workspace.run(&[&["check", who, what, on][..], readings].concat());
            assert!(
                ran.stdout.starts_with("DENY  guardrails.account.disabled"),
                "{ran}"
            );
            assert_eq!(ran.status, 1, "{ran}");
        }
        let mut who_may = workspace.run(&["who", what, on]).stdout;
        who_may.truncate(who_may.find("may not").unwrap());
        assert!(!who_may.contains(who), "{who_may}");
    }
    let ran = workspace.run(&["matrix", "--principal", BEN, "--all", "--format", "csv"]);
    assert!(!ran.stdout.contains("allow"), "{ran}");
}

/// A permission of one's own is refused as well, in whatever group it is or none.
#[test]
fn nor_may_it_what_a_workspace_adds() {
    let workspace = disabled(&[JONAS]);
    workspace.write(
        "schema/custom/audit.cedarschema",
        r#"namespace Intune {
  @doc("Reads the audit log.")
  @name("Audit/Read")
  @unguarded("Who reads the log changes nothing.")
  action "readAudit" appliesTo { principal: Entra::User, resource: Tenant };
}
"#,
    );
    workspace.write(
        "policies/custom/audit.cedar",
        r#"@id("custom.audit")
@doc("An Intune Role Administrator reads the audit log.")
permit (principal in Intune::Role::"Intune Role Administrator", action == Intune::Action::"readAudit", resource);
"#,
    );
    let ran = workspace.run(&["check", JONAS, "readAudit", "contoso"]);
    assert!(
        ran.stdout.starts_with("DENY  guardrails.account.disabled"),
        "{ran}"
    );
}

#[test]
fn one_that_still_holds_a_role_is_named() {
    let workspace = disabled(&[BEN, OLIVIA, "mia@contoso.example"]);
    let ran = workspace.run(&["access"]);
    // Mia holds none.
    let said = "Disabled accounts that still hold a role: 3\n  ben@contoso.example, olivia@contoso.example, vera@fabrikam.example\n";
    assert!(ran.stdout.contains(said), "{ran}");
    let ran = workspace.run(&["access", "--format", "markdown"]);
    let said = "Disabled accounts that still hold a role: ben@contoso.example, olivia@contoso.example, vera@fabrikam.example";
    assert!(ran.stdout.contains(said), "{ran}");
    let ran = workspace.run(&["access", "--format", "json"]);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let named = document["obstacles"].as_array().unwrap().iter();
    let named: Vec<&Value> = named.filter(|of| of["accounts"].is_object()).collect();
    assert_eq!(named.len(), 1, "{named:?}");
    assert_eq!(named[0]["accounts"]["people"].as_array().unwrap().len(), 3);
    // In the sample as it is, only Vera.
    let ran = sample().run(&["access"]);
    let said = "Disabled accounts that still hold a role: 1\n  vera@fabrikam.example\n";
    assert!(ran.stdout.contains(said), "{ran}");
}

#[test]
fn enabling_it_is_the_remedy() {
    let ran = disabled(&[BEN]).run(&["explain", BEN, "runScript", "WS-TST-001"]);
    let said = "1. enable the account ben@contoso.example in Microsoft Entra ID\n\n";
    assert!(ran.stdout.contains(said), "{ran}");
}
