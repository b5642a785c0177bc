//! The indices of the tables.
//!
//! Uids have a [`Row`](crate::Row), which until the order of the rows is known is the order in which they came.

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::index_type;

index_type! {
    /// A text.
    pub(crate) struct TextId;
}

index_type! {
    /// A Long.
    pub(crate) struct LongId;
}

index_type! {
    /// An extension value.
    pub(crate) struct ExtensionId;
}

index_type! {
    /// A set, record or tags.
    pub(crate) struct CompoundId;
}

index_type! {
    /// A list of direct parents, which all entities share that have the same.
    #[derive(FromBytes, IntoBytes, Immutable)]
    #[repr(transparent)]
    pub struct ListId;
}

index_type! {
    /// An entity that stands in a file or is given.
    #[derive(FromBytes, IntoBytes, Immutable)]
    #[repr(transparent)]
    pub(crate) struct MemberId;
}

/// An entity, or none, in four bytes.
#[derive(Copy, Clone, Default, FromBytes, IntoBytes, Immutable)]
#[repr(transparent)]
pub(crate) struct MemberOrNone(u32);

impl MemberOrNone {
    /// The entity, if there is one.
    pub(crate) fn get(self) -> Option<MemberId> {
        self.0.checked_sub(1).map(MemberId::new)
    }
}

impl From<MemberId> for MemberOrNone {
    fn from(member: MemberId) -> Self {
        Self(member.raw() + 1)
    }
}
