//! Graph rows of Intune: roles, assignments, scope tags and the toggle Use Intune RBAC.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer};

use super::IdRow;
use crate::exports::lenient::{NotRemoved, ids, list, named, optional_flag, texts};

/// A row of `GET /deviceManagement/roleDefinitions`.
///
/// Beta has `permissions` and `isBuiltInRoleDefinition` beside what v1.0 has, and both answer with
/// either.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a role definition")]
pub struct RoleDefinitionRow {
    /// Refused: an object that was removed is in the answer of a delta query alone.
    #[serde(default, rename = "@removed")]
    pub removed: NotRemoved,
    /// The id of the role.
    #[serde(alias = "Id")]
    pub id: String,
    /// The name that the admin center shows.
    #[serde(alias = "DisplayName")]
    pub display_name: String,
    /// The description.
    #[serde(default, alias = "Description")]
    pub description: Option<String>,
    #[serde(default, alias = "IsBuiltIn", deserialize_with = "optional_flag")]
    is_built_in: Option<bool>,
    #[serde(
        default,
        alias = "IsBuiltInRoleDefinition",
        deserialize_with = "optional_flag"
    )]
    is_built_in_role_definition: Option<bool>,
    #[serde(default, alias = "RolePermissions", deserialize_with = "list")]
    role_permissions: Option<Vec<PermissionRow>>,
    #[serde(default, alias = "Permissions", deserialize_with = "list")]
    permissions: Option<Vec<PermissionRow>>,
    /// Its assignments, where the call asked for them with `$expand=roleAssignments`; of each only the id is
    /// whole.
    #[serde(default, alias = "RoleAssignments", deserialize_with = "list")]
    pub role_assignments: Option<Vec<IdRow>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "permissions of a role")]
struct PermissionRow {
    #[serde(default, alias = "Actions", deserialize_with = "texts")]
    actions: Option<Vec<String>>,
    #[serde(default, alias = "ResourceActions", deserialize_with = "list")]
    resource_actions: Option<Vec<ResourceActionRow>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "permissions of a role")]
struct ResourceActionRow {
    #[serde(default, alias = "AllowedResourceActions", deserialize_with = "texts")]
    allowed_resource_actions: Option<Vec<String>>,
    #[serde(
        default,
        alias = "NotAllowedResourceActions",
        deserialize_with = "texts"
    )]
    not_allowed_resource_actions: Option<Vec<String>>,
}

impl RoleDefinitionRow {
    /// Whether the export has its permissions.
    pub fn has_permissions(&self) -> bool {
        self.role_permissions.is_some() || self.permissions.is_some()
    }

    /// Whether it is one of the roles that ship with Intune; `None` where the export does not say it.
    pub fn is_built_in(&self) -> Option<bool> {
        let flags = [self.is_built_in, self.is_built_in_role_definition];
        let mut flags = flags.into_iter().flatten().peekable();
        flags.peek()?;
        Some(flags.any(|is_built_in| is_built_in))
    }

    /// The ids of the permissions that it allows and does not list as not allowed.
    pub fn permissions(&self) -> BTreeSet<&str> {
        let mut permissions: BTreeSet<&str> = self.allowed().collect();
        // Graph does not always write an id in one case. An asterisk stands for whatever an id ends with.
        let is_of = |id: &str, not_allowed: &str| match not_allowed.split_once('*') {
            None => not_allowed.eq_ignore_ascii_case(id),
            Some((start, _)) => {
                let beginning = id.get(..start.len());
                beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(start))
            }
        };
        permissions.retain(|id| !self.not_allowed().any(|not| is_of(id.trim(), not.trim())));
        permissions
    }

    /// The ids of the permissions that it allows.
    fn allowed(&self) -> impl Iterator<Item = &str> {
        self.permission_rows().flat_map(|row| {
            let resource_actions = row.resource_actions.iter().flatten();
            let allowed = resource_actions.flat_map(|row| row.allowed_resource_actions.iter());
            let all = allowed.chain(&row.actions).flatten();
            all.map(String::as_str)
        })
    }

    /// The ids of the permissions that it lists as not allowed. The meaning is not documented: Intune has no deny.
    pub fn not_allowed(&self) -> impl Iterator<Item = &str> {
        let actions = self.permission_rows().flat_map(|row| &row.resource_actions);
        let not_allowed = actions
            .flatten()
            .flat_map(|row| row.not_allowed_resource_actions.iter().flatten());
        not_allowed.map(String::as_str)
    }

    fn permission_rows(&self) -> impl Iterator<Item = &PermissionRow> {
        let rows = self.role_permissions.iter().chain(&self.permissions);
        rows.flatten()
    }
}

