//! Errors of tests that cannot be run or written.

use thiserror::Error;

/// The reason why a test cannot be run.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum TestError {
    /// A part of the request is not written as an entity.
    #[error("the {part} `{text}` is no entity: {reason}")]
    Uid {
        part: &'static str,
        text: String,
        reason: String,
    },
    #[error("the context cannot be read: {0}")]
    Context(String),
    #[error("the entities cannot be read: {0}")]
    Entities(EntityError),
    #[error("the request cannot be asked: {0}")]
    Request(String),
    #[error("cannot read the entities in `{name}`: {reason}")]
    EntityFile { name: String, reason: String },
    /// The file of entities was not given.
    #[error("cannot read the entities in `{0}`")]
    NoEntityFile(String),
    #[error("there are no entities")]
    NoEntities,
    /// A policy cannot be added to the others; this is Cedar's message.
    #[error("the policies cannot be taken together: {0}")]
    Policies(String),
}

/// The reason why entities cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum EntityError {
    /// The JSON is malformed, or does not conform to the schema.
    #[error("{0}")]
    Invalid(String),
    /// There is no such list.
    #[error("there are none")]
    Missing,
}

impl EntityError {
    pub(super) fn invalid(error: &dyn std::error::Error) -> Self {
        Self::Invalid(super::in_full(error))
    }
}

/// The reason why an expectation cannot be written as a test.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WriteError {
    /// The format has only allow and deny.
    #[error("an indeterminate decision is neither allow nor deny")]
    Indeterminate,
    /// An entity of the request cannot be given; the reasons.
    #[error("{0}")]
    Entities(String),
    /// The action is not in the schema.
    #[error("`{0}` is no action of the schema")]
    UnknownAction(String),
    /// A policy about every action decides a question of the schema in plain Cedar, and none here; its id.
    #[error(
        "a question of the schema, which plain Cedar also puts to `{0}`, a policy about every action"
    )]
    EveryAction(String),
    /// A value has no form in JSON.
    #[error("{0}")]
    Json(String),
}
