//! People, groups and directory roles.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashMap;
use jiff::Timestamp;

use super::eligibility::{self, Eligible};
use super::intune::twice;
use super::key;
use super::license::Products;
use super::report::{
    ACCOUNT_STATE_UNKNOWN, MEMBERS_MISSING, NOT_SELECTED, Notes, SYNCHRONIZATION_UNKNOWN,
    UNKNOWN_DIRECTORY_ROLE, UNKNOWN_GROUP, UNKNOWN_MEMBER,
};
use crate::exports::graph::{DirectoryRoleRow, GroupRow, IdRow, UserRow};
use crate::exports::{Files, Folder, Refused};

pub(super) const GROUPS: &str = "graph/groups";
const DIRECTORY_ROLES: &str = "graph/directoryRoles";
/// The directory roles that are known by another name in places: the id that they have in every tenant, the
/// documented name, and the other one.
const NAMES: [(&str, &str, &str); 2] = [
    (
        "62e90394-69f5-4237-9190-012177145e10",
        "Global Administrator",
        "Company Administrator",
    ),
    (
        "3a2c62db-5318-420d-8d74-23affee5d9a5",
        "Intune Administrator",
        "Intune Service Administrator",
    ),
];

/// What Microsoft Entra knows. People and groups go by their numbers, in the order of their ids.
pub(super) struct Entra {
    pub(super) people: Vec<Person>,
    pub(super) groups: Vec<Group>,
    pub(super) directory_roles: BTreeSet<String>,
    person_of: HashMap<String, u32>,
    group_of: HashMap<String, u32>,
    by_sid: HashMap<String, Holder>,
    /// Whether the export says of anybody what licenses there are.
    pub(super) has_licenses: bool,
    /// Whether any account has a security identifier.
    pub(super) people_have_sids: bool,
    /// Whether any group has one.
    pub(super) groups_have_sids: bool,
    /// The groups that have a directory role.
    pub(super) groups_with_directory_roles: BTreeSet<u32>,
    /// The directory roles that may have members who are not known.
    pub(super) unlisted_directory_roles: BTreeSet<String>,
}

/// Somebody with an account.
pub(super) struct Person {
    pub(super) id: String,
    pub(super) user_principal_name: String,
    pub(super) is_cloud_only: bool,
    /// Whether that is assumed.
    pub(super) is_cloud_only_assumed: bool,
    /// Whether the person can sign in; `None` where it cannot be known.
    pub(super) is_enabled: Option<bool>,
    /// The security identifier in Active Directory.
    pub(super) sid: Option<String>,
    /// `None` where it cannot be known.
    pub(super) has_license: Option<bool>,
    /// The groups that the person is a direct member of.
    pub(super) groups: BTreeSet<u32>,
    pub(super) directory_roles: BTreeSet<String>,
    /// The groups and directory roles that the person may activate.
    pub(super) eligible_groups: Eligible<u32>,
    pub(super) eligible_directory_roles: Eligible<String>,
}

/// A group.
pub(super) struct Group {
    pub(super) id: String,
    pub(super) name: Option<String>,
    /// The people who are direct members.
    pub(super) people: BTreeSet<u32>,
    /// The groups that are direct members.
    pub(super) groups: BTreeSet<u32>,
    /// Whether its members were exported.
    pub(super) has_members: bool,
    /// Whether its members are hidden from whoever has no permission to see them.
    pub(super) is_hidden: bool,
    /// Whether the export lists members that nobody knows.
    pub(super) has_unknown_members: bool,
    /// Whether the export lists any member, be it an application or a device.
    pub(super) lists_members: bool,
}

impl Group {
    /// What people call it.
    pub(super) fn called(&self) -> String {
        super::intune::called(self.name.as_deref(), &self.id)
    }

    /// Whether the export lists nobody and nothing in it. An answer about members that the caller may not see
    /// is empty, and no error.
    pub(super) fn is_empty(&self) -> bool {
        !self.lists_members
    }

    /// Whether there may be more in it than the export lists.
    pub(super) fn may_have_more(&self) -> bool {
        !self.has_members || self.has_unknown_members || self.is_empty()
    }
}

/// A person or a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holder {
    Person(u32),
    Group(u32),
}

