//! One request to a service, sent and answered.

mod curl;
mod direct;

use std::io::Read;

use crate::secret::Secret;

pub(crate) use curl::Curl;
pub(crate) use direct::{Direct, tls};

/// A way to send requests to a service.
pub(crate) trait Transport: Send + Sync {
    /// Sends a request, with a token if the service takes one, and waits for the status.
    fn send(
        &self,
        url: &str,
        request: Request<'_>,
        token: Option<&Secret>,
    ) -> Result<Answer, Unanswered>;

    /// The name of the credential that a service may not accept.
    fn credential(&self) -> &'static str;
}

/// A request.
#[derive(Clone, Copy)]
pub(crate) enum Request<'r> {
    Get,
    /// A request with a body in JSON.
    Post(&'r str),
}

/// The answer of a service.
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The header `Retry-After`.
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Box<dyn Read>,
}

/// The reason why there is no answer.
#[derive(Debug)]
pub(crate) struct Unanswered {
    pub(crate) reason: String,
    /// Whether repeating the request cannot help.
    pub(crate) is_lasting: bool,
}
