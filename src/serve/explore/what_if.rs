//! What-ifs: the question, and the endpoints that begin, watch and stop one.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use tarbac_analysis::change::what_if as changes;
use tarbac_analysis::inquiry::{
    ContextInquiry, InquiryError, Progress, RolesInquiry, ScopeInquiry,
};
use tarbac_host::Switches;
use tarbac_report::{VERSION, json};

use super::access;
use super::api::{answered, arguments};
use super::arguments::{Arguments, Suppositions};
use super::compared::{Compared, add_limits};
use super::documents::ListPart;
use super::supposed::{refused, switches};
use super::typed::{Typed, add_suppositions};
use crate::app::App;
use crate::caller::{Caller, Right};
use crate::fault::{self, Fault};
use crate::jobs::{Computed, Job, State as JobState, WhatIf};
use crate::openapi::Faults;
use crate::served::Served;

/// Where a what-if begins.
pub(crate) const PATH: &str = "/api/v1/what-if";

/// Where one is.
pub(crate) const ONE: &str = "/api/v1/what-if/{id}";

/// The longest that an answer waits for a what-if.
const LONGEST: Duration = Duration::from_secs(25);

/// The question what happens if something is changed.
#[derive(Debug, Clone)]
pub(crate) struct WhatIfQuestion {
    pub(crate) suppositions: Suppositions,
    scope: ScopeInquiry,
    context: ContextInquiry,
    pub(crate) plan: bool,
}

impl WhatIfQuestion {
    /// The question that some arguments ask.
    ///
    /// # Errors
    /// One of them is unknown or wrong.
    pub(crate) fn take(served: &Served, mut given: Arguments) -> Result<Self, Fault> {
        let question = Self {
            suppositions: given.suppositions(served.flags())?,
            scope: given.scope()?,
            context: given.context()?,
            plan: given.flag("plan")?,
        };
        given.flag("all")?;
        given.finish()?;
        let is_limited = question.scope != ScopeInquiry::default();
        match question.plan && is_limited {
            true => Err(Fault::bad_request(
                "a plan is about everybody: leave out `plan`, or `principal`, `action` and `resource`",
            )),
            false => Ok(question),
        }
    }

    /// The equal command.
    pub(crate) fn typed(&self) -> Typed {
        let mut typed = Typed::new("what-if");
        add_suppositions(&mut typed, &self.suppositions);
        add_limits(&mut typed, &self.scope, &self.context);
        if self.plan {
            typed.flag("plan");
        }
        typed
    }

    /// Begins the what-if, unless it was asked before.
    ///
    /// # Errors
    /// Too many are running.
    pub(crate) fn ask(
        self,
        app: &App,
        served: &Arc<Served>,
        caller: &Caller,
    ) -> Result<Arc<Job>, Fault> {
        let command = self.typed().line(app.settings.folder.as_deref());
        let key = format!("{} {command}", served.engine.provenance().revision);
        let served = Arc::clone(served);
        app.jobs.ask(caller, &key, move |progress| {
            let made = self.compute(&served, command, progress)?;
            Ok(Computed::Comparison(Box::new(made)))
        })
    }

    fn compute(
        &self,
        served: &Served,
        command: String,
        progress: &dyn Progress,
    ) -> Result<WhatIf, Fault> {
        let before = &served.engine;
        let Suppositions {
            changes,
            switches: asked,
        } = &self.suppositions;
        let switches = switches(before, asked);
        let supposed = changes::suppose(before, changes, &switches);
        let (after, mut premises) =
            supposed.map_err(|findings| refused(&InquiryError::Findings(findings)))?;
        premises.besides.extend(besides(asked));
        let asked = Compared {
            states: [before, &Arc::new(after)],
            names: None,
            scope: &self.scope,
            context: &self.context,
            roles: match self.plan {
                true => RolesInquiry::Plan,
                false => RolesInquiry::InNeed,
            },
        };
        asked.made(premises, command, progress)
    }
}

/// The readings as they are typed.
fn besides(asked: &Switches) -> impl Iterator<Item = String> {
    let typed = |flag: &'static str| move |name: &String| format!("--{flag} {name}");
    let on = asked.on.iter().map(typed("reading"));
    on.chain(asked.off.iter().map(typed("no-reading")))
}

/// How far a what-if is.
#[derive(Debug, Serialize)]
struct RunningBody<'a> {
    version: u32,
    state: &'static str,
    /// From 0 to 1.
    done: f64,
    id: &'a str,
}

