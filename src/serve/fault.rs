//! The errors of HTTP requests, and those that keep the server from starting.

use std::io;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use miette::Diagnostic;
use serde::Serialize;
use thiserror::Error;

use crate::metrics::Reason;
use crate::source::SourceError;

/// An HTTP error: its status, and a sentence for the caller without paths of the machine, stack traces and policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    /// The reason for which metrics count the request as rejected, if they do.
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

    /// This error, counted as a rejection for a reason.
    #[must_use]
    pub(crate) fn because(self, reason: Reason) -> Self {
        Self {
            reason: Some(reason),
            ..self
        }
    }

    /// The request is malformed.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// No request can be answered now; the caller may retry.
    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// An internal error. Only the log has its cause.
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

/// An error of starting or probing a server.
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
        /// The error of the system.
        reason: io::Error,
    },
    /// An address that others can reach, without TLS or without a check of callers.
    #[error("`{address}` can be reached from elsewhere, and {lacking}")]
    #[diagnostic(code(serve::exposed))]
    Exposed {
        /// The address as it was given.
        address: String,
        /// The missing protection.
        lacking: &'static str,
        /// The settings that add the protection or do without it.
        #[help]
        help: &'static str,
    },
    /// A credential file cannot be read or is invalid.
    #[error("cannot use `{path}`: {reason}")]
    #[diagnostic(
        code(serve::credentials),
        help("`tarbac help serving` has what stands in these files")
    )]
    CredentialFile {
        /// The path as it was given.
        path: String,
        /// The fault, without anything that the file contains.
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
        /// The error of the system.
        reason: io::Error,
    },
    /// A store has nothing that can be served.
    #[error("nothing of the store `{place}` can be served: {reason}")]
    #[diagnostic(
        code(serve::store),
        help(
            "`tarbac store status` shows what it has; with --cache, a server that has served the store before starts without it"
        )
    )]
    Store {
        /// The place of the store.
        place: String,
        /// The error.
        reason: SourceError,
    },
    /// A text is no address of a server.
    #[error("`{0}` is no address of a server")]
    #[diagnostic(
        code(serve::probe),
        help("it is like http://127.0.0.1:8180 or unix:/run/tarbac/pdp.sock")
    )]
    Probe(String),
    /// The exporter of spans cannot be set up as the environment says.
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
