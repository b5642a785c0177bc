//! The permissions of Microsoft Graph required by the calls.

use super::{EXPORTS, Export, ExportSource};

/// The application id of Microsoft Graph, the same in every tenant.
pub const GRAPH_APPLICATION: &str = "00000003-0000-0000-c000-000000000000";

/// The ids of application permissions, by name. Source: the reference of Microsoft Graph permissions.
pub const APP_ROLES: [(&str, &str); 9] = [
    (
        "DeviceManagementConfiguration.Read.All",
        "dc377aa6-52d8-4e23-b271-2a7ae04cedf3",
    ),
    (
        "DeviceManagementRBAC.Read.All",
        "58ca0d9a-1575-47e1-a3cb-007ef2e4583b",
    ),
    ("User.Read.All", "df021288-bdef-4463-88db-98f22de89214"),
    (
        "LicenseAssignment.Read.All",
        "e2f98668-2877-4f38-a2f4-8202e0717aa1",
    ),
    (
        "GroupMember.Read.All",
        "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    ),
    ("Member.Read.Hidden", "658aa5d8-239f-45c4-aa12-864f4fc7e490"),
    (
        "RoleManagement.Read.Directory",
        "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
    ),
    (
        "RoleEligibilitySchedule.Read.Directory",
        "ff278e11-4a33-4d0c-83d2-d01dc58929a5",
    ),
    (
        "PrivilegedEligibilitySchedule.Read.AzureADGroup",
        "edb419d6-7edc-42a3-9345-509bfdf5d87c",
    ),
];

/// The permissions required by the calls of Graph, each with the exports that require it.
pub fn permissions() -> Vec<(&'static str, Vec<&'static Export>)> {
    static TABLE: [Export; EXPORTS.len()] = EXPORTS;
    let mut permissions: Vec<(&str, Vec<&Export>)> = Vec::new();
    for export in TABLE
        .iter()
        .filter(|export| matches!(export.source, ExportSource::Graph(_)))
    {
        let known = permissions
            .iter_mut()
            .find(|(name, _)| *name == export.rights);
        match known {
            Some((_, exports)) => exports.push(export),
            None => permissions.push((export.rights, vec![export])),
        }
    }
    permissions
}
