//! Entities in Cedar's own form, made on demand.

use std::collections::HashSet;
use std::io;
use std::sync::{Arc, OnceLock};

use cedar_policy::EntityUid;
use cedar_policy_core::ast::{
    Eid, Entity, EntityType, EntityUID, Literal, PartialValue, Value, ValueKind,
};
use smol_str::SmolStr;

use crate::index::{Id, IndexVec};
use crate::read::value::value_of;
use crate::tables::column::Column;
use crate::tables::entities::Store;
use crate::tables::ids::CompoundId;
use crate::tables::lists::ListTable;
use crate::tables::value_ref::{Header, Meaning, ValueRef};
use crate::tables::written::{Tables, Writer};
use crate::{Directory, Row};

/// The size above which a compound is converted once and kept. Small ones are cheap to convert, and may be many.
const SMALL: usize = 8;

/// The most entities that are kept, and the most extension values. If there are more, none are kept, because a process
/// that runs for long could come to keep them all.
const FEW: usize = 1 << 16;

/// The uids, entities and values in Cedar's form that are kept after their first use.
pub(crate) struct CedarCache {
    kept: Kept,
    /// The uids of the hubs.
    uids: Vec<OnceLock<Arc<EntityUID>>>,
    /// The entities of the first hubs: those that attributes refer to, so that policies can read their attributes.
    entities: Vec<OnceLock<Arc<Entity>>>,
    /// Large compounds.
    values: Vec<OnceLock<Value>>,
    /// The extension values, unless there are too many.
    extensions: Vec<OnceLock<Value>>,
}

/// The hubs and the large compounds, whose Cedar values are kept. A hub is an entity that others refer to.
struct Kept {
    /// For each row, its number among the hubs from 1; 0 if it is none.
    hubs: Column<u32>,
    /// For each compound, its number among the large ones from 1; 0 if it is none.
    large: Column<u32>,
    /// Three counts: the hubs, the hubs that attributes refer to, and the large compounds.
    counts: Column<u32>,
}

impl Kept {
    fn new(store: &Store, rows: usize) -> Self {
        let mut hubs: IndexVec<Row, u32> = IndexVec::filled(0, rows);
        let mut count = 0;
        let mut note = |item: &ValueRef| {
            if let Some(row) = item.as_entity().filter(|row| hubs[*row] == 0) {
                count += 1;
                hubs[row] = count;
            }
            count
        };
        let compounds = &store.compounds;
        let compounds = || compounds.indices().map(|index| compounds.get(index));
        let set = ValueRef::new(Meaning::Header(Header::Set));
        let is_set = |items: &&[ValueRef]| items.first() == Some(&set);
        let records = compounds().filter(|items| !is_set(items)).flatten();
        let referred = store.slots.iter().chain(records).map(&mut note).last();
        let sets = compounds().filter(is_set).flatten();
        let count = store.parents.items().chain(sets).map(note).last();
        let (large, larges) = large(&store.compounds);
        let referred = referred.unwrap_or_default();
        let counts = vec![count.unwrap_or(referred), referred, larges];
        Self {
            hubs: hubs.raw.into(),
            large: large.raw.into(),
            counts: counts.into(),
        }
    }
}

impl CedarCache {
    /// An empty cache for these tables.
    pub(crate) fn new(store: &Store, rows: usize) -> Self {
        Self::for_kept(Kept::new(store, rows), store)
    }

    fn for_kept(kept: Kept, store: &Store) -> Self {
        fn none<T>(count: Option<usize>) -> Vec<OnceLock<T>> {
            std::iter::repeat_with(OnceLock::new)
                .take(count.unwrap_or_default())
                .collect()
        }
        let count = |at: usize| {
            let counts = kept.counts.slice(0..kept.counts.len())?;
            counts.get(at).map(|count| *count as usize)
        };
        Self {
            uids: none(count(0)),
            entities: none(count(1).filter(|count| *count <= FEW)),
            values: none(count(2)),
            extensions: none(Some(store.extensions.len()).filter(|count| *count <= FEW)),
            kept,
        }
    }

    /// Writes the hubs and large compounds, for [`CedarCache::from_tables`].
    pub(crate) fn write(&self, out: &mut Writer<'_>) -> io::Result<()> {
        out.table(&self.kept.hubs)?;
        out.table(&self.kept.large)?;
        out.table(&self.kept.counts)
    }

    /// An empty cache for a written directory.
    pub(crate) fn from_tables(tables: &mut Tables, store: &Store) -> Option<Self> {
        let kept = Kept {
            hubs: tables.table()?,
            large: tables.table()?,
            counts: tables.table()?,
        };
        let most = [kept.hubs.len(), kept.hubs.len(), kept.large.len()];
        let counts = kept.counts.iter().zip(most);
        let is_possible = counts.fold(true, |is, (count, most)| is && *count as usize <= most);
        is_possible.then(|| Self::for_kept(kept, store))
    }

