//! The files that a command wrote, or would write, for programs.

use serde::Serialize;

use super::{VERSION, json};

#[derive(Debug, Serialize)]
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
