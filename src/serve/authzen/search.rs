//! The searches for people, for things and for actions.
//!
//! What is found is what an evaluation of the same revision allows: each candidate is decided, by the decisions that
//! are kept for its class. Where nothing is known of a name, nothing is found.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use cedar_policy::{Context, EntityUid};
use rayon::prelude::*;
use serde::Serialize;
use tarbac_host::decision::Outcome;
use tarbac_host::engine::SetAttribute;
use tarbac_host::{Decision, Request as CedarRequest};
use tarbac_store::Row;

use super::evaluation::{answered, outcome, wanted};
use super::page::{PageBody, Wanted};
use super::request::{AskedAction, Explain, SearchParts, object_in};
use super::resolve::{self, Problem, Resolved};
use super::{json, path};
use crate::app::App;
use crate::caller::{Caller, Right};
use crate::clock;
use crate::decided::{Call, Searched};
use crate::fault::Fault;
use crate::http::{RequestId, body};
use crate::names::Permission;
use crate::openapi::{
    ActionSearchRequest, Faults, ResourceSearchRequest, SearchAnswer, SubjectSearchRequest,
};
use crate::served::Served;
use crate::work::Waiting;

/// What is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Everybody who may.
    Subject,
    /// Everything that it may be done to.
    Resource,
    /// Everything that may be done.
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

/// What goes with the results of a search.
#[derive(Debug, Serialize)]
struct SearchContext {
    /// The candidates that could not be decided, which are not among the results.
    undecided: usize,
}

/// Something that was found.
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

/// Everything that was found.
#[derive(Default)]
struct Found {
    /// The entities, in the order of their ids.
    rows: Vec<Row>,
    /// The names of actions, in order.
    names: Vec<String>,
    undecided: usize,
}

/// Everybody who may.
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

/// Everything that it may be done to.
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

/// Everything that may be done.
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
        let work = move |waiting: &Waiting| find(kind, &served, &asked, waiting);
        app.workers.run(work).await?
    };
    // Nothing is found where a name is unknown; a context that is wrong is refused.
    let found = match found {
        Ok(found) => found,
        Err(problem) if problem.is_fault => return Err(problem.into()),
        Err(_) => Found::default(),
    };
    let body = found.body(kind, &served, &asked, &page);
    app.give_search(
        &call,
        &served,
        &Searched {
            kind,
            asked: &asked,
            count: body.results.len(),
            total: found.total(kind),
            undecided: found.undecided,
            is_page: body.page.is_some(),
            took: began.elapsed(),
        },
    )?;
    Ok(answered(&served, &body))
}

fn find(
    kind: Kind,
    served: &Served,
    asked: &SearchParts,
    waiting: &Waiting,
) -> Result<Found, Problem> {
    match (kind, &asked.action) {
        (Kind::Action, _) => actions(served, asked, waiting),
        (_, Some(action)) => entities(kind, served, asked, action, waiting),
        (_, None) => Ok(Found::default()),
    }
}