    /// The index of a row among the hubs.
    fn hub(&self, row: Row) -> Option<usize> {
        let number = self.kept.hubs.get(row.index())?.checked_sub(1)?;
        Some(number as usize)
    }
}

/// The value that is kept at a place, made at the first use; without a place, it is made each time.
fn kept<T: Clone>(
    places: &[OnceLock<T>],
    place: Option<usize>,
    make: impl FnOnce() -> Option<T>,
) -> Option<T> {
    let Some(kept) = place.and_then(|place| places.get(place)) else {
        return make();
    };
    match kept.get() {
        Some(known) => Some(known.clone()),
        None => {
            let made = make()?;
            Some(kept.get_or_init(|| made).clone())
        }
    }
}

/// Numbers the compounds that are large or contain a large one.
fn large(compounds: &ListTable<CompoundId>) -> (IndexVec<CompoundId, u32>, u32) {
    let mut numbers: IndexVec<CompoundId, u32> = IndexVec::new();
    let mut count = 0;
    for index in compounds.indices() {
        let items = compounds.get(index);
        // The compounds within a compound have lower indices.
        let holds_large =
            |item: &ValueRef| item.as_compound().is_some_and(|index| numbers[index] != 0);
        let is_large = items.len() > SMALL || items.iter().any(holds_large);
        count += u32::from(is_large);
        numbers.push(if is_large { count } else { 0 });
    }
    (numbers, count)
}

impl Directory {
    /// The uid of a row.
    pub fn uid(&self, row: Row) -> EntityUid {
        (*self.core_uid(row)).clone().into()
    }

    /// The entity in Cedar's form. All of its ancestors are its parents, so that `in` needs no further entity. An
    /// entity that is not defined has neither attributes nor parents.
    pub fn entity(&self, row: Row) -> Arc<Entity> {
        let hub = self.cache.hub(row);
        match hub.and_then(|hub| self.cache.entities.get(hub)) {
            Some(entity) => Arc::clone(entity.get_or_init(|| Arc::new(self.make(row)))),
            None => Arc::new(self.make(row)),
        }
    }

    fn make(&self, row: Row) -> Entity {
        let uid = (*self.core_uid(row)).clone();
        let Some(member) = self.member(row) else {
            return Entity::with_uid(uid);
        };
        let fields = self.fields(row);
        let slots = self.slots(member);
        let attributes = fields.iter().zip(slots).filter_map(|(field, slot)| {
            Some((field.name.clone(), PartialValue::Value(self.value(*slot)?)))
        });
        // A set that grows would hash every uid again.
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
            let entity_type = match self.shape(row) {
                Some(shape) => shape.core.clone(),
                // A damaged directory gives no answer: see `Directory::is_damaged`.
                None => nothing(),
            };
            let eid = Eid::new(self.id(row));
            Arc::new(EntityUID::from_components(entity_type, eid, None))
        };
        let hub = self.cache.hub(row);
        match hub.and_then(|hub| self.cache.uids.get(hub)) {
            Some(uid) => Arc::clone(uid.get_or_init(make)),
            None => make(),
        }
    }

    fn value(&self, packed: ValueRef) -> Option<Value> {
        let kind = match packed.meaning() {
            Meaning::Absent | Meaning::Header(_) => return None,
            Meaning::Bool(bool) => ValueKind::Lit(Literal::Bool(bool)),
            Meaning::Long(index) => {
                ValueKind::Lit(Literal::Long(*self.store.longs.get(index.index())?))
            }
            Meaning::Text(index) => {
                ValueKind::Lit(Literal::String(self.store.texts.get(index).into()))
            }
            Meaning::Entity(row) => ValueKind::Lit(Literal::EntityUID(self.core_uid(row))),
            Meaning::Compound(index) => return self.compound(index),
            Meaning::Extension(index) => {
                let expression = self.store.extensions.get(index);
                return kept(&self.cache.extensions, Some(index.index()), || {
                    value_of(expression)
                });
            }
        };
        Some(Value::new(kind, None))
    }

    fn compound(&self, index: CompoundId) -> Option<Value> {
        let number = self.cache.kept.large.get(index.index());
        let large = number.and_then(|number| number.checked_sub(1));
        kept(
            &self.cache.values,
            large.map(|large| large as usize),
            || {
                let (header, items) = self.store.compounds.get(index).split_first()?;
                Some(match header.meaning() {
                    Meaning::Header(Header::Record(record)) => {
                        let fields = self.shapes.fields(record);
                        let fields = fields.iter().zip(items).filter_map(|(field, item)| {
                            Some((field.name.clone(), self.value(*item)?))
                        });
                        Value::record(fields, None)
                    }
                    _ => Value::set(items.iter().filter_map(|item| self.value(*item)), None),
                })
            },
        )
    }
}

#[expect(clippy::expect_used, reason = "a literal that is an identifier")]
fn nothing() -> EntityType {
    "Nothing".parse().expect("an identifier")
}
