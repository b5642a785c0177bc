//! Fingerprints of entities: policies cannot tell entities with equal fingerprints apart.
//!
//! Within one directory, equal numbers stand for equal values, so that millions of entities can be compared without
//! their texts.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::read::schema::{Field, Kind, Shapes};
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
    types: Vec<TypeLook>,
    /// The rows of the types that memberships are tested for.
    groups: Vec<Range<u32>>,
    /// The entities that policies name, sorted.
    named: Vec<Row>,
}

#[derive(Debug, Default)]
struct TypeLook {
    slots: Vec<(usize, Look)>,
    /// Whether the uid is read; it is also for groups, since every entity is in itself.
    is_known: bool,
    /// Whether a group or named entity can be an ancestor.
    is_below: bool,
}

/// The part of a value that is read.
#[derive(Debug)]
enum Look {
    Whole,
    /// Only these fields of a record.
    Fields(Vec<(usize, Look)>),
}

/// A separator of parts with different lengths; no row and no value has this number.
const END: u32 = u32::MAX;

impl Fingerprinter {
    /// Prepares a read set for the entities of a directory.
    pub fn new(glance: &ReadSet, directory: &Directory) -> Self {
        let shapes = &directory.shapes;
        let is_group = |name: &str| glance.is_every_group || glance.groups.contains(name);
        let mut types = Vec::new();
        let mut groups = Vec::new();
        let mut looked_for: BTreeSet<u16> = glance
            .named
            .iter()
            .map(|row| directory.kind(*row))
            .collect();
        for (kind, shape) in (0..).zip(shapes.types()) {
            let fields = shapes.fields(shape.record);
            let mut slots = looks(glance, shapes, fields, false);
            if glance.tags && shape.tags.is_some() {
                slots.push((fields.len(), Look::Whole));
            }
            if is_group(&shape.name) {
                groups.push(directory.range(kind));
                looked_for.insert(kind);
            }
            types.push(TypeLook {
                slots,
                is_known: is_group(&shape.name) || glance.identities.contains(&shape.name),
                is_below: false,
            });
        }
        for (kind, of_type) in (0..).zip(&mut types) {
            of_type.is_below = !shapes.all_above(kind).is_disjoint(&looked_for);
        }
        Self {
            types,
            groups,
            named: glance.named.iter().copied().collect(),
        }
    }

    fn is_watched(&self, row: Row) -> bool {
        let mut groups = self.groups.iter();
        self.named.binary_search(&row).is_ok() || groups.any(|rows| rows.contains(&row.raw()))
    }
}

/// The fields of an entity or record that are read.
fn looks(
    glance: &ReadSet,
    shapes: &Shapes,
    fields: &[Field],
    is_whole: bool,
) -> Vec<(usize, Look)> {
    let is_seen =
        |field: &&(usize, &Field)| is_whole || glance.attributes.contains(field.1.name.as_str());
    fields
        .iter()
        .enumerate()
        .filter(|field| is_seen(&field))
        .map(|(at, field)| {
            let is_whole = is_whole || glance.whole.contains(field.name.as_str());
            let look = match &field.kind {
                Kind::Record(record) if !is_whole => {
                    Look::Fields(looks(glance, shapes, shapes.fields(*record), false))
                }
                _ => Look::Whole,
            };
            (at, look)
        })
        .collect()
}

impl Directory {
    /// Adds the fingerprint of an entity to `seen`: the same numbers for two entities exactly if their read values are
    /// equal.
    pub fn look(&self, row: Row, lookout: &Fingerprinter, seen: &mut Vec<u32>) {
        let kind = self.kind(row);
        seen.push(u32::from(kind));
        let Some(of_type) = lookout.types.get(usize::from(kind)) else {
            return;
        };
        if of_type.is_known || lookout.named.binary_search(&row).is_ok() {
            seen.push(row.raw());
        }
        seen.push(END);
        if of_type.is_below {
            let start = seen.len();
            let ancestors = self.ancestors(row).filter(|row| lookout.is_watched(*row));
            seen.extend(ancestors.map(Row::raw));
            if let Some(groups) = seen.get_mut(start..) {
                groups.sort_unstable();
            }
        }
        seen.push(END);
        if let Some(member) = self.member(row) {
            self.look_at(self.slots(member), &of_type.slots, seen);
        }
    }

    fn look_at(&self, items: &[ValueRef], looks: &[(usize, Look)], seen: &mut Vec<u32>) {
        for (at, look) in looks {
            let item = items.get(*at).copied().unwrap_or(ValueRef::ABSENT);
            match (look, item.as_compound()) {
                (Look::Fields(looks), Some(index)) => {
                    // The first item of a record is its header.
                    let fields = self.store.compounds.get(index).get(1..);
                    seen.push(END);
                    self.look_at(fields.unwrap_or_default(), looks, seen);
                }
                _ => seen.push(item.number()),
            }
        }
    }
}
