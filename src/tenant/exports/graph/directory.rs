//! Graph rows of Entra: users, licenses, purchased products, groups and directory roles.

use jiff::Timestamp;
use serde::Deserialize;

use crate::exports::lenient::{
    NotAnswer, NotRemoved, flag, id, list, moment, optional_flag, texts, trimmed,
};

/// A row of `GET /users`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an account")]
pub struct UserRow {
    /// Makes the row invalid: only the answers of delta queries have removed objects.
    #[serde(default, rename = "@removed")]
    pub removed: NotRemoved,
    /// Makes the row invalid: it is an answer or a page in place of a record.
    #[serde(default, rename = "body", alias = "responses", alias = "value")]
    pub answer: NotAnswer,
    /// The id of the account.
    #[serde(alias = "Id")]
    pub id: String,
    /// The name that the person signs in with.
    #[serde(alias = "UserPrincipalName")]
    pub user_principal_name: String,
    /// Whether Active Directory synchronizes the account; `null` if it never did, absent if the call did not select
    /// it.
    #[serde(default, alias = "OnPremisesSyncEnabled", deserialize_with = "flag")]
    pub on_premises_sync_enabled: Option<Option<bool>>,
    /// The security identifier in Active Directory.
    #[serde(
        default,
        alias = "OnPremisesSecurityIdentifier",
        deserialize_with = "trimmed"
    )]
    pub on_premises_security_identifier: Option<String>,
    /// Whether the person can sign in; absent if the call did not select it.
    #[serde(default, alias = "AccountEnabled", deserialize_with = "optional_flag")]
    pub account_enabled: Option<bool>,
    /// The time of deletion; an account can be restored for thirty days.
    #[serde(default, alias = "DeletedDateTime", deserialize_with = "moment")]
    pub deleted_date_time: Option<Timestamp>,
    /// The licenses; absent if the call did not select them.
    #[serde(default, alias = "AssignedLicenses", deserialize_with = "list")]
    pub assigned_licenses: Option<Vec<LicenseRow>>,
    /// The service plans of the licenses; absent if the call did not select them.
    #[serde(default, alias = "AssignedPlans", deserialize_with = "list")]
    pub assigned_plans: Option<Vec<PlanRow>>,
}

/// A license of an account.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a license")]
pub struct LicenseRow {
    /// The product.
    #[serde(alias = "SkuId")]
    pub sku_id: String,
    /// The service plans of the product that are disabled for the account.
    #[serde(default, alias = "DisabledPlans", deserialize_with = "texts")]
    pub disabled_plans: Option<Vec<String>>,
}

/// A service plan of an account.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a service plan")]
pub struct PlanRow {
    /// The service plan.
    #[serde(alias = "ServicePlanId")]
    pub service_plan_id: String,
    /// `Enabled`, `Warning`, `Suspended`, `LockedOut` or `Deleted`.
    #[serde(default, alias = "CapabilityStatus")]
    pub capability_status: Option<String>,
    /// The service that the plan belongs to: `SCO` is Intune.
    #[serde(default, alias = "Service")]
    pub service: Option<String>,
}

/// A row of `GET /subscribedSkus`: a product bought by the tenant.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a product")]
pub struct SkuRow {
    /// The product.
    #[serde(alias = "SkuId")]
    pub sku_id: String,
    /// Its name: `EMS`.
    #[serde(default, alias = "SkuPartNumber")]
    pub sku_part_number: Option<String>,
    /// `Enabled`, `Warning`, `Suspended`, `LockedOut` or `Deleted`.
    #[serde(default, alias = "CapabilityStatus")]
    pub capability_status: Option<String>,
    /// Its service plans.
    #[serde(default, alias = "ServicePlans", deserialize_with = "list")]
    pub service_plans: Option<Vec<SkuPlanRow>>,
}

/// A service plan of a product.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a service plan of a product")]
pub struct SkuPlanRow {
    /// The service plan.
    #[serde(alias = "ServicePlanId")]
    pub service_plan_id: String,
    /// Its name: `INTUNE_A`.
    #[serde(default, alias = "ServicePlanName")]
    pub service_plan_name: Option<String>,
    /// `Success`, `Disabled`, `Error`, `PendingInput`, `PendingActivation` or `PendingProvisioning`.
    #[serde(default, alias = "ProvisioningStatus")]
    pub provisioning_status: Option<String>,
}

impl SkuPlanRow {
    /// Whether the plan is disabled for the whole tenant.
    pub fn is_disabled(&self) -> bool {
        let status = self.provisioning_status.as_deref().unwrap_or_default();
        status.trim().eq_ignore_ascii_case("disabled")
    }
}

/// A row of `GET /groups`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a group")]
pub struct GroupRow {
    /// Makes the row invalid: only the answers of delta queries have removed objects.
    #[serde(default, rename = "@removed")]
    pub removed: NotRemoved,
    /// Makes the row invalid: it is an answer or a page in place of a record.
    #[serde(default, rename = "body", alias = "responses", alias = "value")]
    pub answer: NotAnswer,
    /// The id of the group.
    #[serde(alias = "Id")]
    pub id: String,
    /// The name in the admin center.
    #[serde(default, alias = "DisplayName")]
    pub display_name: Option<String>,
    /// The security identifier in Active Directory.
    #[serde(
        default,
        alias = "OnPremisesSecurityIdentifier",
        deserialize_with = "trimmed"
    )]
    pub on_premises_security_identifier: Option<String>,
    /// The time of deletion; a group can be restored for thirty days.
    #[serde(default, alias = "DeletedDateTime", deserialize_with = "moment")]
    pub deleted_date_time: Option<Timestamp>,
    /// The visibility of its members: `Public`, `Private` or `HiddenMembership`.
    #[serde(default, alias = "Visibility")]
    pub visibility: Option<String>,
}

/// A row of `GET /groups/{id}/members` or `GET /directoryRoles/{id}/members`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a member")]
pub struct MemberRow {
    /// Makes the row invalid: only the answers of delta queries have removed objects.
    #[serde(default, rename = "@removed")]
    pub removed: NotRemoved,
    /// Makes the row invalid: it is an answer or a page in place of a record.
    #[serde(default, rename = "body", alias = "responses", alias = "value")]
    pub answer: NotAnswer,
    /// The id of the member.
    #[serde(alias = "Id", deserialize_with = "id")]
    pub id: String,
    /// The kind of the member: `#microsoft.graph.user`.
    #[serde(default, rename = "@odata.type")]
    pub odata_type: Option<String>,
    /// Whether the account can sign in; absent if the call did not select it.
    #[serde(default, alias = "AccountEnabled", deserialize_with = "optional_flag")]
    pub account_enabled: Option<bool>,
}

/// A row of `GET /directoryRoles`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a directory role")]
pub struct DirectoryRoleRow {
    /// Makes the row invalid: only the answers of delta queries have removed objects.
    #[serde(default, rename = "@removed")]
    pub removed: NotRemoved,
    /// Makes the row invalid: it is an answer or a page in place of a record.
    #[serde(default, rename = "body", alias = "responses", alias = "value")]
    pub answer: NotAnswer,
    /// The id of the role in this tenant.
    #[serde(alias = "Id")]
    pub id: String,
    /// The name, which differs in older answers: `Intune Service Administrator`.
    #[serde(alias = "DisplayName")]
    pub display_name: String,
    /// The id of the role template, the same in every tenant.
    #[serde(default, alias = "RoleTemplateId", deserialize_with = "trimmed")]
    pub role_template_id: Option<String>,
}
