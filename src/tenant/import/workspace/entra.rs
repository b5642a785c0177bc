//! The writer of Entra entities: groups, people and directory roles.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::Serialize;

use super::{ASSIGNMENT, DIRECTORY_ROLE, GROUP, PERSON, assumed_names, is_false, uid};
use crate::import::Imported;
use crate::import::entity::{Family, Uid};
use crate::import::entra::{Group, Person};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupAttributes<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    members_unknown: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PersonAttributes<'a> {
    tenant: Uid<'a>,
    user_principal_name: &'a str,
    cloud_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    eligible_groups: Vec<Uid<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    eligible_directory_roles: Vec<Uid<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config_mgr: Option<BTreeMap<&'a str, Vec<Uid<'a>>>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assignments_without_license: Vec<Uid<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assignments_with_license_unknown: Vec<Uid<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assumed: Vec<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DirectoryRoleAttributes {
    #[serde(skip_serializing_if = "is_false")]
    members_unknown: bool,
}

impl Imported {
    fn assignment(&self, index: usize) -> Option<Uid<'_>> {
        let assignment = self.intune.assignments.get(index)?;
        Some(uid(ASSIGNMENT, &assignment.id))
    }

    fn assignments<'a>(&'a self, indices: &'a BTreeSet<usize>) -> impl Iterator<Item = Uid<'a>> {
        indices.iter().filter_map(|index| self.assignment(*index))
    }

    fn group(&self, index: u32) -> Option<Uid<'_>> {
        Some(uid(GROUP, &self.entra.group(index)?.id))
    }

    pub(super) fn write_groups<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        // By id: the name, whether unlisted members are possible, and the parents.
        let mut groups: BTreeMap<String, (Option<String>, bool, Vec<Uid<'_>>)> = BTreeMap::new();
        let of_group = self
            .membership
            .groups_of_group
            .iter()
            .zip(&self.membership.assignments_of_group);
        for (index, (group, (within, assignments))) in
            (0..).zip(self.entra.groups.iter().zip(of_group))
        {
            let within = within.iter().filter_map(|group| self.group(*group));
            let parents = within.chain(self.assignments(assignments)).collect();
            // A group that gives nothing may still be named by a policy.
            let is_unlisted = self.unlisted.contains(&index) || group.may_have_more();
            groups.insert(group.id.clone(), (group.name.clone(), is_unlisted, parents));
        }
        for (index, part) in &self.membership.parts {
            if let Some(group) = self.entra.group(*index) {
                let is_unlisted = !self.entra.nested(*index).is_disjoint(&self.unlisted);
                let name = group.name.as_deref().unwrap_or(&group.id);
                let name = format!("{name}: those in it who have its roles");
                let parents = self.assignments(&part.assignments).collect();
                groups.insert(part_id(group), (Some(name), is_unlisted, parents));
            }
        }
        // Scope groups that were not exported become groups without members.
        for id in self
            .intune
            .assignments
            .iter()
            .flat_map(|of| &of.scope_groups)
        {
            let id = self.group_id(id).to_owned();
            groups.entry(id).or_default();
        }
        for (id, (name, members_unknown, parents)) in &groups {
            let attributes = GroupAttributes {
                display_name: name.as_deref(),
                members_unknown: *members_unknown,
            };
            family.entity(uid(GROUP, id), attributes, parents)?;
        }
        family.finish()
    }

    pub(super) fn write_people<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        let mut parts: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for (group, part) in &self.membership.parts {
            let id = self.entra.group(*group).map(part_id);
            for person in &part.people {
                parts.entry(*person).or_default().extend(id.clone());
            }
        }
        for (index, person) in (0..).zip(&self.entra.people) {
            let groups = person.groups.iter().filter_map(|group| self.group(*group));
            let parts = parts.get(&index).into_iter().flatten();
            let roles = person.directory_roles.iter();
            let mut parents: Vec<Uid<'_>> = groups.collect();
            parents.extend(parts.map(|id| uid(GROUP, id)));
            parents.extend(self.assignments_of(index, &self.membership.assignments_of_person));
            parents.extend(roles.map(|id| uid(DIRECTORY_ROLE, id)));
            let eligible = self.eligible_groups(person);
            let attributes = self.person_attributes(index, person, &eligible);
            family.entity(uid(PERSON, &person.id), attributes, &parents)?;
        }
        family.finish()
    }

    fn person_attributes<'a>(
        &'a self,
        index: u32,
        person: &'a Person,
        eligible: &'a [(Uid<'a>, Vec<String>)],
    ) -> PersonAttributes<'a> {
        let mut eligible_groups: Vec<Uid<'_>> = eligible.iter().map(|(group, _)| *group).collect();
        let parts = eligible.iter().flat_map(|(_, parts)| parts);
        eligible_groups.extend(parts.map(|id| uid(GROUP, id)));
        let eligible_roles = person.eligible_directory_roles.keys();
        let lacking = self.assignments_of(index, &self.membership.without_license);
        let (without_license, with_license_unknown) = match person.has_license {
            Some(_) => (lacking, Vec::new()),
            None => (Vec::new(), lacking),
        };
        // If other accounts state whether they are enabled, an account that does not may be disabled.
        let is_disabled_assumed = person.is_enabled.is_none() && self.entra.has_account_states;
        let assumed = [
            ("accountEnabled", is_disabled_assumed),
            ("cloudOnly", person.is_cloud_only_assumed),
            ("configMgr", self.are_administrators_assumed),
            ("eligibleGroups", !self.entra.has_group_eligibilities),
            ("eligibleDirectoryRoles", !self.entra.has_role_eligibilities),
        ];
        PersonAttributes {
            tenant: self.tenant(),
            user_principal_name: &person.user_principal_name,
            cloud_only: person.is_cloud_only,
            account_enabled: person.is_enabled.or(is_disabled_assumed.then_some(false)),
            eligible_groups,
            eligible_directory_roles: eligible_roles.map(|id| uid(DIRECTORY_ROLE, id)).collect(),
            config_mgr: self.administrator(index),
            assignments_without_license: without_license,
            assignments_with_license_unknown: with_license_unknown,
            assumed: assumed_names(&assumed),
        }
    }

    fn assignments_of<'a>(
        &'a self,
        person: u32,
        assignments: &'a BTreeMap<u32, BTreeSet<usize>>,
    ) -> Vec<Uid<'a>> {
        let indices = assignments.get(&person);
        indices
            .into_iter()
            .flat_map(|indices| self.assignments(indices))
            .collect()
    }

    /// The groups whose membership a person may activate, each with the ids of the [parts](part_id) that the person
    /// would join as well.
    fn eligible_groups(&self, person: &Person) -> Vec<(Uid<'_>, Vec<String>)> {
        let allows_unlicensed = self.tenant.allows_unlicensed_administrators;
        let eligible = |group: &u32| {
            let parts = self
                .membership
                .joining(&self.entra, person, *group, allows_unlicensed)?;
            let parts = parts.iter().filter_map(|part| self.entra.group(*part));
            Some((self.group(*group)?, parts.map(part_id).collect()))
        };
        person.eligible_groups.keys().filter_map(eligible).collect()
    }

    pub(super) fn write_directory_roles<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        for name in &self.entra.directory_roles {
            let attributes = DirectoryRoleAttributes {
                members_unknown: self.entra.unlisted_directory_roles.contains(name),
            };
            family.entity(uid(DIRECTORY_ROLE, name), attributes, &[])?;
        }
        family.finish()
    }
}

/// The id of the part of a group that has its roles. It is a separate group, because licenses divide the members.
fn part_id(group: &Group) -> String {
    format!("{}#with-roles", group.id)
}
