//! The OpenAPI document of the endpoints.
//!
//! Requests are parsed by hand, so that messages can point at a fault; the types here only describe them.

#![expect(dead_code, reason = "these types are described, and never made")]

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::server::ServerBuilder;
use utoipa::{IntoResponses, OpenApi, ToSchema};

use crate::app::App;
use crate::authzen::path;
use crate::fault;

/// A subject or resource of a request.
#[derive(ToSchema)]
pub(crate) struct Entity {
    /// The type: that of the schema, or its name for programs.
    #[schema(min_length = 1, example = "user")]
    r#type: String,
    /// The id, or an alias that one entity has.
    #[schema(min_length = 1, example = "ada@contoso.example")]
    id: String,
    /// Attributes; those that the schema marks with `@from_request` are read, and others ignored.
    properties: Option<BTreeMap<String, Value>>,
}

/// The type of the searched entities. An id is ignored.
#[derive(ToSchema)]
pub(crate) struct EntityType {
    /// The type: that of the schema, or its name for programs.
    #[schema(min_length = 1, example = "user")]
    r#type: String,
}

/// The action of a request.
#[derive(ToSchema)]
pub(crate) struct Action {
    /// The name.
    #[schema(min_length = 1, example = "runScript")]
    name: String,
    /// Further keys of the context; the context itself takes precedence.
    properties: Option<BTreeMap<String, Value>>,
}

/// The options of a request.
#[derive(ToSchema)]
pub(crate) struct Options {
    /// Whether the answer has reasons; `full` adds the document of `explain`.
    explain: Option<Explanation>,
    /// The last item of a batch that is decided.
    evaluations_semantic: Option<Semantic>,
}

/// Whether the answer has reasons.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Explanation {
    Asked(bool),
    How(FullExplanation),
}

/// All reasons.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FullExplanation {
    Full,
}

/// The last item of a batch that is decided.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
pub(crate) enum Semantic {
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

/// A request for one decision.
#[derive(ToSchema)]
pub(crate) struct EvaluationRequest {
    subject: Entity,
    action: Action,
    resource: Entity,
    /// The context; keys that the schema declares for the action are read, and others ignored.
    context: Option<BTreeMap<String, Value>>,
    options: Option<Options>,
}

/// A request for several decisions. The members beside the items are their defaults, as whole entities.
#[derive(ToSchema)]
pub(crate) struct EvaluationsRequest {
    subject: Option<Entity>,
    action: Option<Action>,
    resource: Option<Entity>,
    context: Option<BTreeMap<String, Value>>,
    options: Option<Options>,
    evaluations: Option<Vec<Item>>,
}

/// A request of a batch.
#[derive(ToSchema)]
pub(crate) struct Item {
    subject: Option<Entity>,
    action: Option<Action>,
    resource: Option<Entity>,
    context: Option<BTreeMap<String, Value>>,
}

/// The page of a search that is wanted.
#[derive(ToSchema)]
pub(crate) struct PageRequest {
    /// The `next_token` of the page before.
    token: Option<String>,
    /// The most results.
    #[schema(minimum = 0)]
    limit: Option<u64>,
}

/// A search for subjects.
#[derive(ToSchema)]
pub(crate) struct SubjectSearchRequest {
    subject: EntityType,
    action: Action,
    resource: Entity,
    context: Option<BTreeMap<String, Value>>,
    page: Option<PageRequest>,
}

/// A search for resources.
#[derive(ToSchema)]
pub(crate) struct ResourceSearchRequest {
    subject: Entity,
    action: Action,
    resource: EntityType,
    context: Option<BTreeMap<String, Value>>,
    page: Option<PageRequest>,
}

/// A search for actions.
#[derive(ToSchema)]
pub(crate) struct ActionSearchRequest {
    subject: Entity,
    resource: Entity,
    context: Option<BTreeMap<String, Value>>,
    page: Option<PageRequest>,
}

/// The answer to one request, or to several.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum BatchAnswer {
    One(Box<crate::authzen::AnswerBody>),
    Several(crate::authzen::BatchBody),
}

