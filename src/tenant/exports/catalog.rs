//! The catalog of export files: purpose, call, rights, and recognition of their paths.
//!
//! `<id>` stands for the id of each object, `<site>` for the site code of a hierarchy, and `<provider>`
//! for the host of its SMS Provider.

/// A file of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Export {
    /// Its path in the folder.
    pub file: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    /// The request that gives it.
    pub call: &'static str,
    /// A line of PowerShell that saves it; empty where there is none.
    pub powershell: &'static str,
    /// What is needed to read it: a permission of Microsoft Graph, or a role.
    pub rights: &'static str,
    /// Whether nothing is lost without it.
    pub is_optional: bool,
}

/// The least of the built-in security roles that reads administrative users and security roles as well; for all
/// security scopes and collections.
const READ_ONLY_ANALYST: &str = "security role Read-only Analyst";

/// A value that [`TENANT`] declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declared {
    /// The name of the field.
    pub field: &'static str,
    /// Where it is found.
    pub place: &'static str,
}

/// The values of [`TENANT`], in the order in which it is best written.
pub const DECLARED: [Declared; 10] = [
    Declared {
        field: "name",
        place: "yours to choose; it names the tenant in every answer",
    },
    Declared {
        field: "useIntuneRbac",
        place: "Intune admin center, Tenant administration > Connectors and tokens > Microsoft Endpoint Configuration Manager > Use Intune RBAC; leave it out where graph/tenantAttachRBAC.json is there",
    },
    Declared {
        field: "useIntuneRbacChangedAt",
        place: "Intune admin center, Tenant administration > Audit logs; leave it out where nobody remembers",
    },
    Declared {
        field: "allowsUnlicensedAdministrators",
        place: "Intune admin center, Tenant administration > Roles > Administrator Licensing",
    },
    Declared {
        field: "scopedPermissions",
        place: "Intune admin center, Tenant administration > Roles > Scoped permissions; leave it out where the tenant has not opted in",
    },
    Declared {
        field: "hierarchies.siteCode",
        place: "Configuration Manager console, Administration > Site Configuration > Sites: the site code of the top site",
    },
    Declared {
        field: "hierarchies.version",
        place: "Configuration Manager console, About: year and month of the version, as 2403",
    },
    Declared {
        field: "hierarchies.enforceConfigMgrRbac",
        place: "Configuration Manager console, Administration > Cloud Services > Cloud Attach > CoMgmtSettingsProd > Properties > Configure upload: Enforce Configuration Manager RBAC for cloud console requests",
    },
    Declared {
        field: "hierarchies.earlyUpdateRing",
        place: "whether the opt-in script of the early update ring was run before the update to this version",
    },
    Declared {
        field: "hierarchies.uploadCollection",
        place: "the same page, Configure upload: the id or name of the collection under A specific collection; leave it out where all devices are uploaded",
    },
];

/// The file that declares what no service tells.
pub const TENANT: &str = "tenant.json";
/// The export of the toggle Use Intune RBAC.
pub const TOGGLE: &str = "graph/tenantAttachRBAC.json";
/// The export of All devices.
pub const DEVICES: &str = "devices.csv";

