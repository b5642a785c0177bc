//! The groups that resources are in, shared between states where they are equal.

use std::ops::Range;

use hashbrown::HashMap;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::bulk::class::Rows;
use crate::bulk::index::{ResourceId, StateId};
use tarbac_store::index::IndexVec;
use tarbac_store::{Directory, ListId, Row};

/// The resources of a state.
#[derive(Clone, Copy)]
pub(super) struct Place<'s> {
    pub directory: &'s Directory,
    pub rows: &'s Rows<ResourceId>,
}

/// What the resources of a state are in.
pub(super) struct Groups {
    /// What they can be in, by the schema.
    pub above: Vec<Row>,
    /// The first state in which every resource is in the same: this one, or an earlier.
    pub base: StateId,
    /// The resources by what they are in directly; of a base alone.
    pub lists: Lists,
    /// What the resources can be in, each with its row in the base.
    rows: HashMap<Row, Row>,
    resource_type: String,
}

/// The number of the list of what is not there; no list has it.
const NOWHERE: u32 = u32::MAX;

/// Resources by the list of their direct parents, which they share if it is the same.
#[derive(Default)]
pub(super) struct Lists {
    /// For each resource the number of its list, or [`NOWHERE`].
    of: IndexVec<ResourceId, u32>,
    /// Their lists are among these.
    pub all: Range<u32>,
}

impl Groups {
    /// Those of the same resources in each of some states.
    pub fn of(states: &IndexVec<StateId, Place<'_>>) -> IndexVec<StateId, Self> {
        let mut all: IndexVec<StateId, Self> = IndexVec::new();
        for (number, place) in states.iter_enumerated() {
            let mut groups = Self::within(place, number);
            let mut bases = all.indices().filter(|state| all[*state].base == *state);
            let known = bases
                .find_map(|state| Some((state, rows_in(place, &groups.rows, &states[state])?)));
            if let Some((base, rows)) = known {
                groups = Self {
                    base,
                    rows,
                    ..groups
                };
            } else {
                groups.lists = Lists::of(place);
            }
            all.push(groups);
        }
        all
    }

    /// Those of the resources of a state by itself.
    fn within(place: &Place<'_>, number: StateId) -> Self {
        let directory = place.directory;
        let first = place.rows.iter().flatten().next();
        let above = first.map(|row| directory.rows_above(*row));
        let above: Vec<Row> = above.into_iter().flatten().collect();
        Self {
            base: number,
            lists: Lists::default(),
            rows: above.iter().map(|row| (*row, *row)).collect(),
            resource_type: first.map_or("", |row| directory.type_name(*row)).to_owned(),
            above,
        }
    }

    /// The row in the base of what a resource may be, or may be in; none of anything else.
    pub fn in_base(&self, row: Row, directory: &Directory, base: &Directory) -> Option<Row> {
        self.rows.get(&row).copied().or_else(|| {
            let is_resource = self.is_resource(row, directory);
            is_resource.then(|| base.row(&directory.uid(row)))?
        })
    }

    /// Whether a row can be that of a resource.
    pub fn is_resource(&self, row: Row, directory: &Directory) -> bool {
        directory.type_name(row) == self.resource_type
    }
}

impl Lists {
    fn of(place: &Place<'_>) -> Self {
        let rows = place.rows.raw.par_iter();
        let list = |row: &Option<Row>| place.directory.list_of_parents((*row)?);
        let of: Vec<u32> = rows
            .map(|row| list(row).map_or(NOWHERE, ListId::raw))
            .collect();
        let known = of.par_iter().filter(|list| **list != NOWHERE);
        let ends = known.map(|list| (*list, *list));
        let ends =
            ends.reduce_with(|(first, last), (one, other)| (first.min(one), last.max(other)));
        Self {
            of: of.into(),
            all: ends.map_or(0..0, |(first, last)| first..last + 1),
        }
    }

    /// The place of a resource's list among all of them; none of what is not there.
    pub fn place(&self, resource: ResourceId) -> Option<usize> {
        let list = self.of[resource].checked_sub(self.all.start)?;
        (list < self.all.end).then_some(list as usize)
    }
}

/// The rows in another directory of everything that resources can be in, if every resource is in the same
/// there.
fn rows_in(
    place: &Place<'_>,
    groups: &HashMap<Row, Row>,
    base: &Place<'_>,
) -> Option<HashMap<Row, Row>> {
    let (directory, other) = (place.directory, base.directory);
    let rows = groups.keys();
    let known = rows.map(|row| Some((*row, other.row(&directory.uid(*row))?)));
    let known: HashMap<Row, Row> = known.collect::<Option<_>>()?;
    let mut in_other = directory.table(None);
    for (row, other) in &known {
        in_other[*row] = Some(*other);
    }
    let in_other = |row: Row| in_other[row];
    // Rows are in the order of their uids in both, if the types are.
    let is_same = |row: Row, same: Row| {
        let mapped = directory.ancestors(row).map(in_other);
        mapped.eq(other.ancestors(same).map(Some))
    };
    let groups = known.iter().all(|(row, same)| is_same(*row, *same));
    let is_there = |(row, same): (&Option<Row>, &Option<Row>)| match (row, same) {
        (Some(row), Some(same)) => {
            let mapped = directory.parents(*row).map(in_other);
            mapped.eq(other.parents(*same).map(Some))
        }
        _ => false,
    };
    let rows = place.rows.raw.par_iter().zip(&base.rows.raw);
    (groups && rows.all(is_there)).then_some(known)
}
