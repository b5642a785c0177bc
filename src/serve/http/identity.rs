//! The headers of every response, and the id of every request.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use uuid::Uuid;

use crate::app::App;
use crate::authzen::path;
use crate::clock;
use crate::explore::{api, job, what_if};
use crate::metrics::Reason;
use crate::trace;

/// The id of a request, and the trace that it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct RequestId {
    /// The header `X-Request-Id`, or a new id.
    pub(crate) id: HeaderValue,
    /// The header `traceparent`.
    traceparent: Option<HeaderValue>,
}

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The revision that an answer was made with.
pub(crate) const REVISION: HeaderName = HeaderName::from_static("tarbac-revision");

impl RequestId {
    /// The id that the request brings, byte for byte, or a new one that sorts by time.
    fn from_request(request: &Request) -> Self {
        let sent = request.headers().get(REQUEST_ID).cloned();
        let id = sent.unwrap_or_else(|| {
            let id = Uuid::now_v7().to_string();
            HeaderValue::from_str(&id).unwrap_or_else(|_| HeaderValue::from_static("-"))
        });
        Self {
            id,
            traceparent: request.headers().get(TRACEPARENT).cloned(),
        }
    }

    /// The id of the trace (W3C Trace Context): 32 digits, not all of them 0.
    pub(crate) fn trace(&self) -> Option<&str> {
        let header = self.traceparent.as_ref()?.to_str().ok()?;
        let trace = header.split('-').nth(1)?;
        let is_digit = |of: u8| of.is_ascii_digit() || (b'a'..=b'f').contains(&of);
        let is_id = trace.len() == 32 && trace.bytes().all(is_digit);
        (is_id && trace.bytes().any(|digit| digit != b'0')).then_some(trace)
    }
}

/// Gives each request its id, span and metrics, and each response the common headers.
pub(crate) async fn identify(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    let began = clock::instant();
    let _in_flight = app.metrics.http.enter();
    let endpoint = endpoint(&app, &request);
    let method = method(&request);
    let id = RequestId::from_request(&request);
    request.extensions_mut().insert(id.clone());
    let span = trace::request(method, endpoint, request.headers());
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Some(reason) = response.extensions().get::<Reason>() {
        app.metrics.http.reject(*reason);
    }
    let status = response.status().as_u16();
    span.record("http.response.status_code", status);
    app.metrics
        .http
        .answered(endpoint, method, status, began.elapsed());
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id.id);
    // The server of several has no revision of its own.
    if app.workspaces.is_none() {
        let revision = || app.served().revision_header();
        headers.entry(REVISION).or_insert_with(revision);
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

/// The names of endpoints in metrics, by path.
const ENDPOINTS: [(&str, &str); 36] = [
    (path::EVALUATION, "evaluation"),
    (path::EVALUATIONS, "evaluations"),
    (path::SEARCH_SUBJECT, "search_subject"),
    (path::SEARCH_RESOURCE, "search_resource"),
    (path::SEARCH_ACTION, "search_action"),
    (path::METADATA, "metadata"),
    (path::KEYS, "jwks"),
    ("/livez", "livez"),
    ("/readyz", "readyz"),
    ("/version", "version"),
    ("/metrics", "metrics"),
    ("/openapi.json", "openapi"),
    ("/-/reload", "reload"),
    ("/-/poll", "poll"),
    (api::path::STATUS, "status"),
    (api::path::ACTIONS, "actions"),
    (api::path::READINGS, "readings"),
    (api::path::FIND, "find"),
    (api::path::EXPLAIN, "explain"),
    (api::path::WHO, "who"),
    (api::path::WHAT, "what"),
    (api::path::MATRIX, "matrix"),
    (api::path::ACCESS, "access"),
    (what_if::PATH, "what_if"),
    (job::JOB, "what_if"),
    ("/", "page"),
    ("/who", "page"),
    ("/what", "page"),
    ("/why", "page"),
    ("/what-if", "page"),
    ("/access", "page"),
    ("/roles", "page"),
    ("/find", "page"),
    ("/sign-in", "page"),
    ("/sign-out", "page"),
    ("/assets/{name}", "page"),
];

/// The name of a request's endpoint; `other` for an unknown path.
fn endpoint(app: &App, request: &Request) -> &'static str {
    let Some(matched) = request.extensions().get::<MatchedPath>() else {
        return "other";
    };
    let below = app.mount.as_str();
    let matched = matched.as_str();
    let bare = matched.strip_prefix(below).unwrap_or(matched);
    let is_matched = |path: &str| {
        let rest = matched.strip_prefix(path);
        bare == path || rest.is_some_and(|rest| rest == below)
    };
    let found = ENDPOINTS.iter().find(|(path, _)| is_matched(path));
    found.map_or("other", |(_, name)| *name)
}

/// The method of a request as a label; `other` for a method that no endpoint takes.
fn method(request: &Request) -> &'static str {
    match *request.method() {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
