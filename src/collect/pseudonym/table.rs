//! The properties that are kept in exports with made-up names.
//!
//! Each listed property is kept or replaced; any other is left out, also within an object.

/// The treatment of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Becomes {
    /// A text, number or flag, or a list of them, that is kept: it names nobody.
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
    /// An object within the record, or a list of them.
    Only(Properties),
    /// A Microsoft Entra role; built-in ones keep their names, which are the same in every tenant.
    EntraRole,
    /// The id of a Microsoft Entra role, which is replaced if the role is known to be a custom one.
    EntraRoleId,
    /// A directory scope: the whole tenant, or a part of it.
    Scope,
}

use Becomes::{Device, EntraRole, EntraRoleId, Id, Logon, Name, Only, Same, Scope, Sid, Upn};

/// The kept properties of an export, in lower case.
pub(super) type Properties = &'static [(&'static str, Becomes)];

const MEMBERS: Properties = &[("@odata.type", Same), ("id", Id), ("accountenabled", Same)];

const PERMISSIONS: Properties = &[
    ("actions", Same),
    (
        "resourceactions",
        Only(&[
            ("allowedresourceactions", Same),
            ("notallowedresourceactions", Same),
        ]),
    ),
];

/// The term of an eligibility.
const SCHEDULE: Properties = &[
    ("startdatetime", Same),
    (
        "expiration",
        Only(&[("type", Same), ("enddatetime", Same), ("duration", Same)]),
    ),
];

const ASSIGNMENTS: Properties = &[
    ("@odata.type", Same),
    ("id", Id),
    ("displayname", Name),
    ("members", Id),
    ("resourcescopes", Id),
    ("scopemembers", Id),
    ("scopetype", Same),
    ("rolescopetagids", Same),
    ("roledefinition", Only(WITHIN)),
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
    ("scheduleinfo", Only(SCHEDULE)),
    ("directoryscopeid", Scope),
    ("appscopeid", Scope),
    ("roledefinitionid", EntraRoleId),
    ("roledefinition", EntraRole),
];

/// The kept properties of `tenant.json`, in which names are replaced afterwards.
pub(super) const DECLARATION: Properties = &[
    ("name", Same),
    ("useintunerbac", Same),
    ("useintunerbacchangedat", Same),
    ("allowsunlicensedadministrators", Same),
    ("scopedpermissions", Same),
    (
        "hierarchies",
        Only(&[
            ("sitecode", Same),
            ("version", Same),
            ("enforceconfigmgrrbac", Same),
            ("earlyupdatering", Same),
            ("uploadcollection", Same),
        ]),
    ),
];

/// The kept properties, by the file of the export.
pub(super) const TABLE: [(&str, Properties); 22] = [
    ("graph/tenantAttachRBAC.json", &[("enabled", Same)]),
    (
        "graph/roleDefinitions.json",
        &[
            ("@odata.type", Same),
            ("id", Id),
            ("displayname", Name),
            ("isbuiltin", Same),
            ("isbuiltinroledefinition", Same),
            ("rolepermissions", Only(PERMISSIONS)),
            ("permissions", Only(PERMISSIONS)),
            ("roleassignments", Only(WITHIN)),
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
            (
                "assignedlicenses",
                Only(&[("skuid", Same), ("disabledplans", Same)]),
            ),
            (
                "assignedplans",
                Only(&[
                    ("serviceplanid", Same),
                    ("capabilitystatus", Same),
                    ("service", Same),
                ]),
            ),
        ],
    ),
    (
        "graph/subscribedSkus.json",
        &[
            ("skuid", Same),
            ("skupartnumber", Same),
            ("capabilitystatus", Same),
            (
                "serviceplans",
                Only(&[
                    ("serviceplanid", Same),
                    ("serviceplanname", Same),
                    ("provisioningstatus", Same),
                ]),
            ),
        ],
    ),
    (
        "graph/groups.json",
        &[
            ("id", Id),
            ("displayname", Name),
            ("visibility", Same),
            ("deleteddatetime", Same),
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
        &[
            ("collectionid", Same),
            ("resourceid", Same),
            ("resourcetype", Same),
        ],
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
            (
                "permissions",
                Only(&[
                    ("categoryid", Same),
                    ("categorytypeid", Same),
                    ("roleid", Same),
                ]),
            ),
        ],
    ),
    (
        "configmgr/<site>/SMS_Role.json",
        &[
            ("roleid", Same),
            ("rolename", Name),
            (
                "operations",
                Only(&[("objecttypeid", Same), ("grantedoperations", Same)]),
            ),
        ],
    ),
    (
        "configmgr/<site>/SMS_AvailableOperation.json",
        &[
            ("objecttypeid", Same),
            ("objecttypename", Same),
            ("operationname", Same),
            ("bitflag", Same),
        ],
    ),
    (
        "configmgr/<site>/SMS_SecuredCategory.json",
        &[("categoryid", Same), ("categoryname", Name)],
    ),
];

/// The kept properties of a built-in Microsoft Entra role.
pub(super) const SHIPPED_ROLE: Properties = &[
    ("id", Same),
    ("templateid", Same),
    ("displayname", Same),
    ("isbuiltin", Same),
];

/// The kept properties of an object within a record.
pub(super) const WITHIN: Properties = &[("@odata.type", Same), ("id", Id), ("displayname", Name)];
