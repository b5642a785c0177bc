//! The account of a collection: which exports were collected, and which were refused.

use std::io;
use std::path::Path;

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::catalog::COLLECTED;
use tarbac_diagnostic::source::shown;
use tarbac_host::workspace::regular;

/// The largest account of a collection, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

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

/// The file in which the script of a collection keeps what it has done, until it is at its end.
const OF_SCRIPT: &str = ".collect-done.txt";

/// The reason why exports are no whole collection.
#[derive(Debug, Error, Diagnostic)]
pub enum NotWhole {
    /// They are a mixture of two collections: a replacement is in progress, or was interrupted.
    #[error("a collection takes its place in `{0}`")]
    #[diagnostic(
        code(exports::publishing),
        help("import again in a moment; if it was stopped, `tarbac collect --resume` finishes it")
    )]
    Publishing(String),
    /// A script collects them, or was interrupted.
    #[error("the script that collects into `{0}` is not at its end")]
    #[diagnostic(
        code(exports::unfinished),
        help("import when it is; if it was stopped, run it again with -Resume")
    )]
    Unfinished(String),
    /// The file about the collection cannot be read.
    #[error("cannot read `{path}`: {reason}")]
    #[diagnostic(code(exports::unreadable))]
    Unreadable {
        /// The file.
        path: String,
        /// The reason.
        reason: io::Error,
    },
}

/// What tells a collection from a later one in the same folder; `None` for exports that were saved by hand.
///
/// # Errors
/// A collection is being made or replaced.
pub fn whole_collection(exports: &Path) -> Result<Option<Vec<u8>>, NotWhole> {
    let name = || shown(exports);
    if exports.join(STAGING).join(PUBLISHING).exists() {
        return Err(NotWhole::Publishing(name()));
    }
    if exports.join(OF_SCRIPT).exists() {
        return Err(NotWhole::Unfinished(name()));
    }
    let path = exports.join(COLLECTED);
    match regular::read(&path, LARGEST) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(reason) => Err(NotWhole::Unreadable {
            path: shown(&path),
            reason,
        }),
    }
}
