//! The account of a collection: which exports were collected, and which were refused.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// The account of a collection, in the format of `collected.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Collected {
    /// The version of the format: 1.
    pub version: u32,
    /// The program, with its version.
    pub program: String,
    /// The time of the first call, in RFC 3339.
    pub started_at: String,
    /// The time of the last answer; later if the collection was resumed.
    pub finished_at: String,
    /// The name of the cloud.
    pub cloud: String,
    /// The id of the tenant, if the token states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// The person or application, if the token states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Whether names and ids are made up.
    pub is_pseudonymized: bool,
    /// The calls, by the name of the export.
    pub calls: Vec<CollectedCall>,
}

/// A call of the catalog, for all objects that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CollectedCall {
    /// The export: `graph/groups/<id>/members.json`, `configmgr/P01/SMS_Admin.json`.
    pub export: String,
    /// The outcome.
    pub state: CallState,
    /// The number of files.
    pub files: u64,
    /// The number of records in all files.
    pub rows: u64,
    /// The number of requests, including repetitions.
    pub requests: u64,
    /// The number of repetitions.
    pub retries: u64,
    /// The number of objects that no longer existed when they were requested.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gone: u64,
    /// The status of the error answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The required permission or role, if the call was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// The error message of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The outcome of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CallState {
    /// All records were collected.
    Collected,
    /// The service refused all or some requests for lack of a permission.
    Refused,
    /// The service answered with another error.
    Failed,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The staging folder of a collection, within the folder of exports.
pub const STAGING: &str = ".tarbac-collect";

/// The file in the staging folder that exists while a collection replaces the earlier one.
pub const PUBLISHING: &str = "publishing";

/// Whether the exports are a mixture of two collections: a replacement is in progress, or was interrupted.
pub fn is_publishing(exports: &Path) -> bool {
    exports.join(STAGING).join(PUBLISHING).exists()
}
