//! The bodies of AuthZEN answers in JSON.

use serde::Serialize;
use tarbac_host::Decision;
use utoipa::ToSchema;

use super::explain::Reasons;
use super::resolve::Problem;
use crate::decided::Decided;

/// The answer to one request.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnswerBody {
    decision: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<ContextBody>,
}

/// The context of a decision.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct ContextBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorBody>,
    #[serde(flatten)]
    reasons: Option<Reasons>,
}

/// Why a request could not be decided.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    status: u16,
    message: String,
}

/// The answers to a batch.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchBody {
    pub(crate) evaluations: Vec<AnswerBody>,
}

impl AnswerBody {
    /// The answer with a decision: `true` for an allow, and `false` for everything else.
    pub(crate) fn new(decided: &Decided) -> Self {
        let decision = decided.problem.is_none() && decided.outcome.decision == Decision::Allow;
        let context = ContextBody {
            error: decided.problem.as_ref().map(ErrorBody::from),
            reasons: decided.reasons.clone(),
        };
        let is_empty = context.error.is_none() && context.reasons.is_none();
        Self {
            decision,
            context: (!is_empty).then_some(context),
        }
    }

    pub(crate) fn decision(&self) -> bool {
        self.decision
    }
}

impl From<&Problem> for ErrorBody {
    fn from(problem: &Problem) -> Self {
        Self {
            status: problem.status.as_u16(),
            message: problem.message.clone(),
        }
    }
}
