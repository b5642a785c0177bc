//! Makes Cedar's entities of rows, quickly enough to do it for each decision.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use cedar_policy::EntityUid;
use cedar_policy_core::ast::{
    Eid, Entity, EntityType, EntityUID, Literal, PartialValue, Value, ValueKind,
};
use smol_str::SmolStr;

use super::lists::Lists;
use super::packed::{Header, Meaning, Packed};
use super::store::Store;
use super::{Directory, Row};

/// A compound with more items than this is made once; smaller ones are cheap, and may be many.
const SMALL: usize = 8;

/// With more entities than this behind attributes, none is kept: there is no telling how many a
/// long-lived process would come to hold.
const FEW: usize = 1 << 16;

/// What has been made of rows and values and is worth keeping.
pub(super) struct Cache {
    /// For each row the number of its hub, counted from 1; 0 is none.
    numbers: Vec<u32>,
    hubs: Vec<Hub>,
    /// For each compound its number among the large ones, counted from 1; 0 is none.
    large: Vec<u32>,
    values: Vec<OnceLock<Value>>,
}

/// An entity that others refer to.
#[derive(Default)]
struct Hub {
    uid: OnceLock<Arc<EntityUID>>,
    entity: OnceLock<Arc<Entity>>,
    /// Whether an attribute refers to it, so that a policy may look into it.
    dereferenced: bool,
}

impl Cache {
    /// Finds out what will be worth keeping.
    pub(super) fn new(store: &Store, rows: usize) -> Self {
        let mut numbers = vec![0; rows];
        let mut hubs: Vec<Hub> = Vec::new();
        let mut note = |item: &Packed, dereferenced: bool| {
            let number = item
                .as_entity()
                .and_then(|row| numbers.get_mut(row as usize));
            let Some(number) = number else { return };
            if *number == 0 {
                hubs.push(Hub::default());
                *number = hubs.len() as u32;
            }
            if dereferenced && let Some(hub) = hubs.get_mut(*number as usize - 1) {
                hub.dereferenced = true;
            }
        };
        store
            .parents
            .items()
            .iter()
            .for_each(|item| note(item, false));
        store.slots.iter().for_each(|item| note(item, true));
        for index in 0..store.compounds.len() as u32 {
            let items = store.compounds.get(index);
            let is_set = items.first() == Some(&Packed::new(Meaning::Header(Header::Set)));
            items.iter().for_each(|item| note(item, !is_set));
        }
        if hubs.iter().filter(|hub| hub.dereferenced).count() > FEW {
            hubs.iter_mut().for_each(|hub| hub.dereferenced = false);
        }
        let (large, count) = large(&store.compounds);
        Self {
            numbers,
            hubs,
            large,
            values: (0..count).map(|_| OnceLock::new()).collect(),
        }
    }

    fn hub(&self, row: Row) -> Option<&Hub> {
        let number = self.numbers.get(row.0 as usize)?.checked_sub(1)?;
        self.hubs.get(number as usize)
    }
}

/// Numbers the compounds that are large or hold a large one.
fn large(compounds: &Lists) -> (Vec<u32>, u32) {
    let mut numbers: Vec<u32> = Vec::with_capacity(compounds.len());
    let mut count = 0;
    for index in 0..compounds.len() as u32 {
        let items = compounds.get(index);
        let holds_large = |item: &Packed| {
            let number = item
                .as_compound()
                .and_then(|index| numbers.get(index as usize));
            number.is_some_and(|number| *number != 0)
        };
        let is_large = items.len() > SMALL || items.iter().any(holds_large);
        count += u32::from(is_large);
        numbers.push(if is_large { count } else { 0 });
    }
    (numbers, count)
}

impl Directory {
    /// The uid.
    pub fn uid(&self, row: Row) -> EntityUid {
        (*self.core_uid(row)).clone().into()
    }

    /// The entity as Cedar has it, with all its ancestors as parents, so that `in` needs no
    /// further entity. An entity that stands nowhere has neither attributes nor parents.
    pub fn entity(&self, row: Row) -> Arc<Entity> {
        match self.cache.hub(row) {
            Some(hub) if hub.dereferenced => {
                let entity = hub.entity.get_or_init(|| Arc::new(self.make(row)));
                Arc::clone(entity)
            }
            _ => Arc::new(self.make(row)),
        }
    }

