//! Custom roles as Graph role definitions: translation, refusals, and differences from a tenant.
//!
//! An Intune role definition (`deviceAndAppManagementRoleDefinition`) has a name, a description and a list of
//! permissions. It has no conditions and cannot deny. [`RoleDefinition::for_role`] translates the policies of a role,
//! and refuses those that a role definition cannot express.
//!
//! The schema declares which entities are roles, and the ids of permissions in Graph: its annotations `@graph`.

mod difference;

use std::collections::BTreeSet;

use cedar_policy::EntityUid;
use serde::Serialize;

use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::{self, Finding};
use tarbac_host::bundle::{Action, Policy};
use tarbac_host::engine::Engine;
use tarbac_host::lookup::Lookup;
use tarbac_host::roles::{RoleDetails, by_role, inexpressible};

pub use difference::{RoleDifference, differences};
pub(crate) use difference::{permissions, roles};

/// The longest name and description, in characters. Source: the reference of the Graph API (beta).
const LONGEST: [(&str, usize); 2] = [("name", 128), ("description", 1024)];

/// A role definition, as the body of a request that creates or updates one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleDefinition {
    /// The name that the admin center shows.
    pub display_name: String,
    /// The description.
    pub description: String,
    /// Its permissions.
    pub role_permissions: Vec<RolePermission>,
}

/// Permissions of a role definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RolePermission {
    /// The permissions.
    pub resource_actions: Vec<ResourceAction>,
}

/// A list of permissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceAction {
    /// The ids of the permissions, sorted.
    pub allowed_resource_actions: Vec<String>,
    /// Always empty: Intune has no deny.
    pub not_allowed_resource_actions: Vec<String>,
}

impl RoleDefinition {
    /// A role of this name with these permissions, by their ids in Graph.
    pub fn listing(name: &str, description: &str, permissions: BTreeSet<String>) -> Self {
        Self {
            display_name: name.to_owned(),
            description: description.to_owned(),
            role_permissions: vec![RolePermission {
                resource_actions: vec![ResourceAction {
                    allowed_resource_actions: permissions.into_iter().collect(),
                    not_allowed_resource_actions: Vec::new(),
                }],
            }],
        }
    }

    /// The ids of its permissions in Graph, sorted.
    pub fn allowed(&self) -> impl Iterator<Item = &str> {
        let permissions = self.role_permissions.iter();
        let actions = permissions.flat_map(|permission| &permission.resource_actions);
        let allowed = actions.flat_map(|actions| &actions.allowed_resource_actions);
        allowed.map(String::as_str)
    }

    /// The definition of a role, from the policies in force and from the attribute of its entity that lists the
    /// permissions no policy decides about.
    ///
    /// # Errors
    /// The role has no permission, or a policy has a part that a role definition cannot express: a finding for each.
    pub fn for_role(engine: &Engine, role: &EntityUid) -> Result<Self, Vec<Finding>> {
        let name = Lookup::new(engine).name_of(role);
        let mut findings = Vec::new();
        let mut permissions = BTreeSet::new();
        let mut docs = Vec::new();
        let about = by_role(engine, |named| named == role).remove(role);
        for policy in about.into_iter().flatten() {
            let actions = engine.bundle().permissions_of(policy);
            match inexpressible(policy, role, actions) {
                Some(reason) => findings.push(not_expressible(policy, reason)),
                None => docs.extend(policy.doc()),
            }
            for action in engine.bundle().permissions_of(policy) {
                match action.annotations.get("graph") {
                    Some(id) => drop(permissions.insert(id.clone())),
                    None => findings.push(unknown_to_graph(policy, action)),
                }
            }
        }
        let told = RoleDetails::read(engine, role);
        permissions.extend(told.permissions);
        if permissions.is_empty() && told.description.is_none() {
            findings.push(Finding::error(
                code::role::WITHOUT_PERMISSIONS,
                format!("no policy in force gives `{name}` a permission"),
            ));
        }
        let description = told.description.unwrap_or_else(|| docs.join(" "));
        findings.extend(too_long(&name, &description));
        if !findings.is_empty() {
            finding::sort(&mut findings);
            return Err(findings);
        }
        let name = told.display_name.unwrap_or(name);
        Ok(Self::listing(&name, &description, permissions))
    }
}

fn not_expressible(policy: &Policy, reason: &str) -> Finding {
    Finding::error(
        code::role::INEXPRESSIBLE,
        format!(
            "no role definition says what `{}` does: {reason}",
            policy.id()
        ),
    )
    .label(policy.place().clone(), "this policy")
    .help("a role of Intune is a list of permissions: without conditions, and without a deny")
}

fn unknown_to_graph(policy: &Policy, action: &Action) -> Finding {
    Finding::error(
        code::role::UNKNOWN_TO_GRAPH,
        format!(
            "the permission `{}` has no id in Microsoft Graph",
            action.uid
        ),
    )
    .label(policy.place().clone(), "given here")
    .help("write it as `@graph(\"Microsoft.Intune_…\")` of the action in the schema")
}

/// Findings for a name and a description that exceed the limits of Intune.
fn too_long<'a>(name: &'a str, description: &'a str) -> impl Iterator<Item = Finding> + 'a {
    let texts = LONGEST.into_iter().zip([name, description]);
    texts.filter_map(move |((property, most), text)| {
        let length = text.chars().count();
        let message =
            format!("the {property} of `{name}` has {length} characters, and Intune takes {most}");
        (length > most).then(|| Finding::error(code::role::TOO_LONG, message))
    })
}
