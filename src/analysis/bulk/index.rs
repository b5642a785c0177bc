//! The indices of bulk decisions.
//!
//! An index of another table does not compile, and an index out of range stops the program: it must not become an
//! answer.

use tarbac_store::index_type;

index_type! {
    /// A state of the tenant.
    pub(crate) struct StateId;
}

index_type! {
    /// An action of a bulk decision.
    pub(crate) struct ActionId;
}

index_type! {
    /// A policy that decides about one of the actions.
    pub(crate) struct DecidingId;
}

index_type! {
    /// A person of a bulk decision.
    pub(crate) struct PersonId;
}

index_type! {
    /// People whom no policy tells apart.
    pub(crate) struct ClassId;
}

index_type! {
    /// People of one class in every bulk decision of their type.
    pub(crate) struct KindId;
}

index_type! {
    /// A resource of a bulk decision.
    pub(crate) struct ResourceId;
}

index_type! {
    /// Resources that no policy tells apart, apart from the sets of single persons.
    pub(crate) struct ResourceClassId;
}

index_type! {
    /// Resources of one class that are in the same sets of a person.
    pub(crate) struct CellId;
}

index_type! {
    /// A type of people.
    pub(crate) struct PrincipalTypeId;
}

index_type! {
    /// A bulk decision, among those of a type of people.
    pub(crate) struct BulkId;
}