impl Entra {
    pub(super) fn read<F: Files>(
        folder: &Folder<'_, F>,
        now: Timestamp,
        notes: &mut Notes,
    ) -> Result<Self, Refused> {
        let mut entra = Self {
            people: Vec::new(),
            groups: Vec::new(),
            directory_roles: BTreeSet::new(),
            person_of: HashMap::new(),
            group_of: HashMap::new(),
            by_sid: HashMap::new(),
            has_licenses: false,
            people_have_sids: false,
            groups_have_sids: false,
            groups_with_directory_roles: BTreeSet::new(),
            unlisted_directory_roles: BTreeSet::new(),
        };
        entra.read_people(folder, notes)?;
        entra.read_groups(folder, notes)?;
        let roles = entra.read_directory_roles(folder, notes)?;
        entra.groups_with_directory_roles = roles.of_groups.keys().copied().collect();
        eligibility::read(&mut entra, folder, &roles, now, notes)?;
        if !roles.are_exported {
            let documented = NAMES.iter().map(|(_, name, _)| (*name).to_owned());
            entra.directory_roles.extend(documented);
            entra
                .unlisted_directory_roles
                .clone_from(&entra.directory_roles);
        }
        Ok(entra)
    }

    /// Whoever has an id.
    pub(super) fn holder(&self, id: &str) -> Option<Holder> {
        let id = key(id);
        let person = self
            .person_of
            .get(&id)
            .map(|person| Holder::Person(*person));
        person.or_else(|| self.group_of.get(&id).map(|group| Holder::Group(*group)))
    }

    /// Whoever has a security identifier in Active Directory.
    pub(super) fn with_sid(&self, sid: &str) -> Option<Holder> {
        self.by_sid.get(&key(sid)).copied()
    }

    pub(super) fn person(&self, number: u32) -> Option<&Person> {
        self.people.get(number as usize)
    }

    pub(super) fn group(&self, number: u32) -> Option<&Group> {
        self.groups.get(number as usize)
    }

    /// The groups in a group, at any depth, with itself.
    pub(super) fn nested(&self, group: u32) -> BTreeSet<u32> {
        let mut nested = BTreeSet::from([group]);
        let mut open = vec![group];
        while let Some(group) = open.pop() {
            let members = self.group(group).map(|group| &group.groups);
            for member in members.into_iter().flatten() {
                if nested.insert(*member) {
                    open.push(*member);
                }
            }
        }
        nested
    }

    /// The people in a group, at any depth.
    pub(super) fn people_in(&self, group: u32) -> BTreeSet<u32> {
        let nested = self.nested(group);
        let groups = nested.iter().filter_map(|group| self.group(*group));
        groups
            .flat_map(|group| group.people.iter().copied())
            .collect()
    }

    fn read_people<F: Files>(
        &mut self,
        folder: &Folder<'_, F>,
        notes: &mut Notes,
    ) -> Result<(), Refused> {
        let products = Products::read(folder, notes)?;
        let mut people: BTreeMap<String, Person> = BTreeMap::new();
        let mut sids = BTreeSet::new();
        let mut has_synchronization = false;
        let mut without = (Vec::new(), Vec::new());
        folder.records("graph/users", |row: UserRow| {
            let has_sid = row.on_premises_security_identifier.is_some();
            has_synchronization |= row.on_premises_sync_enabled.flatten().is_some();
            self.has_licenses |= row.assigned_licenses.is_some() || row.assigned_plans.is_some();
            self.people_have_sids |= has_sid;
            let is_cloud_only_assumed = row.on_premises_sync_enabled.is_none()
                || row.on_premises_sync_enabled == Some(None) && has_sid;
            if is_cloud_only_assumed {
                without.0.push(row.user_principal_name.clone());
            }
            if row.account_enabled.is_none() {
                without.1.push(row.user_principal_name.clone());
            }
            if let Some(sid) = &row.on_premises_security_identifier
                && !sids.insert(key(sid))
            {
                return Err(twice("security identifier", sid));
            }
            let person = Person {
                is_cloud_only: row.on_premises_sync_enabled.flatten() != Some(true),
                is_cloud_only_assumed,
                is_enabled: row.account_enabled,
                has_license: products.license(&row, notes),
                groups: BTreeSet::new(),
                directory_roles: BTreeSet::new(),
                eligible_groups: Eligible::new(),
                eligible_directory_roles: Eligible::new(),
                id: row.id,
                user_principal_name: row.user_principal_name,
                sid: row.on_premises_security_identifier,
            };
            match people.insert(key(&person.id), person) {
                None => Ok(()),
                Some(person) => Err(twice("account", &person.id)),
            }
        })?;
        let (without_synchronization, without_state) = without;
        let count = people.len();
        let mut not_selected = |properties: &str, so: &str| {
            let name = format!("{properties} of graph/users.json: {so}");
            notes.add(&NOT_SELECTED, name);
        };
        let has_states = without_state.len() < count;
        if count > 0 && !has_synchronization {
            let so = format!(
                "whether Active Directory synchronizes anybody is not known, so all {count} accounts are taken as cloud-only"
            );
            not_selected("onPremisesSyncEnabled", &so);
        }
        if count > 0 && !self.has_licenses {
            let so = "whether anybody has a license of Intune is not known, so no role that depends on one is given";
            not_selected("assignedLicenses and assignedPlans", so);
        }
        if count > 0 && !has_states {
            let so = format!(
                "disabled accounts cannot be told apart, so all {count} are taken as enabled"
            );
            not_selected("accountEnabled", &so);
        }
        if has_synchronization {
            for name in without_synchronization {
                notes.add(&SYNCHRONIZATION_UNKNOWN, name);
            }
        }
        if has_states {
            for name in without_state {
                notes.add(&ACCOUNT_STATE_UNKNOWN, name);
            }
        }
        for (number, (id, mut person)) in (0..).zip(people) {
            person.is_cloud_only_assumed |= !has_synchronization;
            self.person_of.insert(id, number);
            if let Some(sid) = &person.sid {
                self.by_sid.insert(key(sid), Holder::Person(number));
            }
            self.people.push(person);
        }
        Ok(())
    }

