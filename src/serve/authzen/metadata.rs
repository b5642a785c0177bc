//! The AuthZEN metadata document: the URLs of the endpoints.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::path;
use crate::app::App;
use crate::fault::{self, Fault};
use crate::openapi::Faults;

/// The document, without what is not configured.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Metadata<'a> {
    pub(super) policy_decision_point: &'a str,
    access_evaluation_endpoint: String,
    access_evaluations_endpoint: String,
    search_subject_endpoint: String,
    search_resource_endpoint: String,
    search_action_endpoint: String,
}

/// The document, and the same signed, if there is a key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MetadataAnswer<'a> {
    #[serde(flatten)]
    metadata: Metadata<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_metadata: Option<String>,
}

/// The addresses of the endpoints.
#[utoipa::path(get, path = path::METADATA, responses((status = 200, body = MetadataAnswer), Faults), tag = "AuthZEN")]
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
    let key = app.metadata_key.as_ref();
    let answer = MetadataAnswer {
        signed_metadata: key.map(|key| key.sign(&metadata)).transpose()?,
        metadata,
    };
    Ok(for_an_hour(fault::json(StatusCode::OK, &answer)))
}

/// Lets clients cache a response for an hour.
pub(super) fn for_an_hour(mut response: Response) -> Response {
    let hour = HeaderValue::from_static("max-age=3600");
    response.headers_mut().insert(header::CACHE_CONTROL, hour);
    response
}
