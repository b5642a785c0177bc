//! The endpoints of `/api/v1` that answer at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use tarbac_host::excerpt::Excerpts;
use tarbac_report::{VERSION, provenance, readings};

use super::arguments::Arguments;
use super::documents::Question;
use super::name_search::{Hit, found};
use crate::app::App;
use crate::caller::{Caller, Right};
use crate::fault::Fault;
use crate::http::{REVISION, body};
use crate::json;
use crate::openapi::Faults;
use crate::served::Served;

/// The endpoints, by their paths below the public URL.
pub(crate) mod path {
    /// The workspace that is served.
    pub(crate) const STATUS: &str = "/api/v1/status";
    /// The permissions.
    pub(crate) const ACTIONS: &str = "/api/v1/actions";
    /// The readings.
    pub(crate) const READINGS: &str = "/api/v1/readings";
    /// Names, as they are typed.
    pub(crate) const FIND: &str = "/api/v1/find";
    /// Why a decision is what it is.
    pub(crate) const EXPLAIN: &str = "/api/v1/explain";
    /// Everybody who may.
    pub(crate) const WHO: &str = "/api/v1/who";
    /// Everything that a person may do.
    pub(crate) const WHAT: &str = "/api/v1/what";
    /// The permissions of roles, or the decisions about people.
    pub(crate) const MATRIX: &str = "/api/v1/matrix";
    /// The access review.
    pub(crate) const ACCESS: &str = "/api/v1/access";
}

/// The state of the server.
#[derive(Debug, Serialize)]
struct StatusBody<'a> {
    version: u32,
    /// When it was read.
    loaded: String,
    policies: usize,
    /// The entities of each type that has any.
    entities: BTreeMap<String, usize>,
    readings: &'a [String],
    /// The warnings, as `validate` has them.
    warnings: Vec<Value>,
    /// The name of the caller.
    caller: &'a str,
    /// The number of the revision, if it comes from a store.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    /// Why the newest state is not what is served, if it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    stale: Option<&'a str>,
}

/// The workspace that is served.
#[utoipa::path(
    get,
    path = path::STATUS,
    responses((status = 200, body = BTreeMap<String, Value>), Faults),
    tag = "Explore"
)]
pub(crate) async fn status(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Fault> {
    caller.demand(Right::Explore)?;
    let served = app.served();
    let stale = app.stale();
    let document = status_document(&served, caller.name(), stale.as_deref());
    Ok(answered(&served, document))
}

/// The state of the server as a document.
pub(crate) fn status_document(served: &Served, caller: &str, stale: Option<&str>) -> String {
    let excerpts = Excerpts::read(&served.findings);
    let warnings = tarbac_report::findings::entries(&served.findings, &excerpts);
    let warnings = warnings
        .iter()
        .filter_map(|of| serde_json::to_value(of).ok());
    let engine = &served.engine;
    let body = StatusBody {
        version: VERSION,
        loaded: served.loaded.to_string(),
        policies: engine.bundle().policies().len(),
        entities: served.entities_by_type().into_iter().collect(),
        readings: engine.readings(),
        warnings: warnings.collect(),
        caller,
        number: served.name().map(|name| name.number),
        stale,
    };
    provenance::document(body, engine.provenance())
}

/// A permission.
#[derive(Debug, Serialize)]
struct ActionBody<'a> {
    id: &'a str,
    name: &'a str,
    short_name: &'a str,
    resources: Vec<String>,
}

#[derive(Debug, Serialize)]
struct ActionsBody<'a> {
    version: u32,
    actions: Vec<ActionBody<'a>>,
}

