//! Facts that a case gives: what they change, and those that cannot be.

use super::{ana, given, suite, test};

#[test]
fn facts_change_the_directory_for_one_case() {
    let no_policy = "";
    for (fact, expect, because) in [
        (
            r#"Entra::User::"u1" in Intune::RoleAssignment::"a1": false"#,
            "deny",
            no_policy,
        ),
        (
            r#"Entra::User::"ana@t.example" in Intune::Role::"School Administrator": true"#,
            "allow",
            "roles.help-desk-operator, roles.school-administrator",
        ),
        (
            r#"Intune::Tenant::"t".useIntuneRbac: false"#,
            "deny",
            "configmgr.identity, configmgr.pages.any.read, configmgr.pages.scripts.read-resource, configmgr.pages.scripts.read-scripts, configmgr.pages.scripts.run-script, readings.discovery-either.both",
        ),
    ] {
        let ran = given(&format!("    given:\n      {fact}\n"), expect, because);
        assert_eq!(ran.status, 0, "{fact}: {ran}");
    }
}

#[test]
fn facts_reach_into_records_and_sets_and_make_entities() {
    let text = r#"
suite: A hybrid person
given:
  ConfigMgr::Hierarchy::"H".enforceConfigMgrRbac: true
  ConfigMgr::Collection::"C": { hierarchy: H, displayName: All }
  ConfigMgr::Device::"PC-1" in ConfigMgr::Collection::"C": true
  Entra::User::"u1".cloudOnly: false
  Entra::User::"u1".configMgr:
    discoveredByEntra: [H]
    discoveredByActiveDirectory: [H]
    read: ['ConfigMgr::Collection::"C"']
    readResource: [C]
    notifyResource: []
    runCmPivot: []
    runScript: []
    readBitLockerRecoveryKey: []
    readScripts: []
    readApplications: []
    approveApplications: []
cases:
  - name: Reading is enough for Resource explorer
    principal: ana@t.example
    action: View resource explorer
    resource: PC-1
    expect: allow
    because: [readings.any-intune-role, roles.help-desk-operator]
  - name: Without the one element it is not
    given:
      Entra::User::"u1".configMgr.readResource.contains(ConfigMgr::Collection::"C"): false
    principal: ana@t.example
    action: View resource explorer
    resource: PC-1
    expect: deny
    because: [configmgr.pages.resource-explorer.read-resource]
  - name: With another element Timeline opens
    given:
      Entra::User::"u1".configMgr.notifyResource.contains(ConfigMgr::Collection::"C"): true
    principal: ana@t.example
    action: View timeline
    resource: PC-1
    expect: allow
    because: [readings.any-intune-role, roles.help-desk-operator]
  - name: Without the record nothing is granted
    given:
      Entra::User::"u1" has configMgr: false
    principal: ana@t.example
    action: View client details
    resource: PC-1
    expect: deny
    because: [configmgr.pages.any.read, readings.discovery-either.both]
"#;
    let ran = test(&[("tests/a.yaml", text)]);
    assert_eq!(ran.status, 0, "{ran}");
}

#[test]
fn facts_that_cannot_be_are_errors() {
    for (fact, said) in [
        (r#"Entra::User::"nobody".cloudOnly: true"#, "does not exist"),
        (r#"Entra::User::"u1".cloudOnly: maybe"#, "must be a Bool"),
        (
            r#"Entra::User::"u1".cloudOnyl: true"#,
            "did you mean `cloudOnly`?",
        ),
        (
            r#"Entra::User::"u1" has configMgr: true"#,
            "says nothing of its value",
        ),
        (
            r#"Entra::User::"u1" in Intune::Role::"Help Desk Operator": false"#,
            "is no direct parent",
        ),
        (
            r#"Entra::User::"u1" in ConfigMgr::Hierarchy::"H": true"#,
            "cannot be in",
        ),
        (r#"Entra::User::"u2": {}"#, "is there already"),
        (
            r#"Entra::User::"u9": { cloudOnly: true }"#,
            "lacks the required attribute",
        ),
        (
            r#"Entra::User::"u1".cloudOnly == false: true"#,
            "this is no fact",
        ),
        ("something else: true", "is no Cedar expression"),
        (
            r#"Intune::RoleAssignment::"a1" in Intune::Tenant::"t": false"#,
            "the given facts are not valid",
        ),
        (
            r#"Entra::User::"u1" has cloudOnly: false"#,
            "lacks the required attribute",
        ),
    ] {
        let ran = given(
            &format!("    given:\n      {fact}\n"),
            "allow",
            "roles.help-desk-operator",
        );
        assert_eq!(ran.status, 2, "{fact}: {ran}");
        assert!(ran.stderr.contains(said), "{fact}: {ran}");
        assert!(ran.stderr.contains("tests/a.yaml:10:"), "{fact}: {ran}");
    }
}

#[test]
fn what_is_given_is_held_to_the_findings_of_a_directory() {
    let facts = r#"    given:
      Intune::Tenant::"other": { useIntuneRbac: true }
      Intune::RoleAssignment::"a1" in Intune::Tenant::"t": false
      Intune::RoleAssignment::"a1" in Intune::Tenant::"other": true
"#;
    let ran = given(facts, "allow", "roles.help-desk-operator");
    assert_eq!(ran.status, 2, "{ran}");
    assert!(ran.stderr.contains("another tenant"), "{ran}");
}

#[test]
fn a_fact_stands_once_however_it_is_spelled() {
    let facts = r#"    given:
      Entra::User::"u1".cloudOnly: true
      Entra::User::"ana@t.example".cloudOnly: false
"#;
    let ran = given(facts, "allow", "roles.help-desk-operator");
    assert!(ran.stderr.contains("is given twice"), "{ran}");
    // A case may give what its suite gives otherwise.
    let text = format!(
        "given: {{ 'Intune::Tenant::\"t\".useIntuneRbac': false }}\n{}    given: {{ 'Intune::Tenant::\"t\".useIntuneRbac': true }}\n",
        suite(&ana("allow", "roles.help-desk-operator"))
    );
    let ran = test(&[("tests/a.yaml", &text)]);
    assert_eq!(ran.status, 0, "{ran}");
}
