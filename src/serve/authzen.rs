//! The AuthZEN 1.0 endpoints: decisions, searches and metadata.
//!
//! Specification: <https://openid.net/specs/authorization-api-1_0.html>.

mod answer;
pub(crate) mod evaluation;
pub(crate) mod evaluations;
mod explain;
pub(crate) mod metadata;
mod page;
mod request;
mod resolve;
pub(crate) mod search;
pub(crate) mod signature;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use thiserror::Error;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

use crate::app::App;
use crate::explore;
use crate::fault::Fault;
use crate::json;
use crate::openapi;
use crate::page as views;
use request::{At, Parts};

pub(crate) use answer::{AnswerBody, BatchBody};
pub(crate) use explain::Reasons;
pub(crate) use request::{AskedAction, AskedEntity, DecisionRequest, SearchParts};
pub(crate) use resolve::{Problem, Resolved};
pub(crate) use search::Kind;
pub(crate) use signature::MetadataKey;

/// The size in bytes above which an answer is compressed, if the caller accepts that.
const LONG: u64 = 1024;

/// The endpoints, by their paths below the public URL.
pub(crate) mod path {
    /// One decision.
    pub(crate) const EVALUATION: &str = "/access/v1/evaluation";
    /// Several decisions.
    pub(crate) const EVALUATIONS: &str = "/access/v1/evaluations";
    /// The subjects that may do an action to a resource.
    pub(crate) const SEARCH_SUBJECT: &str = "/access/v1/search/subject";
    /// The resources to which a subject may do an action.
    pub(crate) const SEARCH_RESOURCE: &str = "/access/v1/search/resource";
    /// The actions that a subject may do to a resource.
    pub(crate) const SEARCH_ACTION: &str = "/access/v1/search/action";
    /// The metadata document. The path of the public URL is appended to it.
    pub(crate) const METADATA: &str = "/.well-known/authzen-configuration";
    /// The public key that verifies signed metadata.
    pub(crate) const KEYS: &str = "/.well-known/jwks.json";
}

/// The AuthZEN routes and `/openapi.json`, at their paths below the path of the server.
pub(crate) fn routes(below: &str, has_page: bool) -> Router<Arc<App>> {
    let routes = Router::new()
        .route(path::EVALUATION, post(evaluation::evaluation))
        .route(path::EVALUATIONS, post(evaluations::evaluations))
        .route("/openapi.json", get(openapi::openapi))
        .merge(searches())
        .merge(explore::routes());
    let routes = match has_page {
        true => routes.merge(views::routes()),
        false => routes,
    };
    let document = format!("{}{below}", path::METADATA);
    let routes = match below {
        "" => routes,
        below if has_page => Router::new().nest(below, routes).merge(views::home(below)),
        below => Router::new().nest(below, routes),
    };
    routes
        .route(&document, get(metadata::metadata))
        .merge(keys())
}

/// The keys that check signed documents, which are those of the whole server.
pub(crate) fn keys() -> Router<Arc<App>> {
    Router::new().route(path::KEYS, get(signature::keys))
}

/// The search routes, which compress long answers.
fn searches() -> Router<Arc<App>> {
    let is_long = SizeAbove::new(LONG);
    Router::new()
        .route(path::SEARCH_SUBJECT, post(search::subject))
        .route(path::SEARCH_RESOURCE, post(search::resource))
        .route(path::SEARCH_ACTION, post(search::action))
        .layer(CompressionLayer::new().compress_when(is_long))
}

/// The message that the sender of a body gets that is no request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct InvalidRequest(pub String);

/// Parses a body as a request of any endpoint, without deciding it.
///
/// # Errors
/// The body is no request.
///
/// # Examples
/// ```
/// let body = br#"{"subject":{"type":"user"},"action":{"name":"read"},"resource":{"type":"record","id":"1"}}"#;
/// assert!(tarbac_serve::read(body).is_ok());
/// assert_eq!(tarbac_serve::read(b"{}").unwrap_err().to_string(), "/subject is missing");
/// ```
pub fn read(body: &[u8]) -> Result<(), InvalidRequest> {
    let refused = |fault: Fault| InvalidRequest(fault.message);
    let object = json::object(body).map_err(refused)?;
    let searches = [
        SearchParts::of_subjects,
        SearchParts::of_resources,
        SearchParts::of_actions,
    ];
    if searches
        .iter()
        .any(|search| search(&mut object.clone()).is_ok())
    {
        return Ok(());
    }
    let batch = evaluations::Batch::read(body, usize::MAX);
    let one = || Parts::take(&mut object.clone(), At::REQUEST)?.asked(At::REQUEST);
    match batch {
        Ok(Some(_)) => Ok(()),
        Ok(None) => one().map(drop).map_err(refused),
        Err(fault) => Err(refused(fault)),
    }
}
