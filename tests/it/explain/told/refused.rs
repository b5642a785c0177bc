//! Refusals in production, on a collection, and without a role.

use super::told;

#[test]
fn a_cloud_only_account_in_production() {
    insta::assert_snapshot!(told("ada@contoso.example", "View client details", "WS-BER-014"), @r#"
    DENY  ada@contoso.example may not View client details on WS-BER-014

    Configuration Manager decides  (authority.configmgr, shipped/policies/authority.cedar:23)
      Configuration Manager decides, along with an Intune role, in every other case.
        true   resource.hierarchy.tenant.useIntuneRbac
        false  !resource.hierarchy.enforceConfigMgrRbac  resource.hierarchy.enforceConfigMgrRbac = true
        true   resource.hierarchy.version >= 2207        resource.hierarchy.version = 2403

    Why it is refused: 3 rules
      1. configmgr.identity  shipped/policies/configmgr/identity.cedar:3
         unless !principal.cloudOnly -- false: principal.cloudOnly = true
         > Sign in with an account that is synchronized from Active Directory, or let Intune decide for
           this hierarchy.
      2. configmgr.pages.any.read  shipped/policies/configmgr/pages/any.cedar:3
         unless principal has configMgr -- false
         > Ask for the Configuration Manager permission Collection: Read on a collection that holds the
           device.
      3. readings.discovery-either.both  shipped/policies/readings/discovery-either.cedar:31
         unless principal has configMgr -- false
         > Have both Microsoft Entra user discovery and Active Directory user discovery of the hierarchy
           discover the account.

    The admin center says
      1, 3: "Unable to get device information. Make sure Azure AD and AD user discovery are configured
            and the user is discovered by both. Verify that the user has proper permissions in
            Configuration Manager."
      2: "Device can't be found or you don't have permission to access the device"

    Changes that would reverse it, each decided again
      1. clear Enforce Configuration Manager RBAC in the cloud attach properties of P01
      2. synchronize ada@contoso.example from Active Directory, so that the account is a hybrid identity
         and let Active Directory user discovery of P01 discover ada@contoso.example
         and let Microsoft Entra user discovery of P01 discover ada@contoso.example
         and grant ada@contoso.example the permission Collection: Read on Berlin Workstations
         (or, in place of Berlin Workstations: All Workstations, All Systems)

    Readings in force
      any-intune-role: Under Configuration Manager authority any Intune role in the tenant of the device
        is enough for the permissions of Cloud attached devices.
      entra-administrators: Microsoft Entra Global Administrators and Intune Administrators hold every
        Intune permission, and never one of Configuration Manager.

    rules: shipped-and-custom, revision …

    Documents
      1: use-intune-rbac.md, What happens if my test hierarchy is configured to use Intune RBAC, but my
         production hierarchy isn't and they are in the same tenant?
      2: client-details.md, Permissions
      3: client-details.md, Permissions; use-intune-rbac.md
      authority: device-sync-actions.md, Enforce Role-based Access Control
    "#);
}

#[test]
fn a_permission_missing_on_a_collection() {
    insta::assert_snapshot!(told("tess@contoso.example", "Run script", "WS-BER-014"), @r#"
    DENY  tess@contoso.example may not Run script on WS-BER-014

    Configuration Manager decides  (authority.configmgr, shipped/policies/authority.cedar:23)
      Configuration Manager decides, along with an Intune role, in every other case.
        true   resource.hierarchy.tenant.useIntuneRbac
        false  !resource.hierarchy.enforceConfigMgrRbac  resource.hierarchy.enforceConfigMgrRbac = true
        true   resource.hierarchy.version >= 2207        resource.hierarchy.version = 2403

    Why it is refused: one rule
      configmgr.pages.scripts.read-resource  shipped/policies/configmgr/pages/scripts.cedar:2
      Nobody opens Scripts or runs one while Configuration Manager decides unless they have Collection:
        Read Resource on a collection that holds the device.
      unless resource in principal.configMgr.readResource -- false: resource is in [All Systems, All
        Workstations, Berlin Workstations], principal.configMgr.readResource = []
      > Ask for the Configuration Manager permission Collection: Read Resource on a collection that
        holds the device.

    The admin center says
      "Unexpected error occurred"

    Changes that would reverse it, each decided again
      1. grant tess@contoso.example the permission Collection: Read Resource on Berlin Workstations
         (or, in place of Berlin Workstations: All Workstations, All Systems)
      2. clear Enforce Configuration Manager RBAC in the cloud attach properties of P01

    Readings in force
      any-intune-role: Under Configuration Manager authority any Intune role in the tenant of the device
        is enough for the permissions of Cloud attached devices.
      entra-administrators: Microsoft Entra Global Administrators and Intune Administrators hold every
        Intune permission, and never one of Configuration Manager.

    rules: shipped-and-custom, revision …

    Documents
      scripts.md, Permissions; troubleshoot-scripts.md
      authority: device-sync-actions.md, Enforce Role-based Access Control
    "#);
}

#[test]
fn no_role_at_all() {
    insta::assert_snapshot!(told("mia@contoso.example", "Run script", "WS-TST-001"), @r#"
    DENY  mia@contoso.example may not Run script on WS-TST-001

    Intune decides  (authority.intune, shipped/policies/authority.cedar:6)
      Intune alone decides where Use Intune RBAC is On, the checkbox of the hierarchy is cleared, and
        its sites are version 2207 or later.
        true   resource.hierarchy.tenant.useIntuneRbac
        true   !resource.hierarchy.enforceConfigMgrRbac  resource.hierarchy.enforceConfigMgrRbac = false
        true   resource.hierarchy.version >= 2207        resource.hierarchy.version = 2403

    Why it is refused: no policy permits it
      The permission comes with directory role Global Administrator or Intune Administrator; role Help
        Desk Operator, School Administrator or Script Runner.
      mia@contoso.example holds no role.

    The admin center says
      "You don't have access to view this information. Make sure a proper user role is assigned from
        Intune."
      > Ask for an Intune role that has the permission.

    Changes that would reverse it, each decided again
      1. assign the Intune role Help Desk Operator to mia@contoso.example
         (or, in place of Help Desk Operator: School Administrator, Script Runner)

    Readings in force
      any-intune-role: Under Configuration Manager authority any Intune role in the tenant of the device
        is enough for the permissions of Cloud attached devices.
      entra-administrators: Microsoft Entra Global Administrators and Intune Administrators hold every
        Intune permission, and never one of Configuration Manager.

    rules: shipped-and-custom, revision …

    Documents
      authority: use-intune-rbac.md, What happens if the Configuration Manager and Intune settings are
        mismatched?
    "#);
}

#[test]
fn a_role_without_the_permission() {
    insta::assert_snapshot!(told("rosa@contoso.example", "Run script", "WS-TST-001"), @r#"
    DENY  rosa@contoso.example may not Run script on WS-TST-001

    Intune decides  (authority.intune, shipped/policies/authority.cedar:6)
      Intune alone decides where Use Intune RBAC is On, the checkbox of the hierarchy is cleared, and
        its sites are version 2207 or later.
        true   resource.hierarchy.tenant.useIntuneRbac
        true   !resource.hierarchy.enforceConfigMgrRbac  resource.hierarchy.enforceConfigMgrRbac = false
        true   resource.hierarchy.version >= 2207        resource.hierarchy.version = 2403

    Why it is refused: no policy permits it
      The permission comes with directory role Global Administrator or Intune Administrator; role Help
        Desk Operator, School Administrator or Script Runner.
      rosa@contoso.example holds another:
        rosa@contoso.example -> group IT Staff -> role assignment IT Staff -> role Read Only Operator

    The admin center says
      "The admin center hides this page or action."
      > Ask for an Intune role that has the permission, or have it added to a custom role.

    Changes that would reverse it, each decided again
      1. assign the Intune role Help Desk Operator to rosa@contoso.example
         (or, in place of Help Desk Operator: School Administrator, Script Runner)
      2. select Enforce Configuration Manager RBAC in the cloud attach properties of TST
      3. turn Use Intune RBAC Off for the tenant contoso

    Readings in force
      any-intune-role: Under Configuration Manager authority any Intune role in the tenant of the device
        is enough for the permissions of Cloud attached devices.
      entra-administrators: Microsoft Entra Global Administrators and Intune Administrators hold every
        Intune permission, and never one of Configuration Manager.

    rules: shipped-and-custom, revision …

    Documents
      authority: use-intune-rbac.md, What happens if the Configuration Manager and Intune settings are
        mismatched?
    "#);
}
