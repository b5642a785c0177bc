//! The properties that stay in exports with made-up names.
//!
//! Each becomes something else, or stays; any other is left out.

/// What becomes of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Becomes {
    /// It stays: it names nobody.
    Same,
    /// Another id, or several.
    Id,
    /// Another security identifier.
    Sid,
    /// Another name for signing in.
    Upn,
    /// Another name of a domain and an account.
    Logon,
    /// Another name of a device.
    Device,
    /// Another name, unless it is one that ships with the service.
    Name,
    /// An object within the record, with another id and name.
    Within,
    /// A role of Microsoft Entra: those that ship have the same names in every tenant.
    EntraRole,
    /// The whole tenant, or a part of it.
    Scope,
}

use Becomes::{Device, EntraRole, Id, Logon, Name, Same, Scope, Sid, Upn, Within};

/// The properties of an export, in lower case.
pub(super) type Properties = &'static [(&'static str, Becomes)];

const MEMBERS: Properties = &[("@odata.type", Same), ("id", Id)];

const ASSIGNMENTS: Properties = &[
    ("@odata.type", Same),
    ("id", Id),
    ("displayname", Name),
    ("members", Id),
    ("resourcescopes", Id),
    ("scopemembers", Id),
    ("scopetype", Same),
    ("rolescopetagids", Same),
    ("roledefinition", Within),
];

const ELIGIBILITY: Properties = &[
    ("id", Id),
    ("principalid", Id),
    ("groupid", Id),
    ("accessid", Same),
    ("membertype", Same),
    ("status", Same),
    ("startdatetime", Same),
    ("enddatetime", Same),
    ("scheduleinfo", Same),
    ("directoryscopeid", Scope),
    ("roledefinitionid", Same),
    ("roledefinition", EntraRole),
];

/// The properties that stay, by the file of the export.
pub(super) const TABLE: [(&str, Properties); 21] = [
    ("graph/tenantAttachRBAC.json", &[("enabled", Same)]),
    (
        "graph/roleDefinitions.json",
        &[
            ("@odata.type", Same),
            ("id", Id),
            ("displayname", Name),
            ("isbuiltin", Same),
            ("isbuiltinroledefinition", Same),
            ("rolepermissions", Same),
            ("permissions", Same),
            ("roleassignments", Within),
        ],
    ),
    ("graph/roleAssignments.json", ASSIGNMENTS),
    (
        "graph/roleDefinitions/<id>/roleAssignments.json",
        ASSIGNMENTS,
    ),
    (
        "graph/roleScopeTags.json",
        &[("id", Same), ("displayname", Name)],
    ),
    (
        "graph/users.json",
        &[
            ("id", Id),
            ("userprincipalname", Upn),
            ("accountenabled", Same),
            ("deleteddatetime", Same),
            ("onpremisessyncenabled", Same),
            ("onpremisessecurityidentifier", Sid),
            ("assignedlicenses", Same),
            ("assignedplans", Same),
        ],
    ),
    (
        "graph/subscribedSkus.json",
        &[
            ("skuid", Same),
            ("skupartnumber", Same),
            ("capabilitystatus", Same),
            ("serviceplans", Same),
        ],
    ),
    (
        "graph/groups.json",
        &[
            ("id", Id),
            ("displayname", Name),
            ("visibility", Same),
            ("onpremisessecurityidentifier", Sid),
        ],
    ),
    ("graph/groups/<id>/members.json", MEMBERS),
    (
        "graph/directoryRoles.json",
        &[("id", Id), ("displayname", Same), ("roletemplateid", Same)],
    ),
    ("graph/directoryRoles/<id>/members.json", MEMBERS),
    ("graph/roleEligibilityScheduleInstances.json", ELIGIBILITY),
    (
        "graph/groups/<id>/eligibilityScheduleInstances.json",
        ELIGIBILITY,
    ),
    (
        "configmgr/<site>/SMS_Site.json",
        &[
            ("sitecode", Same),
            ("reportingsitecode", Same),
            ("version", Same),
        ],
    ),
    (
        "configmgr/<site>/SMS_Collection.json",
        &[
            ("collectionid", Same),
            ("name", Name),
            ("collectiontype", Same),
            ("limittocollectionid", Same),
        ],
    ),
    (
        "configmgr/<site>/SMS_R_System.json",
        &[
            ("resourceid", Same),
            ("name", Device),
            ("netbiosname", Device),
            ("operatingsystemnameandversion", Same),
            ("client", Same),
            ("obsolete", Same),
            ("decommissioned", Same),
        ],
    ),
    (
        "configmgr/<site>/SMS_FullCollectionMembership.json",
        &[("collectionid", Same), ("resourceid", Same)],
    ),
    (
        "configmgr/<site>/SMS_R_User.json",
        &[
            ("resourceid", Same),
            ("uniqueusername", Logon),
            ("sid", Sid),
            ("aaduserid", Id),
            ("agentname", Same),
        ],
    ),
    (
        "configmgr/<site>/SMS_Admin.json",
        &[
            ("adminid", Same),
            ("adminsid", Sid),
            ("logonname", Logon),
            ("accounttype", Same),
            ("isgroup", Same),
            ("isdeleted", Same),
            ("permissions", Within),
        ],
    ),
    (
        "configmgr/<site>/SMS_Role.json",
        &[("roleid", Same), ("rolename", Name), ("operations", Same)],
    ),
    (
        "configmgr/<site>/SMS_SecuredCategory.json",
        &[("categoryid", Same), ("categoryname", Name)],
    ),
];

/// The operations of a site name nobody.
pub(super) const OPERATIONS: &str = "configmgr/<site>/SMS_AvailableOperation.json";

/// The properties of a role of Microsoft Entra that ships.
pub(super) const SHIPPED_ROLE: Properties = &[
    ("id", Same),
    ("templateid", Same),
    ("displayname", Same),
    ("isbuiltin", Same),
];

/// The properties of an object within a record.
pub(super) const WITHIN: Properties = &[
    ("id", Id),
    ("displayname", Name),
    ("categoryid", Same),
    ("categorytypeid", Same),
    ("roleid", Same),
];
