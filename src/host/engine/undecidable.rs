//! The reasons why a request cannot be decided.

use std::collections::BTreeSet;

use cedar_policy::{EntityTypeName, EntityUid};
use cedar_policy_core::evaluator::EvaluationError;
use thiserror::Error;

/// The reason why a request cannot be decided or an expression cannot be evaluated; the decision is indeterminate.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Undecidable {
    /// The action is not in the schema.
    #[error("`{0}` is no action of the schema")]
    UnknownAction(Box<EntityUid>),
    /// The schema does not apply the action to such a principal and resource.
    #[error("`{}` is not asked of `{}` about `{}`", .0.action, .0.principal, .0.resource)]
    NotAsked(Box<NotAsked>),
    /// The principal, the resource or an entity of the context does not exist.
    #[error("`{0}` does not exist")]
    Missing(Box<EntityUid>),
    /// Cedar does not accept the request, its context, its entities or a policy; this is its message.
    #[error("{0}")]
    NotTaken(String),
    /// An expression cannot be evaluated.
    #[error(transparent)]
    Evaluation(Box<EvaluationError>),
    /// A condition is neither true nor false.
    #[error("it is neither true nor false")]
    NotBool,
    /// A policy depends on values that are not known, but assumed: these expressions.
    #[error("it depends on {}, which is not known but assumed", listed(.0))]
    NotKnown(BTreeSet<String>),
    /// A part of the entities cannot be read.
    #[error(
        "the cache of the entities is damaged, and their files have changed since: start again"
    )]
    Damaged,
}

/// A combination of action and types that the schema does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAsked {
    /// The action.
    pub action: EntityUid,
    /// The type of the principal.
    pub principal: EntityTypeName,
    /// The type of the resource.
    pub resource: EntityTypeName,
}

fn listed(expressions: &BTreeSet<String>) -> String {
    let quoted = expressions
        .iter()
        .map(|expression| format!("`{expression}`"));
    quoted.collect::<Vec<_>>().join(" and ")
}

impl From<EvaluationError> for Undecidable {
    fn from(error: EvaluationError) -> Self {
        Self::Evaluation(Box::new(error))
    }
}

impl Undecidable {
    /// The message of Cedar about something that it does not accept.
    pub(super) fn not_taken(error: impl ToString) -> Self {
        Self::NotTaken(error.to_string())
    }
}
