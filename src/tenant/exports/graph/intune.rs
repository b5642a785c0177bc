//! Graph rows of Intune: roles, assignments, scope tags and the toggle Use Intune RBAC.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer};

use super::IdRow;
use crate::exports::key;
use crate::exports::lenient::{NotAnswer, NotRemoved, ids, list, named, optional_flag, texts};

/// A row of `GET /deviceManagement/roleDefinitions`.
///
/// Beta has `permissions` and `isBuiltInRoleDefinition` in addition to the properties of v1.0. Answers of either
/// version may have both.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a role definition")]
pub struct RoleDefinitionRow {
    /// Makes the row invalid: only the answers of delta queries have removed objects.
    #[serde(default, rename = "@removed")]
    pub removed: NotRemoved,
    /// Makes the row invalid: it is an answer or a page in place of a record.
    #[serde(default, rename = "body", alias = "responses", alias = "value")]
    pub answer: NotAnswer,
    /// The id of the role.
    #[serde(alias = "Id")]
    pub id: String,
    /// The name in the admin center.
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
    /// The assignments, if the call had `$expand=roleAssignments`; only their ids are complete.
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
    /// Whether the export has the permissions of the role.
    pub fn has_permissions(&self) -> bool {
        self.role_permissions.is_some() || self.permissions.is_some()
    }

    /// Whether the role ships with Intune; `None` if the export does not state it.
    pub fn is_built_in(&self) -> Option<bool> {
        let flags = [self.is_built_in, self.is_built_in_role_definition];
        let mut flags = flags.into_iter().flatten().peekable();
        flags.peek()?;
        Some(flags.any(|is_built_in| is_built_in))
    }

    /// Whether the record has several lists of allowed permissions that are not the same.
    pub fn is_contradictory(&self) -> bool {
        let mut lists = self.lists().map(|list| lower(&list));
        let first = lists.next();
        lists.any(|list| Some(list) != first)
    }

    /// The ids of the allowed permissions that all lists have, without those that are also listed as not allowed.
    pub fn permissions(&self) -> BTreeSet<&str> {
        let lists: Vec<BTreeSet<&str>> = self.lists().collect();
        let in_lower: Vec<BTreeSet<String>> = lists.iter().map(lower).collect();
        let mut permissions: BTreeSet<&str> = lists.into_iter().flatten().collect();
        permissions.retain(|id| in_lower.iter().all(|list| list.contains(&key(id))));
        // Graph writes ids in varying case, and older ones with slashes. An asterisk stands for any rest of an id.
        let plain = |id: &str| key(id.trim()).replace('/', "_");
        let is_of = |id: &str, not_allowed: &str| match not_allowed.split_once('*') {
            None => not_allowed == id,
            Some((start, _)) => id.starts_with(start),
        };
        let not_allowed: Vec<String> = self.not_allowed().map(plain).collect();
        permissions.retain(|id| {
            let id = plain(id);
            !not_allowed.iter().any(|not| is_of(&id, not))
        });
        permissions
    }

    /// The lists of allowed permissions. A record has the same list up to four times; an empty one is taken as absent.
    fn lists(&self) -> impl Iterator<Item = BTreeSet<&str>> {
        let copies = [&self.role_permissions, &self.permissions];
        let lists = copies.into_iter().flatten().flat_map(|rows| {
            let actions = rows.iter().flat_map(|row| &row.actions);
            let allowed = rows.iter().flat_map(|row| &row.resource_actions).flatten();
            let allowed = allowed.flat_map(|row| &row.allowed_resource_actions);
            [ids_of(actions), ids_of(allowed)]
        });
        lists.filter(|list| !list.is_empty())
    }

    /// The ids of the permissions listed as not allowed. Their meaning is not documented: Intune has no deny.
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

fn ids_of<'r>(lists: impl Iterator<Item = &'r Vec<String>>) -> BTreeSet<&'r str> {
    lists.flatten().map(String::as_str).collect()
}

/// A list of permissions for comparison: Graph writes ids in varying case.
fn lower(list: &BTreeSet<&str>) -> BTreeSet<String> {
    list.iter().map(|id| key(id)).collect()
}

/// A row of `GET /deviceManagement/roleAssignments`. Only some answers include the role definition; otherwise a row
/// does not state which role it assigns.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a role assignment")]
pub struct RoleAssignmentRow {
    /// Makes the row invalid: only the answers of delta queries have removed objects.
    #[serde(default, rename = "@removed")]
    pub removed: NotRemoved,
    /// Makes the row invalid: it is an answer or a page in place of a record.
    #[serde(default, rename = "body", alias = "responses", alias = "value")]
    pub answer: NotAnswer,
    /// The id of the assignment.
    #[serde(alias = "Id")]
    pub id: String,
    /// The name in the admin center.
    #[serde(default, alias = "DisplayName")]
    pub display_name: Option<String>,
    /// The ids of the member groups and people.
    #[serde(default, alias = "Members", deserialize_with = "ids")]
    pub members: Option<Vec<String>>,
    /// The ids of the scope groups.
    #[serde(default, alias = "ResourceScopes", deserialize_with = "ids")]
    pub resource_scopes: Option<Vec<String>>,
    /// The ids of the scope groups, under the name of beta.
    #[serde(default, alias = "ScopeMembers", deserialize_with = "ids")]
    pub scope_members: Option<Vec<String>>,
    /// The scope of the assignment.
    #[serde(default, alias = "ScopeType")]
    pub scope_type: Option<ScopeType>,
    /// The ids of the scope tags; `None` if the answer leaves them out.
    #[serde(default, alias = "RoleScopeTagIds", deserialize_with = "ids")]
    pub role_scope_tag_ids: Option<Vec<String>>,
    /// The id of the role definition, if the answer includes it.
    #[serde(default, alias = "RoleDefinition", deserialize_with = "named")]
    pub role_definition: Option<String>,
}

/// The scope of a role assignment: `roleAssignmentScopeType`, in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScopeType {
    /// The scope groups of the assignment.
    ResourceScope,
    /// All devices, all licensed users, or both.
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
    /// Makes the row invalid: only the answers of delta queries have removed objects.
    #[serde(default, rename = "@removed")]
    pub removed: NotRemoved,
    /// Makes the row invalid: it is an answer or a page in place of a record.
    #[serde(default, rename = "body", alias = "responses", alias = "value")]
    pub answer: NotAnswer,
    /// The id; `0` is Default.
    #[serde(alias = "Id")]
    pub id: String,
    /// The name in the admin center.
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
