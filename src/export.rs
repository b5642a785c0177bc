//! Exports of a live tenant: what Microsoft Graph gives, read as it was saved.
//!
//! A file is a page of records: the answer of Graph as it came (`{"value": […]}`), a bare array, one
//! record a line, or the single record that PowerShell makes of a list of one. It is UTF-8 or, as
//! Windows PowerShell writes it, UTF-16, with or without a byte order mark, plain or gzip. The records
//! are handed on one by one, so that a page may be larger than memory.

mod page;

use serde::Deserialize;

pub use page::{Page, Unread, read};

/// A row of `GET /deviceManagement/roleDefinitions`, v1.0 or beta.
///
/// Beta has `permissions` and `isBuiltInRoleDefinition` beside what v1.0 has, and both answer with
/// either.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleDefinitionRow {
    /// The id of the role.
    pub id: String,
    /// The name that the admin center shows.
    pub display_name: String,
    #[serde(default)]
    role_permissions: Vec<PermissionRow>,
    #[serde(default)]
    permissions: Vec<PermissionRow>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PermissionRow {
    #[serde(default)]
    actions: Vec<String>,
    #[serde(default)]
    resource_actions: Vec<ResourceActionRow>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceActionRow {
    #[serde(default)]
    allowed_resource_actions: Vec<String>,
    #[serde(default)]
    not_allowed_resource_actions: Vec<String>,
}

impl RoleDefinitionRow {
    /// The ids of the permissions that it allows.
    pub fn allowed(&self) -> impl Iterator<Item = &str> {
        let rows = self.role_permissions.iter().chain(&self.permissions);
        rows.flat_map(|row| {
            let resource_actions = row.resource_actions.iter();
            let allowed = resource_actions.flat_map(|row| &row.allowed_resource_actions);
            allowed.chain(&row.actions).map(String::as_str)
        })
    }

    /// Whether it lists permissions that are not allowed. What that means is not documented: Intune has
    /// no deny.
    pub fn takes_away(&self) -> bool {
        let mut actions = self
            .role_permissions
            .iter()
            .flat_map(|row| &row.resource_actions);
        actions.any(|row| !row.not_allowed_resource_actions.is_empty())
    }
}
