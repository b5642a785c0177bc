//! The catalog of exports, and the script that collects them.

use schemars::JsonSchema;
use serde::Serialize;
use tarbac_tenant::exports::catalog::{DECLARED, Declared, EXPORTS, Export, TENANT};

use crate::schema;
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
    for Export {
        file,
        purpose,
        call,
        powershell,
        rights,
        ..
    } in &EXPORTS
    {
        text += &format!("{file}\n    {purpose}\n    {call}\n");
        if !powershell.is_empty() {
            text += &format!("    {powershell}\n");
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
fn connect() -> String {
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
    export.file.starts_with("graph/")
}

/// A PowerShell script that collects the exports, except the declaration and the files of the admin center.
pub fn script() -> String {
    let mut text = include_str!("begin.ps1").replace("{connect}", &connect());
    let is_of_objects = |export: &&Export| export.file.contains("<id>");
    let (of_objects, lists): (Vec<&Export>, Vec<&Export>) = EXPORTS
        .iter()
        .filter(|of| is_of_graph(of))
        .partition(is_of_objects);
    for export in lists {
        text += &format!(
            "$saved['{0}'] = {1} \"{2}\" '{0}'\n",
            export.file,
            verb(export),
            address(export)
        );
    }
    let (of_groups, of_others): (Vec<&Export>, Vec<&Export>) = of_objects
        .into_iter()
        .partition(|export| export.file.starts_with("graph/groups/"));
    for export in of_others {
        let (list, _) = export.file.split_once("/<id>").unwrap_or((export.file, ""));
        text += &format!(
            "foreach ($id in $saved['{list}.json'].id) {{\n    $saved['{}'] += @({} \"{}\" \"{}\")\n}}\n",
            export.file,
            verb(export),
            address(export),
            export.file.replace("<id>", "$id"),
        );
    }
    text += "\nforeach ($site in $Providers.Keys) {\n";
    for export in &EXPORTS {
        let Some(class) = export.file.strip_prefix("configmgr/<site>/") else {
            continue;
        };
        let class = class.strip_suffix(".json").unwrap_or(class);
        let properties = export.powershell.split_once("Select-Object ");
        let properties = properties.and_then(|(_, rest)| rest.split_once(" |"));
        let lazy = match export.powershell.contains("| Get-CimInstance |") {
            true => " -Lazy",
            false => "",
        };
        text += &format!(
            "    $saved['{class}'] += @(Save-Class $site {class} {}{lazy})\n",
            properties.map_or("*", |(properties, _)| properties),
        );
    }
    text += "}\n\n";
    text += include_str!("groups.ps1");
    for export in of_groups {
        text += &format!(
            "    $found += @({} \"{}\" \"{}\")\n",
            verb(export),
            address(export),
            export.file.replace("<id>", "$id"),
        );
    }
    text + include_str!("end.ps1")
}

/// Role assignments by role definition: some tenants refuse this call, and other exports have the same.
const ASSIGNMENTS_OF_ROLES: &str = "graph/roleDefinitions/<id>/";

/// The function of the script that saves an export. A refusal of an optional or redundant export is a warning.
fn verb(export: &Export) -> &'static str {
    match export.is_optional || export.file.starts_with(ASSIGNMENTS_OF_ROLES) {
        true => "Save-Optional",
        false => "Save-Graph",
    }
}

/// The address of a call as a text in PowerShell.
fn address(export: &Export) -> String {
    let address = export.call.strip_prefix("GET https://graph.microsoft.com/");
    let address = address.unwrap_or(export.call).replace('$', "`$");
    address.replace(' ', "%20").replace("<id>", "$id")
}

/// The catalog as a table in Markdown, without the lines of PowerShell.
pub fn catalog_markdown() -> String {
    let mut text = "| file | what for | from | takes |\n|---|---|---|---|\n".to_owned();
    for Export {
        file,
        purpose,
        call,
        rights,
        ..
    } in &EXPORTS
    {
        text += &format!("| `{file}` | {purpose} | `{call}` | {rights} |\n");
    }
    text
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
    call: &'static str,
    powershell: Option<&'static str>,
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
                call: export.call,
                powershell: Some(export.powershell).filter(|line| !line.is_empty()),
                rights: export.rights,
            })
            .collect(),
    })
}
