//! Roles (`@graph` in the schema), and the policies that are lists of their permissions.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use cedar_policy::{EntityTypeName, EntityUid};
use cedar_policy_core::ast::{self, PrincipalOrResourceConstraint as Constraint};

use crate::bundle::{Action, Effect, Policy, Vocabulary};
use crate::engine::Engine;

/// The value of `@graph` at the entity type of roles.
const ROLE_DEFINITION: &str = "deviceAndAppManagementRoleDefinition";

/// The entity type of roles; `None` if the schema marks none.
pub fn role_type(vocabulary: &Vocabulary) -> Option<EntityTypeName> {
    let is_role = |name: &&str| vocabulary.type_annotation(name, "graph") == Some(ROLE_DEFINITION);
    let name = vocabulary.type_names().find(is_role)?;
    EntityTypeName::from_str(name).ok()
}

/// The policies in force that name a role and match a permission, by role.
pub fn by_role(
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

/// Whether a policy only gives permissions to a role, as a role definition can.
pub fn is_list(engine: &Engine, policy: &Policy, role: &EntityUid) -> bool {
    inexpressible(policy, role, engine.bundle().permissions_of(policy)).is_none()
}

/// Whether the entity of a role marks it as built in.
pub fn is_built_in(engine: &Engine, role: &EntityUid) -> bool {
    RoleDetails::read(engine, role).is_built_in
}

/// The details of a role that stand in its entity, in attributes that the schema marks with `@graph`.
#[derive(Debug, Default)]
pub struct RoleDetails {
    /// The name, which may have characters that must not be shown.
    pub display_name: Option<String>,
    /// The description.
    pub description: Option<String>,
    /// Whether the role ships with Intune.
    pub is_built_in: bool,
    /// Permissions that no policy decides about.
    pub permissions: BTreeSet<String>,
}

impl RoleDetails {
    /// The details in the entity; empty if there is no entity.
    pub fn read(engine: &Engine, role: &EntityUid) -> Self {
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

/// The reason why a policy is not equivalent to a list of permissions for a role.
pub fn inexpressible<'a>(
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
