//! The callers, and what each may ask.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use tarbac_analysis::decision_log::CallerBy;

use crate::fault::Fault;
use crate::metrics::Reason;

/// The name of whoever was not asked for it.
const ANONYMOUS: &str = "anonymous";

/// What a caller may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Right {
    /// Decisions.
    Evaluate,
    /// Searches.
    Search,
    /// Explanations.
    Explore,
    /// Metrics and reloads.
    Operate,
}

/// Who asks. It stands in the extensions of every request that reaches an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    name: Arc<str>,
    by: CallerBy,
    rights: Vec<Right>,
}

impl Caller {
    /// Whoever reaches a listener that asks nobody who they are.
    pub(crate) fn local() -> Self {
        Self {
            name: ANONYMOUS.into(),
            by: CallerBy::Nothing,
            rights: vec![
                Right::Evaluate,
                Right::Search,
                Right::Explore,
                Right::Operate,
            ],
        }
    }

    /// The name; `anonymous` for whoever was not asked for it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How the caller said who it is.
    pub(crate) fn by(&self) -> CallerBy {
        self.by
    }

    pub(crate) fn has(&self, right: Right) -> bool {
        self.rights.contains(&right)
    }

    /// Refuses whoever lacks a right.
    pub(crate) fn demand(&self, right: Right) -> Result<(), Fault> {
        match self.has(right) {
            true => Ok(()),
            false => Err(Fault::new(
                StatusCode::FORBIDDEN,
                "the caller lacks the right for this request",
            )
            .because(Reason::auth)),
        }
    }
}

/// Finds out who asks, before an endpoint is reached.
pub(crate) async fn identify(mut request: Request, next: Next) -> Response {
    request.extensions_mut().insert(Caller::local());
    next.run(request).await
}
