//! The indices of bulk decisions.
//!
//! One of another table does not compile, and one that is out of range stops the program: it must not become an
//! answer.

use tarbac_store::index::IndexVec;
use tarbac_store::index_type;

index_type! {
    /// A state of the tenant.
    pub(crate) struct StateId;
}

index_type! {
    /// An action that is asked about.
    pub(crate) struct ActionId;
}

index_type! {
    /// A policy that decides about one of the actions.
    pub(crate) struct DecidingId;
}

index_type! {
    /// Somebody who asks.
    pub(crate) struct PersonId;
}

index_type! {
    /// People whom no policy tells apart.
    pub(crate) struct ClassId;
}

index_type! {
    /// Something that is asked about.
    pub(crate) struct ResourceId;
}

index_type! {
    /// Resources that no policy tells apart, but by the sets of one person.
    pub(crate) struct ResourceClassId;
}

index_type! {
    /// Resources that are treated alike for a person.
    pub(crate) struct CellId;
}

index_type! {
    /// A type whose entities ask.
    pub(crate) struct AskerId;
}

index_type! {
    /// The bulk decision about a type that is asked about, among those of a type that asks.
    pub(crate) struct SurveyId;
}

/// The bulk decisions: for each type that asks, one about each type that it is asked about.
pub(crate) type Surveys<S> = IndexVec<AskerId, IndexVec<SurveyId, S>>;
