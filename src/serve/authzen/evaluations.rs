//! The endpoint for a batch of decisions.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::response::Response;
use rayon::prelude::*;
use serde_json::Value;

use super::answer::{AnswerBody, BatchBody};
use super::evaluation::{answered, decide, single};
use super::path;
use super::request::{Asked, Explain, Object, Parts, explain, member, wrong};
use crate::app::App;
use crate::caller::{Caller, Right};
use crate::decided::{Call, Decided};
use crate::fault::Fault;
use crate::http::{RequestId, body};
use crate::json;
use crate::openapi::{BatchAnswer, EvaluationsRequest, Faults};
use crate::served::Served;
use crate::work::Waiting;

/// The most items of a batch that is decided on the thread of the request. Longer batches go to the workers.
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
    items: Vec<Value>,
    defaults: Parts,
    semantic: Semantic,
    explain: Explain,
}

/// The same for several requests, all decided with one revision.
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
    let mut object = json::object(&body)?;
    let call = Call {
        caller,
        request_id,
        workspace: app.workspace_name(),
        endpoint: path::EVALUATIONS,
    };
    let Some(batch) = Batch::take(&mut object, app.settings.limits.evaluations)? else {
        return single(&app, &call, &mut object).await;
    };
    if batch.explain != Explain::No {
        call.caller.demand(Right::Explore)?;
    }
    let explain = batch.explain;
    app.metrics.decisions.batch(batch.items.len());
    let served = app.served();
    let decided = match batch.items.len() {
        0..=FEW if explain == Explain::No => batch.decided(&served, &Waiting::default()),
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
    /// Takes a batch of at most `most` items out of a request; `None` if the request asks for one decision.
    ///
    /// # Errors
    /// A member has the wrong JSON type or an unknown value, or there are too many items.
    pub(super) fn take(object: &mut Object, most: usize) -> Result<Option<Self>, Fault> {
        let items = match member(object, "evaluations") {
            None => Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(wrong("", "evaluations", "is not an array")),
        };
        let options = match object.get("options") {
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
            return Err(wrong("", "evaluations", &message));
        }
        let defaults = Parts::take(object, "")?;
        defaults.check("")?;
        Ok(Some(Self {
            items,
            defaults,
            semantic,
            explain: explain(&options)?,
        }))
    }

    /// The decisions in the order of the items. Each item is decided independently.
    fn decided(self, served: &Served, waiting: &Waiting) -> Vec<Decided> {
        let Self {
            items,
            defaults,
            semantic,
            explain,
        } = self;
        let one = |(number, item): (usize, Value)| {
            let asked = item_asked(&defaults, number, item);
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
fn item_asked(defaults: &Parts, number: usize, item: Value) -> Result<Asked, Fault> {
    let at = format!("/evaluations/{number}");
    match item {
        Value::Object(mut object) => Parts::take(&mut object, &at)?.or(defaults).asked(&at),
        _ => Err(wrong(
            "/evaluations",
            &number.to_string(),
            "is not an object",
        )),
    }
}
