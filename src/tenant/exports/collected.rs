//! The account of a collection: which exports were collected, and which were refused.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// The account of a collection, as `collected.json` has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Collected {
    /// The version of the form: 1.
    pub version: u32,
    /// The program that collected, with its version.
    pub program: String,
    /// When it began, as RFC 3339 has it.
    pub started_at: String,
    /// When it had ended; a collection that was resumed ends later.
    pub finished_at: String,
    /// The cloud that was asked.
    pub cloud: String,
    /// The id of the tenant, where the token names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// Who asked: the person or the application that the token names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Whether names and ids are made up.
    pub is_pseudonymized: bool,
    /// The calls, by the name of the export.
    pub calls: Vec<CollectedCall>,
}

/// A call of the catalog, of all objects that it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CollectedCall {
    /// The export: `graph/groups/<id>/members.json`, `configmgr/P01/SMS_Admin.json`.
    pub export: String,
    /// What became of it.
    pub state: CallState,
    /// How many files there are.
    pub files: u64,
    /// How many records there are, in all files.
    pub rows: u64,
    /// How many requests it took, with those that were repeated.
    pub requests: u64,
    /// How many of them were repeated.
    pub retries: u64,
    /// How many objects were gone when they were asked about.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gone: u64,
    /// The status of the answer that refused it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The permission or role that it takes, where it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permission: Option<String>,
    /// The reason that the service gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The outcome of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CallState {
    /// All of it is there.
    Collected,
    /// The service refused it, or some of it, for want of a permission.
    Refused,
    /// The service answered it with another error.
    Failed,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The folder, within one of exports, in which a collection keeps what is not whole yet.
pub const STAGING: &str = ".tarbac-collect";

/// The file in it that is there while a collection takes the place of the one before.
pub const PUBLISHING: &str = "publishing";

/// Whether a collection is taking the place of the one before, or was stopped while it did: the exports are of both.
pub fn is_publishing(exports: &Path) -> bool {
    exports.join(STAGING).join(PUBLISHING).exists()
}
