//! The callers, and what each may ask.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;

use crate::fault::Fault;
use crate::metrics::Reason;

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
    /// The name; none for whoever is on this machine.
    pub(crate) name: Option<String>,
    rights: Vec<Right>,
}

impl Caller {
    /// Whoever reaches a listener that asks nobody who they are.
    pub(crate) fn local() -> Self {
        Self {
            name: None,
            rights: vec![
                Right::Evaluate,
                Right::Search,
                Right::Explore,
                Right::Operate,
            ],
        }
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
