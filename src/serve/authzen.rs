//! AuthZEN 1.0: decisions and searches, and what the server says of itself.
//!
//! The text is that of <https://openid.net/specs/authorization-api-1_0.html>.

mod answer;
pub(crate) mod evaluation;
pub(crate) mod evaluations;
mod explain;
mod json;
pub(crate) mod metadata;
mod page;
mod request;
mod resolve;
pub(crate) mod search;
pub(crate) mod signature;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

use crate::app::App;
use crate::openapi;
use crate::settings::PublicUrl;
use request::Parts;

pub(crate) use answer::{AnswerBody, BatchBody};
pub(crate) use explain::Reasons;
pub(crate) use request::{Asked, AskedAction, AskedEntity, SearchParts};
pub(crate) use resolve::{Problem, Resolved};
pub(crate) use search::Kind;
pub(crate) use signature::MetadataKey;

/// Answers of more bytes are compressed for callers who take that.
const LONG: u64 = 1024;

/// The endpoints, by their paths below the public URL.
pub(crate) mod path {
    /// One decision.
    pub(crate) const EVALUATION: &str = "/access/v1/evaluation";
    /// Several.
    pub(crate) const EVALUATIONS: &str = "/access/v1/evaluations";
    /// Everybody who may.
    pub(crate) const SEARCH_SUBJECT: &str = "/access/v1/search/subject";
    /// Everything that it may be done to.
    pub(crate) const SEARCH_RESOURCE: &str = "/access/v1/search/resource";
    /// Everything that may be done.
    pub(crate) const SEARCH_ACTION: &str = "/access/v1/search/action";
    /// The document about the others. The path of the public URL comes after it.
    pub(crate) const METADATA: &str = "/.well-known/authzen-configuration";
    /// The keys that check the signed document.
    pub(crate) const KEYS: &str = "/.well-known/jwks.json";
}

/// The endpoints that decide, at their paths below the public URL.
pub(crate) fn routes(public_url: Option<&PublicUrl>) -> Router<Arc<App>> {
    let routes = Router::new()
        .route(path::EVALUATION, post(evaluation::evaluation))
        .route(path::EVALUATIONS, post(evaluations::evaluations))
        .route("/openapi.json", get(openapi::openapi))
        .merge(searches());
    let below = public_url.map_or("", PublicUrl::path);
    let document = format!("{}{below}", path::METADATA);
    let routes = match below {
        "" => routes,
        below => Router::new().nest(below, routes),
    };
    routes
        .route(&document, get(metadata::metadata))
        .route(path::KEYS, get(signature::keys))
}

/// The searches, whose answers may be long.
fn searches() -> Router<Arc<App>> {
    let is_long = SizeAbove::new(LONG);
    Router::new()
        .route(path::SEARCH_SUBJECT, post(search::subject))
        .route(path::SEARCH_RESOURCE, post(search::resource))
        .route(path::SEARCH_ACTION, post(search::action))
        .layer(CompressionLayer::new().compress_when(is_long))
}

/// Reads a body as a request of any endpoint, and decides nothing.
///
/// # Errors
/// It is no request, and the sentence that its sender gets.
///
/// # Examples
/// ```
/// let body = br#"{"subject":{"type":"user"},"action":{"name":"read"},"resource":{"type":"record","id":"1"}}"#;
/// assert!(tarbac_serve::read(body).is_ok());
/// assert_eq!(tarbac_serve::read(b"{}"), Err("/subject is missing".to_owned()));
/// ```
pub fn read(body: &[u8]) -> Result<(), String> {
    let object = json::object(body).map_err(|fault| fault.message)?;
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
    let batch = evaluations::Batch::take(&mut object.clone(), usize::MAX);
    let one = || Parts::take(&mut object.clone(), "")?.asked("");
    match batch {
        Ok(Some(_)) => Ok(()),
        Ok(None) => one().map(drop).map_err(|fault| fault.message),
        Err(fault) => Err(fault.message),
    }
}
