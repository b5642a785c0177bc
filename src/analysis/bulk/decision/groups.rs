//! The groups that resources are in, shared between states if they are equal.

use std::ops::Range;

use hashbrown::HashMap;
use rayon::iter::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::bulk::class::Rows;
use crate::bulk::index::{ResourceId, StateId};
use tarbac_store::index::IndexVec;
use tarbac_store::{Directory, ListId, Row, index_type};

/// The resources of a state.
#[derive(Clone, Copy)]
pub(super) struct StateResources<'s> {
    pub directory: &'s Directory,
    pub rows: &'s Rows<ResourceId>,
}

/// The groups that the resources of a state are in.
pub(super) struct Groups {
    /// The entities that they can be in, by the schema.
    pub above: Vec<Row>,
    /// The first state in which all resources are in the same groups: this one, or an earlier.
    pub base: StateId,
    /// The resources by their direct parents; only in a base.
    pub lists: Lists,
    /// The groups of `above`, each with its row in the base.
    rows: HashMap<Row, Row>,
    resource_type: String,
}

/// The list of a resource that does not exist; no list has this number.
const NOWHERE: u32 = u32::MAX;

/// The lists of direct parents of resources; equal lists are shared.
#[derive(Default)]
pub(super) struct Lists {
    /// The number of the list of each resource, or [`NOWHERE`].
    of: IndexVec<ResourceId, u32>,
    /// A range of numbers with all of these lists.
    pub all: Range<u32>,
}

index_type! {
    /// The position of a list of parents among [`Lists::all`].
    pub(super) struct ListPlace;
}

impl Groups {
    /// The groups of the same resources in each state.
    pub(super) fn by_state(
        states: &IndexVec<StateId, StateResources<'_>>,
    ) -> IndexVec<StateId, Self> {
        let mut all: IndexVec<StateId, Self> = IndexVec::new();
        for (state, resources) in states.iter_enumerated() {
            let mut groups = Self::within(resources, state);
            let mut bases = all.indices().filter(|state| all[*state].base == *state);
            let known = bases
                .find_map(|base| Some((base, rows_in(resources, &groups.rows, &states[base])?)));
            if let Some((base, rows)) = known {
                groups = Self {
                    base,
                    rows,
                    ..groups
                };
            } else {
                groups.lists = Lists::new(resources);
            }
            all.push(groups);
        }
        all
    }

    /// The groups of one state, without a comparison with others.
    fn within(resources: &StateResources<'_>, state: StateId) -> Self {
        let directory = resources.directory;
        let first = resources.rows.iter().flatten().next();
        let above = first.map(|row| directory.rows_above(*row));
        let above: Vec<Row> = above.into_iter().flatten().collect();
        Self {
            base: state,
            lists: Lists::default(),
            rows: above.iter().map(|row| (*row, *row)).collect(),
            resource_type: first.map_or("", |row| directory.type_name(*row)).to_owned(),
            above,
        }
    }

    /// The row in the base of a resource or a group of resources; `None` for other entities.
    pub(super) fn in_base(&self, row: Row, directory: &Directory, base: &Directory) -> Option<Row> {
        self.rows.get(&row).copied().or_else(|| {
            let is_resource = self.is_resource(row, directory);
            is_resource.then(|| base.row(&directory.uid(row)))?
        })
    }

    /// Whether the entity of a row has the type of the resources.
    pub(super) fn is_resource(&self, row: Row, directory: &Directory) -> bool {
        directory.type_name(row) == self.resource_type
    }
}

impl Lists {
    fn new(resources: &StateResources<'_>) -> Self {
        let rows = resources.rows.raw.par_iter();
        let list = |row: &Option<Row>| resources.directory.list_of_parents((*row)?);
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

    /// The position of the list of a resource in `all`; `None` if the resource does not exist.
    pub(super) fn position(&self, resource: ResourceId) -> Option<ListPlace> {
        let list = self.of[resource].checked_sub(self.all.start)?;
        (list < self.all.end).then_some(ListPlace::new(list))
    }
}

/// The rows of groups in another directory, if every resource is in the same groups there.
fn rows_in(
    resources: &StateResources<'_>,
    groups: &HashMap<Row, Row>,
    base: &StateResources<'_>,
) -> Option<HashMap<Row, Row>> {
    let (directory, other) = (resources.directory, base.directory);
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
    let rows = resources.rows.raw.par_iter().zip(&base.rows.raw);
    (groups && rows.all(is_there)).then_some(known)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use tarbac_host::Engine;
    use tarbac_store::index::Id;

    use super::*;
    use crate::bulk::tests::{collection, device, engine, row};

    fn tenant(of_last: &[&str], others: &[Value]) -> Engine {
        let mut entities = others.to_vec();
        entities.extend([
            collection("all", &[]),
            collection("berlin", &["all"]),
            device("d1", 1, &["berlin"]),
            device("d2", 1, &["berlin"]),
            device("d3", 1, of_last),
        ]);
        engine("", &entities)
    }

    fn rows(engine: &Engine, ids: &[Option<&str>]) -> Rows<ResourceId> {
        let row = |id: &Option<&str>| id.map(|id| row(engine, &format!("Device::\"{id}\"")));
        ids.iter().map(row).collect()
    }

    const ALL: [Option<&str>; 3] = [Some("d1"), Some("d2"), Some("d3")];

    fn bases(engines: &[&Engine]) -> Vec<usize> {
        let rows: Vec<Rows<ResourceId>> = engines.iter().map(|of| rows(of, &ALL)).collect();
        let states = engines.iter().zip(&rows);
        let states = states.map(|(engine, rows)| StateResources {
            directory: engine.directory(),
            rows,
        });
        let groups = Groups::by_state(&states.collect());
        groups.iter().map(|groups| groups.base.index()).collect()
    }

    #[test]
    fn states_share_groups_if_each_resource_is_in_the_same() {
        // With one more collection, the rows are others.
        let one = tenant(&["all"], &[collection("aa", &[])]);
        let equal = tenant(&["all"], &[]);
        let moved = tenant(&["berlin"], &[]);
        assert_eq!(bases(&[&one, &equal]), [0, 0]);
        assert_eq!(bases(&[&one, &moved]), [0, 1]);
        assert_eq!(bases(&[&one, &moved, &moved, &equal]), [0, 1, 1, 0]);
    }

    #[test]
    fn a_resource_that_does_not_exist_has_no_list() {
        let engine = tenant(&["all"], &[]);
        let rows = rows(&engine, &[Some("d1"), None, Some("d2"), Some("d3")]);
        let lists = Lists::new(&StateResources {
            directory: engine.directory(),
            rows: &rows,
        });
        let [d1, none, d2, d3] = [0, 1, 2, 3].map(|at| lists.position(ResourceId::from_usize(at)));
        assert!(d1.is_some() && d3.is_some());
        assert_eq!(d1, d2);
        assert_ne!(d1, d3);
        assert_eq!(none, None);
    }
}
