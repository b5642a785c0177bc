//! Roles as Microsoft Graph has them.
//!
//! A role definition of Intune (`deviceAndAppManagementRoleDefinition`) is a name, a description and a
//! list of permissions. It has no condition, and it takes nothing away. [`RoleDefinition::of`] says what
//! the policies give a role in these words, and what of them has none.
//!
//! The schema says which entities are roles, and how Graph calls a permission: its annotations
//! `@graph`.

#[cfg(feature = "import")]
mod difference;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use cedar_policy::{EntityTypeName, EntityUid};
use cedar_policy_core::ast::{self, PrincipalOrResourceConstraint as Constraint};
use serde::Serialize;

use crate::bundle::{Action, Effect, Policy, Vocabulary};
use crate::engine::Engine;
use crate::finding::{self, Finding};
use crate::names::Names;

#[cfg(feature = "import")]
pub use difference::{Difference, differences};
#[cfg(feature = "import")]
pub(crate) use difference::{permissions, roles};
pub(crate) use text::{line, permit, slug};

/// The code of the finding that a role has no permissions.
const WITHOUT_PERMISSIONS: &str = "role::without_permissions";

/// What `@graph` says of the entity type of roles.
const ROLE_DEFINITION: &str = "deviceAndAppManagementRoleDefinition";

/// The most characters of a name and of a description, by the reference of the Graph API (beta).
const LONGEST: [(&str, usize); 2] = [("name", 128), ("description", 1024)];

/// A role definition, as the body of a request that creates or updates one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleDefinition {
    /// The name that the admin center shows.
    pub display_name: String,
    /// What it is for.
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
    /// None: Intune has no deny.
    pub not_allowed_resource_actions: Vec<String>,
}

/// The entity type of roles; `None` where the schema names none.
pub fn role_type(vocabulary: &Vocabulary) -> Option<EntityTypeName> {
    let is_role = |name: &&str| vocabulary.type_annotation(name, "graph") == Some(ROLE_DEFINITION);
    let name = vocabulary.type_names().find(is_role)?;
    EntityTypeName::from_str(name).ok()
}

impl RoleDefinition {
    /// The ids of its permissions in Graph, sorted.
    pub fn allowed(&self) -> impl Iterator<Item = &str> {
        let permissions = self.role_permissions.iter();
        let actions = permissions.flat_map(|permission| &permission.resource_actions);
        let allowed = actions.flat_map(|actions| &actions.allowed_resource_actions);
        allowed.map(String::as_str)
    }

    /// The definition of a role by the policies in force, and by what its entity tells beside them: the
    /// permissions that no policy decides about.
    ///
    /// # Errors
    /// Nothing gives it a permission, or a policy says something of it that a role definition cannot:
    /// a finding for each.
    pub fn of(engine: &Engine, role: &EntityUid) -> Result<Self, Vec<Finding>> {
        let bundle = engine.bundle();
        let name = Names::of(engine).call(role);
        let mut findings = Vec::new();
        let mut permissions = BTreeSet::new();
        let mut docs = Vec::new();
        let about = by_role(engine, |named| named == role).remove(role);
        for policy in about.into_iter().flatten() {
            match inexpressible(policy, role, bundle.permissions_of(policy)) {
                Some(why) => findings.push(
                    Finding::error(
                        "role::inexpressible",
                        format!("no role definition says what `{}` does: {why}", policy.id()),
                    )
                    .label(policy.place().clone(), "this policy")
                    .help("a role of Intune is a list of permissions: without conditions, and without a deny"),
                ),
                None => docs.extend(policy.doc()),
            }
            for action in bundle.permissions_of(policy) {
                match action.annotations.get("graph") {
                    Some(id) => drop(permissions.insert(id.clone())),
                    None => findings.push(
                        Finding::error(
                            "role::unknown_to_graph",
                            format!("the permission `{}` has no id in Microsoft Graph", action.uid),
                        )
                        .label(policy.place().clone(), "given here")
                        .help("write it as `@graph(\"Microsoft.Intune_…\")` of the action in the schema"),
                    ),
                }
            }
        }
        let told = Told::of(engine, role);
        permissions.extend(told.permissions);
        if permissions.is_empty() && told.description.is_none() {
            findings.push(Finding::error(
                WITHOUT_PERMISSIONS,
                format!("no policy in force gives `{name}` a permission"),
            ));
        }
        let description = told.description.unwrap_or_else(|| docs.join(" "));
        for ((what, most), text) in LONGEST.into_iter().zip([&name, &description]) {
            let length = text.chars().count();
            if length > most {
                findings.push(Finding::error(
                    "role::too_long",
                    format!(
                        "the {what} of `{name}` has {length} characters, and Intune takes {most}"
                    ),
                ));
            }
        }
        finding::sort(&mut findings);
        match findings.is_empty() {
            true => Ok(Self {
                display_name: told.display_name.unwrap_or(name),
                description,
                role_permissions: vec![RolePermission {
                    resource_actions: vec![ResourceAction {
                        allowed_resource_actions: permissions.into_iter().collect(),
                        not_allowed_resource_actions: Vec::new(),
                    }],
                }],
            }),
            false => Err(findings),
        }
    }
}

