//! The writer of Intune entities: tenant, roles, role assignments and scope tags.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::Serialize;

use super::{ASSIGNMENT, GROUP, ROLE, SCOPE_TAG, is_false, uid};
use crate::import::entity::{Family, Uid};
use crate::import::entra::Holder;
use crate::import::intune::{ALL_SCOPE_TAGS, Role};
use crate::import::role::RoleEntity;
use crate::import::{Imported, key, narrows};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TenantAttributes<'a> {
    use_intune_rbac: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    use_intune_rbac_changed_at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scoped_permissions: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RoleAttributes<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    built_in: bool,
    /// Absent if a policy has exactly this text.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_permissions: Option<&'a BTreeSet<String>>,
    #[serde(skip_serializing_if = "is_false")]
    members_unknown: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AssignmentAttributes<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scope_groups: Vec<Uid<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    narrowed_role: Option<Uid<'a>>,
    #[serde(skip_serializing_if = "is_false")]
    members_unknown: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ScopeTagAttributes<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
}

impl Imported {
    pub(super) fn write_tenant<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        let attributes = TenantAttributes {
            use_intune_rbac: self.tenant.use_intune_rbac == Some(true),
            use_intune_rbac_changed_at: self.tenant.use_intune_rbac_changed_at.as_deref(),
            scoped_permissions: self.tenant.scoped_permissions,
        };
        family.entity(self.tenant(), attributes, &[])?;
        family.finish()
    }

    pub(super) fn write_roles<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        let mut roles: Vec<(&RoleEntity, &Role)> =
            self.roles.iter().zip(&self.intune.roles).collect();
        roles.sort_by_key(|(entity, _)| &entity.id);
        for (entity, role) in roles {
            // Built-in roles have their documented name and description.
            let custom = (!role.is_built_in).then_some(entity);
            let attributes = RoleAttributes {
                display_name: custom.map(|_| role.name.as_str()),
                built_in: role.is_built_in,
                description: custom.and_then(|of| of.description.as_deref()),
                other_permissions: custom
                    .map(|of| &of.others)
                    .filter(|others| !others.is_empty()),
                members_unknown: self.intune.has_assignment_without_role,
            };
            family.entity(uid(ROLE, &entity.id), attributes, &[])?;
        }
        family.finish()
    }

    pub(super) fn write_assignments<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        let mut roles = BTreeMap::new();
        for (entity, role) in self.roles.iter().zip(&self.intune.roles) {
            roles.insert(key(&role.graph_id), entity.id.as_str());
        }
        for (index, assignment) in self.intune.assignments.iter().enumerate() {
            let role = roles.get(&assignment.role).map(|id| uid(ROLE, id));
            let is_narrowed = narrows(&self.tenant, assignment);
            let attributes = AssignmentAttributes {
                display_name: assignment.name.as_deref(),
                scope_groups: assignment
                    .scope_groups
                    .iter()
                    .map(|id| uid(GROUP, self.group_id(id)))
                    .collect(),
                narrowed_role: role.filter(|_| is_narrowed),
                members_unknown: self.membership.with_unknown_members.contains(&index),
            };
            let role = role.filter(|_| !is_narrowed);
            let mut parents: Vec<Uid<'_>> = role.into_iter().collect();
            parents.push(self.tenant());
            match assignment.scope_tags.is_empty() {
                true => parents.push(uid(SCOPE_TAG, ALL_SCOPE_TAGS)),
                false => parents.extend(assignment.scope_tags.iter().map(|id| uid(SCOPE_TAG, id))),
            }
            family.entity(uid(ASSIGNMENT, &assignment.id), attributes, &parents)?;
        }
        family.finish()
    }

    /// The id of a group in the case of its entity; `id` itself if the group was not exported.
    pub(super) fn group_id<'a>(&'a self, id: &'a str) -> &'a str {
        match self.entra.holder(id) {
            Some(Holder::Group(group)) => self.entra.group(group).map_or(id, |group| &group.id),
            _ => id,
        }
    }

    pub(super) fn write_scope_tags<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        for (id, name) in &self.intune.scope_tags {
            let display_name = name.as_deref();
            family.entity(uid(SCOPE_TAG, id), ScopeTagAttributes { display_name }, &[])?;
        }
        family.finish()
    }
}