/// The files, in the order in which they are best collected.
pub const EXPORTS: [Export; 23] = [
    Export {
        file: TENANT,
        purpose: "what no service tells, declared by you; the only file that has to be there. `uploadCollection` of a hierarchy names the collection that alone is uploaded, `scopedPermissions` says that the tenant has opted in to these",
        call: r#"{"name": "contoso", "useIntuneRbac": false, "useIntuneRbacChangedAt": "2026-11-23T08:00:00Z", "allowsUnlicensedAdministrators": false, "hierarchies": [{"siteCode": "P01", "version": 2403, "enforceConfigMgrRbac": true, "earlyUpdateRing": false}]}"#,
        powershell: "",
        rights: "nothing",
        is_optional: false,
    },
    Export {
        file: TOGGLE,
        purpose: "the toggle Use Intune RBAC, so that tenant.json need not declare it",
        call: "GET https://graph.microsoft.com/beta/deviceManagement/tenantAttachRBAC/getState",
        powershell: r#"Invoke-MgGraphRequest -Uri "beta/deviceManagement/tenantAttachRBAC/getState" -OutputFilePath graph/tenantAttachRBAC.json"#,
        rights: "DeviceManagementConfiguration.Read.All",
        is_optional: true,
    },
    Export {
        file: "graph/roleDefinitions.json",
        purpose: "the roles of Intune and their permissions",
        call: "GET https://graph.microsoft.com/beta/deviceManagement/roleDefinitions",
        powershell: r#"Invoke-MgGraphRequest -Uri "beta/deviceManagement/roleDefinitions" -OutputFilePath graph/roleDefinitions.json"#,
        rights: "DeviceManagementRBAC.Read.All",
        is_optional: false,
    },
    Export {
        file: "graph/roleAssignments.json",
        purpose: "who is assigned a role, with scope groups and scope tags",
        call: "GET https://graph.microsoft.com/beta/deviceManagement/roleAssignments",
        powershell: r#"Invoke-MgGraphRequest -Uri "beta/deviceManagement/roleAssignments" -OutputFilePath graph/roleAssignments.json"#,
        rights: "DeviceManagementRBAC.Read.All",
        is_optional: false,
    },
    Export {
        file: "graph/roleDefinitions/<id>/roleAssignments.json",
        purpose: "which role each assignment gives: the assignment itself does not say it. Where this call answers 400, graph/roleDefinitions.json with $expand=roleAssignments says it too",
        call: "GET https://graph.microsoft.com/beta/deviceManagement/roleDefinitions/<id>/roleAssignments",
        powershell: r#"(Get-Content graph/roleDefinitions.json | ConvertFrom-Json).value.id | ForEach-Object { $null = mkdir -Force graph/roleDefinitions/$_; Invoke-MgGraphRequest -Uri "beta/deviceManagement/roleDefinitions/$_/roleAssignments" -OutputFilePath graph/roleDefinitions/$_/roleAssignments.json }"#,
        rights: "DeviceManagementRBAC.Read.All",
        is_optional: false,
    },
    Export {
        file: "graph/roleScopeTags.json",
        purpose: "the scope tags",
        call: "GET https://graph.microsoft.com/beta/deviceManagement/roleScopeTags",
        powershell: r#"Invoke-MgGraphRequest -Uri "beta/deviceManagement/roleScopeTags" -OutputFilePath graph/roleScopeTags.json"#,
        rights: "DeviceManagementRBAC.Read.All",
        is_optional: false,
    },
    Export {
        file: "graph/users.json",
        purpose: "the accounts, whether they are enabled, whether Active Directory synchronizes them, and their licenses",
        call: "GET https://graph.microsoft.com/v1.0/users?$top=999&$select=id,userPrincipalName,accountEnabled,onPremisesSyncEnabled,onPremisesSecurityIdentifier,assignedLicenses,assignedPlans",
        powershell: r#"Get-MgUser -All -Property Id,UserPrincipalName,AccountEnabled,OnPremisesSyncEnabled,OnPremisesSecurityIdentifier,AssignedLicenses,AssignedPlans | Select-Object Id,UserPrincipalName,AccountEnabled,OnPremisesSyncEnabled,OnPremisesSecurityIdentifier,AssignedLicenses,AssignedPlans | ConvertTo-Json -Depth 5 | Out-File graph/users.json"#,
        rights: "User.Read.All",
        is_optional: false,
    },
    Export {
        file: "graph/subscribedSkus.json",
        purpose: "which licenses contain Intune, for accounts without assignedPlans and for plans that are new",
        call: "GET https://graph.microsoft.com/v1.0/subscribedSkus?$select=skuId,skuPartNumber,capabilityStatus,servicePlans",
        powershell: r#"Invoke-MgGraphRequest -Uri "v1.0/subscribedSkus" -OutputFilePath graph/subscribedSkus.json"#,
        rights: "LicenseAssignment.Read.All",
        is_optional: true,
    },
    Export {
        file: "graph/groups.json",
        purpose: "the groups",
        call: "GET https://graph.microsoft.com/v1.0/groups?$top=999&$select=id,displayName,visibility,onPremisesSecurityIdentifier",
        powershell: r#"Get-MgGroup -All -Property Id,DisplayName,Visibility,OnPremisesSecurityIdentifier | Select-Object Id,DisplayName,Visibility,OnPremisesSecurityIdentifier | ConvertTo-Json | Out-File graph/groups.json"#,
        rights: "GroupMember.Read.All",
        is_optional: false,
    },
    Export {
        file: "graph/groups/<id>/members.json",
        purpose: "the direct members of a group: of those that role assignments name, of those nested in them, of those that have a role of Microsoft Entra, and of those that are administrative users of Configuration Manager. Without Member.Read.Hidden the answer about hidden members is empty",
        call: "GET https://graph.microsoft.com/v1.0/groups/<id>/members?$top=999&$select=id",
        powershell: r#"(Get-Content graph/groups.json | ConvertFrom-Json).id | ForEach-Object { $null = mkdir -Force graph/groups/$_; Invoke-MgGraphRequest -Uri "v1.0/groups/$_/members?`$top=999&`$select=id" -OutputFilePath graph/groups/$_/members.json }"#,
        rights: "Member.Read.Hidden",
        is_optional: false,
    },
    Export {
        file: "graph/directoryRoles.json",
        purpose: "the roles of Microsoft Entra that somebody has",
        call: "GET https://graph.microsoft.com/v1.0/directoryRoles",
        powershell: r#"Invoke-MgGraphRequest -Uri "v1.0/directoryRoles" -OutputFilePath graph/directoryRoles.json"#,
        rights: "RoleManagement.Read.Directory",
        is_optional: false,
    },
    Export {
        file: "graph/directoryRoles/<id>/members.json",
        purpose: "who has a role of Microsoft Entra now, for the whole tenant; whoever is only eligible, or has it in an administrative unit, is not in it",
        call: "GET https://graph.microsoft.com/v1.0/directoryRoles/<id>/members?$select=id",
        powershell: r#"(Get-Content graph/directoryRoles.json | ConvertFrom-Json).value.id | ForEach-Object { $null = mkdir -Force graph/directoryRoles/$_; Invoke-MgGraphRequest -Uri "v1.0/directoryRoles/$_/members" -OutputFilePath graph/directoryRoles/$_/members.json }"#,
        rights: "RoleManagement.Read.Directory",
        is_optional: false,
    },
    Export {
        file: "graph/roleEligibilityScheduleInstances.json",
        purpose: "who may activate a role of Microsoft Entra (Privileged Identity Management) for the whole tenant; without it, roleEligibilitySchedules.json is taken",
        call: "GET https://graph.microsoft.com/v1.0/roleManagement/directory/roleEligibilityScheduleInstances?$expand=roleDefinition",
        powershell: r#"Invoke-MgGraphRequest -Uri 'v1.0/roleManagement/directory/roleEligibilityScheduleInstances?$expand=roleDefinition' -OutputFilePath graph/roleEligibilityScheduleInstances.json"#,
        rights: "RoleEligibilitySchedule.Read.Directory",
        is_optional: true,
    },
    Export {
        file: "graph/groups/<id>/eligibilityScheduleInstances.json",
        purpose: "who may activate the membership of a group, of the same groups as members.json; without it, eligibilitySchedules.json is taken",
        call: "GET https://graph.microsoft.com/v1.0/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances?$filter=groupId eq '<id>'",
        powershell: r#"(Get-Content graph/groups.json | ConvertFrom-Json).id | ForEach-Object { $null = mkdir -Force graph/groups/$_; Invoke-MgGraphRequest -Uri "v1.0/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances?`$filter=groupId eq '$_'" -OutputFilePath graph/groups/$_/eligibilityScheduleInstances.json }"#,
        rights: "PrivilegedEligibilitySchedule.Read.AzureADGroup",
        is_optional: true,
    },
    Export {
        file: "configmgr/<site>/SMS_Collection.json",
        purpose: "the collections and what they are limited to",
        call: "GET https://<provider>/AdminService/wmi/SMS_Collection?$select=CollectionID,Name,CollectionType,LimitToCollectionID",
        powershell: r#"Get-CimInstance -ComputerName <provider> -Namespace root/SMS/site_<site> -ClassName SMS_Collection | Select-Object CollectionID,Name,CollectionType,LimitToCollectionID | ConvertTo-Json | Out-File configmgr/<site>/SMS_Collection.json"#,
        rights: READ_ONLY_ANALYST,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_R_System.json",
        purpose: "the devices; Client and Obsolete say which are uploaded",
        call: "GET https://<provider>/AdminService/wmi/SMS_R_System?$select=ResourceId,Name,NetbiosName,OperatingSystemNameandVersion,Client,Obsolete",
        powershell: r#"Get-CimInstance -ComputerName <provider> -Namespace root/SMS/site_<site> -ClassName SMS_R_System | Select-Object ResourceId,Name,NetbiosName,OperatingSystemNameandVersion,Client,Obsolete | ConvertTo-Json | Out-File configmgr/<site>/SMS_R_System.json"#,
        rights: READ_ONLY_ANALYST,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_FullCollectionMembership.json",
        purpose: "which device is in which collection",
        call: "GET https://<provider>/AdminService/wmi/SMS_FullCollectionMembership?$select=CollectionID,ResourceID",
        powershell: r#"Get-CimInstance -ComputerName <provider> -Namespace root/SMS/site_<site> -ClassName SMS_FullCollectionMembership | Select-Object CollectionID,ResourceID | ConvertTo-Json | Out-File configmgr/<site>/SMS_FullCollectionMembership.json"#,
        rights: READ_ONLY_ANALYST,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_R_User.json",
        purpose: "who was discovered, and how",
        call: "GET https://<provider>/AdminService/wmi/SMS_R_User?$select=ResourceId,UniqueUserName,SID,AADUserID,AgentName",
        powershell: r#"Get-CimInstance -ComputerName <provider> -Namespace root/SMS/site_<site> -ClassName SMS_R_User | Select-Object ResourceId,UniqueUserName,SID,AADUserID,AgentName | ConvertTo-Json | Out-File configmgr/<site>/SMS_R_User.json"#,
        rights: READ_ONLY_ANALYST,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_Admin.json",
        purpose: "the administrative users; AdminSid and Permissions are lazy, so each is read by itself, and the answers stand one after the other",
        call: "GET https://<provider>/AdminService/wmi/SMS_Admin(<AdminID>)",
        powershell: r#"Get-CimInstance -ComputerName <provider> -Namespace root/SMS/site_<site> -ClassName SMS_Admin | Get-CimInstance | Select-Object AdminID,AdminSid,LogonName,AccountType,IsDeleted,Permissions | ConvertTo-Json -Depth 5 | Out-File configmgr/<site>/SMS_Admin.json"#,
        rights: READ_ONLY_ANALYST,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_Role.json",
        purpose: "the security roles; Operations is lazy, so each is read by itself, and the answers stand one after the other",
        call: "GET https://<provider>/AdminService/wmi/SMS_Role('<RoleID>')",
        powershell: r#"Get-CimInstance -ComputerName <provider> -Namespace root/SMS/site_<site> -ClassName SMS_Role | Get-CimInstance | Select-Object RoleID,RoleName,Operations | ConvertTo-Json -Depth 5 | Out-File configmgr/<site>/SMS_Role.json"#,
        rights: READ_ONLY_ANALYST,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_AvailableOperation.json",
        purpose: "what the bits of a security role mean",
        call: "GET https://<provider>/AdminService/wmi/SMS_AvailableOperation?$select=ObjectTypeID,ObjectTypeName,OperationName,BitFlag",
        powershell: r#"Get-CimInstance -ComputerName <provider> -Namespace root/SMS/site_<site> -ClassName SMS_AvailableOperation | Select-Object ObjectTypeID,ObjectTypeName,OperationName,BitFlag | ConvertTo-Json | Out-File configmgr/<site>/SMS_AvailableOperation.json"#,
        rights: READ_ONLY_ANALYST,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_SecuredCategory.json",
        purpose: "the names of the security scopes",
        call: "GET https://<provider>/AdminService/wmi/SMS_SecuredCategory?$select=CategoryID,CategoryName",
        powershell: r#"Get-CimInstance -ComputerName <provider> -Namespace root/SMS/site_<site> -ClassName SMS_SecuredCategory | Select-Object CategoryID,CategoryName | ConvertTo-Json | Out-File configmgr/<site>/SMS_SecuredCategory.json"#,
        rights: READ_ONLY_ANALYST,
        is_optional: true,
    },
    Export {
        file: DEVICES,
        purpose: "which devices are co-managed, and which are of no hierarchy that was exported",
        call: "https://intune.microsoft.com, Devices, All devices, Export (DevicesWithInventory_<guid>.csv is taken as well)",
        powershell: "",
        rights: "Managed devices/Read of Intune",
        is_optional: true,
    },
];

