//! A matrix as Markdown, CSV and JSON.
//!
//! The table for a terminal is in [`tarbac_analysis::matrix`], because snapshots of suites are such tables.

mod html;

use schemars::JsonSchema;
use serde::Serialize;

use super::VERSION;
use super::premises::PremisesDocument;
use crate::schema;
use crate::table::{Table, of_markdown};
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::matrix::{Cell, Mark, Matrix, first, others};
use tarbac_host::decision::Provenance;
use tarbac_host::lookup::visible;

pub use html::{heat_maps, html};

/// The JSON Schema of a matrix.
pub const SCHEMA: fn() -> String =
    schema::text::<super::provenance::With<'static, Document<'static>>>;

#[derive(Debug, Serialize, JsonSchema)]
struct Document<'a> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<PremisesDocument<'a>>,
    cells: Vec<Record>,
    others: &'a [String],
}

/// One cell, with everything that a reader of it alone needs.
#[derive(Debug, Serialize, JsonSchema)]
struct Record {
    resource: Option<String>,
    resource_name: Option<String>,
    principal: String,
    principal_name: String,
    action: String,
    decision: Mark,
    policies: Vec<String>,
}

/// Tables in Markdown, with the first deciding policy in each cell of a person.
pub fn markdown(matrix: &Matrix) -> String {
    let mut parts = Vec::new();
    for block in &matrix.blocks {
        let corner = block.resource.as_ref().map_or("Permission", |_| "Person");
        let columns = block.columns.iter();
        let columns = columns.map(|heading| in_markdown(&heading.name));
        let headings: Vec<String> = std::iter::once(corner.to_owned()).chain(columns).collect();
        let rows = block.rows.iter().map(|row| {
            let cells = row.cells.iter().map(|cell| match block.resource {
                None if cell.mark == Mark::No => String::new(),
                None => cell.mark.sign().to_owned(),
                Some(_) => in_markdown(&decided(cell)),
            });
            std::iter::once(in_markdown(&row.heading.name))
                .chain(cells)
                .collect()
        });
        let heading = match &block.resource {
            Some(resource) => format!("### {}\n\n", in_markdown(&resource.name)),
            None => String::new(),
        };
        parts.push(format!("{heading}{}", of_markdown(&headings, rows)));
    }
    if let Some(others) = others(matrix) {
        parts.push(in_markdown(&others) + "\n");
    }
    parts.join("\n")
}

const COLUMNS: &[&str] = &[
    "resource",
    "resource_name",
    "principal",
    "principal_name",
    "action",
    "decision",
    "policies",
];

/// One record for each cell, with a header.
///
/// # Errors
/// A record cannot be written, which does not happen in memory.
pub fn csv(matrix: &Matrix, premises: &Premises) -> Result<String, csv::Error> {
    let rows = records(matrix).map(|record| {
        vec![
            record.resource.unwrap_or_default(),
            record.resource_name.unwrap_or_default(),
            record.principal,
            record.principal_name,
            record.action,
            record.decision.as_ref().to_owned(),
            record.policies.join(" "),
        ]
    });
    Table::new(COLUMNS, rows).csv(premises)
}

/// The matrix as a document for programs: one entry for each cell.
pub fn document(matrix: &Matrix, premises: &Premises, provenance: &Provenance) -> String {
    let document = Document {
        version: VERSION,
        asked: PremisesDocument::if_any(premises),
        cells: records(matrix).collect(),
        others: &matrix.others,
    };
    super::provenance::document(document, provenance)
}

fn records(matrix: &Matrix) -> impl Iterator<Item = Record> {
    matrix.blocks.iter().flat_map(|block| {
        block.rows.iter().flat_map(move |row| {
            block
                .columns
                .iter()
                .zip(&row.cells)
                .map(move |(column, cell)| {
                    let (principal, action) = match block.resource {
                        None => (column, &row.heading),
                        Some(_) => (&row.heading, column),
                    };
                    Record {
                        resource: block
                            .resource
                            .as_ref()
                            .map(|heading| heading.uid.to_string()),
                        resource_name: block.resource.as_ref().map(|heading| heading.name.clone()),
                        principal: principal.uid.to_string(),
                        principal_name: principal.name.clone(),
                        action: action.uid.id().unescaped().to_owned(),
                        decision: cell.mark,
                        policies: cell.policies.clone(),
                    }
                })
        })
    })
}

/// A cell with the id of its policy, for Markdown.
fn decided(cell: &Cell) -> String {
    let why = match (cell.mark, first(cell)) {
        (_, Some(id)) => id,
        (Mark::Indeterminate, None) => "error",
        (_, None) => "not permitted",
    };
    match cell.policies.len() {
        0 | 1 => format!("{} {why}", cell.mark.sign()),
        several => format!("{} {why} +{}", cell.mark.sign(), several - 1),
    }
}

/// Text in a cell of a Markdown table.
pub(super) fn in_markdown(text: &str) -> String {
    let mut escaped = String::new();
    for character in visible(&text.replace(['\n', '\r'], " ")).chars() {
        match character {
            '\\' | '|' | '*' | '_' | '`' | '<' | '>' | '[' | ']' | '#' => {
                escaped.push('\\');
                escaped.push(character);
            }
            other => escaped.push(other),
        }
    }
    escaped
}
