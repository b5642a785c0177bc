//! The HTTP transport of the Azure SDK, over the client of this crate.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request, StatusCode, Transport};
use ureq::Agent;
use ureq::http;

use crate::token::SignInError;
use crate::transport::tls;

/// The longest time that a sign-in request may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The largest accepted answer, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// The transport of a credential.
pub(super) fn transport(authorities: Option<&[u8]>) -> Result<Transport, SignInError> {
    Ok(Transport::new(Arc::new(Blocking(agent(authorities)?))))
}

/// A client for sign-in.
pub(super) fn agent(authorities: Option<&[u8]>) -> Result<Agent, SignInError> {
    let tls = tls(authorities).map_err(|error| SignInError(error.to_string()))?;
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(PATIENCE))
        .tls_config(tls);
    Ok(Agent::new_with_config(config.build()))
}

#[derive(Debug)]
struct Blocking(Agent);

#[async_trait]
impl HttpClient for Blocking {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let failed =
            |error: &dyn std::error::Error| Error::with_message(ErrorKind::Io, error.to_string());
        let mut builder = http::Request::builder()
            .method(request.method().as_ref())
            .uri(request.url().as_str());
        for (name, value) in request.headers().iter() {
            builder = builder.header(name.as_str(), value.as_str());
        }
        let body = match request.body() {
            Body::Bytes(bytes) => bytes.to_vec(),
            Body::SeekableStream(_) => {
                let why = "a request to sign in is no stream";
                return Err(Error::with_message(ErrorKind::Io, why));
            }
        };
        let built = builder.body(body).map_err(|error| failed(&error))?;
        let mut response = self.0.run(built).map_err(|error| failed(&error))?;
        let mut headers = Headers::new();
        for (name, value) in response.headers() {
            if let Ok(value) = value.to_str() {
                headers.insert(name.as_str().to_owned(), value.to_owned());
            }
        }
        let status = StatusCode::from(response.status().as_u16());
        let body = response.body_mut().with_config().limit(LARGEST);
        let bytes = body.read_to_vec().map_err(|error| failed(&error))?;
        Ok(AsyncRawResponse::from_bytes(status, headers, bytes))
    }
}