    fn make(&self, row: Row) -> Entity {
        let uid = (*self.core_uid(row)).clone();
        let Some(member) = self.member(row) else {
            return Entity::with_uid(uid);
        };
        let fields = self.fields(self.kind(row));
        let slots = self.slots(member);
        let attributes = fields.iter().zip(slots).filter_map(|(field, slot)| {
            Some((field.name.clone(), PartialValue::Value(self.value(*slot)?)))
        });
        // Growing the set would hash every uid again.
        let above = self.closure.above(member.parents).len();
        let parents = self.store.parents.get(member.parents).len();
        let mut ancestors = HashSet::with_capacity(parents + above);
        ancestors.extend(self.ancestors(row).map(|row| (*self.core_uid(row)).clone()));
        let tags = slots.get(fields.len()).and_then(|tags| tags.as_compound());
        let tags = tags.map_or(&[][..], |index| self.store.compounds.get(index));
        let tags = tags.get(1..).unwrap_or_default().chunks_exact(2);
        let tags = tags.filter_map(|pair| match pair {
            [key, value] => {
                let Meaning::Text(key) = key.meaning() else {
                    return None;
                };
                let key = SmolStr::from(self.store.texts.get(key));
                Some((key, PartialValue::Value(self.value(*value)?)))
            }
            _ => None,
        });
        Entity::new_with_attr_partial_value(uid, attributes, HashSet::new(), ancestors, tags)
    }

    fn core_uid(&self, row: Row) -> Arc<EntityUID> {
        let make = || {
            let entity_type = match self.shapes.get(self.kind(row)) {
                Some(shape) => shape.core.clone(),
                // Only a row of another directory has no type.
                None => nothing(),
            };
            let eid = Eid::new(self.id(row));
            Arc::new(EntityUID::from_components(entity_type, eid, None))
        };
        match self.cache.hub(row) {
            Some(hub) => Arc::clone(hub.uid.get_or_init(make)),
            None => make(),
        }
    }

    fn value(&self, packed: Packed) -> Option<Value> {
        let kind = match packed.meaning() {
            Meaning::Absent | Meaning::Header(_) => return None,
            Meaning::Bool(bool) => ValueKind::Lit(Literal::Bool(bool)),
            Meaning::Long(index) => {
                ValueKind::Lit(Literal::Long(*self.store.longs.get(index as usize)?))
            }
            Meaning::Text(index) => {
                ValueKind::Lit(Literal::String(self.store.texts.get(index).into()))
            }
            Meaning::Entity(row) => ValueKind::Lit(Literal::EntityUID(self.core_uid(Row(row)))),
            Meaning::Compound(index) => return self.compound(index),
            Meaning::Extension(index) => {
                return self.store.extensions.get(index as usize).cloned();
            }
        };
        Some(Value::new(kind, None))
    }

    fn compound(&self, index: u32) -> Option<Value> {
        let number = self.cache.large.get(index as usize);
        let kept = number
            .and_then(|number| number.checked_sub(1))
            .and_then(|number| self.cache.values.get(number as usize));
        if let Some(value) = kept.and_then(OnceLock::get) {
            return Some(value.clone());
        }
        let (header, items) = self.store.compounds.get(index).split_first()?;
        let value = match header.meaning() {
            Meaning::Header(Header::Record(record)) => {
                let fields = self.shapes.fields(record);
                let fields = fields
                    .iter()
                    .zip(items)
                    .filter_map(|(field, item)| Some((field.name.clone(), self.value(*item)?)));
                Value::record(fields, None)
            }
            _ => Value::set(items.iter().filter_map(|item| self.value(*item)), None),
        };
        if let Some(kept) = kept {
            return Some(kept.get_or_init(|| value).clone());
        }
        Some(value)
    }
}

#[expect(clippy::expect_used, reason = "a literal that is an identifier")]
fn nothing() -> EntityType {
    "Nothing".parse().expect("an identifier")
}
