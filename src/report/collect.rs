//! The account of a collection, and the permissions that one takes.

use std::path::Path;

use serde::Serialize;
use tarbac_host::lookup::visible;
use tarbac_tenant::exports::catalog::{
    self, DEVICES, GRAPH_APPLICATION, GRAPH_PERMISSIONS, TENANT,
};
use tarbac_tenant::exports::{CallState, Collected, CollectedCall};

use super::table::of_markdown;
use super::{Style, json};

/// The account of a collection for people.
///
/// `left` are the files that a person has to put there.
pub fn human(collected: &Collected, out: &Path, left: &[&str], style: Style) -> String {
    let sum = |count: fn(&CollectedCall) -> u64| collected.calls.iter().map(count).sum::<u64>();
    let mut text = format!("{} {}\n", style.green("collected"), out.display());
    for (count, what) in [
        (sum(|call| call.rows), "records"),
        (sum(|call| call.files), "files"),
        (sum(|call| call.requests), "requests"),
        (sum(|call| call.retries), "requests that were repeated"),
    ] {
        text += &format!("{count:>12} {what}\n");
    }
    if let Some(account) = &collected.account {
        text += &format!("asked by {}\n", visible(account));
    }
    for (state, heading) in [
        (CallState::Refused, "Refused, for want of a permission:"),
        (
            CallState::Failed,
            "Answered with an error, so perhaps not for this tenant:",
        ),
    ] {
        let mut calls = collected
            .calls
            .iter()
            .filter(|call| call.state == state)
            .peekable();
        if calls.peek().is_some() {
            text += &format!("\n{}\n", style.yellow(heading));
        }
        calls.for_each(|call| text += &lack(call));
    }
    if !left.is_empty() {
        text += "\nLeft to you:\n";
        for file in left {
            text += &format!("  {}\n", out.join(file).display());
        }
        text += "`tarbac import --how` says where their contents are found.\n";
    }
    text + &format!("\nNext:\n  tarbac import {} --out tenant\n", out.display())
}

/// A call without an answer, and the facts that are unknown without it.
fn lack(call: &CollectedCall) -> String {
    let mut text = format!("  {}\n", call.export);
    match (&call.permission, call.status) {
        (Some(permission), _) => text += &format!("    takes {permission}\n"),
        (None, Some(status)) => text += &format!("    status {status}\n"),
        (None, None) => {}
    }
    if let Some(message) = &call.message {
        text += &format!("    the service says: {}\n", visible(message));
    }
    if let Some(export) = catalog::export_at(&call.export) {
        text += &format!("    not known without it: {}\n", export.purpose);
    }
    text
}

/// The files that a person has to put beside a collection.
pub const LEFT: [&str; 2] = [TENANT, DEVICES];

/// The permissions of Graph for people, with what each is for.
pub fn permissions() -> String {
    let mut text = "\
Permissions of Microsoft Graph, to be read with only. Whoever signs in as a person needs them as delegated permissions,
to which an administrator consents; an application needs them as application permissions.

"
    .to_owned();
    for (permission, exports) in catalog::permissions() {
        text += &format!("{permission}\n");
        for export in exports {
            text += &format!("    {}: {}\n", export.file, export.purpose);
        }
    }
    text += &format!(
        "\nConfiguration Manager: {} for all security scopes and collections.\n\
         `tarbac collect --permissions --format json` is the part of the manifest of an application; consent to its\n\
         application permissions for a nightly job, and to its delegated ones for a person.\n",
        catalog::READ_ONLY_ANALYST
    );
    text
}

/// The same as a table in Markdown.
pub fn permissions_markdown() -> String {
    let permissions = catalog::permissions().into_iter();
    let rows = permissions.map(|(permission, exports)| {
        let files = exports.iter().map(|export| format!("`{}`", export.file));
        vec![permission.to_owned(), files.collect::<Vec<_>>().join(", ")]
    });
    of_markdown(&["permission", "what for"], rows)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    required_resource_access: [Access; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Access {
    resource_app_id: &'static str,
    resource_access: Vec<PermissionOfApp>,
}

#[derive(Serialize)]
struct PermissionOfApp {
    id: &'static str,
    r#type: &'static str,
}

/// The permissions as the part of the manifest of an application in Microsoft Entra: each as an application permission,
/// and as a delegated one.
pub fn manifest() -> String {
    let permissions = catalog::permissions().into_iter();
    let permissions = permissions.filter_map(|(name, _)| {
        let mut known = GRAPH_PERMISSIONS.into_iter();
        known.find(|permission| permission.name == name)
    });
    let of_app = permissions.flat_map(|permission| {
        [(permission.role, "Role"), (permission.scope, "Scope")]
            .map(|(id, r#type)| PermissionOfApp { id, r#type })
    });
    json(&Manifest {
        required_resource_access: [Access {
            resource_app_id: GRAPH_APPLICATION,
            resource_access: of_app.collect(),
        }],
    })
}
