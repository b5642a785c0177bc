//! Which files an export consists of, and the call that gives each.
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
    /// Whether nothing is lost without it.
    pub is_optional: bool,
}

/// The file that declares what no service tells.
pub const TENANT: &str = "tenant.json";
/// The export of All devices.
pub const DEVICES: &str = "devices.csv";

/// The files, in the order in which they are best collected.
pub const EXPORTS: [Export; 20] = [
    Export {
        file: TENANT,
        purpose: "what no service tells, declared by you; the only file that has to be there",
        call: r#"{"name": "contoso", "useIntuneRbac": false, "useIntuneRbacChangedAt": "2026-11-23T08:00:00Z", "allowsUnlicensedAdministrators": false, "hierarchies": [{"siteCode": "P01", "version": 2403, "enforceConfigMgrRbac": true, "earlyUpdateRing": false}]}"#,
        powershell: "",
        is_optional: false,
    },
    Export {
        file: "graph/roleDefinitions.json",
        purpose: "the roles of Intune and their permissions",
        call: "GET https://graph.microsoft.com/beta/deviceManagement/roleDefinitions",
        powershell: r#"Invoke-MgGraphRequest -Uri "beta/deviceManagement/roleDefinitions" -OutputFilePath graph/roleDefinitions.json"#,
        is_optional: false,
    },
    Export {
        file: "graph/roleAssignments.json",
        purpose: "who is assigned a role, with scope groups and scope tags",
        call: "GET https://graph.microsoft.com/beta/deviceManagement/roleAssignments",
        powershell: r#"Invoke-MgGraphRequest -Uri "beta/deviceManagement/roleAssignments" -OutputFilePath graph/roleAssignments.json"#,
        is_optional: false,
    },
    Export {
        file: "graph/roleDefinitions/<id>/roleAssignments.json",
        purpose: "which role each assignment gives: the assignment itself does not say it",
        call: "GET https://graph.microsoft.com/beta/deviceManagement/roleDefinitions/<id>/roleAssignments",
        powershell: r#"(Get-Content graph/roleDefinitions.json | ConvertFrom-Json).value.id | ForEach-Object { $null = mkdir -Force graph/roleDefinitions/$_; Invoke-MgGraphRequest -Uri "beta/deviceManagement/roleDefinitions/$_/roleAssignments" -OutputFilePath graph/roleDefinitions/$_/roleAssignments.json }"#,
        is_optional: false,
    },
    Export {
        file: "graph/roleScopeTags.json",
        purpose: "the scope tags",
        call: "GET https://graph.microsoft.com/beta/deviceManagement/roleScopeTags",
        powershell: r#"Invoke-MgGraphRequest -Uri "beta/deviceManagement/roleScopeTags" -OutputFilePath graph/roleScopeTags.json"#,
        is_optional: false,
    },
    Export {
        file: "graph/users.json",
        purpose: "the accounts, whether Active Directory synchronizes them, and their licenses",
        call: "GET https://graph.microsoft.com/v1.0/users?$top=999&$select=id,userPrincipalName,onPremisesSyncEnabled,onPremisesSecurityIdentifier,assignedLicenses,assignedPlans",
        powershell: r#"Get-MgUser -All -Property Id,UserPrincipalName,OnPremisesSyncEnabled,OnPremisesSecurityIdentifier,AssignedLicenses,AssignedPlans | Select-Object Id,UserPrincipalName,OnPremisesSyncEnabled,OnPremisesSecurityIdentifier,AssignedLicenses,AssignedPlans | ConvertTo-Json -Depth 5 | Out-File graph/users.json"#,
        is_optional: false,
    },
    Export {
        file: "graph/subscribedSkus.json",
        purpose: "which licenses contain Intune, for accounts without assignedPlans",
        call: "GET https://graph.microsoft.com/v1.0/subscribedSkus?$select=skuId,capabilityStatus,servicePlans",
        powershell: r#"Invoke-MgGraphRequest -Uri "v1.0/subscribedSkus" -OutputFilePath graph/subscribedSkus.json"#,
        is_optional: true,
    },
    Export {
        file: "graph/groups.json",
        purpose: "the groups",
        call: "GET https://graph.microsoft.com/v1.0/groups?$top=999&$select=id,displayName,onPremisesSecurityIdentifier",
        powershell: r#"Get-MgGroup -All -Property Id,DisplayName,OnPremisesSecurityIdentifier | Select-Object Id,DisplayName,OnPremisesSecurityIdentifier | ConvertTo-Json | Out-File graph/groups.json"#,
        is_optional: false,
    },
    Export {
        file: "graph/groups/<id>/members.json",
        purpose: "the direct members of a group: of those that role assignments name, of those nested in them, and of those that are administrative users of Configuration Manager",
        call: "GET https://graph.microsoft.com/v1.0/groups/<id>/members?$top=999&$select=id",
        powershell: r#"(Get-Content graph/groups.json | ConvertFrom-Json).id | ForEach-Object { $null = mkdir -Force graph/groups/$_; Invoke-MgGraphRequest -Uri "v1.0/groups/$_/members?`$top=999&`$select=id" -OutputFilePath graph/groups/$_/members.json }"#,
        is_optional: false,
    },
    Export {
        file: "graph/directoryRoles.json",
        purpose: "the roles of Microsoft Entra that somebody has",
        call: "GET https://graph.microsoft.com/v1.0/directoryRoles",
        powershell: r#"Invoke-MgGraphRequest -Uri "v1.0/directoryRoles" -OutputFilePath graph/directoryRoles.json"#,
        is_optional: false,
    },
    Export {
        file: "graph/directoryRoles/<id>/members.json",
        purpose: "who has a role of Microsoft Entra",
        call: "GET https://graph.microsoft.com/v1.0/directoryRoles/<id>/members?$select=id",
        powershell: r#"(Get-Content graph/directoryRoles.json | ConvertFrom-Json).value.id | ForEach-Object { $null = mkdir -Force graph/directoryRoles/$_; Invoke-MgGraphRequest -Uri "v1.0/directoryRoles/$_/members" -OutputFilePath graph/directoryRoles/$_/members.json }"#,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_Collection.json",
        purpose: "the collections and what they are limited to",
        call: "GET https://<provider>/AdminService/wmi/SMS_Collection?$select=CollectionID,Name,CollectionType,LimitToCollectionID",
        powershell: r#"Get-CimInstance -ComputerName <provider> -Namespace root/SMS/site_<site> -ClassName SMS_Collection | Select-Object CollectionID,Name,CollectionType,LimitToCollectionID | ConvertTo-Json | Out-File configmgr/<site>/SMS_Collection.json"#,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_R_System.json",
        purpose: "the devices",
        call: "GET https://<provider>/AdminService/wmi/SMS_R_System?$select=ResourceId,Name,NetbiosName,OperatingSystemNameandVersion",
        powershell: r#"Get-CimInstance -ComputerName <provider> -Namespace root/SMS/site_<site> -ClassName SMS_R_System | Select-Object ResourceId,Name,NetbiosName,OperatingSystemNameandVersion | ConvertTo-Json | Out-File configmgr/<site>/SMS_R_System.json"#,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_FullCollectionMembership.json",
        purpose: "which device is in which collection",
        call: "GET https://<provider>/AdminService/wmi/SMS_FullCollectionMembership?$select=CollectionID,ResourceID",
        powershell: r#"Get-CimInstance -ComputerName <provider> -Namespace root/SMS/site_<site> -ClassName SMS_FullCollectionMembership | Select-Object CollectionID,ResourceID | ConvertTo-Json | Out-File configmgr/<site>/SMS_FullCollectionMembership.json"#,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_R_User.json",
        purpose: "who was discovered, and how",
        call: "GET https://<provider>/AdminService/wmi/SMS_R_User?$select=ResourceId,UniqueUserName,SID,AADUserID,AgentName",
        powershell: r#"Get-CimInstance -ComputerName <provider> -Namespace root/SMS/site_<site> -ClassName SMS_R_User | Select-Object ResourceId,UniqueUserName,SID,AADUserID,AgentName | ConvertTo-Json | Out-File configmgr/<site>/SMS_R_User.json"#,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_Admin.json",
        purpose: "the administrative users; AdminSid and Permissions are lazy, so each is read by itself, and the answers stand one after the other",
        call: "GET https://<provider>/AdminService/wmi/SMS_Admin(<AdminID>)",
        powershell: r#"Get-CimInstance -ComputerName <provider> -Namespace root/SMS/site_<site> -ClassName SMS_Admin | Get-CimInstance | Select-Object AdminID,AdminSid,LogonName,IsDeleted,Permissions | ConvertTo-Json -Depth 5 | Out-File configmgr/<site>/SMS_Admin.json"#,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_Role.json",
        purpose: "the security roles; Operations is lazy, so each is read by itself, and the answers stand one after the other",
        call: "GET https://<provider>/AdminService/wmi/SMS_Role('<RoleID>')",
        powershell: r#"Get-CimInstance -ComputerName <provider> -Namespace root/SMS/site_<site> -ClassName SMS_Role | Get-CimInstance | Select-Object RoleID,RoleName,Operations | ConvertTo-Json -Depth 5 | Out-File configmgr/<site>/SMS_Role.json"#,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_AvailableOperation.json",
        purpose: "what the bits of a security role mean",
        call: "GET https://<provider>/AdminService/wmi/SMS_AvailableOperation?$select=ObjectTypeID,ObjectTypeName,OperationName,BitFlag",
        powershell: r#"Get-CimInstance -ComputerName <provider> -Namespace root/SMS/site_<site> -ClassName SMS_AvailableOperation | Select-Object ObjectTypeID,ObjectTypeName,OperationName,BitFlag | ConvertTo-Json | Out-File configmgr/<site>/SMS_AvailableOperation.json"#,
        is_optional: false,
    },
    Export {
        file: "configmgr/<site>/SMS_SecuredCategory.json",
        purpose: "the names of the security scopes",
        call: "GET https://<provider>/AdminService/wmi/SMS_SecuredCategory?$select=CategoryID,CategoryName",
        powershell: r#"Get-CimInstance -ComputerName <provider> -Namespace root/SMS/site_<site> -ClassName SMS_SecuredCategory | Select-Object CategoryID,CategoryName | ConvertTo-Json | Out-File configmgr/<site>/SMS_SecuredCategory.json"#,
        is_optional: true,
    },
    Export {
        file: DEVICES,
        purpose: "which devices are co-managed, and which are of no hierarchy that was exported",
        call: "https://intune.microsoft.com, Devices, All devices, Export",
        powershell: "",
        is_optional: true,
    },
];

/// What a path in the folder is, be it one of several pages.
pub fn of(path: &str) -> Option<Export> {
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
