//! The reasons why a request cannot be decided.

use cedar_policy::{EntityTypeName, EntityUid};
use cedar_policy_core::evaluator::EvaluationError;
use thiserror::Error;

/// Why a request cannot be decided, or an expression not be evaluated; the decision is indeterminate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Undecidable {
    /// The request asks for what the schema does not have.
    #[error("`{0}` is no action of the schema")]
    UnknownAction(Box<EntityUid>),
    /// The schema does not let such a principal be asked about such a resource.
    #[error("`{}` is not asked of `{}` about `{}`", .0.action, .0.principal, .0.resource)]
    NotAsked(Box<NotAsked>),
    /// The principal, the resource or an entity of the context stands nowhere.
    #[error("`{0}` does not exist")]
    Missing(Box<EntityUid>),
    /// Cedar does not take the request, its context, its entities or a policy, and says why.
    #[error("{0}")]
    NotTaken(String),
    /// An expression cannot be evaluated.
    #[error(transparent)]
    Evaluation(Box<EvaluationError>),
    /// A condition is neither true nor false.
    #[error("it is neither true nor false")]
    NotBool,
    /// A part of the entities cannot be had.
    #[error(
        "what was kept of the entities is damaged, and their files have changed since: start again"
    )]
    Damaged,
}

/// What the schema does not let be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAsked {
    /// The action.
    pub action: EntityUid,
    /// The type of the principal.
    pub principal: EntityTypeName,
    /// The type of the resource.
    pub resource: EntityTypeName,
}

impl From<EvaluationError> for Undecidable {
    fn from(error: EvaluationError) -> Self {
        Self::Evaluation(Box::new(error))
    }
}

impl Undecidable {
    /// What Cedar says of what it does not take.
    pub(super) fn not_taken(error: impl ToString) -> Self {
        Self::NotTaken(error.to_string())
    }
}
