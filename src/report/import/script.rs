//! The PowerShell script that collects the exports.
//!
//! It is the table of calls between two parts that never change.

use tarbac_tenant::exports::catalog::{
    CLOUDS, ClassCall, ClassKey, EXPORTS, Export, ExportSource, GraphCall,
};

use super::catalog::connect;

/// The exports whose records others are asked for by.
const NEEDED: [&str; 8] = [
    "graph/roleDefinitions.json",
    "graph/roleAssignments.json",
    "graph/groups.json",
    "graph/groups/<id>/members.json",
    "graph/groups/<id>/eligibilityScheduleInstances.json",
    "graph/directoryRoles.json",
    "graph/directoryRoles/<id>/members.json",
    "graph/roleEligibilityScheduleInstances.json",
];

/// Role assignments by role definition: some tenants refuse this call, and other exports have the same.
const ASSIGNMENTS_OF_ROLES: &str = "graph/roleDefinitions/<id>/";

/// A PowerShell script that collects the exports, except the declaration and the files of the admin center.
pub fn script() -> String {
    let environments = CLOUDS.map(|cloud| cloud.environment).join(", ");
    let connect = format!("{} -Environment $Environment", connect());
    let mut text = include_str!("script/begin.ps1")
        .replace("{environments}", &environments)
        .replace("{connect}", &connect);
    text += "# The calls of Microsoft Graph; <id> is the id of each object.\n$calls = @(\n";
    for export in &EXPORTS {
        if let ExportSource::Graph(call) = export.source {
            text += &of_graph(export, &call);
        }
    }
    text += ")\n\n# The classes of the AdminService.\n$classes = @(\n";
    for export in &EXPORTS {
        if let ExportSource::Class(call) = export.source {
            text += &of_class(export, &call);
        }
    }
    text += ")\n";
    text + include_str!("script/end.ps1")
}

fn of_graph(export: &Export, call: &GraphCall) -> String {
    let is_optional = export.is_optional || export.file.starts_with(ASSIGNMENTS_OF_ROLES);
    format!(
        "    @{{ File = {}; Uri = {}; Rights = {}; Optional = {}; Needed = {} }}\n",
        quoted(export.file),
        quoted(&call.request(None)),
        quoted(export.rights),
        truth(is_optional),
        truth(NEEDED.contains(&export.file)),
    )
}

fn of_class(export: &Export, call: &ClassCall) -> String {
    let key = call
        .lazy
        .map_or("$null".to_owned(), |key| quoted(key.property));
    let is_quoted = matches!(call.lazy, Some(ClassKey { is_text: true, .. }));
    let order = match call.order {
        [] => "$null".to_owned(),
        order => quoted(&order.join(",")),
    };
    format!(
        "    @{{ Name = {}; Query = {}; Key = {key}; Quoted = {}; Order = {order}; Rights = {}; Optional = {}; Needed = {} }}\n",
        quoted(call.class),
        quoted(&call.list()),
        truth(is_quoted),
        quoted(export.rights),
        truth(export.is_optional),
        truth(call.lazy.is_some()),
    )
}

/// A text in PowerShell, in which nothing is replaced.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn truth(value: bool) -> &'static str {
    if value { "$true" } else { "$false" }
}
