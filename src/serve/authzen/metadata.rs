//! What the server says of itself: its endpoints, for programs that look for them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;

use super::path;
use crate::app::App;
use crate::fault::{self, Fault};

/// The document, without what is not configured.
#[derive(Debug, Serialize)]
struct Metadata<'a> {
    policy_decision_point: &'a str,
    access_evaluation_endpoint: String,
    access_evaluations_endpoint: String,
    search_subject_endpoint: String,
    search_resource_endpoint: String,
    search_action_endpoint: String,
}

/// `GET /.well-known/authzen-configuration`, with the path of the public URL after it.
pub(crate) async fn metadata(State(app): State<Arc<App>>) -> Result<Response, Fault> {
    let Some(url) = &app.settings.public_url else {
        let message = "the server was given no --public-url";
        return Err(Fault::new(StatusCode::NOT_FOUND, message));
    };
    let metadata = Metadata {
        policy_decision_point: url.as_str(),
        access_evaluation_endpoint: url.join(path::EVALUATION),
        access_evaluations_endpoint: url.join(path::EVALUATIONS),
        search_subject_endpoint: url.join(path::SEARCH_SUBJECT),
        search_resource_endpoint: url.join(path::SEARCH_RESOURCE),
        search_action_endpoint: url.join(path::SEARCH_ACTION),
    };
    let mut response = fault::json(StatusCode::OK, &metadata);
    let hour = HeaderValue::from_static("max-age=3600");
    response.headers_mut().insert(header::CACHE_CONTROL, hour);
    Ok(response)
}
