//! People, groups and directory roles of Microsoft Entra, joined by id.

mod directory_roles;
mod groups;
mod people;

use std::collections::BTreeSet;

use hashbrown::HashMap;
use jiff::Timestamp;

use super::eligibility::{self, Eligible};
use super::key;
use super::report::{Notes, UNKNOWN_MEMBER};
use crate::exports::graph::MemberRow;
use crate::exports::{Files, Folder, RefusedExport};

pub(super) use directory_roles::DirectoryRoles;

pub(super) const GROUPS: &str = "graph/groups";

/// The directory of Microsoft Entra. People and groups are numbered in the order of their ids.
pub(super) struct Entra {
    pub(super) people: Vec<Person>,
    pub(super) groups: Vec<Group>,
    pub(super) directory_roles: BTreeSet<String>,
    person_of: HashMap<String, u32>,
    group_of: HashMap<String, u32>,
    by_sid: HashMap<String, Holder>,
    /// Whether any account states whether it is enabled.
    pub(super) has_account_states: bool,
    /// Whether any account has exported licenses, and any plan of them a status.
    pub(super) has_licenses: bool,
    /// Whether any account has a security identifier.
    pub(super) people_have_sids: bool,
    /// Whether any group has a security identifier.
    pub(super) groups_have_sids: bool,
    /// The groups that have a directory role.
    pub(super) groups_with_directory_roles: BTreeSet<u32>,
    /// The directory roles that may have unlisted members.
    pub(super) unlisted_directory_roles: BTreeSet<String>,
    /// Whether the eligibilities for directory roles are completely exported.
    pub(super) has_role_eligibilities: bool,
    /// Whether the eligibilities for groups are completely exported.
    pub(super) has_group_eligibilities: bool,
}

/// A person with an account.
pub(super) struct Person {
    pub(super) id: String,
    pub(super) user_principal_name: String,
    pub(super) is_cloud_only: bool,
    /// Whether the value of `is_cloud_only` is assumed.
    pub(super) is_cloud_only_assumed: bool,
    /// Whether the person can sign in; `None` if not exported.
    pub(super) is_enabled: Option<bool>,
    /// The security identifier in Active Directory.
    pub(super) sid: Option<String>,
    /// Whether the person has an Intune license; `None` if not known.
    pub(super) has_license: Option<bool>,
    /// The groups with the person as a direct member.
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
    /// Whether only callers with a special permission can see its members.
    pub(super) is_hidden: bool,
    /// Whether the export lists members that are neither exported accounts nor groups.
    pub(super) has_unknown_members: bool,
    /// Whether the export lists any member, including applications and devices.
    pub(super) lists_members: bool,
}

impl Group {
    fn without_members(id: String, name: Option<String>) -> Self {
        Self {
            id,
            name,
            people: BTreeSet::new(),
            groups: BTreeSet::new(),
            has_members: false,
            is_hidden: false,
            has_unknown_members: false,
            lists_members: false,
        }
    }

    /// The name with the id.
    pub(super) fn called(&self) -> String {
        super::intune::called(self.name.as_deref(), &self.id)
    }

    /// Whether the export lists no member. The answer to a caller who may not see the members is empty, and not an
    /// error.
    pub(super) fn is_empty(&self) -> bool {
        !self.lists_members
    }

    /// Whether the group may have more members than the export lists.
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
    ) -> Result<Self, RefusedExport> {
        let mut entra = Self {
            people: Vec::new(),
            groups: Vec::new(),
            directory_roles: BTreeSet::new(),
            person_of: HashMap::new(),
            group_of: HashMap::new(),
            by_sid: HashMap::new(),
            has_account_states: false,
            has_licenses: false,
            people_have_sids: false,
            groups_have_sids: false,
            groups_with_directory_roles: BTreeSet::new(),
            unlisted_directory_roles: BTreeSet::new(),
            has_role_eligibilities: false,
            has_group_eligibilities: false,
        };
        entra.read_people(folder, notes)?;
        entra.read_groups(folder, notes)?;
        let roles = entra.read_directory_roles(folder, notes)?;
        entra.groups_with_directory_roles = roles.of_groups.keys().copied().collect();
        eligibility::read(&mut entra, folder, &roles, now, notes)?;
        if !roles.are_exported {
            entra.directory_roles.extend(directory_roles::documented());
            entra
                .unlisted_directory_roles
                .clone_from(&entra.directory_roles);
        }
        Ok(entra)
    }

    /// The person or group with an id.
    pub(super) fn holder(&self, id: &str) -> Option<Holder> {
        let id = key(id);
        let person = self
            .person_of
            .get(&id)
            .map(|person| Holder::Person(*person));
        person.or_else(|| self.group_of.get(&id).map(|group| Holder::Group(*group)))
    }

    /// The person or group with a security identifier of Active Directory.
    pub(super) fn with_sid(&self, sid: &str) -> Option<Holder> {
        self.by_sid.get(&key(sid)).copied()
    }

    pub(super) fn person(&self, index: u32) -> Option<&Person> {
        self.people.get(index as usize)
    }

    /// Marks a person as disabled if a list of members states it. The list of users may state the opposite if it is
    /// older.
    fn disable_as_stated(&mut self, person: u32, row: &MemberRow) {
        if row.account_enabled == Some(false)
            && let Some(person) = self.people.get_mut(person as usize)
        {
            person.is_enabled = Some(false);
        }
    }

    pub(super) fn group(&self, index: u32) -> Option<&Group> {
        self.groups.get(index as usize)
    }

    /// A group, and the groups nested in it at any depth.
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
}

/// Adds a note on a member that is not exported, if it can sign in. Returns whether it can.
fn unknown_member(row: &MemberRow, of: &str, notes: &mut Notes) -> bool {
    let kind = row.odata_type.as_deref().unwrap_or_default();
    let kind = kind.trim_start_matches("#microsoft.graph.");
    let is_somebody = matches!(kind, "" | "user" | "group");
    if is_somebody {
        notes.add(&UNKNOWN_MEMBER, format!("{} of {of}", row.id));
    }
    is_somebody
}