/// The answer to a search.
#[derive(ToSchema)]
pub(crate) struct SearchAnswer {
    /// There if the request speaks of pages, or the answer is not whole.
    page: Option<PageAnswer>,
    /// There if something could not be decided.
    context: Option<SearchContextAnswer>,
    results: Vec<Found>,
}

/// The position of a page in a list.
#[derive(ToSchema)]
pub(crate) struct PageAnswer {
    /// Empty at the end.
    next_token: String,
    count: u64,
    total: u64,
}

/// The context of the results of a search.
#[derive(ToSchema)]
pub(crate) struct SearchContextAnswer {
    /// The candidates that could not be decided, which are not among the results.
    undecided: u64,
}

/// Something that was found.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Found {
    Entity { r#type: String, id: String },
    Action { name: String },
}

/// Why there is no answer, in one sentence.
#[derive(ToSchema)]
pub(crate) struct ErrorObject {
    error: String,
}

/// The body of an error.
#[derive(IntoResponses)]
pub(crate) enum Faults {
    /// The request is malformed.
    #[response(status = 400)]
    BadRequest(#[to_schema] ErrorObject),
    /// The caller is unknown.
    #[response(status = 401)]
    Unauthorized(#[to_schema] ErrorObject),
    /// The caller may not ask this, or a page of another site has.
    #[response(status = 403)]
    Forbidden(#[to_schema] ErrorObject),
    /// The body did not come in time.
    #[response(status = 408)]
    Timeout(#[to_schema] ErrorObject),
    /// The body is too large.
    #[response(status = 413)]
    TooLarge(#[to_schema] ErrorObject),
    /// The request is for another host.
    #[response(status = 421)]
    Misdirected(#[to_schema] ErrorObject),
    /// The head of the request is too large.
    #[response(status = 431)]
    HeadTooLarge,
    /// The body is no JSON, at an endpoint of `/api/v1`.
    #[response(status = 415)]
    NoJson(#[to_schema] ErrorObject),
    /// Something went wrong that the log tells.
    #[response(status = 500)]
    Broken(#[to_schema] ErrorObject),
    /// There is no room, the server is stopping, or the answer took too long.
    #[response(status = 503)]
    Unavailable(#[to_schema] ErrorObject),
}

/// The endpoints.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "tarbac",
        description = "Decisions by AuthZEN 1.0.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(
        crate::authzen::evaluation::evaluation,
        crate::authzen::evaluations::evaluations,
        crate::authzen::search::subject,
        crate::authzen::search::resource,
        crate::authzen::search::action,
        crate::authzen::metadata::metadata,
        crate::authzen::signature::keys,
        crate::explore::api::status,
        crate::explore::api::actions,
        crate::explore::api::all_readings,
        crate::explore::api::find,
        crate::explore::api::explain,
        crate::explore::api::who,
        crate::explore::api::what,
        crate::explore::api::matrix,
        crate::explore::api::access,
        crate::explore::changes::revisions,
        crate::explore::changes::changes,
        crate::explore::what_if::begin,
        crate::explore::job::watch,
        crate::explore::job::stop,
        crate::health::live,
        crate::health::ready,
        crate::health::version,
        crate::metrics::metrics,
        crate::reload::reload,
        crate::reload::poll
    )
)]
struct Document;

/// `GET /openapi.json`
pub(crate) async fn openapi(State(app): State<Arc<App>>) -> Response {
    let mut document = Document::openapi();
    document.info.version = env!("CARGO_PKG_VERSION").to_owned();
    let paths = &mut document.paths.paths;
    let (about, keys) = (paths.remove(path::METADATA), paths.remove(path::KEYS));
    if let Some(url) = &app.settings.public_url {
        let server = |url: String| Some(vec![ServerBuilder::new().url(url).build()]);
        document.servers = server(url.as_str().to_owned());
        // The paths of these two do not begin with the path of the public URL.
        let about = about.map(|about| (format!("{}{}", path::METADATA, url.path()), about));
        let keys = keys.filter(|_| app.metadata_key.is_some());
        let keys = keys.map(|keys| (path::KEYS.to_owned(), keys));
        for (path, mut described) in about.into_iter().chain(keys) {
            described.servers = server(format!("https://{}", url.authority()));
            paths.insert(path, described);
        }
    }
    fault::json(StatusCode::OK, &document)
}