/// The reports that list devices, whose files are called after them: `DevicesWithInventory_<guid>.csv`.
const REPORTS: [&str; 3] = [
    "DevicesWithInventory",
    "ComanagementEligibilityTenantAttachedDevices",
    "Devices",
];

/// The file that a file is, where the admin center has given it another name.
pub fn known_as(path: &str) -> Option<&'static str> {
    let stem = path.strip_suffix(".gz").unwrap_or(path);
    // What is in an archive is told when it is read.
    let stem = stem.strip_suffix(".csv").or(stem.strip_suffix(".zip"))?;
    let report = stem.split(['_', ' ', '(']).next().unwrap_or_default();
    let is_report = REPORTS.iter().any(|name| name.eq_ignore_ascii_case(report));
    (is_report && !stem.contains('/')).then_some(DEVICES)
}

/// The name of the export to which a path belongs: with the site code of its hierarchy, and without the ids of objects.
/// `None` for declared files.
pub fn called(path: &str) -> Option<String> {
    if known_as(path).is_some() {
        return Some(DEVICES.to_owned());
    }
    // The ones stand in for the others.
    let path = path.replace("ligibilitySchedules.", "ligibilityScheduleInstances.");
    let export = export_at(&path).filter(|export| ![TENANT, TOGGLE].contains(&export.file))?;
    let parts = export.file.split('/').zip(path.split('/'));
    let parts = parts.map(|(part, given)| match part {
        "<site>" => given.to_ascii_uppercase(),
        part => part.to_owned(),
    });
    Some(parts.collect::<Vec<String>>().join("/"))
}

/// What a path in the folder is, be it one of several pages.
pub fn export_at(path: &str) -> Option<Export> {
    let stem = |path: &str| {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let name = name.split('.').next().unwrap_or_default();
        let name = match name.rsplit_once('-') {
            Some((name, number)) if number.parse::<u32>().is_ok() => name,
            _ => name,
        };
        format!("{folder}/{name}")
    };
    let path = stem(path);
    EXPORTS.into_iter().find(|export| {
        let pattern = stem(export.file);
        let (mut pattern, mut path) = (pattern.split('/'), path.split('/'));
        loop {
            match (pattern.next(), path.next()) {
                (None, None) => return true,
                (Some(part), Some(_)) if part.starts_with('<') => {}
                (Some(part), Some(given)) if part == given => {}
                _ => return false,
            }
        }
    })
}
