//! The comparison of roles in policies with the role definitions of a tenant.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;

use super::RoleDefinition;
use crate::exports::graph::RoleDefinitionRow;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::bundle::Vocabulary;
use tarbac_host::engine::Engine;
use tarbac_host::lookup::Lookup;
use tarbac_host::roles::{RoleDetails, role_type};

/// The differences of a role between the policies and a tenant.
#[derive(Debug)]
pub struct RoleDifference {
    /// Its name.
    pub name: String,
    /// The id in Microsoft Graph; `None` if the tenant does not have the role.
    pub id: Option<String>,
    /// The permissions that only the tenant gives, by their documented names.
    pub only_tenant: Vec<String>,
    /// The permissions that only the policies give.
    pub only_policies: Vec<String>,
    /// Findings for parts that cannot be compared: policies that a role definition cannot express, and role
    /// definitions with permissions listed as not allowed.
    pub unclear: Vec<Finding>,
}

impl RoleDifference {
    /// Whether there is no difference.
    pub fn is_none(&self) -> bool {
        self.only_tenant.is_empty() && self.only_policies.is_empty() && self.unclear.is_empty()
    }
}

/// Compares the roles of the policies in force with the role definitions of a tenant; sorted by name. Only permissions
/// of the schema are compared, unless the entity of the role lists its other permissions.
///
/// Custom roles are matched by their Graph id, and built-in roles by their documented name without regard to case: the
/// service writes "Policy and Profile manager".
pub fn differences(engine: &Engine, rows: &[RoleDefinitionRow]) -> Vec<RoleDifference> {
    let bundle = engine.bundle();
    let vocabulary = bundle.vocabulary();
    let known = by_graph_id(vocabulary);
    let names = Lookup::new(engine);
    let mut roles = roles(engine);
    let mut differences = Vec::new();
    for row in rows {
        let has_id = |role: &&EntityUid| role.id().unescaped() == row.id;
        let has_name = |role: &&EntityUid| {
            let name = row.display_name.trim();
            row.is_built_in() != Some(false) && role.id().unescaped().eq_ignore_ascii_case(name)
        };
        let role = roles
            .iter()
            .find(has_id)
            .or_else(|| roles.iter().find(has_name));
        let role = role.cloned();
        // If the entity lists the permissions that no policy decides about, they are compared too.
        let others = role
            .as_ref()
            .map(|role| RoleDetails::read(engine, role).permissions);
        let tells_others = others.is_some_and(|others| !others.is_empty());
        let is_compared = |id: &str| tells_others || known.contains_key(id);
        if let Some(role) = &role {
            roles.remove(role);
        }
        let tenant = row
            .permissions()
            .into_iter()
            .filter(|id| is_compared(id))
            .collect();
        let (name, mut policies) = match &role {
            Some(role) => (names.name_of(role), permissions(engine, role)),
            None => (row.display_name.clone(), Ok(BTreeSet::new())),
        };
        if let Ok(policies) = &mut policies {
            policies.retain(|id| is_compared(id));
        }
        let mut difference = difference(name, Some(row.id.clone()), &tenant, policies, &known);
        if row.not_allowed().next().is_some() {
            difference.unclear.push(Finding::warning(
                code::role::TAKES_AWAY,
                "the tenant lists permissions that are not allowed, and what that means is not documented",
            ));
        }
        differences.push(difference);
    }
    for role in roles {
        let policies = permissions(engine, &role);
        let name = names.name_of(&role);
        differences.push(difference(name, None, &BTreeSet::new(), policies, &known));
    }
    differences.sort_by(|one, other| one.name.cmp(&other.name));
    differences
}

/// The documented names of the permissions, by their ids in Graph.
fn by_graph_id(vocabulary: &Vocabulary) -> BTreeMap<&str, &str> {
    let permissions = vocabulary.permissions();
    permissions
        .filter_map(|action| Some((action.annotations.get("graph")?.as_str(), action.name())))
        .collect()
}

/// The roles that policies or entities name.
pub(crate) fn roles(engine: &Engine) -> BTreeSet<EntityUid> {
    let Some(role_type) = role_type(engine.bundle().vocabulary()) else {
        return BTreeSet::new();
    };
    let in_force = engine.bundle().in_force(engine.readings());
    let named = in_force.flat_map(tarbac_host::bundle::Policy::named_entities);
    let directory = engine.directory();
    let rows = directory.rows_of(&role_type).map(|row| directory.uid(row));
    let is_role = |uid: &EntityUid| *uid.type_name() == role_type;
    named.filter(is_role).chain(rows).collect()
}

/// The permissions that policies give a role, by their ids in Graph.
pub(crate) fn permissions(
    engine: &Engine,
    role: &EntityUid,
) -> Result<BTreeSet<String>, Vec<Finding>> {
    match RoleDefinition::for_role(engine, role) {
        Ok(definition) => Ok(definition.allowed().map(str::to_owned).collect()),
        Err(findings) => {
            let is_empty = |finding: &Finding| finding.code == code::role::WITHOUT_PERMISSIONS;
            match findings.iter().all(is_empty) {
                true => Ok(BTreeSet::new()),
                false => Err(findings),
            }
        }
    }
}

fn difference(
    name: String,
    id: Option<String>,
    tenant: &BTreeSet<&str>,
    policies: Result<BTreeSet<String>, Vec<Finding>>,
    known: &BTreeMap<&str, &str>,
) -> RoleDifference {
    let named = |id: &str| known.get(id).copied().unwrap_or(id).to_owned();
    let (policies, unclear) = match policies {
        Ok(policies) => (Some(policies), Vec::new()),
        Err(findings) => (None, findings),
    };
    let policies = policies.iter();
    RoleDifference {
        name,
        id,
        only_tenant: policies
            .clone()
            .flat_map(|policies| tenant.iter().filter(|id| !policies.contains(**id)))
            .map(|id| named(id))
            .collect(),
        only_policies: policies
            .flatten()
            .filter(|id| !tenant.contains(id.as_str()))
            .map(|id| named(id))
            .collect(),
        unclear,
    }
}
