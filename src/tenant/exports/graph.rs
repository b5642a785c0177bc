//! Rows of Microsoft Graph, v1.0 or beta.
//!
//! Its PowerShell module begins the names of properties with a capital letter.

use std::collections::BTreeSet;

use jiff::{Span, Timestamp};
use serde::{Deserialize, Deserializer};

use super::lenient::{duration, id, ids, list, moment, named, object, stated, texts, trimmed};

/// A row of `GET /deviceManagement/roleDefinitions`.
///
/// Beta has `permissions` and `isBuiltInRoleDefinition` beside what v1.0 has, and both answer with
/// either.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a role definition")]
pub struct RoleDefinitionRow {
    /// The id of the role.
    #[serde(alias = "Id")]
    pub id: String,
    /// The name that the admin center shows.
    #[serde(alias = "DisplayName")]
    pub display_name: String,
    /// What the role is for.
    #[serde(default, alias = "Description")]
    pub description: Option<String>,
    #[serde(default, alias = "IsBuiltIn")]
    is_built_in: Option<bool>,
    #[serde(default, alias = "IsBuiltInRoleDefinition")]
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
    /// Whether the export says what it permits.
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
        // Graph does not always write an id in one case.
        let is_not_allowed = |id: &&str| {
            self.not_allowed()
                .any(|not_allowed| not_allowed.trim().eq_ignore_ascii_case(id.trim()))
        };
        permissions.retain(|id| !is_not_allowed(id));
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

    /// The ids of the permissions that it lists as not allowed. What that means is not documented:
    /// Intune has no deny.
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
    /// What the assignment is about.
    #[serde(default, alias = "ScopeType")]
    pub scope_type: Option<ScopeType>,
    /// The ids of the scope tags; none where an answer was cut short.
    #[serde(default, alias = "RoleScopeTagIds", deserialize_with = "ids")]
    pub role_scope_tag_ids: Option<Vec<String>>,
    /// The id of the role definition, where it is told.
    #[serde(default, alias = "RoleDefinition", deserialize_with = "named")]
    pub role_definition: Option<String>,
}

/// What a role assignment is about: `roleAssignmentScopeType`, written in any case.
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

/// A row that only an id is wanted of: of the assignments of one role definition, for example.
#[derive(Debug, Clone, Deserialize)]
#[serde(expecting = "an object with an id")]
pub struct IdRow {
    /// The id.
    #[serde(alias = "Id", deserialize_with = "id")]
    pub id: String,
    /// What kind of object it is, where the answer mixes them: `#microsoft.graph.user`.
    #[serde(default, rename = "@odata.type")]
    pub odata_type: Option<String>,
}

/// A row of `GET /deviceManagement/roleScopeTags`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a scope tag")]
pub struct ScopeTagRow {
    /// The id; `0` is Default.
    #[serde(alias = "Id")]
    pub id: String,
    /// The name that the admin center shows.
    #[serde(default, alias = "DisplayName")]
    pub display_name: Option<String>,
}

/// A row of `GET /users`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an account")]
pub struct UserRow {
    /// The id of the account.
    #[serde(alias = "Id")]
    pub id: String,
    /// The name the person signs in with.
    #[serde(alias = "UserPrincipalName")]
    pub user_principal_name: String,
    /// Whether Active Directory synchronizes the account; `null` for one that never was, and absent
    /// where the call did not select it.
    #[serde(default, alias = "OnPremisesSyncEnabled", deserialize_with = "stated")]
    pub on_premises_sync_enabled: Option<Option<bool>>,
    /// Its security identifier in Active Directory.
    #[serde(
        default,
        alias = "OnPremisesSecurityIdentifier",
        deserialize_with = "trimmed"
    )]
    pub on_premises_security_identifier: Option<String>,
    /// Whether the person can sign in; absent where the call did not select it.
    #[serde(default, alias = "AccountEnabled")]
    pub account_enabled: Option<bool>,
    /// The licenses; absent where the call did not select them.
    #[serde(default, alias = "AssignedLicenses", deserialize_with = "list")]
    pub assigned_licenses: Option<Vec<LicenseRow>>,
    /// The service plans of the licenses; absent where the call did not select them.
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
    /// The service plans of the product that the account does not have.
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
    /// The service that it is a plan of: `SCO` is Intune.
    #[serde(default, alias = "Service")]
    pub service: Option<String>,
}

/// A row of `GET /subscribedSkus`: a product that the tenant has bought.
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
    /// What it consists of.
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
}

/// A row of `GET /groups`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a group")]
pub struct GroupRow {
    /// The id of the group.
    #[serde(alias = "Id")]
    pub id: String,
    /// The name that the admin center shows.
    #[serde(default, alias = "DisplayName")]
    pub display_name: Option<String>,
    /// Its security identifier in Active Directory.
    #[serde(
        default,
        alias = "OnPremisesSecurityIdentifier",
        deserialize_with = "trimmed"
    )]
    pub on_premises_security_identifier: Option<String>,
    /// Who sees its members: `Public`, `Private` or `HiddenMembership`.
    #[serde(default, alias = "Visibility")]
    pub visibility: Option<String>,
}

