//! The text of the Cedar policy of an imported role, custom or built-in.

use std::collections::{BTreeMap, BTreeSet};

use super::intune::Role;
use tarbac_diagnostic::source::Source;
use tarbac_host::bundle::policy_text::{line, permit};
use tarbac_host::bundle::{self, Action};

/// The prefix of the ids of permissions in Microsoft Graph.
const PREFIX: &str = "Microsoft.Intune_";

/// A policy that gives a role permissions.
pub(super) struct RolePolicy<'a> {
    /// The role.
    pub(super) role: &'a Role,
    /// The id of its entity.
    pub(super) entity: &'a str,
    /// The id of the policy.
    pub(super) id: &'a str,
    /// The `@doc`.
    pub(super) doc: &'a str,
    /// Whether any of the permissions is for devices.
    pub(super) has_device_actions: bool,
    /// The origin of the role, in a few words.
    pub(super) provenance: &'a str,
    /// The actions of the schema that the role permits, in the order of the schema.
    pub(super) actions: &'a [&'a Action],
    /// The ids of the other permissions in Microsoft Graph.
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
        // The formatter accepts every valid policy; validation would report an invalid one.
        bundle::formatted(&source).unwrap_or(text)
    }

    fn permit(&self) -> String {
        let role = format!("in Intune::Role::\"{}\"", self.entity.escape_debug());
        let actions = self.actions.iter().map(|action| &action.uid);
        format!(
            "@id(\"{}\")\n@doc(\"{}\")\n@source(\"graph/roleDefinitions.json\")\n{}\n",
            self.id.escape_debug(),
            self.doc.escape_debug(),
            permit(&format!("principal {role}"), actions, "resource"),
        )
    }
}

/// The permissions by resource type.
fn by_resource<'a>(permissions: &BTreeSet<&'a str>) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
    let mut by_resource: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for id in permissions {
        let name = id.strip_prefix(PREFIX).unwrap_or(id);
        let (resource, action) = name.split_once('_').unwrap_or((name, ""));
        by_resource.entry(resource).or_default().insert(action);
    }
    by_resource
}