/// The entities of the type that is searched, each decided.
fn entities(
    kind: Kind,
    served: &Served,
    asked: &SearchParts,
    action: &AskedAction,
    waiting: &Waiting,
) -> Result<Found, Problem> {
    let permission = resolve::permission(served, &action.name)?;
    let context = resolve::context(
        served,
        permission,
        action,
        asked.context.as_ref(),
        Explain::No,
    )?;
    let searched = resolve::type_of(served, &asked.searched)?;
    let known = match kind {
        Kind::Resource => &asked.subject,
        Kind::Subject | Kind::Action => &asked.resource,
    };
    let Some(known) = known else {
        return Ok(Found::default());
    };
    let other = resolve::entity_of(served, known)?;
    let set = resolve::set_by(served, &other, known);
    let is_asked = match kind {
        Kind::Resource => permission.applies_to(other.type_name(), searched),
        Kind::Subject | Kind::Action => permission.applies_to(searched, other.type_name()),
    };
    if !is_asked {
        return Ok(Found::default());
    }
    let directory = served.engine.directory();
    let rows: Vec<Row> = directory.rows_of(searched).collect();
    let decide = |row: &Row| {
        if waiting.is_over() {
            return None;
        }
        let (principal, resource) = match kind {
            Kind::Resource => (other.clone(), directory.uid(*row)),
            Kind::Subject | Kind::Action => (directory.uid(*row), other.clone()),
        };
        let request = CedarRequest {
            principal,
            action: permission.uid.clone(),
            resource,
            context: context.clone(),
        };
        let decision = decided(served, request, &set)?.decision;
        (decision != Decision::Deny).then_some((*row, decision))
    };
    let decided: Vec<(Row, Decision)> = rows
        .par_iter()
        .with_min_len(64)
        .filter_map(decide)
        .collect();
    let mut found = Found::default();
    for (row, decision) in decided {
        match decision {
            Decision::Allow => found.rows.push(row),
            Decision::Indeterminate => found.undecided += 1,
            Decision::Deny => {}
        }
    }
    found
        .rows
        .sort_by(|one, other| directory.id(*one).cmp(directory.id(*other)));
    Ok(found)
}

/// The decision about a candidate; `None` where an attribute that the request sets is not taken.
fn decided(served: &Served, request: CedarRequest, set: &[SetAttribute]) -> Option<Arc<Outcome>> {
    if set.is_empty() {
        return Some(served.decide(&request));
    }
    let resolved = Resolved {
        request,
        set: set.to_vec(),
    };
    outcome(served, &resolved).ok()
}

/// The actions, each decided.
fn actions(served: &Served, asked: &SearchParts, waiting: &Waiting) -> Result<Found, Problem> {
    let (Some(subject), Some(resource)) = (&asked.subject, &asked.resource) else {
        return Ok(Found::default());
    };
    let principal = resolve::entity_of(served, subject)?;
    let thing = resolve::entity_of(served, resource)?;
    let mut set = resolve::set_by(served, &principal, subject);
    set.extend(resolve::set_by(served, &thing, resource));
    let none = AskedAction::default();
    let mut found = Found::default();
    for permission in served.names.permissions() {
        if waiting.is_over() || !permission.applies_to(principal.type_name(), thing.type_name()) {
            continue;
        }
        // A key may be right for one action and wrong for another.
        let context = resolve::context(
            served,
            permission,
            &none,
            asked.context.as_ref(),
            Explain::No,
        );
        match one_action(served, permission, (&principal, &thing), context, &set) {
            Decision::Allow => found.names.push(name(served, permission)),
            Decision::Indeterminate => found.undecided += 1,
            Decision::Deny => {}
        }
    }
    found.names.sort_unstable();
    Ok(found)
}

fn one_action(
    served: &Served,
    permission: &Permission,
    (principal, resource): (&EntityUid, &EntityUid),
    context: Result<Context, Problem>,
    set: &[SetAttribute],
) -> Decision {
    let Ok(context) = context else {
        return Decision::Indeterminate;
    };
    let request = CedarRequest {
        principal: principal.clone(),
        action: permission.uid.clone(),
        resource: resource.clone(),
        context,
    };
    decided(served, request, set).map_or(Decision::Indeterminate, |outcome| outcome.decision)
}

/// The id of an action, or its whole name where the id alone means several.
fn name(served: &Served, permission: &Permission) -> String {
    let id: &str = permission.uid.id().unescaped();
    let found = served.names.permission(&served.engine, id);
    match found.is_ok_and(|found| found.uid == permission.uid) {
        true => id.to_owned(),
        false => permission.uid.to_string(),
    }
}

impl Found {
    fn total(&self, kind: Kind) -> usize {
        match kind {
            Kind::Action => self.names.len(),
            Kind::Subject | Kind::Resource => self.rows.len(),
        }
    }

    /// The page that is asked for. A type is spelt as the request spells it.
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
