//! Rows of Privileged Identity Management: eligible roles and group memberships.

use jiff::{Span, Timestamp};
use serde::Deserialize;

use super::NamedRow;
use crate::exports::lenient::{NotAnswer, NotRemoved, duration, id, moment, object, trimmed};

/// A row of `GET /roleManagement/directory/roleEligibilityScheduleInstances` or of `roleEligibilitySchedules`: a
/// Microsoft Entra role that a person or group may activate.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    rename_all = "camelCase",
    expecting = "an eligibility for a directory role"
)]
pub struct RoleEligibilityRow {
    /// Makes the row invalid: only the answers of delta queries have removed objects.
    #[serde(default, rename = "@removed")]
    pub removed: NotRemoved,
    /// Makes the row invalid: it is an answer or a page in place of a record.
    #[serde(default, rename = "body", alias = "responses", alias = "value")]
    pub answer: NotAnswer,
    /// The id of the eligible person or group.
    #[serde(alias = "PrincipalId", deserialize_with = "id")]
    pub principal_id: String,
    /// The id of the role template, the same in every tenant.
    #[serde(alias = "RoleDefinitionId", deserialize_with = "id")]
    pub role_definition_id: String,
    /// The role, if the call had `$expand=roleDefinition`.
    #[serde(default, alias = "RoleDefinition", deserialize_with = "object")]
    pub role_definition: Option<NamedRow>,
    /// The scope: `/` is the tenant, any other value a part of it.
    #[serde(default, alias = "DirectoryScopeId", deserialize_with = "trimmed")]
    pub directory_scope_id: Option<String>,
    /// The scope within an application: `/` is the tenant, any other value is defined by the application.
    #[serde(default, alias = "AppScopeId", deserialize_with = "trimmed")]
    pub app_scope_id: Option<String>,
    /// `Provisioned` if the eligibility is in force; absent in an instance, which always is.
    #[serde(default, alias = "Status", deserialize_with = "trimmed")]
    pub status: Option<String>,
    /// The start, in an instance.
    #[serde(default, alias = "StartDateTime", deserialize_with = "moment")]
    pub start_date_time: Option<Timestamp>,
    /// The end, in an instance; `None` without an end.
    #[serde(default, alias = "EndDateTime", deserialize_with = "moment")]
    pub end_date_time: Option<Timestamp>,
    /// The start and end, in a schedule.
    #[serde(default, alias = "ScheduleInfo", deserialize_with = "object")]
    pub schedule_info: Option<ScheduleInfoRow>,
}

/// A row of `GET /identityGovernance/privilegedAccess/group/eligibilityScheduleInstances` or of
/// `eligibilitySchedules`: a group whose membership a person or group may activate.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an eligibility for a group")]
pub struct GroupEligibilityRow {
    /// Makes the row invalid: only the answers of delta queries have removed objects.
    #[serde(default, rename = "@removed")]
    pub removed: NotRemoved,
    /// Makes the row invalid: it is an answer or a page in place of a record.
    #[serde(default, rename = "body", alias = "responses", alias = "value")]
    pub answer: NotAnswer,
    /// The id of the eligible person or group.
    #[serde(alias = "PrincipalId", deserialize_with = "id")]
    pub principal_id: String,
    /// The group.
    #[serde(alias = "GroupId", deserialize_with = "id")]
    pub group_id: String,
    /// `member` or `owner`.
    #[serde(default, alias = "AccessId", deserialize_with = "trimmed")]
    pub access_id: Option<String>,
    /// `Provisioned` if the eligibility is in force; absent in an instance, which always is.
    #[serde(default, alias = "Status", deserialize_with = "trimmed")]
    pub status: Option<String>,
    /// The start, in an instance.
    #[serde(default, alias = "StartDateTime", deserialize_with = "moment")]
    pub start_date_time: Option<Timestamp>,
    /// The end, in an instance; `None` without an end.
    #[serde(default, alias = "EndDateTime", deserialize_with = "moment")]
    pub end_date_time: Option<Timestamp>,
    /// The start and end, in a schedule.
    #[serde(default, alias = "ScheduleInfo", deserialize_with = "object")]
    pub schedule_info: Option<ScheduleInfoRow>,
}

/// The period of an eligibility: `requestSchedule`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "a schedule with its expiration")]
pub struct ScheduleInfoRow {
    /// The start.
    #[serde(default, alias = "StartDateTime", deserialize_with = "moment")]
    pub start_date_time: Option<Timestamp>,
    /// The end.
    #[serde(default, alias = "Expiration", deserialize_with = "object")]
    pub expiration: Option<ExpirationRow>,
}

/// The end of an eligibility: `expirationPattern`.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an expiration")]
pub struct ExpirationRow {
    /// `noExpiration`, `afterDateTime`, `afterDuration` or `notSpecified`.
    #[serde(default, rename = "type", alias = "Type", deserialize_with = "trimmed")]
    pub kind: Option<String>,
    /// The end, for `afterDateTime`.
    #[serde(default, alias = "EndDateTime", deserialize_with = "moment")]
    pub end_date_time: Option<Timestamp>,
    /// The duration from the start on, for `afterDuration`.
    #[serde(default, alias = "Duration", deserialize_with = "duration")]
    pub duration: Option<Span>,
}
