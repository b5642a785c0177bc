//! The endpoint for a batch of decisions.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use rayon::prelude::*;
use serde_json::Value;
use serde_json::value::RawValue;

use super::answer::{AnswerBody, BatchBody};
use super::evaluation::{answered, decide, single};
use super::path;
use super::request::{At, DecisionRequest, Explain, Object, Parts, explain, member, wrong};
use crate::app::App;
use crate::caller::{Caller, Right};
use crate::decided::{Call, Decided};
use crate::fault::Fault;
use crate::http::{RequestId, body};
use crate::json::{self, Listed};
use crate::openapi::{BatchAnswer, EvaluationsRequest, Faults};
use crate::served::Served;
use crate::work::Waiting;

/// The member with the items.
const ITEMS: &str = "evaluations";

/// The most bytes of a batch that is read on the thread of the request. Longer ones go to the workers.
const SHORT: usize = 8 * 1024;

/// The most items that are decided on the thread of the request. More go to the workers.
const FEW: usize = 32;

/// When a batch ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Semantic {
    /// After the last item.
    All,
    /// After the first item with this decision.
    UpTo(bool),
}

/// A parsed batch.
pub(super) struct Batch {
    items: Vec<Result<DecisionRequest, Fault>>,
    semantic: Semantic,
    explain: Explain,
}

/// The decisions about several requests, all with one revision.
#[utoipa::path(
    post,
    path = path::EVALUATIONS,
    request_body = EvaluationsRequest,
    responses((status = 200, body = BatchAnswer), Faults),
    tag = "AuthZEN"
)]
pub(crate) async fn evaluations(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Result<Response, Fault> {
    caller.demand(Right::Evaluate)?;
    let body = body::json(request, app.settings.limits.body).await?;
    let call = Call {
        caller,
        request_id,
        workspace: app.workspace_name(),
        endpoint: path::EVALUATIONS,
    };
    let most = app.settings.limits.evaluations;
    let batch = match body.len() {
        ..=SHORT => Batch::read(&body, most)?,
        _ => {
            let body = body.clone();
            app.workers.run(move |_| Batch::read(&body, most)).await??
        }
    };
    let Some(batch) = batch else {
        return single(&app, &call, &mut json::object(&body)?).await;
    };
    if batch.explain != Explain::No {
        call.caller.demand(Right::Explore)?;
    }
    app.metrics.decisions.batch(batch.items.len());
    let served = app.served();
    let decided = match batch.items.len() {
        ..=FEW if batch.explain == Explain::No => batch.decided(&served, &Waiting::default()),
        _ => {
            let served = Arc::clone(&served);
            let work = move |waiting: &Waiting| batch.decided(&served, waiting);
            app.workers.run(work).await?
        }
    };
    let decided: Arc<[Decided]> = decided.into();
    app.give(&call, &served, &decided)?;
    let evaluations = decided.iter().map(AnswerBody::new).collect();
    Ok(answered(&served, &BatchBody { evaluations }))
}

/// When the batch ends, by its options.
fn semantic(options: &Object) -> Result<Semantic, Fault> {
    let key = "evaluations_semantic";
    match options.get(key) {
        None | Some(Value::Null) => Ok(Semantic::All),
        Some(Value::String(name)) => match name.as_str() {
            "execute_all" => Ok(Semantic::All),
            "deny_on_first_deny" => Ok(Semantic::UpTo(false)),
            "permit_on_first_permit" => Ok(Semantic::UpTo(true)),
            _ => Err(wrong(
                "/options",
                key,
                "is neither execute_all, deny_on_first_deny nor permit_on_first_permit",
            )),
        },
        Some(_) => Err(wrong("/options", key, "is not a string")),
    }
}

impl Batch {
    /// Reads a batch of at most `most` items out of a body; `None` if the request asks for one decision.
    ///
    /// # Errors
    /// It is no JSON object, a member has the wrong JSON type or an unknown value, or there are too many items.
    pub(super) fn read(body: &[u8], most: usize) -> Result<Option<Self>, Fault> {
        let Listed { mut members, items } = json::listed(body, ITEMS)?;
        let items = match (items, member(&mut members, ITEMS)) {
            (Some(items), _) => items,
            (None, None) => Vec::new(),
            (None, Some(_)) => return Err(wrong("", ITEMS, "is not an array")),
        };
        let options = match members.get("options") {
            None | Some(Value::Null) => Object::new(),
            Some(Value::Object(options)) => options.clone(),
            Some(_) => return Err(wrong("", "options", "is not an object")),
        };
        let semantic = semantic(&options)?;
        if items.is_empty() {
            return Ok(None);
        }
        if items.len() > most {
            let message = format!("has {} items, and at most {most} are taken", items.len());
            return Err(wrong("", ITEMS, &message));
        }
        let defaults = Parts::take(&mut members, At::REQUEST)?;
        defaults.check(At::REQUEST)?;
        let explain = explain(&options)?;
        let one = |(number, item): (usize, &RawValue)| {
            let item = json::item(item)?;
            Ok(item_asked(&defaults, number, item))
        };
        // An item that is no JSON makes the whole body no JSON.
        let items: Result<Vec<_>, Fault> = match items.len() {
            ..=FEW => items.into_iter().enumerate().map(one).collect(),
            _ => items
                .into_par_iter()
                .with_min_len(FEW)
                .enumerate()
                .map(one)
                .collect(),
        };
        Ok(Some(Self {
            items: items?,
            semantic,
            explain,
        }))
    }

    /// The decisions in the order of the items. Each item is decided independently.
    fn decided(self, served: &Served, waiting: &Waiting) -> Vec<Decided> {
        let Self {
            items,
            semantic,
            explain,
        } = self;
        let one = |(number, asked): (usize, Result<DecisionRequest, Fault>)| {
            decide(served, Some(number), asked, explain)
        };
        match semantic {
            Semantic::All if items.len() > FEW => items
                .into_par_iter()
                .enumerate()
                .take_any_while(|_| !waiting.is_over())
                .map(one)
                .collect(),
            Semantic::All => items.into_iter().enumerate().map(one).collect(),
            Semantic::UpTo(last) => {
                let mut decided = Vec::new();
                for item in items.into_iter().enumerate() {
                    let one = one(item);
                    let is_last = AnswerBody::new(&one).decision() == last;
                    decided.push(one);
                    if is_last || waiting.is_over() {
                        break;
                    }
                }
                decided
            }
        }
    }
}

/// The request of an item, completed by the defaults of the batch.
fn item_asked(defaults: &Parts, number: usize, item: Value) -> Result<DecisionRequest, Fault> {
    let at = At::item(number);
    match item {
        Value::Object(mut object) => Parts::of_item(&mut object, at)?.or(defaults).asked(at),
        _ => Err(wrong(
            "/evaluations",
            &number.to_string(),
            "is not an object",
        )),
    }
}
