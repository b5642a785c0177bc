//! Explanations of the sample tenant as people read them.

mod refused;

use tarbac::explain::explain;
use tarbac::render;

use super::{contoso, request};
use crate::tarbac::without_revisions;

fn told(principal: &str, action: &str, resource: &str) -> String {
    let engine = contoso();
    let request = request(&engine, principal, action, resource);
    without_revisions(&render::explanation::human(
        &explain(&engine, &request),
        None,
    ))
}

#[test]
fn allowed_by_way_of_nested_groups() {
    insta::assert_snapshot!(told("hugo@contoso.example", "View scripts", "WS-TST-001"), @"
    ALLOW  hugo@contoso.example may View scripts on WS-TST-001

    Intune decides  (authority.intune, shipped/policies/authority.cedar:6)
      Intune alone decides where Use Intune RBAC is On, the checkbox of the hierarchy is cleared, and
        its sites are version 2207 or later.
        true   resource.hierarchy.tenant.useIntuneRbac
        true   !resource.hierarchy.enforceConfigMgrRbac  resource.hierarchy.enforceConfigMgrRbac = false
        true   resource.hierarchy.version >= 2207        resource.hierarchy.version = 2403

    Why it is allowed
      roles.read-only-operator  shipped/policies/roles/read-only-operator.cedar:2
      A Read Only Operator sees the pages of a tenant-attached device except CMPivot and Recovery keys,
        and acts on nothing.
      hugo@contoso.example -> group Network Team -> group Infrastructure -> group IT Staff -> role
        assignment IT Staff -> role Read Only Operator

    Readings in force
      any-intune-role: Under Configuration Manager authority any Intune role in the tenant of the device
        is enough for the permissions of Cloud attached devices.
      entra-administrators: Microsoft Entra Global Administrators and Intune Administrators hold every
        Intune permission, and never one of Configuration Manager.

    rules: shipped-and-custom, revision …

    Documents
      use-intune-rbac.md, Verify role-based access control permissions from Intune
      authority: use-intune-rbac.md, What happens if the Configuration Manager and Intune settings are
        mismatched?
    ");
}

#[test]
#[expect(clippy::too_many_lines, reason = "an answer, whole")]
fn a_tenant_whose_toggle_is_off() {
    insta::assert_snapshot!(told("vera@fabrikam.example", "View scripts", "WS-FAB-001"), @r#"
    DENY  vera@fabrikam.example may not View scripts on WS-FAB-001

    Configuration Manager decides  (authority.configmgr, shipped/policies/authority.cedar:23)
      Configuration Manager decides, along with an Intune role, in every other case.
        false  resource.hierarchy.tenant.useIntuneRbac
        true   !resource.hierarchy.enforceConfigMgrRbac  resource.hierarchy.enforceConfigMgrRbac = false
        true   resource.hierarchy.version >= 2207        resource.hierarchy.version = 2309

    Why it is refused: 6 rules
      1. guardrails.account.disabled  shipped/policies/guardrails/account.cedar:2
         when principal has accountEnabled -- true
         when !principal.accountEnabled -- true: principal.accountEnabled = false
         > Have the account enabled in Microsoft Entra ID, or sign in with another.
      2. configmgr.identity  shipped/policies/configmgr/identity.cedar:3
         unless !principal.cloudOnly -- false: principal.cloudOnly = true
         > Sign in with an account that is synchronized from Active Directory, or let Intune decide for
           this hierarchy.
      3. configmgr.pages.any.read  shipped/policies/configmgr/pages/any.cedar:3
         unless principal has configMgr -- false
         > Ask for the Configuration Manager permission Collection: Read on a collection that holds the
           device.
      4. configmgr.pages.scripts.read-resource  shipped/policies/configmgr/pages/scripts.cedar:2
         unless principal has configMgr -- false
         > Ask for the Configuration Manager permission Collection: Read Resource on a collection that
           holds the device.
      5. configmgr.pages.scripts.read-scripts  shipped/policies/configmgr/pages/scripts.cedar:21
         unless principal has configMgr -- false
         > Ask for the Configuration Manager permission SMS Scripts: Read, as the role Script Runners
           has it.
      6. readings.discovery-either.both  shipped/policies/readings/discovery-either.cedar:31
         unless principal has configMgr -- false
         > Have both Microsoft Entra user discovery and Active Directory user discovery of the hierarchy
           discover the account.

    The admin center says
      1: "AADSTS50057: The user account is disabled."
      2, 6: "Unable to get device information. Make sure Azure AD and AD user discovery are configured
            and the user is discovered by both. Verify that the user has proper permissions in
            Configuration Manager."
      3: "Device can't be found or you don't have permission to access the device"
      4: "Unexpected error occurred"
      5: "Unable to get Scripts information. Make sure Azure AD and AD user discovery are configured and
         the user is discovered by both. Verify that the user has proper permissions in Configuration
         Manager."

    Changes that would reverse it, each decided again
      1. turn Use Intune RBAC On for the tenant fabrikam
         and enable the account vera@fabrikam.example in Microsoft Entra ID
      2. enable the account vera@fabrikam.example in Microsoft Entra ID
         and synchronize vera@fabrikam.example from Active Directory, so that the account is a hybrid
         identity
         and let Active Directory user discovery of FAB discover vera@fabrikam.example
         and let Microsoft Entra user discovery of FAB discover vera@fabrikam.example
         and grant vera@fabrikam.example the permission Collection: Read on All Workstations
         and grant vera@fabrikam.example the permission Collection: Read Resource on All Workstations
         and grant vera@fabrikam.example the permission SMS Scripts: Read in FAB
         (or, in place of All Workstations: All Systems)

    Notices
      checkbox_without_effect: The checkbox of the hierarchy is cleared while Use Intune RBAC is Off,
        which has no effect: Configuration Manager decides. (FAB)

    Readings in force
      any-intune-role: Under Configuration Manager authority any Intune role in the tenant of the device
        is enough for the permissions of Cloud attached devices.
      entra-administrators: Microsoft Entra Global Administrators and Intune Administrators hold every
        Intune permission, and never one of Configuration Manager.

    rules: shipped-and-custom, revision …

    Documents
      1: Microsoft Graph, resources/user.md, accountEnabled; reference-error-codes.md, AADSTS50057
      2: use-intune-rbac.md, What happens if my test hierarchy is configured to use Intune RBAC, but my
         production hierarchy isn't and they are in the same tenant?
      3: client-details.md, Permissions
      4: scripts.md, Permissions; troubleshoot-scripts.md
      5: scripts.md, Permissions; create-deploy-scripts.md
      6: client-details.md, Permissions; use-intune-rbac.md
      authority: device-sync-actions.md, Enforce Role-based Access Control
    "#);
}

#[test]
fn allowed_by_any_role_under_configuration_manager() {
    insta::assert_snapshot!(told("jonas@contoso.example", "View client details", "WS-BER-014"), @"
    ALLOW  jonas@contoso.example may View client details on WS-BER-014

    Configuration Manager decides  (authority.configmgr, shipped/policies/authority.cedar:23)
      Configuration Manager decides, along with an Intune role, in every other case.
        true   resource.hierarchy.tenant.useIntuneRbac
        false  !resource.hierarchy.enforceConfigMgrRbac  resource.hierarchy.enforceConfigMgrRbac = true
        true   resource.hierarchy.version >= 2207        resource.hierarchy.version = 2403

    Why it is allowed
      readings.any-intune-role  shipped/policies/readings/any-intune-role.cedar:5
      Under Configuration Manager authority any Intune role in the tenant of the device is enough for
        the permissions of Cloud attached devices.
      jonas@contoso.example -> group Role Stewards -> role assignment Role Stewards -> role Intune Role
        Administrator
      when principal in resource.hierarchy.tenant -- true: principal is in [contoso],
        resource.hierarchy.tenant = contoso

    Also required, and present
      jonas@contoso.example is synchronized from Active Directory
        configmgr.identity
      Microsoft Entra user discovery of P01 has found jonas@contoso.example
        readings.discovery-either.both
      Active Directory user discovery of P01 has found jonas@contoso.example
        readings.discovery-either.both
      jonas@contoso.example has Collection: Read on All Systems
        WS-BER-014 -> collection Berlin Workstations -> collection All Workstations -> collection All
          Systems
        configmgr.pages.any.read

    Readings in force
      any-intune-role: Under Configuration Manager authority any Intune role in the tenant of the device
        is enough for the permissions of Cloud attached devices.
      entra-administrators: Microsoft Entra Global Administrators and Intune Administrators hold every
        Intune permission, and never one of Configuration Manager.

    rules: shipped-and-custom, revision …

    Documents
      client-details.md, Permissions; against create-custom-role.md
      authority: device-sync-actions.md, Enforce Role-based Access Control
    ");
}

#[test]
fn typical_explanations_fit_a_screen() {
    for (principal, action, resource) in [
        ("hugo@contoso.example", "View scripts", "WS-TST-001"),
        ("tess@contoso.example", "Run script", "WS-BER-014"),
        ("mia@contoso.example", "Run script", "WS-TST-001"),
    ] {
        let text = told(principal, action, resource);
        assert!(text.lines().count() <= 40, "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
    }
}

#[test]
fn json_has_a_version_and_the_changes() {
    let engine = contoso();
    let explanation = explain(
        &engine,
        &request(&engine, "tess@contoso.example", "Run script", "WS-BER-014"),
    );
    let json = serde_json::to_value(render::explanation::wire(
        &explanation,
        &tarbac::change::what_if::Premises::default(),
    ))
    .unwrap();
    assert_eq!(json["version"], 1);
    assert_eq!(json["decision"], "deny");
    assert_eq!(json["authority"]["name"], "configmgr");
    assert_eq!(
        json["rules"][0]["policy"],
        "configmgr.pages.scripts.read-resource"
    );
    assert_eq!(
        json["changes"]["alternatives"][0][0],
        serde_json::json!({
            "kind": "add",
            "entity": {
                "type": "Entra::User",
                "id": explanation.principal.uid.id().unescaped(),
                "name": "tess@contoso.example"
            },
            "attribute": "configMgr.readResource",
            "value": { "type": "ConfigMgr::Collection", "id": "P0100016", "name": "Berlin Workstations" },
            "sentence": "grant tess@contoso.example the permission Collection: Read Resource on Berlin Workstations"
        })
    );
}
