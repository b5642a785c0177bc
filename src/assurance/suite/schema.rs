//! The JSON Schema of suite files, for editors.

use schemars::generate::SchemaSettings;

use super::document::Document;

/// The JSON Schema (draft 2020-12) that a suite file conforms to, as text.
pub fn schema() -> String {
    let schema = SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<Document>();
    tarbac_host::json::pretty(&schema)
}
