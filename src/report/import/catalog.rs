//! The list of `tarbac import --how`: each export with its call.

use schemars::JsonSchema;
use serde::Serialize;
use tarbac_tenant::exports::catalog::{DECLARED, Declared, EXPORTS, Export, ExportSource, TENANT};

use crate::schema;
use crate::table::of_markdown;
use crate::{VERSION, json};

/// The files of an export, each with the call that gives it.
pub fn catalog() -> String {
    let mut text = "\
`tarbac import --how --script > collect.ps1` writes all of this as one script, which follows pages and asks for
the members of no more groups than are needed. By hand, make the folders first (PowerShell: mkdir graph,
configmgr/<site>); <id> is the id of each object, <site> the site code of a hierarchy, <provider> the host of its
SMS Provider, where the security role is needed for all security scopes and collections.

"
    .to_owned();
    text += &format!("{}\n\n", connect());
    for export in &EXPORTS {
        let Export {
            file,
            purpose,
            rights,
            ..
        } = export;
        text += &format!("{file}\n    {purpose}\n    {}\n", export.call());
        if let Some(line) = export.powershell() {
            text += &format!("    {line}\n");
        }
        if *file == TENANT {
            for Declared { field, place } in &DECLARED {
                text += &format!("    {field}: {place}\n");
            }
        } else {
            text += &format!("    takes {rights}\n");
        }
        text += "\n";
    }
    text + "\
Each file can come in pages: NAME.json, NAME-2.json and so on, as long as an answer has an
@odata.nextLink; Invoke-MgGraphRequest saves the first page only. JSON or one record a line (NAME.ndjson), plain
or gzip (NAME.json.gz), UTF-8 or UTF-16. Files of memberships tell who is a member now, and not who could activate
the membership: the eligibilities do.
"
}

/// The line that signs in to Microsoft Graph, with every permission that the calls need.
pub(super) fn connect() -> String {
    format!("Connect-MgGraph -NoWelcome -Scopes {}", scopes().join(", "))
}

/// The permissions of Microsoft Graph that the calls need, each once.
fn scopes() -> Vec<&'static str> {
    let mut scopes: Vec<&str> = Vec::new();
    for export in EXPORTS.iter().filter(|export| is_of_graph(export)) {
        if !scopes.contains(&export.rights) {
            scopes.push(export.rights);
        }
    }
    scopes
}

fn is_of_graph(export: &Export) -> bool {
    matches!(export.source, ExportSource::Graph(_))
}

/// The catalog as a table in Markdown, without the lines of PowerShell.
pub fn catalog_markdown() -> String {
    let rows = EXPORTS.iter().map(|export| {
        vec![
            format!("`{}`", export.file),
            export.purpose.to_owned(),
            format!("`{}`", export.call()),
            export.rights.to_owned(),
        ]
    });
    of_markdown(&["file", "what for", "from", "takes"], rows)
}

/// The JSON Schema of the catalog.
pub const CATALOG_SCHEMA: fn() -> String = schema::text::<CatalogDocument>;

#[derive(Serialize, JsonSchema)]
struct CatalogDocument {
    version: u32,
    scopes: Vec<&'static str>,
    files: Vec<CatalogEntry>,
    declared: Vec<DeclaredEntry>,
}

#[derive(Serialize, JsonSchema)]
struct DeclaredEntry {
    field: &'static str,
    place: &'static str,
}

#[derive(Serialize, JsonSchema)]
struct CatalogEntry {
    file: &'static str,
    purpose: &'static str,
    call: String,
    powershell: Option<String>,
    rights: &'static str,
}

/// The catalog as JSON.
pub fn catalog_document() -> String {
    json(&CatalogDocument {
        version: VERSION,
        scopes: scopes(),
        declared: DECLARED
            .iter()
            .map(|Declared { field, place }| DeclaredEntry { field, place })
            .collect(),
        files: EXPORTS
            .iter()
            .map(|export| CatalogEntry {
                file: export.file,
                purpose: export.purpose,
                call: export.call(),
                powershell: export.powershell(),
                rights: export.rights,
            })
            .collect(),
    })
}
