//! The endpoint for one decision.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use tarbac_host::decision::Outcome;
use tarbac_host::{Decision, Request as CedarRequest};

use super::answer::AnswerBody;
use super::explain::Reasons;
use super::path;
use super::request::{At, DecisionRequest, Explain, Object, Parts, explain, object_in};
use super::resolve::{Problem, Resolved, resolve};
use crate::app::App;
use crate::caller::{Caller, Right};
use crate::clock;
use crate::decided::{Call, Decided};
use crate::fault::{self, Fault};
use crate::http::{RequestId, body};
use crate::json;
use crate::openapi::{EvaluationRequest, Faults};
use crate::served::Served;
use crate::trace::step;
use crate::work::Waiting;

/// May somebody do something to something?
#[utoipa::path(
    post,
    path = path::EVALUATION,
    request_body = EvaluationRequest,
    responses((status = 200, body = AnswerBody), Faults),
    tag = "AuthZEN"
)]
pub(crate) async fn evaluation(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Result<Response, Fault> {
    caller.demand(Right::Evaluate)?;
    let body = body::json(request, app.settings.limits.body).await?;
    let mut object = json::object(&body)?;
    let call = Call {
        caller,
        request_id,
        workspace: app.workspace_name(),
        endpoint: path::EVALUATION,
    };
    single(&app, &call, &mut object).await
}

/// The answer to a request for one decision.
pub(super) async fn single(
    app: &Arc<App>,
    call: &Call,
    object: &mut Object,
) -> Result<Response, Fault> {
    let options = object_in(object, "", "options")?.unwrap_or_default();
    let explain = wanted(call, &options)?;
    let asked = Parts::take(object, At::REQUEST)?.asked(At::REQUEST)?;
    let served = app.served();
    let decided = match explain {
        Explain::No => decide(&served, None, Ok(asked), explain),
        Explain::Yes | Explain::Full => {
            let served = Arc::clone(&served);
            let work = move |_: &Waiting| decide(&served, None, Ok(asked), explain);
            app.workers.run(work).await?
        }
    };
    // A malformed request was not decided, so it is neither logged nor counted.
    if let Some(problem) = decided.problem.as_ref().filter(|of| of.is_fault) {
        return Err(problem.clone().into());
    }
    let decided = Arc::new([decided]);
    let given: Arc<[Decided]> = Arc::<[Decided; 1]>::clone(&decided);
    app.give(call, &served, &given)?;
    let [decided] = &*decided;
    Ok(answered(&served, &AnswerBody::new(decided)))
}

/// The explanation that the options ask for.
///
/// # Errors
/// The option is invalid, or the caller lacks the right to explanations.
pub(super) fn wanted(call: &Call, options: &Object) -> Result<Explain, Fault> {
    let explain = explain(options)?;
    if explain != Explain::No {
        call.caller.demand(Right::Explore)?;
    }
    Ok(explain)
}

/// A response in JSON, with the served revision in its header.
pub(super) fn answered(served: &Served, body: &impl serde::Serialize) -> Response {
    let mut response = fault::json(StatusCode::OK, body);
    let headers = response.headers_mut();
    headers.insert(crate::http::REVISION, served.revision_header());
    response
}

/// Decides a request, and explains the decision if asked. A request that could not be parsed becomes a problem.
pub(super) fn decide(
    served: &Served,
    item: Option<usize>,
    asked: Result<DecisionRequest, Fault>,
    explain: Explain,
) -> Decided {
    let began = clock::instant();
    let step = step!("decide").entered();
    let (asked, resolved, outcome) = match asked {
        Err(fault) => (None, None, Err(Problem::from(fault))),
        Ok(asked) => match resolve(served, &asked, explain) {
            Err(problem) => (Some(asked), None, Err(problem)),
            Ok(resolved) => {
                let outcome = outcome(served, &resolved);
                (Some(asked), Some(resolved), outcome)
            }
        },
    };
    let (outcome, problem) = match outcome {
        Ok(outcome) if outcome.decision == Decision::Indeterminate => {
            (outcome, Some(Problem::undecided()))
        }
        Ok(outcome) => (outcome, None),
        Err(problem) => {
            let outcome = Outcome::indeterminate([&problem.message]);
            (Arc::new(outcome), Some(problem))
        }
    };
    let mut decided = Decided {
        item,
        asked,
        resolved,
        outcome,
        problem,
        reasons: None,
        took: began.elapsed(),
    };
    drop(step);
    decided.reasons = Reasons::new(served, &decided, explain);
    decided
}

/// The decision about a request, given the attributes that it sets.
pub(super) fn outcome(served: &Served, resolved: &Resolved) -> Result<Arc<Outcome>, Problem> {
    if resolved.set.is_empty() {
        let (principal, resource) = resolved.rows;
        let CedarRequest {
            action, context, ..
        } = &resolved.request;
        return Ok(served.decide_rows((principal, action, resource), context));
    }
    let slice = served.engine.slice_where(&resolved.request, &resolved.set);
    match slice {
        Ok(slice) => Ok(served.decide_in(&resolved.request, &slice)),
        Err(errors) => Err(Problem::not_settable(&errors)),
    }
}
