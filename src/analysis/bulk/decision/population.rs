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
            let Some((directory, row)) = in_a_state(index) else {
                // An entity that exists in no state has no id to compare with.
                let mut rest = (start..end).map(T::from_usize);
                return rest.find(|index| {
                    in_a_state(*index).is_some_and(|(directory, row)| directory.uid(row) == *uid)
                });
            };
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::bulk::tests::{engine, uid, user};

    fn tenant(ids: &[&str]) -> Engine {
        let users: Vec<_> = ids.iter().map(|id| user(id, json!({}))).collect();
        engine("", &users)
    }

    fn people(engines: &[&Engine]) -> People {
        Population::all(engines, uid(r#"User::"a""#).type_name())
    }

    #[test]
    fn an_entity_has_one_index_in_every_state() {
        let (one, other) = (tenant(&["a", "c", "d"]), tenant(&["b", "c", "e"]));
        let engines = [&one, &other];
        let people = people(&engines);
        let exists = |state: u32| -> Vec<bool> {
            let rows = &people.rows[StateId::new(state)];
            rows.iter().map(Option::is_some).collect()
        };
        assert_eq!(exists(0), [true, false, true, true, false]);
        assert_eq!(exists(1), [false, true, true, false, true]);
        for (number, id) in ["a", "b", "c", "d", "e"].iter().enumerate() {
            let index = people.index(&engines, &uid(&format!("User::\"{id}\"")));
            assert_eq!(index, Some(PersonId::from_usize(number)), "{id}");
        }
        for nobody in [r#"User::"bb""#, r#"User::"f""#, r#"Device::"a""#] {
            assert_eq!(people.index(&engines, &uid(nobody)), None, "{nobody}");
        }
    }

    #[test]
    fn an_entity_is_found_beside_one_that_exists_nowhere() {
        let engine = tenant(&["a", "c"]);
        let uids = ["a", "b", "c"].map(|id| uid(&format!("User::\"{id}\"")));
        let people = People::some(&[&engine], &uids);
        let found = uids.map(|uid| people.index(&[&engine], &uid));
        assert_eq!(
            found.map(|index| index.map(Id::index)),
            [Some(0), None, Some(2)]
        );
    }

    #[test]
    fn entities_are_of_one_class_if_they_are_in_every_state() {
        let (one, other) = (tenant(&["a", "b", "c"]), tenant(&["a", "b", "d"]));
        let mut people = people(&[&one, &other]);
        // Nobody is told apart before, and b from a after the change.
        let before = Partition::new(4, |_: PersonId, _| {});
        let after = Partition::new(4, |person: PersonId, key| key.push(person.raw() / 2));
        people.classify(&[Arc::new(before), Arc::new(after)].into_iter().collect());
        let class = |person| people.classes.class(PersonId::from_usize(person));
        assert_eq!(class(0), class(1));
        // One exists before only, the other after only.
        assert_ne!(class(2), class(3));
        assert_ne!(class(0), class(2));
    }
}
