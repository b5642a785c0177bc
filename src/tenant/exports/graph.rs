//! Rows of Microsoft Graph, v1.0 or beta.
//!
//! Microsoft Graph PowerShell writes the names of properties with a capital first letter.

mod directory;
mod eligibility;
mod intune;

use serde::Deserialize;

use super::lenient::{NotAnswer, NotRemoved, id};

pub use directory::{
    DirectoryRoleRow, GroupRow, LicenseRow, MemberRow, PlanRow, SkuPlanRow, SkuRow, UserRow,
};
pub use eligibility::{ExpirationRow, GroupEligibilityRow, RoleEligibilityRow, ScheduleInfoRow};
pub use intune::{
    RoleAssignmentRow, RoleDefinitionRow, ScopeTagRow, ScopeType, TenantAttachRbacRow,
};

/// A row of which only the id is read, for example an assignment of a role definition.
#[derive(Debug, Clone, Deserialize)]
#[serde(expecting = "an object with an id")]
pub struct IdRow {
    /// Makes the row invalid: only the answers of delta queries have removed objects.
    #[serde(default, rename = "@removed")]
    pub removed: NotRemoved,
    /// Makes the row invalid: it is an answer or a page in place of a record.
    #[serde(default, rename = "body", alias = "responses", alias = "value")]
    pub answer: NotAnswer,
    /// The id.
    #[serde(alias = "Id", deserialize_with = "id")]
    pub id: String,
}

/// A row of which only the name is read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object with a name")]
pub struct NamedRow {
    /// The name in the admin center.
    #[serde(default, alias = "DisplayName")]
    pub display_name: Option<String>,
}
