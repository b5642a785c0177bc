//! Directory roles of Microsoft Entra and their members.

use std::collections::{BTreeMap, BTreeSet};

use super::{Entra, Group, Holder, unknown_member};
use crate::exports::graph::{DirectoryRoleRow, MemberRow};
use crate::exports::{Files, Folder, RecordError, RefusedExport};
use crate::import::key;
use crate::import::report::{MEMBERS_MISSING, Notes, UNKNOWN_DIRECTORY_ROLE};

const DIRECTORY_ROLES: &str = "graph/directoryRoles";
/// The directory roles that older answers call by another name: the template id, the documented name, and the other
/// name.
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

/// The documented names of the directory roles that policies depend on.
pub(super) fn documented() -> impl Iterator<Item = String> {
    NAMES.iter().map(|(_, name, _)| (*name).to_owned())
}

impl Entra {
    pub(super) fn read_directory_roles<F: Files>(
        &mut self,
        folder: &Folder<'_, F>,
        notes: &mut Notes,
    ) -> Result<DirectoryRoles, RefusedExport> {
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let mut roles = DirectoryRoles::default();
        roles.are_exported = folder.records(DIRECTORY_ROLES, |row: DirectoryRoleRow| {
            let name = name_of(&row);
            if let Some(template) = &row.role_template_id {
                roles.by_template.insert(key(template), name.clone());
            }
            self.directory_roles.insert(name.clone());
            match names.insert(key(&row.id), name) {
                None => Ok(()),
                Some(_) => Err(RecordError::duplicate("directory role", &row.id)),
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
            match names.get(&key(&id)) {
                Some(name) => self.read_role_members(&id, name, folder, &mut roles, notes)?,
                None => {
                    let members = format!("{DIRECTORY_ROLES}/{id}/members");
                    folder.records(&members, |_: MemberRow| {
                        notes.add(&UNKNOWN_DIRECTORY_ROLE, id.as_str());
                        Ok(())
                    })?;
                }
            }
        }
        Ok(roles)
    }

    /// Reads the members of the directory role with an id of this tenant.
    fn read_role_members<F: Files>(
        &mut self,
        id: &str,
        name: &str,
        folder: &Folder<'_, F>,
        roles: &mut DirectoryRoles,
        notes: &mut Notes,
    ) -> Result<(), RefusedExport> {
        let mut people = BTreeSet::new();
        let mut has_unknown_members = false;
        let members = format!("{DIRECTORY_ROLES}/{id}/members");
        let is_there = folder.records(&members, |row: MemberRow| {
            match self.holder(&row.id) {
                Some(Holder::Person(person)) => {
                    people.insert(person);
                    self.disable_as_stated(person, &row);
                }
                // A group that can have a directory role cannot contain other groups.
                Some(Holder::Group(index)) => {
                    let group = self.group(index);
                    if let Some(group) = group.filter(|group| !group.has_members) {
                        notes.add(&MEMBERS_MISSING, group.called());
                    }
                    has_unknown_members |= group.is_some_and(Group::may_have_more);
                    people.extend(group.into_iter().flat_map(|group| &group.people));
                    let of_group = roles.of_groups.entry(index).or_default();
                    of_group.insert(name.to_owned());
                }
                None => has_unknown_members |= unknown_member(&row, name, notes),
            }
            Ok(())
        })?;
        if has_unknown_members || !is_there {
            self.unlisted_directory_roles.insert(name.to_owned());
        }
        for person in people {
            if let Some(person) = self.people.get_mut(person as usize) {
                person.directory_roles.insert(name.to_owned());
            }
        }
        Ok(())
    }
}

/// The directory roles by template and by group.
#[derive(Default)]
pub(in crate::import) struct DirectoryRoles {
    /// The names of the directory roles, by template id.
    by_template: BTreeMap<String, String>,
    /// Whether the list of directory roles was exported.
    pub(super) are_exported: bool,
    /// The names of the directory roles of each group.
    pub(in crate::import) of_groups: BTreeMap<u32, BTreeSet<String>>,
}

impl DirectoryRoles {
    /// The name of the role with a template id: the documented or exported name, or else `name`.
    pub(in crate::import) fn called(&self, template: &str, name: Option<&str>) -> Option<String> {
        let template = key(template);
        let documented = NAMES.iter().find(|(id, ..)| *id == template);
        if let Some((_, name, _)) = documented {
            return Some((*name).to_owned());
        }
        let known = self.by_template.get(&template).cloned();
        known.or_else(|| {
            Some(name_of(&DirectoryRoleRow {
                id: template.clone(),
                display_name: name?.to_owned(),
                role_template_id: Some(template),
                removed: Default::default(),
                answer: Default::default(),
            }))
        })
    }
}

/// The name of a directory role: the documented name for its template id. Without a template id, the other name in
/// [`NAMES`] is replaced.
fn name_of(row: &DirectoryRoleRow) -> String {
    let name = row.display_name.trim();
    match row.role_template_id.as_deref().map(key) {
        Some(template) => match NAMES.iter().find(|(id, ..)| *id == template) {
            Some((_, documented, _)) => (*documented).to_owned(),
            // Another role with a documented name must not be taken for the documented role.
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
