//! The JSON of `init` and `fmt`: a list of files.

use schemars::JsonSchema;
use serde::Serialize;

use super::{VERSION, json};
use crate::schema;

/// The JSON Schema of a list of files.
pub const SCHEMA: fn() -> String = schema::text::<Document<'static>>;

#[derive(Debug, Serialize, JsonSchema)]
struct Document<'a> {
    version: u32,
    files: &'a [String],
}

/// The files as a document for programs.
pub fn document(files: &[String]) -> String {
    json(&Document {
        version: VERSION,
        files,
    })
}