/// What `GET /deviceManagement/tenantAttachRBAC/getState` answers.
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

/// A row of `GET /roleManagement/directory/roleEligibilityScheduleInstances`, or of
/// `roleEligibilitySchedules`: a role of Microsoft Entra that somebody may activate.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    rename_all = "camelCase",
    expecting = "an eligibility for a directory role"
)]
pub struct RoleEligibilityRow {
    /// Who is eligible: a person or a group.
    #[serde(alias = "PrincipalId", deserialize_with = "id")]
    pub principal_id: String,
    /// The id of the role in every tenant.
    #[serde(alias = "RoleDefinitionId", deserialize_with = "id")]
    pub role_definition_id: String,
    /// The role, where the call asked for it with `$expand=roleDefinition`.
    #[serde(default, alias = "RoleDefinition", deserialize_with = "object")]
    pub role_definition: Option<NamedRow>,
    /// Where it holds: `/` is the tenant, anything else a part of it.
    #[serde(default, alias = "DirectoryScopeId", deserialize_with = "trimmed")]
    pub directory_scope_id: Option<String>,
    /// The same of one application: `/` is the tenant, anything else what the application knows.
    #[serde(default, alias = "AppScopeId", deserialize_with = "trimmed")]
    pub app_scope_id: Option<String>,
    /// `Provisioned` for one that holds; absent in an instance, which does.
    #[serde(default, alias = "Status", deserialize_with = "trimmed")]
    pub status: Option<String>,
    /// From when it holds, in an instance.
    #[serde(default, alias = "StartDateTime", deserialize_with = "moment")]
    pub start_date_time: Option<Timestamp>,
    /// Until when, in an instance; none where it has no end.
    #[serde(default, alias = "EndDateTime", deserialize_with = "moment")]
    pub end_date_time: Option<Timestamp>,
    /// Both, in a schedule.
    #[serde(default, alias = "ScheduleInfo", deserialize_with = "object")]
    pub schedule_info: Option<ScheduleInfoRow>,
}

/// A row of `GET /identityGovernance/privilegedAccess/group/eligibilityScheduleInstances`, or of
/// `eligibilitySchedules`: a group that somebody may become a member of.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an eligibility for a group")]
pub struct GroupEligibilityRow {
    /// Who is eligible: a person or a group.
    #[serde(alias = "PrincipalId", deserialize_with = "id")]
    pub principal_id: String,
    /// The group.
    #[serde(alias = "GroupId", deserialize_with = "id")]
    pub group_id: String,
    /// `member` or `owner`.
    #[serde(default, alias = "AccessId", deserialize_with = "trimmed")]
    pub access_id: Option<String>,
    /// `Provisioned` for one that holds; absent in an instance, which does.
    #[serde(default, alias = "Status", deserialize_with = "trimmed")]
    pub status: Option<String>,
    /// From when it holds, in an instance.
    #[serde(default, alias = "StartDateTime", deserialize_with = "moment")]
    pub start_date_time: Option<Timestamp>,
    /// Until when, in an instance; none where it has no end.
    #[serde(default, alias = "EndDateTime", deserialize_with = "moment")]
    pub end_date_time: Option<Timestamp>,
    /// Both, in a schedule.
    #[serde(default, alias = "ScheduleInfo", deserialize_with = "object")]
    pub schedule_info: Option<ScheduleInfoRow>,
}

/// When an eligibility holds: `requestSchedule`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a schedule with its expiration")]
pub struct ScheduleInfoRow {
    /// From when.
    #[serde(default, alias = "StartDateTime", deserialize_with = "moment")]
    pub start_date_time: Option<Timestamp>,
    /// Until when.
    #[serde(default, alias = "Expiration", deserialize_with = "object")]
    pub expiration: Option<ExpirationRow>,
}

/// When an eligibility ends: `expirationPattern`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an expiration")]
pub struct ExpirationRow {
    /// `noExpiration`, `afterDateTime`, `afterDuration` or `notSpecified`.
    #[serde(default, rename = "type", alias = "Type", deserialize_with = "trimmed")]
    pub kind: Option<String>,
    /// The end, where it is a moment.
    #[serde(default, alias = "EndDateTime", deserialize_with = "moment")]
    pub end_date_time: Option<Timestamp>,
    /// How long it holds from the start on, otherwise.
    #[serde(default, alias = "Duration", deserialize_with = "duration")]
    pub duration: Option<Span>,
}

/// An object that only the name is wanted of.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object with a name")]
pub struct NamedRow {
    /// The name that the admin center shows.
    #[serde(default, alias = "DisplayName")]
    pub display_name: Option<String>,
}

/// A row of `GET /directoryRoles`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a directory role")]
pub struct DirectoryRoleRow {
    /// The id of the role in this tenant.
    #[serde(alias = "Id")]
    pub id: String,
    /// The name, which older answers spell otherwise: `Intune Service Administrator`.
    #[serde(alias = "DisplayName")]
    pub display_name: String,
    /// The id of the role in every tenant.
    #[serde(default, alias = "RoleTemplateId", deserialize_with = "trimmed")]
    pub role_template_id: Option<String>,
}
