//! Rows about Privileged Identity Management: eligible roles and group memberships.

use jiff::{Span, Timestamp};
use serde::Deserialize;

use super::NamedRow;
use crate::exports::lenient::{NotRemoved, duration, id, moment, object, trimmed};

/// A row of `GET /roleManagement/directory/roleEligibilityScheduleInstances`, or of
/// `roleEligibilitySchedules`: a role of Microsoft Entra that a person or group may activate.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    rename_all = "camelCase",
    expecting = "an eligibility for a directory role"
)]
pub struct RoleEligibilityRow {
    /// Refused: an object that was removed is in the answer of a delta query alone.
    #[serde(default, rename = "@removed")]
    pub removed: NotRemoved,
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
    /// The scope within one application: `/` is the tenant, anything else is defined by the application.
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
/// `eligibilitySchedules`: a group whose membership a person or group may activate.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an eligibility for a group")]
pub struct GroupEligibilityRow {
    /// Refused: an object that was removed is in the answer of a delta query alone.
    #[serde(default, rename = "@removed")]
    pub removed: NotRemoved,
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
