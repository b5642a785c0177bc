//! The refusals of HTTP requests, and the reasons not to serve at all.

use std::io;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use miette::Diagnostic;
use serde::Serialize;
use thiserror::Error;

use crate::metrics::Reason;

/// A status other than 200, with one sentence for the caller: no path of the machine, no stack, no policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    /// Why the request was turned away before it was answered, if it was.
    reason: Option<Reason>,
}

/// The body of an error.
#[derive(Debug, Serialize)]
pub(crate) struct FaultBody<'a> {
    error: &'a str,
}

impl Fault {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            reason: None,
        }
    }

    /// The same, counted as turned away for a reason.
    #[must_use]
    pub(crate) fn because(self, reason: Reason) -> Self {
        Self {
            reason: Some(reason),
            ..self
        }
    }

    /// The request is not what it has to be.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// Nothing can be answered now, and somewhat later it can.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// Something broke that must not. The log says what.
    pub(crate) fn broken() -> Self {
        let message = "something went wrong; the log of the server has the request id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let body = FaultBody {
            error: &self.message,
        };
        let mut response = json(self.status, &body);
        if let Some(reason) = self.reason {
            response.extensions_mut().insert(reason);
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let how = HeaderValue::from_static("Bearer realm=\"tarbac\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            let soon = HeaderValue::from_static("1");
            response.headers_mut().insert(header::RETRY_AFTER, soon);
        }
        response
    }
}

/// An answer in JSON.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(text) => {
            let json = HeaderValue::from_static("application/json");
            (status, [(header::CONTENT_TYPE, json)], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Why nothing is served.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum ServeError {
    /// An address cannot be listened on.
    #[error("cannot listen on `{address}`: {reason}")]
    #[diagnostic(
        code(serve::listen),
        help("name another with --listen; port 0 takes a free one, which is printed")
    )]
    Listen {
        /// The address as it was given.
        address: String,
        /// What the system says.
        reason: io::Error,
    },
    /// An address that others can reach, without TLS or without a check of callers.
    #[error("`{address}` can be reached from elsewhere, and {lacking}")]
    #[diagnostic(code(serve::exposed))]
    Exposed {
        /// The address as it was given.
        address: String,
        /// What is missing.
        lacking: &'static str,
        /// The ways out.
        #[help]
        help: &'static str,
    },
    /// A file of credentials cannot be read, or says something wrong.
    #[error("cannot use `{path}`: {reason}")]
    #[diagnostic(
        code(serve::credentials),
        help("`tarbac help serving` has what stands in these files")
    )]
    CredentialFile {
        /// The path as it was given.
        path: String,
        /// What is wrong, without what the file says.
        reason: String,
    },
    /// The decision log cannot be written.
    #[error("cannot write the decision log `{path}`: {reason}")]
    #[diagnostic(
        code(serve::decision_log),
        help("name a file in a folder that this process may write to, or - for standard output")
    )]
    DecisionLog {
        /// The path as it was given.
        path: String,
        /// What the system says.
        reason: io::Error,
    },
    /// A text is no address of a server.
    #[error("`{0}` is no address of a server")]
    #[diagnostic(
        code(serve::probe),
        help("it is like http://127.0.0.1:8180 or unix:/run/tarbac/pdp.sock")
    )]
    Probe(String),
    /// Spans cannot be sent as the environment says.
    #[error("traces cannot be sent: {0}")]
    #[diagnostic(
        code(serve::traces),
        help(
            "OTEL_EXPORTER_OTLP_ENDPOINT is like http://127.0.0.1:4318; without it, no traces are sent"
        )
    )]
    Traces(String),
    /// The system refuses threads, timers or signals.
    #[error("the server cannot start: {0}")]
    #[diagnostic(code(serve::start), help("look at the limits of the process"))]
    Start(io::Error),
}
