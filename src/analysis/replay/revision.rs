//! The revision of a store that a record was decided with.

use schemars::JsonSchema;
use serde::Serialize;

use super::WhyNot;
use crate::decision_log::{LOG_VERSION, LogRecord};

/// A revision of a store, as records name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct RecordedRevision {
    /// The workspace, if the server had several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// The number.
    pub number: u64,
    /// The first 16 digits of the revision.
    pub id: String,
}

/// The revision that a line names; `None` if the line is empty.
///
/// # Errors
/// The line is no record of this version, or one of a workspace that came from no store.
pub fn revision_of(line: &str) -> Result<Option<RecordedRevision>, WhyNot> {
    if line.trim().is_empty() {
        return Ok(None);
    }
    let record: LogRecord = serde_json::from_str(line).map_err(|error| WhyNot::NoRecord {
        message: error.to_string(),
    })?;
    if record.version != LOG_VERSION {
        let version = record.version;
        return Err(WhyNot::Version { version });
    }
    let number = record.revision.number.ok_or_else(|| WhyNot::NoRevision {
        message: "it names no revision of a store".to_owned(),
    })?;
    Ok(Some(RecordedRevision {
        workspace: record.workspace,
        number,
        id: record.revision.id,
    }))
}
