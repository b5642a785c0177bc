//! The endpoints that search for subjects, resources and actions.
//!
//! A search finds exactly the candidates that an evaluation with the same revision allows: each one is decided, mostly
//! by the kept decision of its class. An unknown name in the request gives an empty result.

mod candidates;

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;

use super::evaluation::{answered, wanted};
use super::page::{PageBody, Wanted};
use super::path;
use super::request::{SearchParts, object_in};
use crate::app::App;
use crate::caller::{Caller, Right};
use crate::clock;
use crate::decided::{Call, Searched};
use crate::fault::Fault;
use crate::http::{RequestId, body};
use crate::json;
use crate::openapi::{
    ActionSearchRequest, Faults, ResourceSearchRequest, SearchAnswer, SubjectSearchRequest,
};
use crate::served::Served;
use crate::trace::step;
use crate::work::Waiting;
use candidates::{SearchResults, find};

/// The kind of a search: the part of requests that it looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The subjects that may do an action to a resource.
    Subject,
    /// The resources to which a subject may do an action.
    Resource,
    /// The actions that a subject may do to a resource.
    Action,
}

/// The answer to a search.
#[derive(Debug, Serialize)]
struct SearchBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<PageBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<SearchContext>,
    results: Vec<ResultBody<'a>>,
}

/// The member `context` of an answer to a search.
#[derive(Debug, Serialize)]
struct SearchContext {
    /// The candidates that could not be decided, which are not among the results.
    undecided: usize,
}

/// A result of a search.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum ResultBody<'a> {
    Entity {
        #[serde(rename = "type")]
        type_name: &'a str,
        id: &'a str,
    },
    Action {
        name: &'a str,
    },
}

/// The subjects that may do an action to a resource.
#[utoipa::path(
    post,
    path = path::SEARCH_SUBJECT,
    request_body = SubjectSearchRequest,
    responses((status = 200, body = SearchAnswer), Faults),
    tag = "AuthZEN"
)]
pub(crate) async fn subject(
    state: State<Arc<App>>,
    caller: Extension<Caller>,
    request_id: Extension<RequestId>,
    request: Request,
) -> Result<Response, Fault> {
    search(Kind::Subject, state, caller, request_id, request).await
}

/// The resources that a subject may do an action to.
#[utoipa::path(
    post,
    path = path::SEARCH_RESOURCE,
    request_body = ResourceSearchRequest,
    responses((status = 200, body = SearchAnswer), Faults),
    tag = "AuthZEN"
)]
pub(crate) async fn resource(
    state: State<Arc<App>>,
    caller: Extension<Caller>,
    request_id: Extension<RequestId>,
    request: Request,
) -> Result<Response, Fault> {
    search(Kind::Resource, state, caller, request_id, request).await
}

/// The actions that a subject may do to a resource.
#[utoipa::path(
    post,
    path = path::SEARCH_ACTION,
    request_body = ActionSearchRequest,
    responses((status = 200, body = SearchAnswer), Faults),
    tag = "AuthZEN"
)]
pub(crate) async fn action(
    state: State<Arc<App>>,
    caller: Extension<Caller>,
    request_id: Extension<RequestId>,
    request: Request,
) -> Result<Response, Fault> {
    search(Kind::Action, state, caller, request_id, request).await
}

impl Kind {
    fn path(self) -> &'static str {
        match self {
            Self::Subject => path::SEARCH_SUBJECT,
            Self::Resource => path::SEARCH_RESOURCE,
            Self::Action => path::SEARCH_ACTION,
        }
    }
}

async fn search(
    kind: Kind,
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Result<Response, Fault> {
    caller.demand(Right::Search)?;
    let body = body::json(request, app.settings.limits.body).await?;
    let mut object = json::object(&body)?;
    let call = Call {
        caller,
        request_id,
        workspace: app.workspace_name(),
        endpoint: kind.path(),
    };
    let began = clock::instant();
    let page = Wanted::take(&mut object, call.endpoint, &app.settings.limits)?;
    let options = object_in(&mut object, "", "options")?.unwrap_or_default();
    wanted(&call, &options)?;
    let asked = match kind {
        Kind::Subject => SearchParts::of_subjects(&mut object)?,
        Kind::Resource => SearchParts::of_resources(&mut object)?,
        Kind::Action => SearchParts::of_actions(&mut object)?,
    };
    let asked = Arc::new(asked);
    let served = app.served();
    let found = {
        let (served, asked) = (Arc::clone(&served), Arc::clone(&asked));
        let work = move |waiting: &Waiting| {
            let _step = step!("search").entered();
            find(kind, &served, &asked, waiting)
        };
        app.workers.run(work).await?
    };
    // An unknown name finds nothing; a wrong context is refused.
    let found = match found {
        Ok(found) => found,
        Err(problem) if problem.is_fault => return Err(problem.into()),
        Err(_) => SearchResults::default(),
    };
    let body = found.body(kind, &served, &asked, &page);
    app.give_search(
        &call,
        &served,
        &Searched {
            kind,
            asked: Arc::clone(&asked),
            count: body.results.len(),
            total: found.total(kind),
            undecided: found.undecided,
            is_page: body.page.is_some(),
            took: began.elapsed(),
        },
    )?;
    Ok(answered(&served, &body))
}

impl SearchResults {
    fn total(&self, kind: Kind) -> usize {
        match kind {
            Kind::Action => self.names.len(),
            Kind::Subject | Kind::Resource => self.rows.len(),
        }
    }

    /// The page that the request asks for. Types are spelled as in the request.
    fn body<'a>(
        &'a self,
        kind: Kind,
        served: &'a Served,
        asked: &'a SearchParts,
        page: &Wanted,
    ) -> SearchBody<'a> {
        let directory = served.engine.directory();
        let (results, page) = match kind {
            Kind::Action => {
                let (names, page) = page.of(&self.names, |name| name);
                let results = names.iter().map(|name| ResultBody::Action { name });
                (results.collect(), page)
            }
            Kind::Subject | Kind::Resource => {
                let (rows, page) = page.of(&self.rows, |row| directory.id(*row));
                let results = rows.iter().map(|row| ResultBody::Entity {
                    type_name: &asked.searched,
                    id: directory.id(*row),
                });
                (results.collect(), page)
            }
        };
        SearchBody {
            page,
            context: (self.undecided > 0).then_some(SearchContext {
                undecided: self.undecided,
            }),
            results,
        }
    }
}