/// Begins a what-if.
#[utoipa::path(
    post,
    path = PATH,
    request_body = BTreeMap<String, Value>,
    responses(
        (status = 202, body = BTreeMap<String, Value>, description = "It is being computed; Location says where"),
        (status = 429, body = crate::openapi::ErrorObject, description = "Two are being computed"),
        Faults
    ),
    tag = "Explore"
)]
pub(crate) async fn begin(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Fault> {
    caller.demand(Right::Explore)?;
    let given = arguments(&app, request).await?;
    let served = app.served();
    let question = WhatIfQuestion::take(&served, given)?;
    let job = question.ask(&app, &served, &caller)?;
    begun(&app, &job)
}

/// The answer that something is being computed, with the place where it is.
pub(super) fn begun(app: &App, job: &Job) -> Result<Response, Fault> {
    let below = app.mount.as_str();
    let location = format!("{below}{PATH}/{}", job.id);
    let location = HeaderValue::from_str(&location).map_err(|_| Fault::broken())?;
    let mut response = fault::json(StatusCode::ACCEPTED, &running(job));
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

fn running(job: &Job) -> RunningBody<'_> {
    RunningBody {
        version: VERSION,
        state: "running",
        done: job.done(),
        id: &job.id,
    }
}

/// What is being computed: how far it is, or the document.
#[utoipa::path(
    get,
    path = ONE,
    params(
        ("id" = String, Path, description = "As Location has it"),
        ("wait" = Option<String>, Query, description = "How long to wait for it, for example 10s"),
        ("limit" = Option<u32>, Query, description = "Of an access review, the most entries"),
        ("after" = Option<String>, Query, description = "Of an access review, the entry to go on after")
    ),
    responses(
        (status = 200, body = BTreeMap<String, Value>),
        (status = 404, body = crate::openapi::ErrorObject, description = "The caller has none of this id"),
        (status = 422, body = crate::openapi::ErrorObject, description = "A revision cannot be read"),
        Faults
    ),
    tag = "Explore"
)]
pub(crate) async fn watch(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Fault> {
    caller.demand(Right::Explore)?;
    let mut given = Arguments::of_query(uri.query().unwrap_or_default());
    let wait = given.text("wait")?;
    let part = ListPart::take(&mut given)?;
    given.finish()?;
    let wait = wait.map_or(Ok(Duration::ZERO), |text| duration(&text))?;
    let job = app.jobs.get(&caller, &id).ok_or_else(gone)?;
    match job.wait(wait).await {
        JobState::Running => Ok(fault::json(StatusCode::OK, &running(&job))),
        JobState::Stopped => Err(gone()),
        JobState::Done(made) => match made.as_ref() {
            Ok(Computed::Comparison(what_if)) => Ok(answered(&app.served(), document(what_if))),
            Ok(Computed::Review(made)) => access::document(&app, made.clone(), part).await,
            Err(fault) => Err(fault.clone()),
        },
    }
}

/// The document, with the equal command.
pub(crate) fn document(what_if: &WhatIf) -> String {
    let document = what_if.report().document();
    match serde_json::from_str(&document) {
        Ok(Value::Object(mut members)) => {
            let command = Value::from(what_if.command.as_str());
            members.insert("command".to_owned(), command);
            json(&members)
        }
        _ => document,
    }
}

/// Stops a what-if, or forgets one that is done.
#[utoipa::path(
    delete,
    path = ONE,
    params(("id" = String, Path, description = "As Location has it")),
    responses(
        (status = 204, description = "It is stopped"),
        (status = 404, body = crate::openapi::ErrorObject, description = "The caller has none of this id"),
        Faults
    ),
    tag = "Explore"
)]
pub(crate) async fn stop(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    caller.demand(Right::Explore)?;
    match app.jobs.stop(&caller, &id) {
        true => Ok(StatusCode::NO_CONTENT.into_response()),
        false => Err(gone()),
    }
}

fn gone() -> Fault {
    Fault::new(
        StatusCode::NOT_FOUND,
        "there is no such what-if of this caller",
    )
}

/// Seconds, as `10s` or `10`.
fn duration(text: &str) -> Result<Duration, Fault> {
    let seconds = text.strip_suffix('s').unwrap_or(text).parse();
    let seconds =
        seconds.map_err(|_| Fault::bad_request("`wait` is a number of seconds, as 10s"))?;
    Ok(Duration::from_secs(seconds).min(LONGEST))
}
