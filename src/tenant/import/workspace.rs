//! The files of the imported workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::Serialize;
use smol_str::SmolStr;

use super::configmgr::Site;
use super::entity::{Family, Uid};
use super::entra::{Group, Holder, Person};
use super::intune::{ALL_SCOPE_TAGS, Role};
use super::role::RoleEntity;
use super::{Imported, key, narrows};
use crate::exports::catalog;
use tarbac_host::bundle::File;

const ASSIGNMENT: &str = "Intune::RoleAssignment";
const COLLECTION: &str = "ConfigMgr::Collection";
const DEVICE: &str = "ConfigMgr::Device";
const DIRECTORY_ROLE: &str = "Entra::DirectoryRole";
const GROUP: &str = "Entra::Group";
const HIERARCHY: &str = "ConfigMgr::Hierarchy";
const PERSON: &str = "Entra::User";
const ROLE: &str = "Intune::Role";
const SCOPE_TAG: &str = "Intune::ScopeTag";
const TENANT: &str = "Intune::Tenant";

const DISCOVERED_BY_ACTIVE_DIRECTORY: &str = "discoveredByActiveDirectory";
const DISCOVERED_BY_ENTRA: &str = "discoveredByEntra";

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
struct HierarchyAttributes<'a> {
    tenant: Uid<'a>,
    version: u32,
    enforce_config_mgr_rbac: bool,
    early_update_ring: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RoleAttributes<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    built_in: bool,
    /// Where no policy says exactly that.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_permissions: Option<&'a BTreeSet<String>>,
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
struct GroupAttributes<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    members_unknown: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Named<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
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
struct CollectionAttributes<'a> {
    hierarchy: Uid<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    #[serde(skip_serializing_if = "is_false")]
    members_unknown: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeviceAttributes<'a> {
    name: &'a str,
    hierarchy: Uid<'a>,
    co_managed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    operating_system: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    assumed: Vec<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DirectoryRoleAttributes {
    #[serde(skip_serializing_if = "is_false")]
    members_unknown: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands on a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

fn uid<'a>(type_name: &'a str, id: &'a str) -> Uid<'a> {
    Uid { type_name, id }
}

impl Imported {
    /// Writes the files of the workspace. `create` makes each of them, by its path with `/` between its
    /// parts.
    ///
    /// # Errors
    /// One of them cannot be written.
    pub fn write<W: Write>(&self, mut create: impl FnMut(&str) -> io::Result<W>) -> io::Result<()> {
        for File { path, text } in &self.texts {
            let mut file = create(path)?;
            file.write_all(text.as_bytes())?;
            file.flush()?;
        }
        let mut family = |name: &str| Family::new(create(&format!("entities/{name}.json"))?);
        self.write_tenant(family("tenants")?)?;
        self.write_hierarchies(family("hierarchies")?)?;
        self.write_roles(family("roles")?)?;
        self.write_assignments(family("assignments")?)?;
        self.write_scope_tags(family("scope-tags")?)?;
        self.write_groups(family("groups")?)?;
        self.write_people(family("people")?)?;
        self.write_directory_roles(family("directory-roles")?)?;
        self.write_collections(family("collections")?)?;
        self.write_devices(family("devices")?)
    }

    /// The exports that it was made of.
    pub fn exports(&self) -> &BTreeSet<String> {
        &self.exports
    }

    /// Whether exports are missing of which something is lost.
    pub fn is_partial(&self) -> bool {
        self.is_partial
    }

    /// Whether an export is of the tenant as it is declared: not of a hierarchy that is declared no more.
    pub fn is_of_tenant(&self, export: &str) -> bool {
        let mut hierarchies = self.tenant.hierarchies.iter();
        catalog::site_of(export)
            .is_none_or(|site| hierarchies.any(|of| of.site_code.eq_ignore_ascii_case(site)))
    }

    /// What there is to say about the import.
    pub fn into_report(self) -> super::Report {
        self.report
    }

    pub(super) fn counts(&self) -> Vec<(&'static str, usize)> {
        let in_sites =
            |count: fn(&Site) -> usize| self.sites.iter().map(|(_, site)| count(site)).sum();
        let built_in = self
            .intune
            .roles
            .iter()
            .filter(|role| role.is_built_in)
            .count();
        vec![
            ("hierarchies", self.sites.len()),
            ("built-in roles", built_in),
            ("custom roles", self.intune.roles.len() - built_in),
            ("role assignments", self.intune.assignments.len()),
            ("scope tags", self.intune.scope_tags.len() - 1),
            ("groups", self.entra.groups.len()),
            ("people", self.entra.people.len()),
            ("directory roles", self.entra.directory_roles.len()),
            ("collections", in_sites(|site| site.collections.len())),
            ("devices", in_sites(|site| site.devices.len())),
        ]
    }

    fn tenant(&self) -> Uid<'_> {
        uid(TENANT, &self.tenant.name)
    }

    fn assignment(&self, number: usize) -> Option<Uid<'_>> {
        let assignment = self.intune.assignments.get(number)?;
        Some(uid(ASSIGNMENT, &assignment.id))
    }

    fn assignments<'a>(&'a self, of: &'a BTreeSet<usize>) -> impl Iterator<Item = Uid<'a>> {
        of.iter().filter_map(|number| self.assignment(*number))
    }

    fn group(&self, number: u32) -> Option<Uid<'_>> {
        Some(uid(GROUP, &self.entra.group(number)?.id))
    }

    fn write_tenant<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        let attributes = TenantAttributes {
            use_intune_rbac: self.tenant.use_intune_rbac == Some(true),
            use_intune_rbac_changed_at: self.tenant.use_intune_rbac_changed_at.as_deref(),
            scoped_permissions: self.tenant.scoped_permissions,
        };
        family.entity(self.tenant(), attributes, &[])?;
        family.finish()
    }

    fn write_hierarchies<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        for hierarchy in &self.tenant.hierarchies {
            let attributes = HierarchyAttributes {
                tenant: self.tenant(),
                version: hierarchy.version,
                enforce_config_mgr_rbac: hierarchy.enforce_config_mgr_rbac,
                early_update_ring: hierarchy.early_update_ring,
            };
            family.entity(uid(HIERARCHY, &hierarchy.site_code), attributes, &[])?;
        }
        family.finish()
    }

    fn write_roles<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        let mut roles: Vec<(&RoleEntity, &Role)> =
            self.roles.iter().zip(&self.intune.roles).collect();
        roles.sort_by_key(|(entity, _)| &entity.id);
        for (entity, role) in roles {
            // Of a built-in role the tenant has nothing of its own to tell.
            let custom = (!role.is_built_in).then_some(entity);
            let attributes = RoleAttributes {
                display_name: custom.map(|_| role.name.as_str()),
                built_in: role.is_built_in,
                description: custom.and_then(|of| of.description.as_deref()),
                other_permissions: custom
                    .map(|of| &of.others)
                    .filter(|others| !others.is_empty()),
            };
            family.entity(uid(ROLE, &entity.id), attributes, &[])?;
        }
        family.finish()
    }

    fn write_assignments<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        let mut roles = BTreeMap::new();
        for (entity, role) in self.roles.iter().zip(&self.intune.roles) {
            roles.insert(key(&role.graph_id), entity.id.as_str());
        }
        for (number, assignment) in self.intune.assignments.iter().enumerate() {
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
                members_unknown: self.membership.with_unknown_members.contains(&number),
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

    /// The id of a group as its entity has it, be it known or not.
    fn group_id<'a>(&'a self, id: &'a str) -> &'a str {
        match self.entra.holder(id) {
            Some(Holder::Group(group)) => self.entra.group(group).map_or(id, |group| &group.id),
            _ => id,
        }
    }

    fn write_scope_tags<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        for (id, name) in &self.intune.scope_tags {
            let display_name = name.as_deref();
            family.entity(uid(SCOPE_TAG, id), Named { display_name }, &[])?;
        }
        family.finish()
    }

    fn write_groups<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        // The id of each, with its name, whether it may have more members, and what it is in.
        let mut groups: BTreeMap<String, (Option<String>, bool, Vec<Uid<'_>>)> = BTreeMap::new();
        let of_group = self
            .membership
            .groups_of_group
            .iter()
            .zip(&self.membership.assignments_of_group);
        for (number, (group, (within, assignments))) in
            (0..).zip(self.entra.groups.iter().zip(of_group))
        {
            let within = within.iter().filter_map(|group| self.group(*group));
            let parents = within.chain(self.assignments(assignments)).collect();
            // A policy may name it although it gives nothing.
            let is_unlisted = self.unlisted.contains(&number) || group.may_have_more();
            groups.insert(group.id.clone(), (group.name.clone(), is_unlisted, parents));
        }
        for (number, part) in &self.membership.parts {
            if let Some(group) = self.entra.group(*number) {
                let is_unlisted = !self.entra.nested(*number).is_disjoint(&self.unlisted);
                let name = group.name.as_deref().unwrap_or(&group.id);
                let name = format!("{name}: those in it who have its roles");
                let parents = self.assignments(&part.assignments).collect();
                groups.insert(part_id(group), (Some(name), is_unlisted, parents));
            }
        }
        // Scope groups that were not exported.
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

    fn write_people<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        let mut parts: BTreeMap<u32, Vec<String>> = BTreeMap::new();
        for (group, part) in &self.membership.parts {
            let id = self.entra.group(*group).map(part_id);
            for person in &part.people {
                parts.entry(*person).or_default().extend(id.clone());
            }
        }
        for (number, person) in (0..).zip(&self.entra.people) {
            let assignments = |of: &'_ BTreeMap<u32, BTreeSet<usize>>| {
                let numbers = of.get(&number).into_iter().flatten();
                let assignments = numbers.filter_map(|number| self.assignment(*number));
                assignments.collect::<Vec<Uid<'_>>>()
            };
            let eligible: Vec<(Uid<'_>, Vec<String>)> = self.eligible_groups(person).collect();
            let mut eligible_groups: Vec<Uid<'_>> =
                eligible.iter().map(|(group, _)| *group).collect();
            let with_roles = eligible.iter().flat_map(|(_, parts)| parts);
            eligible_groups.extend(with_roles.map(|id| uid(GROUP, id)));
            let lacking = assignments(&self.membership.without_license);
            let (without_license, with_license_unknown) = match person.has_license {
                Some(_) => (lacking, Vec::new()),
                None => (Vec::new(), lacking),
            };
            let assumed = [
                ("cloudOnly", person.is_cloud_only_assumed),
                ("configMgr", self.are_administrators_assumed),
            ];
            let attributes = PersonAttributes {
                assumed: those(&assumed),
                tenant: self.tenant(),
                user_principal_name: &person.user_principal_name,
                cloud_only: person.is_cloud_only,
                account_enabled: person.is_enabled,
                eligible_groups,
                eligible_directory_roles: person
                    .eligible_directory_roles
                    .keys()
                    .map(|id| uid(DIRECTORY_ROLE, id))
                    .collect(),
                config_mgr: self.administrator(number),
                assignments_without_license: without_license,
                assignments_with_license_unknown: with_license_unknown,
            };
            let groups = person.groups.iter().filter_map(|group| self.group(*group));
            let parts = parts.get(&number).into_iter().flatten();
            let mut parents: Vec<Uid<'_>> = groups.collect();
            parents.extend(parts.map(|id| uid(GROUP, id)));
            parents.extend(assignments(&self.membership.assignments_of_person));
            parents.extend(
                person
                    .directory_roles
                    .iter()
                    .map(|id| uid(DIRECTORY_ROLE, id)),
            );
            family.entity(uid(PERSON, &person.id), attributes, &parents)?;
        }
        family.finish()
    }

    /// The groups that a person may become a member of, each with the ids of the groups of those who have its
    /// roles, where not everybody does.
    fn eligible_groups(&self, person: &Person) -> impl Iterator<Item = (Uid<'_>, Vec<String>)> {
        let allows_unlicensed = self.tenant.allows_unlicensed_administrators;
        let groups = person.eligible_groups.keys();
        groups.filter_map(move |group| {
            let parts = self
                .membership
                .joining(&self.entra, person, *group, allows_unlicensed)?;
            let parts = parts.iter().filter_map(|of| self.entra.group(*of));
            Some((self.group(*group)?, parts.map(part_id).collect()))
        })
    }

    /// What Configuration Manager knows of a person; `None` where that is nothing.
    fn administrator(&self, person: u32) -> Option<BTreeMap<&str, Vec<Uid<'_>>>> {
        let mut known: BTreeMap<&str, Vec<Uid<'_>>> = BTreeMap::new();
        known.insert(DISCOVERED_BY_ENTRA, Vec::new());
        known.insert(DISCOVERED_BY_ACTIVE_DIRECTORY, Vec::new());
        for operation in &self.operations {
            known.insert(&operation.attribute, Vec::new());
        }
        let nothing = known.clone();
        for (code, site) in &self.sites {
            let hierarchy = uid(HIERARCHY, code);
            let by = site.discovered.get(&person).copied().unwrap_or_default();
            let found = [
                (DISCOVERED_BY_ENTRA, by.by_entra),
                (DISCOVERED_BY_ACTIVE_DIRECTORY, by.by_active_directory),
            ];
            for (attribute, _) in found.into_iter().filter(|(_, found)| *found) {
                known.entry(attribute).or_default().push(hierarchy);
            }
            let permitted = site.permitted.get(&person).into_iter().flatten();
            for (operation, permitted) in self.operations.iter().zip(permitted) {
                let places = known.entry(&operation.attribute).or_default();
                let collections = permitted.collections.iter();
                let collections =
                    collections.filter_map(|number| site.collections.get(*number as usize));
                places.extend(collections.map(|collection| uid(COLLECTION, &collection.entity)));
                if !permitted.scopes.is_empty() {
                    places.push(hierarchy);
                }
            }
        }
        (known != nothing).then_some(known)
    }

    fn write_directory_roles<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        for name in &self.entra.directory_roles {
            let attributes = DirectoryRoleAttributes {
                members_unknown: self.entra.unlisted_directory_roles.contains(name),
            };
            family.entity(uid(DIRECTORY_ROLE, name), attributes, &[])?;
        }
        family.finish()
    }

    fn write_collections<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        for (code, site) in &self.sites {
            for collection in &site.collections {
                let attributes = CollectionAttributes {
                    hierarchy: uid(HIERARCHY, code),
                    display_name: collection.name.as_deref(),
                    members_unknown: !site.has_memberships,
                };
                let limit = collection
                    .limit
                    .and_then(|limit| site.collections.get(limit as usize));
                let parents = limit.map(|limit| uid(COLLECTION, &limit.entity));
                family.entity(
                    uid(COLLECTION, &collection.entity),
                    attributes,
                    parents.as_slice(),
                )?;
            }
        }
        family.finish()
    }

    fn write_devices<W: Write>(&self, mut family: Family<W>) -> io::Result<()> {
        let mut parents = Vec::new();
        for (code, site) in &self.sites {
            let mut begin = 0;
            for device in &site.devices {
                let memberships = site.memberships.get(begin..device.end).unwrap_or_default();
                begin = device.end;
                let collections = memberships
                    .iter()
                    .filter_map(|number| site.collections.get(*number as usize));
                parents.clear();
                parents.extend(collections.map(|collection| uid(COLLECTION, &collection.entity)));
                let managed = self.managed.of(&device.name);
                let system = device.operating_system.as_ref();
                let system = system.or_else(|| managed?.operating_system.as_ref());
                let assumed = [
                    ("coManaged", managed.is_none()),
                    // The list of devices says which family it is, and nothing of servers.
                    ("operatingSystem", device.operating_system.is_none()),
                ];
                let attributes = DeviceAttributes {
                    name: &device.name,
                    hierarchy: uid(HIERARCHY, code),
                    co_managed: managed.is_some_and(|managed| managed.is_co_managed),
                    operating_system: system.map(SmolStr::as_str),
                    assumed: those(&assumed),
                };
                let id = format!("{code}-{}", device.id);
                family.entity(uid(DEVICE, &id), attributes, &parents)?;
            }
        }
        family.finish()
    }
}

/// Those of which it is true.
fn those(all: &[(&'static str, bool)]) -> Vec<&'static str> {
    let those = all.iter().filter(|(_, is_so)| *is_so);
    those.map(|(name, _)| *name).collect()
}

/// The id of the group of those in a group who have its roles.
fn part_id(group: &Group) -> String {
    format!("{}#with-roles", group.id)
}
