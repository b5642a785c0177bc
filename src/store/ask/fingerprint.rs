//! Fingerprints of entities: policies cannot tell entities with equal fingerprints apart.
//!
//! Within one directory, equal numbers stand for equal values, so that millions of entities can be compared without
//! their texts.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::index::IndexVec;
use crate::read::schema::{Field, Kind, Shapes};
use crate::tables::ids::TypeId;
use crate::tables::value_ref::ValueRef;
use crate::{Directory, Row};

/// The read set of policies, by name, for [`Fingerprinter::new`].
#[derive(Debug, Default, Clone)]
pub struct ReadSet {
    /// The names of attributes that are read, of entities of any type.
    pub attributes: BTreeSet<String>,
    /// The names of attributes that are read as a whole, records with every field.
    pub whole: BTreeSet<String>,
    /// Whether tags are read.
    pub tags: bool,
    /// The entity types that memberships are tested for.
    pub groups: BTreeSet<String>,
    /// Whether memberships in entities of every type are tested.
    pub is_every_group: bool,
    /// The entity types whose uids are read.
    pub identities: BTreeSet<String>,
    /// The entities that policies name, in tests of identity or membership.
    pub named: BTreeSet<Row>,
}

/// A [`ReadSet`] prepared for the entities of a directory.
#[derive(Debug)]
pub struct Fingerprinter {
    /// The parts that are read of each type, by its index.
    types: IndexVec<TypeId, TypeRead>,
    /// The rows of the types that memberships are tested for.
    groups: Vec<Range<u32>>,
    /// The entities that policies name, sorted.
    named: Vec<Row>,
}

#[derive(Debug, Default)]
struct TypeRead {
    slots: Vec<(usize, PartRead)>,
    /// Whether the uid is read; it is also for groups, since every entity is in itself.
    is_known: bool,
    /// Whether a group or named entity can be an ancestor.
    is_below: bool,
}

/// The part of a value that is read.
#[derive(Debug)]
enum PartRead {
    Whole,
    /// Only these fields of a record.
    Fields(Vec<(usize, PartRead)>),
}

/// A separator of parts with different lengths; no row and no value has this number.
const END: u32 = u32::MAX;

impl Fingerprinter {
    /// Prepares a read set for the entities of a directory.
    pub fn new(read_set: &ReadSet, directory: &Directory) -> Self {
        let shapes = &directory.shapes;
        let is_group = |name: &str| read_set.is_every_group || read_set.groups.contains(name);
        let mut types = IndexVec::new();
        let mut groups = Vec::new();
        let mut looked_for: BTreeSet<TypeId> = read_set
            .named
            .iter()
            .map(|row| directory.type_of(*row))
            .collect();
        for (of_type, shape) in shapes.types.iter_enumerated() {
            let fields = shapes.fields(shape.record);
            let mut slots = reads(read_set, shapes, fields, false);
            if read_set.tags && shape.tags.is_some() {
                slots.push((fields.len(), PartRead::Whole));
            }
            if is_group(&shape.name) {
                groups.push(directory.range(of_type));
                looked_for.insert(of_type);
            }
            types.push(TypeRead {
                slots,
                is_known: is_group(&shape.name) || read_set.identities.contains(&shape.name),
                is_below: false,
            });
        }
        if !looked_for.is_empty() {
            for of_type in shapes.types.indices() {
                types[of_type].is_below = !shapes.all_above(of_type).is_disjoint(&looked_for);
            }
        }
        Self {
            types,
            groups,
            named: read_set.named.iter().copied().collect(),
        }
    }

    fn is_watched(&self, row: Row) -> bool {
        let mut groups = self.groups.iter();
        self.named.binary_search(&row).is_ok() || groups.any(|rows| rows.contains(&row.raw()))
    }
}

/// The fields of an entity or record that are read.
fn reads(
    read_set: &ReadSet,
    shapes: &Shapes,
    fields: &[Field],
    is_whole: bool,
) -> Vec<(usize, PartRead)> {
    let is_seen =
        |field: &&(usize, &Field)| is_whole || read_set.attributes.contains(field.1.name.as_str());
    fields
        .iter()
        .enumerate()
        .filter(|field| is_seen(&field))
        .map(|(at, field)| {
            let is_whole = is_whole || read_set.whole.contains(field.name.as_str());
            let read = match &field.kind {
                Kind::Record(record) if !is_whole => {
                    PartRead::Fields(reads(read_set, shapes, shapes.fields(*record), false))
                }
                _ => PartRead::Whole,
            };
            (at, read)
        })
        .collect()
}

impl Directory {
    /// Adds the fingerprint of an entity to `numbers`: the same numbers for two entities exactly if their read values are
    /// equal.
    pub fn fingerprint(&self, row: Row, fingerprinter: &Fingerprinter, numbers: &mut Vec<u32>) {
        let of_type = self.type_of(row);
        numbers.push(u32::from(of_type.raw()));
        if of_type == TypeId::LOST {
            // A damaged directory gives no answer: see `Directory::is_damaged`.
            return;
        }
        let of_type = &fingerprinter.types[of_type];
        if of_type.is_known || fingerprinter.named.binary_search(&row).is_ok() {
            numbers.push(row.raw());
        }
        numbers.push(END);
        if of_type.is_below {
            let start = numbers.len();
            let ancestors = self
                .ancestors(row)
                .filter(|row| fingerprinter.is_watched(*row));
            numbers.extend(ancestors.map(Row::raw));
            if let Some(groups) = numbers.get_mut(start..) {
                groups.sort_unstable();
            }
        }
        numbers.push(END);
        if let Some(member) = self.member(row) {
            self.read_items(self.slots(member), &of_type.slots, numbers);
        }
    }

    fn read_items(&self, items: &[ValueRef], reads: &[(usize, PartRead)], numbers: &mut Vec<u32>) {
        for (at, read) in reads {
            let item = items.get(*at).copied().unwrap_or(ValueRef::ABSENT);
            match (read, item.as_compound()) {
                (PartRead::Fields(reads), Some(index)) => {
                    // The first item of a record is its header.
                    let fields = self.store.compounds.get(index).get(1..);
                    numbers.push(END);
                    self.read_items(fields.unwrap_or_default(), reads, numbers);
                }
                _ => numbers.push(item.number()),
            }
        }
    }
}
