//! People and resources of a bulk decision, the same in every state.

use std::cmp::Ordering;
use std::sync::Arc;

use cedar_policy::{EntityTypeName, EntityUid};

use crate::bulk::class::{Partition, Rows};
use crate::bulk::index::{ClassId, PersonId, ResourceClassId, ResourceId, StateId};
use tarbac_host::engine::Engine;
use tarbac_store::Row;
use tarbac_store::index::{Id, IndexVec};

/// Entities of a type, with an index `T` that is the same in every state; in the order of their ids.
pub(crate) struct Population<T: Id, C: Id> {
    /// `None` for an entity that does not exist in a state.
    pub(super) rows: IndexVec<StateId, Rows<T>>,
    /// Entities that are in one class in every state.
    pub(super) classes: Arc<Partition<T, C>>,
}

/// The principals.
pub(crate) type People = Population<PersonId, ClassId>;

/// The resources.
pub(crate) type Resources = Population<ResourceId, ResourceClassId>;

impl<T: Id, C: Id> Population<T, C> {
    /// All entities of a type in these states.
    pub(crate) fn all(engines: &[&Engine], type_name: &EntityTypeName) -> Self {
        if let [engine] = engines {
            let rows = engine.directory().rows_of(type_name);
            return Self {
                rows: IndexVec::from(vec![rows.map(Some).collect()]),
                classes: Arc::default(),
            };
        }
        let mut remaining: Vec<_> = engines
            .iter()
            .map(|engine| engine.directory().rows_of(type_name).peekable())
            .collect();
        let mut rows: IndexVec<StateId, Rows<T>> = IndexVec::filled(IndexVec::new(), engines.len());
        let mut ids = vec![None; engines.len()];
        loop {
            // Rows of a type are in the order of their ids, in every directory.
            for ((remaining, engine), id) in remaining.iter_mut().zip(engines).zip(&mut ids) {
                *id = remaining.peek().map(|row| engine.directory().id(*row));
            }
            let Some(next) = ids.iter().flatten().min().copied() else {
                break;
            };
            for ((remaining, rows), id) in remaining.iter_mut().zip(rows.iter_mut()).zip(&ids) {
                rows.push(match *id == Some(next) {
                    true => remaining.next(),
                    false => None,
                });
            }
        }
        Self {
            rows,
            classes: Arc::default(),
        }
    }

    /// One entity.
    pub(crate) fn one(engines: &[&Engine], uid: &EntityUid) -> Self {
        Self::some(engines, std::slice::from_ref(uid))
    }

    /// Some entities, which are in the order of their ids, each once.
    pub(crate) fn some(engines: &[&Engine], uids: &[EntityUid]) -> Self {
        let row = |engine: &Engine, uid| {
            let row = engine.directory().row(uid);
            row.filter(|row| engine.directory().is_defined(*row))
        };
        let rows = |engine: &&Engine| uids.iter().map(|uid| row(engine, uid)).collect();
        Self {
            rows: engines.iter().map(rows).collect(),
            classes: Arc::default(),
        }
    }

    /// The index of an entity; `None` if it does not exist in any state.
    pub(super) fn index(&self, engines: &[&Engine], uid: &EntityUid) -> Option<T> {
        let in_a_state = |index: T| {
            let mut states = engines.iter().zip(&self.rows);
            states.find_map(|(engine, rows)| Some((engine.directory(), rows[index]?)))
        };
        let (mut start, mut end) = (0, self.len());
        while start < end {
            let middle = start + (end - start) / 2;
            let index = T::from_usize(middle);
            let (directory, row) = in_a_state(index)?;
            match directory.id(row).cmp(uid.id().unescaped()) {
                Ordering::Less => start = middle + 1,
                Ordering::Greater => end = middle,
                Ordering::Equal => return (directory.uid(row) == *uid).then_some(index),
            }
        }
        None
    }

    pub(super) fn row(&self, state: StateId, index: T) -> Option<Row> {
        self.rows[state][index]
    }

    pub(super) fn len(&self) -> usize {
        // The length is the same in every state.
        self.rows.first().map_or(0, |rows| rows.len())
    }

    /// Joins the classes of all states: entities share a class if they share one in every state.
    pub(super) fn classify(&mut self, by_state: &IndexVec<StateId, Arc<Partition<T, C>>>) {
        if let [classes] = by_state.raw.as_slice() {
            self.classes = Arc::clone(classes);
            return;
        }
        let classes = Partition::new(self.len(), |index, key| {
            for (state, classes) in by_state.iter_enumerated() {
                key.extend([
                    u32::from(self.row(state, index).is_some()),
                    classes.class(index).index() as u32,
                ]);
            }
        });
        self.classes = Arc::new(classes);
    }
}
