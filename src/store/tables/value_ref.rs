//! A value of an attribute in four bytes.

use zerocopy::{FromBytes, Immutable, IntoBytes};

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
    /// An index into the longs.
    Long(u32),
    /// An index into the texts.
    Text(u32),
    /// An index into the uids.
    Entity(u32),
    /// An index into the compounds: a set, a record or the tags of an entity.
    Compound(u32),
    /// An index into the extension values.
    Extension(u32),
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

/// The three bits of what is asked for by itself, millions of times.
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
            Meaning::Long(index) => (3, index),
            Meaning::Text(index) => (4, index),
            Meaning::Entity(index) => (ENTITY, index),
            Meaning::Compound(index) => (COMPOUND, index),
            Meaning::Extension(index) => (7, index),
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
            3 => Meaning::Long(payload),
            4 => Meaning::Text(payload),
            ENTITY => Meaning::Entity(payload),
            COMPOUND => Meaning::Compound(payload),
            _ => Meaning::Extension(payload),
        }
    }

    /// The four bytes as a number: of two values in one store, the same exactly if they are.
    pub(crate) fn number(self) -> u32 {
        self.0
    }

    /// An entity.
    pub(crate) fn entity(index: u32) -> Self {
        Self::new(Meaning::Entity(index))
    }

    /// The index of the entity that this is, if it is one.
    pub(crate) fn as_entity(self) -> Option<u32> {
        (self.0 >> 29 == ENTITY).then_some(self.0 & PAYLOAD)
    }

    /// The index of the compound that this is, if it is one.
    pub(crate) fn as_compound(self) -> Option<u32> {
        (self.0 >> 29 == COMPOUND).then_some(self.0 & PAYLOAD)
    }
}