/// The policies in force about permissions that name a role, by role.
pub(crate) fn by_role(
    engine: &Engine,
    is_asked: impl Fn(&EntityUid) -> bool,
) -> BTreeMap<EntityUid, Vec<&Policy>> {
    let mut by_role: BTreeMap<EntityUid, Vec<&Policy>> = BTreeMap::new();
    let bundle = engine.bundle();
    for policy in bundle.in_force(engine.readings()) {
        let named: BTreeSet<EntityUid> = policy.named_entities().filter(&is_asked).collect();
        if named.is_empty() || bundle.permissions_of(policy).next().is_none() {
            continue;
        }
        for role in named {
            by_role.entry(role).or_default().push(policy);
        }
    }
    by_role
}

/// Whether a policy gives a role permissions and does nothing else, as a role definition can.
pub(crate) fn is_list(engine: &Engine, policy: &Policy, role: &EntityUid) -> bool {
    inexpressible(policy, role, engine.bundle().permissions_of(policy)).is_none()
}

/// Whether the entity of a role says that the role is built in.
pub(crate) fn is_built_in(engine: &Engine, role: &EntityUid) -> bool {
    Told::of(engine, role).is_built_in
}

/// What the entity of a role tells of it beside the policies, in the attributes that the schema marks
/// with `@graph`.
#[derive(Default)]
struct Told {
    /// The name as it stands, which is not always fit to be shown.
    display_name: Option<String>,
    description: Option<String>,
    /// Whether it ships with Intune.
    is_built_in: bool,
    /// Permissions that no policy decides about.
    permissions: BTreeSet<String>,
}

impl Told {
    fn of(engine: &Engine, role: &EntityUid) -> Self {
        let directory = engine.directory();
        let row = directory.row(role).filter(|row| directory.is_defined(*row));
        let Some(entity) = row.map(|row| directory.entity(row)) else {
            return Self::default();
        };
        let text = |value: &ast::Value| match value.value_kind() {
            ast::ValueKind::Lit(ast::Literal::String(text)) => Some(text.to_string()),
            _ => None,
        };
        let mut told = Self::default();
        let attributes = engine
            .bundle()
            .vocabulary()
            .attributes(&role.type_name().to_string());
        for (name, attribute) in attributes.into_iter().flatten() {
            let Some(ast::PartialValue::Value(value)) = entity.get(name) else {
                continue;
            };
            match (
                attribute.annotations.get("graph").map(String::as_str),
                value.value_kind(),
            ) {
                (Some("displayName"), _) => told.display_name = text(value),
                (Some("description"), _) => told.description = text(value),
                (Some("isBuiltIn"), ast::ValueKind::Lit(ast::Literal::Bool(is_built_in))) => {
                    told.is_built_in = *is_built_in;
                }
                (Some("allowedResourceActions"), ast::ValueKind::Set(set)) => {
                    told.permissions.extend(set.iter().filter_map(text));
                }
                _ => {}
            }
        }
        told
    }
}

/// Why a policy is more or less than a list of permissions of a role.
fn inexpressible<'a>(
    policy: &Policy,
    role: &EntityUid,
    mut permissions: impl Iterator<Item = &'a Action>,
) -> Option<&'static str> {
    let is_for_whoever_has_it = matches!(
        policy.ast().principal_constraint().as_inner(),
        Constraint::In(_) | Constraint::IsIn(..)
    ) && policy.principal_anchor().as_ref() == Some(role);
    let is_about_everything = |action: &Action| {
        let of = |resource| {
            policy.may_apply_among(action, &action.principals, std::slice::from_ref(resource))
        };
        action.resources.iter().all(of)
    };
    if policy.effect() == Effect::Forbid {
        Some("it forbids")
    } else if !is_for_whoever_has_it {
        Some("it is not about whoever has the role")
    } else if policy.has_conditions() {
        Some("it has a condition")
    } else if policy.resource_anchor().is_some() || !permissions.all(is_about_everything) {
        Some("it is about some resources")
    } else {
        None
    }
}
