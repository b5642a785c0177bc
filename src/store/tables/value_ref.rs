//! A reference to a value, in four bytes.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::Row;
use crate::tables::ids::{CompoundId, ExtensionId, LongId, TextId};

/// Three bits that say what a value is, and an index that says which one.
///
/// The index leads into the tables of the [`Store`](crate::tables::entities::Store) that the value came from.
#[derive(
    Copy, Clone, Eq, Hash, PartialEq, Ord, PartialOrd, Debug, FromBytes, IntoBytes, Immutable,
)]
#[repr(transparent)]
pub(crate) struct ValueRef(u32);

/// What a [`ValueRef`] stands for.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(crate) enum Meaning {
    /// No value: an optional attribute that is left out.
    Absent,
    /// The first item of a compound: how to read the others.
    Header(Header),
    /// A Bool.
    Bool(bool),
    /// A Long.
    Long(LongId),
    /// A String.
    Text(TextId),
    /// An entity.
    Entity(Row),
    /// A set, a record or the tags of an entity.
    Compound(CompoundId),
    /// An extension value.
    Extension(ExtensionId),
}

/// How to read the items of a compound.
#[derive(Copy, Clone, Eq, PartialEq, Debug)]
pub(crate) enum Header {
    /// The elements of a set.
    Set,
    /// Pairs of a text and a value: the tags of an entity.
    Tags,
    /// One slot for each field of this record shape.
    Record(u32),
}

/// The number of things that a table can hold and a [`ValueRef`] can point at.
pub(crate) const MOST: u32 = 1 << 29;

const PAYLOAD: u32 = MOST - 1;

/// The tags, of three bits, that are tested by themselves, millions of times.
const ENTITY: u32 = 5;
const COMPOUND: u32 = 6;

impl ValueRef {
    /// No value.
    pub(crate) const ABSENT: Self = Self(0);

    /// Puts a value into four bytes; an index must be below [`MOST`].
    pub(crate) fn new(meaning: Meaning) -> Self {
        let (tag, payload) = match meaning {
            Meaning::Absent => (0, 0),
            Meaning::Header(Header::Set) => (1, 0),
            Meaning::Header(Header::Tags) => (1, 1),
            Meaning::Header(Header::Record(shape)) => (1, shape.saturating_add(2)),
            Meaning::Bool(bool) => (2, u32::from(bool)),
            Meaning::Long(index) => (3, index.raw()),
            Meaning::Text(index) => (4, index.raw()),
            Meaning::Entity(row) => (ENTITY, row.raw()),
            Meaning::Compound(index) => (COMPOUND, index.raw()),
            Meaning::Extension(index) => (7, index.raw()),
        };
        Self(tag << 29 | payload & PAYLOAD)
    }

    /// Says what the four bytes stand for.
    pub(crate) fn meaning(self) -> Meaning {
        let payload = self.0 & PAYLOAD;
        match self.0 >> 29 {
            0 => Meaning::Absent,
            1 => Meaning::Header(match payload {
                0 => Header::Set,
                1 => Header::Tags,
                shape => Header::Record(shape - 2),
            }),
            2 => Meaning::Bool(payload != 0),
            3 => Meaning::Long(LongId::new(payload)),
            4 => Meaning::Text(TextId::new(payload)),
            ENTITY => Meaning::Entity(Row::new(payload)),
            COMPOUND => Meaning::Compound(CompoundId::new(payload)),
            _ => Meaning::Extension(ExtensionId::new(payload)),
        }
    }

    /// The four bytes as a number: of two values in one store, the same exactly if they are.
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// An entity.
    pub(crate) fn entity(row: Row) -> Self {
        Self::new(Meaning::Entity(row))
    }

    /// The entity that this is, if it is one.
    pub(crate) fn as_entity(self) -> Option<Row> {
        (self.0 >> 29 == ENTITY).then_some(Row::new(self.0 & PAYLOAD))
    }

    /// The compound that this is, if it is one.
    pub(crate) fn as_compound(self) -> Option<CompoundId> {
        (self.0 >> 29 == COMPOUND).then_some(CompoundId::new(self.0 & PAYLOAD))
    }
}
