//! Assignees of a role: groups rather than single people, without further people.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;

use super::draft::can_have;
use super::role_catalog::RoleCatalog;
use tarbac_store::Row;
use tarbac_store::index::IndexVec;

/// The least number of people for whom a group is assigned in their place.
const WORTH: usize = 2;

/// The number of people in each entity.
pub(super) struct Members<'b, 'e> {
    catalog: &'b RoleCatalog<'e>,
    counts: IndexVec<Row, usize>,
    /// The groups whose members are not all known.
    unlisted: BTreeSet<Row>,
}

impl<'b, 'e> Members<'b, 'e> {
    pub(super) fn new(catalog: &'b RoleCatalog<'e>) -> Self {
        let directory = catalog.engine.directory();
        let mut counts = directory.table(0);
        for person in catalog.people() {
            for row in directory.ancestors(person) {
                counts[row] += 1;
            }
        }
        Self {
            catalog,
            counts,
            unlisted: catalog.engine.unlisted(),
        }
    }

    /// Assignees for these people: groups that contain no others, and the people who remain; each with its number of
    /// people.
    pub(super) fn assignees(
        &self,
        people: &BTreeSet<EntityUid>,
        role: &EntityUid,
    ) -> Vec<(EntityUid, u64)> {
        let directory = self.catalog.engine.directory();
        let mut by_group: BTreeMap<Row, BTreeSet<&EntityUid>> = BTreeMap::new();
        for person in people {
            let above = directory.row(person).into_iter();
            for row in above.flat_map(|row| directory.ancestors(row)) {
                by_group.entry(row).or_default().insert(person);
            }
        }
        let is_full = |row: &Row, of: &BTreeSet<&EntityUid>| {
            of.len() >= WORTH && self.counts[*row] == of.len() && !self.unlisted.contains(row)
        };
        let mut groups: Vec<(Row, BTreeSet<&EntityUid>)> = by_group
            .into_iter()
            .filter(|(row, of)| is_full(row, of) && self.is_group(*row))
            .collect();
        // The largest first; of groups with the same people, the one with the lowest row.
        groups.sort_by_key(|(row, of)| (std::cmp::Reverse(of.len()), *row));
        let mut waiting: BTreeSet<&EntityUid> = people.iter().collect();
        let mut assignees = Vec::new();
        for (row, of) in groups {
            let group = directory.uid(row);
            let brings = of.intersection(&waiting).count();
            if brings >= WORTH && can_have(self.catalog.engine, &group, role) {
                waiting.retain(|person| !of.contains(person));
                assignees.push((group, of.len() as u64));
            }
        }
        assignees.extend(waiting.into_iter().map(|person| (person.clone(), 1)));
        assignees
    }

    /// Whether an entity can be a group of people, and is not itself an assignment of a role.
    fn is_group(&self, row: Row) -> bool {
        let directory = self.catalog.engine.directory();
        let vocabulary = self.catalog.engine.bundle().vocabulary();
        let parents = vocabulary.declared_parents().get(directory.type_name(row));
        directory.is_defined(row)
            && !parents.is_some_and(|parents| parents.contains(&self.catalog.role_type.to_string()))
    }
}
