//! Why a request cannot be decided.

use cedar_policy::{EntityTypeName, EntityUid};
use cedar_policy_core::evaluator::EvaluationError;
use thiserror::Error;

/// Why a request cannot be decided, or an expression not be evaluated; the decision is indeterminate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Undecidable {
    /// The request asks for what the schema does not have.
    #[error("`{0}` is no action of the schema")]
    UnknownAction(EntityUid),
    /// The schema does not let such a principal be asked about such a resource.
    #[error("`{action}` is not asked of `{principal}` about `{resource}`")]
    NotAsked {
        /// The action.
        action: EntityUid,
        /// The type of the principal.
        principal: EntityTypeName,
        /// The type of the resource.
        resource: EntityTypeName,
    },
    /// The principal, the resource or an entity of the context stands nowhere.
    #[error("`{0}` does not exist")]
    Missing(EntityUid),
    /// Cedar does not take the request, its context, its entities or a policy, and says why.
    #[error("{0}")]
    NotTaken(String),
    /// An expression cannot be evaluated.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// A condition is neither true nor false.
    #[error("it is neither true nor false")]
    NotBool,
    /// A part of the entities cannot be had.
    #[error(
        "what was kept of the entities is damaged, and their files have changed since: start again"
    )]
    Damaged,
}

impl Undecidable {
    /// What Cedar says of what it does not take.
    pub(super) fn not_taken(error: impl ToString) -> Self {
        Self::NotTaken(error.to_string())
    }
}
