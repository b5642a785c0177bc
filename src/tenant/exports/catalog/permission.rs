//! The permissions of Microsoft Graph required by the calls.

use super::{EXPORTS, Export, ExportSource};

/// The application id of Microsoft Graph, the same in every tenant.
pub const GRAPH_APPLICATION: &str = "00000003-0000-0000-c000-000000000000";

/// A permission of Microsoft Graph, with its ids, which are the same in every tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GraphPermission {
    /// The name.
    pub name: &'static str,
    /// The id as a delegated permission, for an application that a person signs in to.
    pub scope: &'static str,
    /// The id as an application permission, for an application that signs in by itself.
    pub role: &'static str,
}

/// The permissions that the calls take. Source: the reference of Microsoft Graph permissions.
pub const GRAPH_PERMISSIONS: [GraphPermission; 9] = [
    GraphPermission {
        name: "DeviceManagementConfiguration.Read.All",
        scope: "f1493658-876a-4c87-8fa7-edb559b3476a",
        role: "dc377aa6-52d8-4e23-b271-2a7ae04cedf3",
    },
    GraphPermission {
        name: "DeviceManagementRBAC.Read.All",
        scope: "49f0cc30-024c-4dfd-ab3e-82e137ee5431",
        role: "58ca0d9a-1575-47e1-a3cb-007ef2e4583b",
    },
    GraphPermission {
        name: "User.Read.All",
        scope: "a154be20-db9c-4678-8ab7-66f6cc099a59",
        role: "df021288-bdef-4463-88db-98f22de89214",
    },
    GraphPermission {
        name: "LicenseAssignment.Read.All",
        scope: "f395577a-0960-456b-979f-7228de0c5996",
        role: "e2f98668-2877-4f38-a2f4-8202e0717aa1",
    },
    GraphPermission {
        name: "GroupMember.Read.All",
        scope: "bc024368-1153-4739-b217-4326f2e966d0",
        role: "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    },
    GraphPermission {
        name: "Member.Read.Hidden",
        scope: "f6a3db3e-f7e8-4ed2-a414-557c8c9830be",
        role: "658aa5d8-239f-45c4-aa12-864f4fc7e490",
    },
    GraphPermission {
        name: "RoleManagement.Read.Directory",
        scope: "741c54c3-0c1e-44a1-818b-3f97ab4e8c83",
        role: "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
    },
    GraphPermission {
        name: "RoleEligibilitySchedule.Read.Directory",
        scope: "eb0788c2-6d4e-4658-8c9e-c0fb8053f03d",
        role: "ff278e11-4a33-4d0c-83d2-d01dc58929a5",
    },
    GraphPermission {
        name: "PrivilegedEligibilitySchedule.Read.AzureADGroup",
        scope: "8f44f93d-ecef-46ae-a9bf-338508d44d6b",
        role: "edb419d6-7edc-42a3-9345-509bfdf5d87c",
    },
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
