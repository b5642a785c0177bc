//! Pairs of related entities of two types, without repetition.

use std::collections::{HashMap, HashSet};

use cedar_policy::EntityTypeName;

use super::{Directory, ListId, Row};
use crate::tables::ids::{CompoundId, TypeId};
use crate::tables::value_ref::{Meaning, ValueRef};

/// Entities of a type with equal values of some attributes, which are treated as one.
#[derive(Default)]
struct Alike {
    /// The lists of parents that were searched.
    lists: HashSet<ListId>,
    /// The sets and records that were searched.
    compounds: HashSet<CompoundId>,
    /// The entities that were reported.
    found: HashSet<Row>,
}

impl Directory {
    /// Reports pairs of an entity of a type and an entity of one of the types `of` that is its direct parent or the
    /// value of an attribute or tag, alone or in a set. The pairs are in the order of the first entity.
    ///
    /// Entities with equal values of the attributes `by` are treated as one: an entity of the types `of` is reported
    /// once for all of them, with the first that is related to it. Without `by`, every pair is reported.
    pub fn related(
        &self,
        type_name: &EntityTypeName,
        of: &[EntityTypeName],
        by: Option<&[String]>,
        mut found: impl FnMut(Row, Row),
    ) {
        let Some(of_type) = self.type_id(type_name) else {
            return;
        };
        let others: Vec<TypeId> = of.iter().filter_map(|of| self.type_id(of)).collect();
        let by = by.map(|by| {
            let slots = by.iter().filter_map(|name| self.slot(of_type, name));
            slots.collect::<Vec<usize>>()
        });
        let mut alike: HashMap<Vec<ValueRef>, Alike> = HashMap::new();
        let mut key = Vec::new();
        for row in self.range(of_type).map(Row::new) {
            let Some(member) = self.member(row) else {
                continue;
            };
            let slots = self.slots(member);
            key.clear();
            match &by {
                Some(by) => key.extend(by.iter().filter_map(|slot| slots.get(*slot).copied())),
                None => key.push(ValueRef::entity(row)),
            }
            if !alike.contains_key(&key) {
                alike.insert(key.clone(), Alike::default());
            }
            let Some(alike) = alike.get_mut(&key) else {
                continue;
            };
            let mut met = |alike: &mut Alike, other: Row| {
                if others.contains(&self.type_of(other)) && alike.found.insert(other) {
                    found(row, other);
                }
            };
            if alike.lists.insert(member.parents) {
                let parents = self.store.parents.get(member.parents);
                for parent in parents.iter().filter_map(|item| item.as_entity()) {
                    met(alike, parent);
                }
            }
            let mut waiting = vec![slots];
            while let Some(items) = waiting.pop() {
                for item in items {
                    match item.meaning() {
                        Meaning::Entity(other) => met(alike, other),
                        Meaning::Compound(index) if alike.compounds.insert(index) => {
                            waiting.push(self.store.compounds.get(index));
                        }
                        _ => {}
                    }
                }
            }
        }
    }

    /// The values of some attributes of an entity, as numbers that are equal for equal values of entities of one type.
    pub fn values(&self, row: Row, attributes: &[String]) -> Vec<u32> {
        let value = |attribute: &String| self.attribute(row, attribute).copied();
        let values = attributes.iter();
        values
            .map(|attribute| value(attribute).unwrap_or(ValueRef::ABSENT).number())
            .collect()
    }
}
