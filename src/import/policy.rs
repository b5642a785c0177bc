//! A role as a policy.

use std::collections::{BTreeMap, BTreeSet};

use super::intune::Role;
use crate::bundle::{self, Action};
use crate::source::Source;

/// How the ids of permissions begin in Microsoft Graph.
const PREFIX: &str = "Microsoft.Intune_";

/// A policy that gives a role permissions.
pub(super) struct RolePolicy<'a> {
    /// The role.
    pub(super) role: &'a Role,
    /// The id of its entity.
    pub(super) entity: &'a str,
    /// The id of the policy.
    pub(super) id: &'a str,
    /// What the policy does, in a sentence.
    pub(super) doc: &'a str,
    /// Whether any of its permissions is one on devices.
    pub(super) has_device_actions: bool,
    /// Where the role comes from, in a few words.
    pub(super) provenance: &'a str,
    /// What decisions are about and the role permits, in the order of the schema.
    pub(super) actions: &'a [&'a Action],
    /// The ids of its other permissions in Microsoft Graph.
    pub(super) others: &'a BTreeSet<&'a str>,
}

impl RolePolicy<'_> {
    /// The text of its file.
    pub(super) fn text(&self) -> String {
        let role = self.role;
        let mut text = format!("// {}: {}.\n", line(&role.name), line(self.provenance));
        text += &format!(
            "// In Microsoft Graph its id is {}.\n",
            line(&role.graph_id)
        );
        if !self.has_device_actions {
            text += "//\n// It has no permission on tenant-attached devices: while Intune decides, it opens no page.\n";
        }
        if !self.others.is_empty() {
            text += "//\n// What it permits besides, about which nothing is decided here:\n";
            for (resource, actions) in by_resource(self.others) {
                let actions: Vec<String> = actions.into_iter().map(line).collect();
                text += &format!("//   {}: {}\n", line(resource), actions.join(", "));
            }
        }
        if !self.actions.is_empty() {
            text += &self.permit();
        }
        let source = Source::held(format!("{}.cedar", self.id), text.clone());
        // Cedar's formatter takes whatever Cedar does; what it did not take, validation would name.
        bundle::formatted(&source).unwrap_or(text)
    }

    fn permit(&self) -> String {
        let actions: Vec<String> = self
            .actions
            .iter()
            .map(|action| action.uid.to_string())
            .collect();
        let actions = match actions.as_slice() {
            [action] => format!("== {action}"),
            actions => format!("in [{}]", actions.join(", ")),
        };
        format!(
            "@id(\"{}\")\n@doc(\"{}\")\n@source(\"graph/roleDefinitions.json\")\npermit (principal in Intune::Role::\"{}\", action {actions}, resource);\n",
            self.id.escape_debug(),
            self.doc.escape_debug(),
            self.entity.escape_debug()
        )
    }
}

/// Permissions by the resource that they are about.
fn by_resource<'a>(permissions: &BTreeSet<&'a str>) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut by_resource: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for id in permissions {
        let name = id.strip_prefix(PREFIX).unwrap_or(id);
        let (resource, action) = name.split_once('_').unwrap_or((name, ""));
        by_resource.entry(resource).or_default().insert(action);
    }
    by_resource
}

/// A text of the tenant in one line: nothing in it may end a comment, or steer a terminal.
pub(super) fn line(text: &str) -> String {
    let breaks =
        |character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}');
    text.replace(breaks, " ")
}

/// The name of a file, in lower-case letters, digits and hyphens; what cannot be said so is left out.
pub(super) fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        match character.is_ascii_alphanumeric() {
            true => slug.push(character),
            false if slug.is_empty() || slug.ends_with('-') => {}
            false => slug.push('-'),
        }
    }
    slug.truncate(60);
    match slug.trim_end_matches('-') {
        // Windows has no files of these names.
        name @ ("con" | "prn" | "aux" | "nul") => format!("{name}-role"),
        name => name.to_owned(),
    }
}
