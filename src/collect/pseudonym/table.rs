//! The properties that are kept in exports with made-up names.
//!
//! Each listed property is kept or replaced; any other is left out.

/// The treatment of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Becomes {
    /// Kept: it names nobody.
    Same,
    /// Replaced by a made-up id, or a list of them.
    Id,
    /// Replaced by a made-up security identifier.
    Sid,
    /// Replaced by a made-up user principal name.
    Upn,
    /// Replaced by a made-up `DOMAIN\name`.
    Logon,
    /// Replaced by a made-up device name.
    Device,
    /// Replaced by a made-up name, unless it ships with the service.
    Name,
    /// An object within the record, whose id and name are replaced.
    Within,
    /// A Microsoft Entra role; built-in ones keep their names, which are the same in every tenant.
    EntraRole,
    /// A directory scope: the whole tenant, or a part of it.
    Scope,
}

use Becomes::{Device, EntraRole, Id, Logon, Name, Same, Scope, Sid, Upn, Within};

/// The kept properties of an export, in lower case.
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

/// The kept properties, by the file of the export.
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

/// The operations of a site, which are copied unchanged because they name nobody.
pub(super) const OPERATIONS: &str = "configmgr/<site>/SMS_AvailableOperation.json";

/// The kept properties of a built-in Microsoft Entra role.
pub(super) const SHIPPED_ROLE: Properties = &[
    ("id", Same),
    ("templateid", Same),
    ("displayname", Same),
    ("isbuiltin", Same),
];

/// The kept properties of an object within a record.
pub(super) const WITHIN: Properties = &[
    ("id", Id),
    ("displayname", Name),
    ("categoryid", Same),
    ("categorytypeid", Same),
    ("roleid", Same),
];
