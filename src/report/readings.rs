//! The readings of a workspace, and those that are in force.

use schemars::JsonSchema;
use serde::Serialize;

use super::page::Page;
use super::{Style, VERSION};
use crate::schema;
use tarbac_diagnostic::printable;
use tarbac_host::bundle::Reading;
use tarbac_host::engine::Engine;

/// The JSON Schema of readings.
pub const SCHEMA: fn() -> String =
    schema::text::<super::provenance::With<'static, Document<'static>>>;

#[derive(Debug, Serialize, JsonSchema)]
struct Document<'a> {
    version: u32,
    readings: Vec<Entry<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Entry<'a> {
    name: &'a str,
    default: bool,
    in_force: bool,
    doc: &'a str,
    source: &'a str,
}

/// Each reading with its state, its sentence and its source.
pub fn human(
    readings: &[Reading],
    in_force: &[String],
    style: Style,
    width: Option<usize>,
) -> String {
    let mut text = String::new();
    for reading in readings {
        let is_on = in_force.contains(&reading.name);
        let state = match is_on {
            true => style.green("on"),
            false => style.red("off"),
        };
        let switched = match is_on == reading.default {
            true => "default",
            false => "switched",
        };
        let name = printable::line(&reading.name);
        text += &format!("{name}  {state} ({switched})\n");
        let mut page = Page::new(width);
        page.line(2, &printable::line(&reading.doc));
        page.line(2, &format!("Source: {}", printable::line(&reading.source)));
        text += &page.into_text();
    }
    text
}

/// The readings as a document for programs.
pub fn document(readings: &[Reading], engine: &Engine) -> String {
    let in_force = engine.readings();
    let document = Document {
        version: VERSION,
        readings: readings
            .iter()
            .map(|reading| Entry {
                name: &reading.name,
                default: reading.default,
                in_force: in_force.contains(&reading.name),
                doc: &reading.doc,
                source: &reading.source,
            })
            .collect(),
    };
    super::provenance::document(document, engine.provenance())
}
