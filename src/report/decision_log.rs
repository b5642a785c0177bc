//! The JSON Schema of the lines of a decision log.

use crate::schema;
use tarbac_analysis::decision_log::LogRecord;

/// The JSON Schema of a line.
pub const SCHEMA: fn() -> String = schema::text::<LogRecord>;
