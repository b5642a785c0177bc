//! The groups of `graph/groups.json`, with their direct members.

use std::collections::{BTreeMap, BTreeSet};

use super::{Entra, GROUPS, Group, Holder, unknown_member};
use crate::exports::graph::{GroupRow, MemberRow};
use crate::exports::{Files, Folder, RecordError, RefusedExport};
use crate::import::key;
use crate::import::report::{DELETED, Notes, UNKNOWN_GROUP};

impl Entra {
    pub(super) fn read_groups<F: Files>(
        &mut self,
        folder: &Folder<'_, F>,
        notes: &mut Notes,
    ) -> Result<(), RefusedExport> {
        let mut groups: BTreeMap<String, (Group, Option<String>)> = BTreeMap::new();
        let mut has_visibilities = false;
        let is_there = folder.records(GROUPS, |row: GroupRow| {
            if let Some(moment) = row.deleted_date_time {
                let name = row.display_name.as_deref().unwrap_or(&row.id);
                notes.add(&DELETED, format!("{name}: {moment}"));
                return Ok(());
            }
            let sid = row.on_premises_security_identifier;
            self.groups_have_sids |= sid.is_some();
            has_visibilities |= row.visibility.is_some();
            let visibility = row.visibility.as_deref().map(str::trim);
            let is_hidden =
                visibility.is_some_and(|of| of.eq_ignore_ascii_case("HiddenMembership"));
            let group = Group {
                is_hidden,
                ..Group::without_members(row.id.clone(), row.display_name)
            };
            match groups.insert(key(&row.id), (group, sid)) {
                None => Ok(()),
                Some((group, _)) => Err(RecordError::duplicate("group", &group.id)),
            }
        })?;
        if has_visibilities {
            folder.note_property(GROUPS, "visibility");
        }
        let mut with_members = folder.objects(GROUPS)?;
        if is_there {
            // A folder may be left from a deleted group.
            for (id, name) in &with_members {
                if !groups.contains_key(id) {
                    notes.add(&UNKNOWN_GROUP, name.as_str());
                }
            }
            with_members.retain(|id, _| groups.contains_key(id));
        }
        for (id, name) in &with_members {
            let known = groups.entry(id.clone());
            known.or_insert_with(|| (Group::without_members(name.clone(), None), None));
        }
        self.index_groups(groups, folder)?;
        for id in with_members.into_values() {
            self.read_members(&id, folder, notes)?;
        }
        Ok(())
    }

    /// Gives each group an index, and registers its id and security identifier.
    fn index_groups<F: Files>(
        &mut self,
        groups: BTreeMap<String, (Group, Option<String>)>,
        folder: &Folder<'_, F>,
    ) -> Result<(), RefusedExport> {
        for (index, (id, (group, sid))) in (0..).zip(groups) {
            self.group_of.insert(id, index);
            if let Some(sid) = sid {
                let other = self.by_sid.insert(key(&sid), Holder::Group(index));
                if other.is_some() {
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
        Ok(())
    }

    /// Reads the direct members of a group.
    fn read_members<F: Files>(
        &mut self,
        id: &str,
        folder: &Folder<'_, F>,
        notes: &mut Notes,
    ) -> Result<(), RefusedExport> {
        let Some(Holder::Group(index)) = self.holder(id) else {
            let reason = format!("an account of graph/users.json has the id `{id}`");
            let help = "export users and groups again: an id is of one object";
            return Err(folder.refuse(&format!("{GROUPS}/{id}"), reason, help));
        };
        let (mut people, mut nested) = (BTreeSet::new(), BTreeSet::new());
        let (mut has_unknown_members, mut lists_members) = (false, false);
        let has_members = folder.records(&format!("{GROUPS}/{id}/members"), |row: MemberRow| {
            lists_members = true;
            match self.holder(&row.id) {
                Some(Holder::Person(person)) => {
                    people.insert(person);
                    self.disable_as_stated(person, &row);
                }
                Some(Holder::Group(group)) => drop(nested.insert(group)),
                None => {
                    has_unknown_members |= unknown_member(&row, &format!("the group {id}"), notes);
                }
            }
            Ok(())
        })?;
        for person in &people {
            if let Some(person) = self.people.get_mut(*person as usize) {
                person.groups.insert(index);
            }
        }
        if let Some(group) = self.groups.get_mut(index as usize) {
            group.has_members = has_members;
            group.has_unknown_members = has_unknown_members;
            group.lists_members = lists_members;
            group.people = people;
            group.groups = nested;
        }
        Ok(())
    }
}
