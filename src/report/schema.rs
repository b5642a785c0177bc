//! The JSON Schemas of documents.

pub(super) use tarbac_analysis::wire::{basis, decision};

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// The JSON Schema (draft 2020-12) of a document, as text: each shape stands where it is used.
pub fn text<T: JsonSchema>() -> String {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.inline_subschemas = true;
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    // The names of Rust types mean nothing to programs.
    schema.remove("title");
    super::json(&schema)
}

/// An optional decision.
pub(super) fn former(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["allow", "deny", "indeterminate", null] })
}

/// The origin of the rules of a workspace.
pub(super) fn rules(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["shipped", "shipped-and-custom", "own"] })
}