    fn read_groups<F: Files>(
        &mut self,
        folder: &Folder<'_, F>,
        notes: &mut Notes,
    ) -> Result<(), Refused> {
        let group = |id: String, name| Group {
            id,
            name,
            people: BTreeSet::new(),
            groups: BTreeSet::new(),
            has_members: false,
            is_hidden: false,
            has_unknown_members: false,
            lists_members: false,
        };
        let mut groups: BTreeMap<String, (Group, Option<String>)> = BTreeMap::new();
        let is_there = folder.records(GROUPS, |row: GroupRow| {
            let sid = row.on_premises_security_identifier;
            self.groups_have_sids |= sid.is_some();
            let visibility = row.visibility.as_deref().map(str::trim);
            let is_hidden =
                visibility.is_some_and(|of| of.eq_ignore_ascii_case("HiddenMembership"));
            let group = Group {
                is_hidden,
                ..group(row.id.clone(), row.display_name)
            };
            match groups.insert(key(&row.id), (group, sid)) {
                None => Ok(()),
                Some((group, _)) => Err(twice("group", &group.id)),
            }
        })?;
        let mut with_members = folder.objects(GROUPS)?;
        if is_there {
            // A folder may have stayed behind when its group was deleted.
            for (id, name) in &with_members {
                if !groups.contains_key(id) {
                    notes.add(&UNKNOWN_GROUP, name.as_str());
                }
            }
            with_members.retain(|id, _| groups.contains_key(id));
        }
        for (id, name) in &with_members {
            let known = groups.entry(id.clone());
            known.or_insert_with(|| (group(name.clone(), None), None));
        }
        for (number, (id, (group, sid))) in (0..).zip(groups) {
            self.group_of.insert(id, number);
            if let Some(sid) = sid {
                let holder = self.by_sid.insert(key(&sid), Holder::Group(number));
                if holder.is_some() {
                    let help =
                        "export users and groups again: a security identifier is of one account";
                    return Err(folder.refuse(
                        "graph/groups.json",
                        format!("the security identifier `{sid}` is there twice"),
                        help,
                    ));
                }
            }
            self.groups.push(group);
        }
        for id in with_members.into_values() {
            let Some(Holder::Group(number)) = self.holder(&id) else {
                let reason = format!("an account of graph/users.json has the id `{id}`");
                let help = "export users and groups again: an id is of one object";
                return Err(folder.refuse(&format!("{GROUPS}/{id}"), reason, help));
            };
            let (mut people, mut nested) = (BTreeSet::new(), BTreeSet::new());
            let (mut has_unknown_members, mut lists_members) = (false, false);
            let has_members = folder.records(&format!("{GROUPS}/{id}/members"), |row: IdRow| {
                lists_members = true;
                match self.holder(&row.id) {
                    Some(Holder::Person(person)) => drop(people.insert(person)),
                    Some(Holder::Group(group)) => drop(nested.insert(group)),
                    None => {
                        has_unknown_members |=
                            unknown_member(&row, &format!("the group {id}"), notes);
                    }
                }
                Ok(())
            })?;
            for person in &people {
                if let Some(person) = self.people.get_mut(*person as usize) {
                    person.groups.insert(number);
                }
            }
            if let Some(group) = self.groups.get_mut(number as usize) {
                group.has_members = has_members;
                group.has_unknown_members = has_unknown_members;
                group.lists_members = lists_members;
                group.people = people;
                group.groups = nested;
            }
        }
        Ok(())
    }

