//! The table of the exports, in the recommended order of collection.

use super::call::{ClassKey, ExportSource, class, graph};
use super::{DEVICES, Export, TENANT, TOGGLE};

/// The built-in security role with the fewest permissions that can read administrative users and security roles; to be
/// assigned for all security scopes and collections.
pub const READ_ONLY_ANALYST: &str = "security role Read-only Analyst";

/// The exports, in the recommended order of collection.
pub const EXPORTS: [Export; 24] = [
    Export {
        file: TENANT,
        purpose: "what no service tells, declared by you; the only file that has to be there. `uploadCollection` of a hierarchy names the collection that alone is uploaded, `scopedPermissions` says that the tenant has opted in to these",
        source: ExportSource::Declared(
            r#"{"name": "contoso", "useIntuneRbac": false, "useIntuneRbacChangedAt": "2026-11-23T08:00:00Z", "allowsUnlicensedAdministrators": false, "hierarchies": [{"siteCode": "P01", "version": 2403, "enforceConfigMgrRbac": true, "earlyUpdateRing": false}]}"#,
        ),
        rights: "nothing",
        is_optional: false,
    },
    Export {
        file: TOGGLE,
        purpose: "the toggle Use Intune RBAC, so that tenant.json need not declare it",
        source: ExportSource::Graph(graph("beta", "deviceManagement/tenantAttachRBAC/getState")),
        rights: "DeviceManagementConfiguration.Read.All",
        is_optional: true,
    },
    Export {
        file: "graph/roleDefinitions.json",
        purpose: "the roles of Intune and their permissions",
        source: ExportSource::Graph(graph("beta", "deviceManagement/roleDefinitions")),
        rights: "DeviceManagementRBAC.Read.All",
        is_optional: false,
    },
    Export {
        file: "graph/roleAssignments.json",
        purpose: "who is assigned a role, with scope groups and scope tags",
        source: ExportSource::Graph(graph("beta", "deviceManagement/roleAssignments")),
        rights: "DeviceManagementRBAC.Read.All",
        is_optional: false,
    },
    Export {
        file: "graph/roleDefinitions/<id>/roleAssignments.json",
        purpose: "which role each assignment gives: the assignment itself does not say it. Where this call answers 400, graph/roleDefinitions.json with $expand=roleAssignments says it too",
        source: ExportSource::Graph(graph(
            "beta",
            "deviceManagement/roleDefinitions/<id>/roleAssignments",
        )),
        rights: "DeviceManagementRBAC.Read.All",
        is_optional: false,
    },
    Export {
        file: "graph/roleScopeTags.json",
        purpose: "the scope tags",
        source: ExportSource::Graph(graph("beta", "deviceManagement/roleScopeTags")),
        rights: "DeviceManagementRBAC.Read.All",
        is_optional: false,
    },
    Export {
        file: "graph/users.json",
        purpose: "the accounts, whether they are enabled, whether Active Directory synchronizes them, and their licenses",
        source: ExportSource::Graph(
            graph("v1.0", "users")
                .top(999)
                .select(&[
                    "id",
                    "userPrincipalName",
                    "accountEnabled",
                    "onPremisesSyncEnabled",
                    "onPremisesSecurityIdentifier",
                    "assignedLicenses",
                    "assignedPlans",
                ])
                .cmdlet("Get-MgUser"),
        ),
        rights: "User.Read.All",
        is_optional: false,
    },
    Export {
        file: "graph/subscribedSkus.json",
        purpose: "which licenses contain Intune, for accounts without assignedPlans and for plans that are new",
        source: ExportSource::Graph(graph("v1.0", "subscribedSkus").select(&[
            "skuId",
            "skuPartNumber",
            "capabilityStatus",
            "servicePlans",
        ])),
        rights: "LicenseAssignment.Read.All",
        is_optional: true,
    },
    Export {
        file: "graph/groups.json",
        purpose: "the groups",
        source: ExportSource::Graph(
            graph("v1.0", "groups")
                .top(999)
                .select(&[
                    "id",
                    "displayName",
                    "visibility",
                    "onPremisesSecurityIdentifier",
                ])
                .cmdlet("Get-MgGroup"),
        ),
        rights: "GroupMember.Read.All",
        is_optional: false,
    },
    Export {
        file: "graph/groups/<id>/members.json",
        purpose: "the direct members of a group: of those that role assignments name, of those nested in them, of those that have a role of Microsoft Entra, and of those that are administrative users of Configuration Manager. Without Member.Read.Hidden the answer about hidden members is empty",
        source: ExportSource::Graph(
            graph("v1.0", "groups/<id>/members")
                .top(999)
                .select(&["id"]),
        ),
        rights: "Member.Read.Hidden",
        is_optional: false,
    },
    Export {
        file: "graph/directoryRoles.json",
        purpose: "the roles of Microsoft Entra that somebody has",
        source: ExportSource::Graph(graph("v1.0", "directoryRoles")),
        rights: "RoleManagement.Read.Directory",
        is_optional: false,
    },
    Export {
        file: "graph/directoryRoles/<id>/members.json",
        purpose: "who has a role of Microsoft Entra now, for the whole tenant; whoever is only eligible, or has it in an administrative unit, is not in it",
        source: ExportSource::Graph(graph("v1.0", "directoryRoles/<id>/members").select(&["id"])),
        rights: "RoleManagement.Read.Directory",
        is_optional: false,
    },
    Export {
        file: "graph/roleEligibilityScheduleInstances.json",
        purpose: "who may activate a role of Microsoft Entra (Privileged Identity Management) for the whole tenant; without it, roleEligibilitySchedules.json is taken",
        source: ExportSource::Graph(
            graph(
                "v1.0",
                "roleManagement/directory/roleEligibilityScheduleInstances",
            )
            .expand("roleDefinition"),
        ),
        rights: "RoleEligibilitySchedule.Read.Directory",
        is_optional: true,
    },
    Export {
        file: "graph/groups/<id>/eligibilityScheduleInstances.json",
        purpose: "who may activate the membership of a group, of the same groups as members.json; without it, eligibilitySchedules.json is taken",
        source: ExportSource::Graph(
            graph(
                "v1.0",
                "identityGovernance/privilegedAccess/group/eligibilityScheduleInstances",
            )
            .filter("groupId eq '<id>'"),
        ),
        rights: "PrivilegedEligibilitySchedule.Read.AzureADGroup",
        is_optional: true,
    },
    Export {
        file: "configmgr/<site>/SMS_Site.json",
        purpose: "the version of the hierarchy, so that tenant.json need not declare it",
        source: ExportSource::Class(class(
            "SMS_Site",
            &["SiteCode", "ReportingSiteCode", "Version"],
        )),
        rights: READ_ONLY_ANALYST,
        is_optional: true,
    },
    Export {
        file: "configmgr/<site>/SMS_Collection.json",
        purpose: "the collections and what they are limited to",
        source: ExportSource::Class(class(
            "SMS_Collection",
            &[
                "CollectionID",
                "Name",
                "CollectionType",
                "LimitToCollectionID",
            ],
        )),
        rights: READ_ONLY_ANALYST,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_R_System.json",
        purpose: "the devices; Client and Obsolete say which are uploaded",
        source: ExportSource::Class(
            class(
                "SMS_R_System",
                &[
                    "ResourceId",
                    "Name",
                    "NetbiosName",
                    "OperatingSystemNameandVersion",
                    "Client",
                    "Obsolete",
                ],
            )
            .ordered(&["ResourceId"]),
        ),
        rights: READ_ONLY_ANALYST,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_FullCollectionMembership.json",
        purpose: "which device is in which collection",
        source: ExportSource::Class(
            class(
                "SMS_FullCollectionMembership",
                &["CollectionID", "ResourceID"],
            )
            .ordered(&["ResourceID", "CollectionID"]),
        ),
        rights: READ_ONLY_ANALYST,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_R_User.json",
        purpose: "who was discovered, and how",
        source: ExportSource::Class(
            class(
                "SMS_R_User",
                &[
                    "ResourceId",
                    "UniqueUserName",
                    "SID",
                    "AADUserID",
                    "AgentName",
                ],
            )
            .ordered(&["ResourceId"]),
        ),
        rights: READ_ONLY_ANALYST,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_Admin.json",
        purpose: "the administrative users; AdminSid and Permissions are lazy, so each is read by itself, and the answers stand one after the other",
        source: ExportSource::Class(
            class(
                "SMS_Admin",
                &[
                    "AdminID",
                    "AdminSid",
                    "LogonName",
                    "AccountType",
                    "IsDeleted",
                    "Permissions",
                ],
            )
            .lazy(ClassKey {
                property: "AdminID",
                is_text: false,
            }),
        ),
        rights: READ_ONLY_ANALYST,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_Role.json",
        purpose: "the security roles; Operations is lazy, so each is read by itself, and the answers stand one after the other",
        source: ExportSource::Class(
            class("SMS_Role", &["RoleID", "RoleName", "Operations"]).lazy(ClassKey {
                property: "RoleID",
                is_text: true,
            }),
        ),
        rights: READ_ONLY_ANALYST,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_AvailableOperation.json",
        purpose: "what the bits of a security role mean",
        source: ExportSource::Class(class(
            "SMS_AvailableOperation",
            &["ObjectTypeID", "ObjectTypeName", "OperationName", "BitFlag"],
        )),
        rights: READ_ONLY_ANALYST,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_SecuredCategory.json",
        purpose: "the names of the security scopes",
        source: ExportSource::Class(class(
            "SMS_SecuredCategory",
            &["CategoryID", "CategoryName"],
        )),
        rights: READ_ONLY_ANALYST,
        is_optional: true,
    },
    Export {
        file: DEVICES,
        purpose: "which devices are co-managed, and which are of no hierarchy that was exported",
        source: ExportSource::Portal(
            "https://intune.microsoft.com, Devices, All devices, Export (DevicesWithInventory_<guid>.csv is taken as well)",
        ),
        rights: "Managed devices/Read of Intune",
        is_optional: true,
    },
];
