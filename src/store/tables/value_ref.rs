//! A reference to a value, in four bytes.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::Row;
use crate::tables::ids::{CompoundId, ExtensionId, LongId, RecordId, TextId};

/// A value in four bytes: three bits for its type, and an index or a small number.
///
/// The index belongs to the tables of the [`Store`](crate::tables::entities::Store) that made the reference.
#[derive(
    Copy, Clone, Eq, Hash, PartialEq, Ord, PartialOrd, Debug, FromBytes, IntoBytes, Immutable,
)]
#[repr(transparent)]
pub(crate) struct ValueRef(u32);

/// A decoded [`ValueRef`].
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(crate) enum Meaning {
    /// No value: an optional attribute that the entity does not have.
    Absent,
    /// The first item of a compound.
    Header(Header),
    /// A Bool.
    Bool(bool),
    /// A Long.
    Long(LongId),
    /// A String.
    Text(TextId),
    /// An entity.
    Entity(Row),
    /// A set, a record, or the tags of an entity.
    Compound(CompoundId),
    /// An extension value.
    Extension(ExtensionId),
}

/// The type of a compound, which says how to read its items.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(crate) enum Header {
    /// A set; the items are its elements.
    Set,
    /// The tags of an entity; the items are pairs of a String and a value.
    Tags,
    /// A record of the shape with this index; the items are one slot for each field.
    Record(RecordId),
}

/// The most items of a table that a [`ValueRef`] can refer to.
pub(crate) const MOST: u32 = 1 << 29;

const PAYLOAD: u32 = MOST - 1;

/// The type bits that have tests of their own, for speed.
const ENTITY: u32 = 5;
const COMPOUND: u32 = 6;

impl ValueRef {
    /// No value.
    pub(crate) const ABSENT: Self = Self(0);

    /// The header of a set.
    pub(crate) const SET: Self = Self(1 << 29);

    /// Encodes a value; an index must be below [`MOST`].
    pub(crate) fn new(meaning: Meaning) -> Self {
        let (tag, payload) = match meaning {
            Meaning::Absent => (0, 0),
            Meaning::Header(Header::Set) => (1, 0),
            Meaning::Header(Header::Tags) => (1, 1),
            Meaning::Header(Header::Record(shape)) => (1, shape.raw().saturating_add(2)),
            Meaning::Bool(bool) => (2, u32::from(bool)),
            Meaning::Long(index) => (3, index.raw()),
            Meaning::Text(index) => (4, index.raw()),
            Meaning::Entity(row) => (ENTITY, row.raw()),
            Meaning::Compound(index) => (COMPOUND, index.raw()),
            Meaning::Extension(index) => (7, index.raw()),
        };
        Self(tag << 29 | payload & PAYLOAD)
    }

    /// Decodes the value.
    pub(crate) fn meaning(self) -> Meaning {
        let payload = self.0 & PAYLOAD;
        match self.0 >> 29 {
            0 => Meaning::Absent,
            1 => Meaning::Header(match payload {
                0 => Header::Set,
                1 => Header::Tags,
                shape => Header::Record(RecordId::new(shape - 2)),
            }),
            2 => Meaning::Bool(payload != 0),
            3 => Meaning::Long(LongId::new(payload)),
            4 => Meaning::Text(TextId::new(payload)),
            ENTITY => Meaning::Entity(Row::new(payload)),
            COMPOUND => Meaning::Compound(CompoundId::new(payload)),
            _ => Meaning::Extension(ExtensionId::new(payload)),
        }
    }

    /// The four bytes as a number. Within one store, numbers are equal exactly if values are.
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// A reference to an entity.
    pub(crate) fn entity(row: Row) -> Self {
        Self::new(Meaning::Entity(row))
    }

    /// The row of the entity, if the value is one.
    pub(crate) fn as_entity(self) -> Option<Row> {
        (self.0 >> 29 == ENTITY).then_some(Row::new(self.0 & PAYLOAD))
    }

    /// The index of the compound, if the value is one.
    pub(crate) fn as_compound(self) -> Option<CompoundId> {
        (self.0 >> 29 == COMPOUND).then_some(CompoundId::new(self.0 & PAYLOAD))
    }
}
