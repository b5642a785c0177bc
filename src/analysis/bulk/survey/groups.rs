//! What resources are in, in one state or in several.

use std::ops::Range;

use hashbrown::HashMap;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use tarbac_store::{Directory, Row};

/// The resources of a state.
#[derive(Clone, Copy)]
pub(super) struct Place<'s> {
    pub directory: &'s Directory,
    pub rows: &'s [Option<Row>],
}

/// What the resources of a state are in.
pub(super) struct Groups {
    /// What they can be in, by the schema.
    pub above: Vec<Row>,
    /// The first state in which every resource is in the same: this one, or an earlier.
    pub base: usize,
    /// The resources by what they are in directly; of a base alone.
    pub lists: Lists,
    /// What the resources can be in, each with its row in the base.
    rows: HashMap<Row, Row>,
    resource_type: String,
}

/// Resources by the list of their direct parents, which they share if it is the same.
#[derive(Default)]
pub(super) struct Lists {
    /// For each resource the number of its list; what is not there has one that no list has.
    of: Vec<u32>,
    /// Their lists are among these.
    pub all: Range<u32>,
}

impl Groups {
    /// Those of the same resources in each of some states.
    pub fn of(states: &[Place<'_>]) -> Vec<Self> {
        let mut all: Vec<Self> = Vec::new();
        for (number, place) in states.iter().enumerate() {
            let mut groups = Self::within(place, number);
            let earlier = states.iter().zip(&all).enumerate();
            let mut bases = earlier.filter(|(state, (_, of))| of.base == *state);
            let known = bases
                .find_map(|(state, (base, _))| Some((state, rows_in(place, &groups.rows, base)?)));
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
    fn within(place: &Place<'_>, number: usize) -> Self {
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
        let rows = place.rows.par_iter();
        let list = |row: &Option<Row>| place.directory.list_of_parents((*row)?);
        let of: Vec<u32> = rows.map(|row| list(row).unwrap_or(u32::MAX)).collect();
        let known = of.par_iter().filter(|list| **list != u32::MAX);
        let ends = known.map(|list| (*list, *list));
        let ends =
            ends.reduce_with(|(first, last), (one, other)| (first.min(one), last.max(other)));
        Self {
            of,
            all: ends.map_or(0..0, |(first, last)| first..last + 1),
        }
    }

    /// The place of a resource's list among all of them; none of what is not there.
    pub fn place(&self, resource: usize) -> Option<usize> {
        let list = self.of.get(resource)?.checked_sub(self.all.start)?;
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
    let mut in_other = vec![None; directory.every_row().len()];
    for (row, other) in &known {
        if let Some(slot) = in_other.get_mut(row.index()) {
            *slot = Some(*other);
        }
    }
    let in_other = |row: Row| in_other.get(row.index()).copied().flatten();
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
    (groups && place.rows.par_iter().zip(base.rows).all(is_there)).then_some(known)
}
