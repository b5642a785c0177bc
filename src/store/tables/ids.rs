//! The typed indices of the tables.
//!
//! A uid has a [`Row`](crate::Row); until the rows are sorted, that is the order in which the uids were read.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::index_type;

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
