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

/// What is to be mended first is said first, by whatever says why, and `@first` of a policy is what says so.
#[test]
fn that_an_account_is_disabled_is_said_first() {
    let workspace = disabled(&[JONAS]);
    let asked = [JONAS, "viewSoftwareUpdates", "WS-FAB-001"];
    let check = |workspace: &Tarbac| workspace.run(&[&["check"], &asked[..]].concat());
    let ran = check(&workspace);
    assert!(
        ran.stdout
            .starts_with("DENY  guardrails.account.disabled — AADSTS50057"),
        "{ran}"
    );
    let ran = workspace.run(&[&["explain"], &asked[..]].concat());
    assert!(
        ran.stdout.contains("  1. guardrails.account.disabled  "),
        "{ran}"
    );
    assert!(
        ran.stdout.contains("  2. guardrails.tenant.device  "),
        "{ran}"
    );
    assert!(ran.stdout.contains("  1: \"AADSTS50057: "), "{ran}");
    let ran = workspace.run(&["who", "viewCollections", "WS-FAB-001", "--may-not"]);
    let said = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let both = "1: guardrails.account.disabled, guardrails.tenant.device, configmgr.";
    assert!(said.contains(both), "{ran}");
    let request = format!(
        r#"{{"principal":"{JONAS}","action":"viewSoftwareUpdates","resource":"WS-FAB-001"}}"#
    );
    let ran = workspace.run_with(&["check", "--requests", "-"], request.as_bytes());
    let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        answer["messages"][0],
        "AADSTS50057: The user account is disabled."
    );
    // The ids stay in their order.
    assert!(
        answer["policies"]
            .as_array()
            .unwrap()
            .is_sorted_by_key(|id| id.to_string())
    );
}

/// A forbid of one's own is said first where it says so.
#[test]
fn what_is_first_is_said_by_the_policy() {
    let workspace = sample();
    let asked = [
        "check",
        "ada@contoso.example",
        "viewClientDetails",
        "WS-BER-014",
    ];
    let forbid = |first: &str| {
        format!(
            r#"@id("custom.freeze")
@doc("Nobody does anything during the freeze.")
@message("There is a freeze.")
@advice("Wait.")
{first}
forbid (principal, action, resource);"#
        )
    };
    workspace.write("policies/custom/freeze.cedar", forbid(""));
    let ran = workspace.run(&asked);
    assert!(ran.stdout.starts_with("DENY  configmgr.identity"), "{ran}");
    let first = forbid(r#"@first("Nothing else helps while there is a freeze.")"#);
    workspace.write("policies/custom/freeze.cedar", first);
    let ran = workspace.run(&asked);
    assert!(
        ran.stdout
            .starts_with("DENY  custom.freeze — There is a freeze. (and 3 more;"),
        "{ran}"
    );
}

/// What a disabled account holds is there again when it is enabled, so nobody says that it can go.
#[test]
fn what_a_disabled_account_holds_cannot_go() {
    // Everybody who has a role through the group, and one to whom an assignment is given by itself.
    let sections = |workspace: &Tarbac| {
        let ran = workspace.run(&["access", "--all"]);
        let sections = ran.stdout.split("\n\n");
        let sections = sections.filter(|part| part.starts_with("Assignments that "));
        sections.map(str::to_owned).collect::<Vec<String>>()
    };
    let before = sections(&disabled(&[]));
    let enabled: Vec<&String> = before.iter().filter(|of| of.contains("can go")).collect();
    let workspace = disabled(&[BEN, OLIVIA, JONAS]);
    let after = sections(&workspace);
    let gone: Vec<&String> = after.iter().filter(|of| of.contains("can go")).collect();
    // Nothing more can go than before.
    assert!(gone.len() <= enabled.len(), "{gone:?}");
    let suspended = after
        .iter()
        .find(|of| of.starts_with("Assignments that give nothing more now"))
        .unwrap_or_else(|| panic!("{after:#?}"));
    assert!(
        suspended.contains("once accounts are enabled"),
        "{suspended}"
    );
    assert!(suspended.contains("Role Stewards"), "{suspended}");
    for can_go in gone {
        assert!(!can_go.contains("Role Stewards"), "{can_go}");
    }
    let ran = workspace.run(&["access", "--format", "json"]);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let assignments = document["assignments"].as_array().unwrap();
    let stewards = assignments
        .iter()
        .find(|of| of["to"]["name"] == "Role Stewards")
        .unwrap();
    assert_eq!(stewards["gives"], "suspended");
}