/// A row of `GET /deviceManagement/roleAssignments`. It does not say which role it gives, unless the answer has the
/// role definition in it, as some do.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a role assignment")]
pub struct RoleAssignmentRow {
    /// Refused: an object that was removed is in the answer of a delta query alone.
    #[serde(default, rename = "@removed")]
    pub removed: NotRemoved,
    /// The id of the assignment.
    #[serde(alias = "Id")]
    pub id: String,
    /// The name that the admin center shows.
    #[serde(default, alias = "DisplayName")]
    pub display_name: Option<String>,
    /// The ids of the groups, and of people, who have the role.
    #[serde(default, alias = "Members", deserialize_with = "ids")]
    pub members: Option<Vec<String>>,
    /// The ids of the scope groups.
    #[serde(default, alias = "ResourceScopes", deserialize_with = "ids")]
    pub resource_scopes: Option<Vec<String>>,
    /// The ids of the scope groups, as beta calls them.
    #[serde(default, alias = "ScopeMembers", deserialize_with = "ids")]
    pub scope_members: Option<Vec<String>>,
    /// The scope of the assignment.
    #[serde(default, alias = "ScopeType")]
    pub scope_type: Option<ScopeType>,
    /// The ids of the scope tags; none where an answer was cut short.
    #[serde(default, alias = "RoleScopeTagIds", deserialize_with = "ids")]
    pub role_scope_tag_ids: Option<Vec<String>>,
    /// The id of the role definition, where the answer has it.
    #[serde(default, alias = "RoleDefinition", deserialize_with = "named")]
    pub role_definition: Option<String>,
}

/// The scope of a role assignment: `roleAssignmentScopeType`, written in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeType {
    /// The scope groups.
    ResourceScope,
    /// Every device, every licensed user, or both.
    Everything,
}

impl<'de> Deserialize<'de> for ScopeType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.to_ascii_lowercase().as_str() {
            "resourcescope" => Ok(Self::ResourceScope),
            "alldevices" | "alllicensedusers" | "alldevicesandlicensedusers" => {
                Ok(Self::Everything)
            }
            _ => Err(serde::de::Error::custom(format!(
                "the scopeType `{text}` is none of resourceScope, allDevices, allLicensedUsers and \
                 allDevicesAndLicensedUsers; if Graph answered with it, it is new, so please report it"
            ))),
        }
    }
}

/// A row of `GET /deviceManagement/roleScopeTags`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a scope tag")]
pub struct ScopeTagRow {
    /// Refused: an object that was removed is in the answer of a delta query alone.
    #[serde(default, rename = "@removed")]
    pub removed: NotRemoved,
    /// The id; `0` is Default.
    #[serde(alias = "Id")]
    pub id: String,
    /// The name that the admin center shows.
    #[serde(default, alias = "DisplayName")]
    pub display_name: Option<String>,
}

/// The answer of `GET /deviceManagement/tenantAttachRBAC/getState`.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    rename_all = "camelCase",
    expecting = "the state of the toggle Use Intune RBAC"
)]
pub struct TenantAttachRbacRow {
    /// Whether the toggle is On.
    #[serde(alias = "Enabled")]
    pub enabled: bool,
}
