//! The typed indices of the tables.
//!
//! A uid has a [`Row`](crate::Row); until the rows are sorted, that is the order in which the uids were read.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::index::Id;
use crate::index_type;

/// The index of an entity type of the schema, in two bytes.
#[derive(
    Copy, Clone, Eq, Hash, PartialEq, Ord, PartialOrd, Debug, FromBytes, IntoBytes, Immutable,
)]
#[repr(transparent)]
pub(crate) struct TypeId(u16);

impl TypeId {
    /// The type of strings that are no ids of entities.
    pub(crate) const PLAIN: Self = Self(0);

    /// The type of an id of a damaged directory; no type of a schema has this index.
    pub(crate) const LOST: Self = Self(u16::MAX);

    /// The most types of a schema.
    pub(crate) const MOST: usize = u16::MAX as usize;

    /// The number of the index.
    pub(crate) fn raw(self) -> u16 {
        self.0
    }
}

impl Id for TypeId {
    #[expect(
        clippy::expect_used,
        reason = "a number that is cut off is another index"
    )]
    fn from_usize(number: usize) -> Self {
        Self(u16::try_from(number).expect("no schema has so many types"))
    }

    fn index(self) -> usize {
        usize::from(self.0)
    }
}

index_type! {
    /// The index of a record shape of the schema: the attributes of an entity type, or of a record in one.
    pub(crate) struct RecordId;
}

index_type! {
    /// The index of a string.
    pub(crate) struct TextId;
}

index_type! {
    /// The index of a Long.
    pub(crate) struct LongId;
}

index_type! {
    /// The index of an extension value.
    pub(crate) struct ExtensionId;
}

index_type! {
    /// The index of a set, record or tags.
    pub(crate) struct CompoundId;
}

index_type! {
    /// The index of a list of direct parents. Entities with the same parents share a list.
    #[derive(FromBytes, IntoBytes, Immutable)]
    #[repr(transparent)]
    pub struct ListId;
}

index_type! {
    /// The index of an entity that stands in a file or is given.
    #[derive(FromBytes, IntoBytes, Immutable)]
    #[repr(transparent)]
    pub(crate) struct MemberId;
}

/// An optional [`MemberId`] in four bytes.
#[derive(Copy, Clone, Default, FromBytes, IntoBytes, Immutable)]
#[repr(transparent)]
pub(crate) struct MemberOrNone(u32);

impl MemberOrNone {
    /// The index of the entity, if there is one.
    pub(crate) fn get(self) -> Option<MemberId> {
        self.0.checked_sub(1).map(MemberId::new)
    }
}

impl From<MemberId> for MemberOrNone {
    fn from(member: MemberId) -> Self {
        Self(member.raw() + 1)
    }
}