/// The permissions.
#[utoipa::path(
    get,
    path = path::ACTIONS,
    responses((status = 200, body = BTreeMap<String, Value>), Faults),
    tag = "Explore"
)]
pub(crate) async fn actions(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Fault> {
    caller.demand(Right::Explore)?;
    let served = app.served();
    let permissions = served.engine.bundle().vocabulary().permissions();
    let actions = permissions.map(|action| ActionBody {
        id: action.id(),
        name: action.name(),
        short_name: action.short_name(),
        resources: action.resources.iter().map(ToString::to_string).collect(),
    });
    let body = ActionsBody {
        version: VERSION,
        actions: actions.collect(),
    };
    Ok(answered(
        &served,
        provenance::document(body, served.engine.provenance()),
    ))
}

/// The readings, as `tarbac readings` lists them.
#[utoipa::path(
    get,
    path = path::READINGS,
    responses((status = 200, body = BTreeMap<String, Value>), Faults),
    tag = "Explore"
)]
pub(crate) async fn all_readings(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Fault> {
    caller.demand(Right::Explore)?;
    let served = app.served();
    let document = readings::document(served.engine.bundle().readings(), &served.engine);
    Ok(answered(&served, document))
}

#[derive(Debug, Serialize)]
struct FindBody {
    version: u32,
    results: Vec<Hit>,
}

/// Names of which a word begins with a text, best first.
#[utoipa::path(
    get,
    path = path::FIND,
    params(
        ("q" = String, Query, description = "The beginning of a word"),
        ("kind" = Option<String>, Query, description = "principal, resource, action, role, assignee, or a type"),
        ("limit" = Option<u32>, Query, description = "The most results")
    ),
    responses((status = 200, body = BTreeMap<String, Value>), Faults),
    tag = "Explore"
)]
pub(crate) async fn find(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    uri: Uri,
) -> Result<Response, Fault> {
    caller.demand(Right::Explore)?;
    let mut given = Arguments::of_query(uri.query().unwrap_or_default());
    let text = given.text("q")?.unwrap_or_default();
    let (kinds, limit) = (given.texts("kind")?, given.number("limit")?);
    given.finish()?;
    let kinds = (!kinds.is_empty()).then(|| kinds.join(","));
    let served = app.served();
    let asked = Arc::clone(&served);
    let results = app
        .workers
        .run(move |_| found(&asked, &text, kinds.as_deref(), limit));
    let body = FindBody {
        version: VERSION,
        results: results.await??,
    };
    Ok(answered(
        &served,
        provenance::document(body, served.engine.provenance()),
    ))
}

/// Endpoints that answer a question with the document of a command.
macro_rules! documents {
    ($($(#[$doc:meta])+ $name:ident, $question:ident, $path:path;)+) => {$(
        $(#[$doc])+
        #[utoipa::path(
            post,
            path = $path,
            request_body = BTreeMap<String, Value>,
            responses((status = 200, body = BTreeMap<String, Value>), Faults),
            tag = "Explore"
        )]
        pub(crate) async fn $name(
            state: State<Arc<App>>,
            caller: Extension<Caller>,
            request: Request,
        ) -> Result<Response, Fault> {
            ask(Question::$question, state, caller, request).await
        }
    )+};
}

documents! {
    /// Why a decision is what it is, as `tarbac explain` says.
    explain, Explain, path::EXPLAIN;
    /// Everybody who may, as `tarbac who` lists them.
    who, Who, path::WHO;
    /// Everything that a person may do, as `tarbac what` lists it.
    what, What, path::WHAT;
    /// The permissions of roles or the decisions about people, as `tarbac matrix` shows them.
    matrix, Matrix, path::MATRIX;
}

/// The access review, as `tarbac access` makes it.
#[utoipa::path(
    post,
    path = path::ACCESS,
    request_body = BTreeMap<String, Value>,
    responses(
        (status = 200, body = BTreeMap<String, Value>),
        (status = 202, body = BTreeMap<String, Value>, description = "It takes its time; Location says where it will be"),
        (status = 429, body = crate::openapi::ErrorObject, description = "Two are being computed"),
        Faults
    ),
    tag = "Explore"
)]
pub(crate) async fn access(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Fault> {
    caller.demand(Right::Explore)?;
    let given = arguments(&app, request).await?;
    super::access::answer(&app, &caller, given).await
}

async fn ask(
    question: Question,
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Fault> {
    caller.demand(Right::Explore)?;
    let given = arguments(&app, request).await?;
    let served = app.served();
    let asked = Arc::clone(&served);
    let document = app.workers.run(move |_| question.document(&asked, given));
    Ok(answered(&served, document.await??))
}

/// The arguments that the body of a request has.
///
/// # Errors
/// The body is no JSON object, or has another media type (415).
pub(crate) async fn arguments(app: &App, request: Request) -> Result<Arguments, Fault> {
    if !body::is_json(request.headers()) {
        let message = "the header Content-Type is not application/json";
        return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    let body = body::json(request, app.settings.limits.body).await?;
    Ok(Arguments::of_json(json::object(&body)?))
}

/// A document, with the revision that it was made of.
pub(crate) fn answered(served: &Served, document: String) -> Response {
    let mut headers = HeaderMap::new();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(REVISION, served.revision_header());
    (headers, document).into_response()
}