    fn read_directory_roles<F: Files>(
        &mut self,
        folder: &Folder<'_, F>,
        notes: &mut Notes,
    ) -> Result<DirectoryRoles, Refused> {
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let mut roles = DirectoryRoles::default();
        roles.are_exported = folder.records(DIRECTORY_ROLES, |row: DirectoryRoleRow| {
            let name = directory_role(&row);
            if let Some(template) = &row.role_template_id {
                roles.by_template.insert(key(template), name.clone());
            }
            self.directory_roles.insert(name.clone());
            match names.insert(key(&row.id), name) {
                None => Ok(()),
                Some(_) => Err(twice("directory role", &row.id)),
            }
        })?;
        let with_members = folder.objects(DIRECTORY_ROLES)?;
        for (id, name) in &names {
            if !with_members.contains_key(id) {
                notes.add(&MEMBERS_MISSING, name.as_str());
                self.unlisted_directory_roles.insert(name.clone());
            }
        }
        for id in with_members.into_values() {
            let name = names.get(&key(&id));
            let mut people = BTreeSet::new();
            let mut has_unknown_members = false;
            let is_there =
                folder.records(&format!("{DIRECTORY_ROLES}/{id}/members"), |row: IdRow| {
                    match (name, self.holder(&row.id)) {
                        (None, _) => notes.add(&UNKNOWN_DIRECTORY_ROLE, id.as_str()),
                        (_, Some(Holder::Person(person))) => drop(people.insert(person)),
                        // No group that can have a directory role can hold another group.
                        (_, Some(Holder::Group(group))) => {
                            let group = self.group(group);
                            if let Some(group) = group.filter(|group| !group.has_members) {
                                notes.add(&MEMBERS_MISSING, group.called());
                            }
                            has_unknown_members |= group.is_some_and(Group::may_have_more);
                            people.extend(group.into_iter().flat_map(|group| &group.people));
                            if let (Some(name), Some(Holder::Group(number))) =
                                (name, self.holder(&row.id))
                            {
                                roles
                                    .of_groups
                                    .entry(number)
                                    .or_default()
                                    .insert(name.clone());
                            }
                        }
                        (Some(name), None) => {
                            has_unknown_members |= unknown_member(&row, name, notes)
                        }
                    }
                    Ok(())
                })?;
            if let Some(name) = name.filter(|_| has_unknown_members || !is_there) {
                self.unlisted_directory_roles.insert(name.clone());
            }
            for person in people {
                if let (Some(name), Some(person)) = (name, self.people.get_mut(person as usize)) {
                    person.directory_roles.insert(name.clone());
                }
            }
        }
        Ok(roles)
    }
}

/// What is known of directory roles beside who has them.
#[derive(Default)]
pub(super) struct DirectoryRoles {
    /// Their names, by the ids that they have in every tenant.
    by_template: BTreeMap<String, String>,
    /// Whether it is known which there are.
    are_exported: bool,
    /// Those that groups have.
    pub(super) of_groups: BTreeMap<u32, BTreeSet<String>>,
}

impl DirectoryRoles {
    /// The name of the role of an id that it has in every tenant, or the documented one of a name.
    pub(super) fn called(&self, template: &str, name: Option<&str>) -> Option<String> {
        let template = key(template);
        let documented = NAMES.iter().find(|(id, ..)| *id == template);
        if let Some((_, name, _)) = documented {
            return Some((*name).to_owned());
        }
        let known = self.by_template.get(&template).cloned();
        known.or_else(|| {
            Some(directory_role(&DirectoryRoleRow {
                id: template.clone(),
                display_name: name?.to_owned(),
                role_template_id: Some(template),
            }))
        })
    }
}

/// The name of a directory role: the documented one by the id that it has in every tenant, or by a name it
/// has in places where that id is not told.
fn directory_role(row: &DirectoryRoleRow) -> String {
    let name = row.display_name.trim();
    match row.role_template_id.as_deref().map(key) {
        Some(template) => match NAMES.iter().find(|(id, ..)| *id == template) {
            Some((_, documented, _)) => (*documented).to_owned(),
            // Another role does not become one of them by its name.
            None if NAMES.iter().any(|(_, documented, _)| *documented == name) => {
                format!("{name} ({template})")
            }
            None => name.to_owned(),
        },
        None => {
            let known = NAMES.iter().find(|(_, _, other)| *other == name);
            known
                .map_or(name, |(_, documented, _)| documented)
                .to_owned()
        }
    }
}

/// Notes a member that nobody knows, unless it is none that could sign in; whether it could.
fn unknown_member(row: &IdRow, of: &str, notes: &mut Notes) -> bool {
    let kind = row.odata_type.as_deref().unwrap_or_default();
    let kind = kind.trim_start_matches("#microsoft.graph.");
    let is_somebody = matches!(kind, "" | "user" | "group");
    if is_somebody {
        notes.add(&UNKNOWN_MEMBER, format!("{} of {of}", row.id));
    }
    is_somebody
}
