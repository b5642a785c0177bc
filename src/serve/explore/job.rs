//! Questions that are answered by jobs: begun, watched and stopped.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, Path, Request, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tarbac_report::VERSION;

use super::access;
use super::api::{answered, arguments};
use super::arguments::Arguments;
use super::documents::ListPart;
use super::what_if::{PATH, document};
use crate::app::App;
use crate::caller::{Caller, Right};
use crate::fault::{self, Fault};
use crate::jobs::{Computed, Job, State as JobState};
use crate::openapi::Faults;
use crate::served::Served;

/// The address of a job.
pub(crate) const JOB: &str = "/api/v1/what-if/{id}";

/// The longest that an answer waits for a job.
const LONGEST: Duration = Duration::from_secs(25);

/// A question that a job answers.
pub(crate) trait JobQuestion: Sized {
    /// The question that some arguments ask.
    ///
    /// # Errors
    /// One of them is missing, unknown or wrong.
    fn take(served: &Served, given: Arguments) -> Result<Self, Fault>;

    /// Begins a job for the question, unless the caller has one.
    ///
    /// # Errors
    /// Too much is being computed, or the question needs a store and none is followed.
    fn ask(self, app: &App, served: &Arc<Served>, caller: &Caller) -> Result<Arc<Job>, Fault>;
}

/// Begins a job for the question in a request.
///
/// # Errors
/// Those of the question.
pub(super) async fn begin<Q: JobQuestion>(
    app: &App,
    caller: &Caller,
    request: Request,
) -> Result<Response, Fault> {
    caller.demand(Right::Explore)?;
    let given = arguments(app, request).await?;
    let served = app.served();
    let question = Q::take(&served, given)?;
    let job = question.ask(app, &served, caller)?;
    begun(app, &job)
}

/// The progress of a job.
#[derive(Debug, Serialize)]
struct RunningBody<'a> {
    version: u32,
    state: &'static str,
    /// From 0 to 1.
    done: f64,
    id: &'a str,
}

/// The answer while a job runs, with its address.
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

/// The progress of a job, or its document.
#[utoipa::path(
    get,
    path = JOB,
    params(
        ("id" = String, Path, description = "As Location has it"),
        ("wait" = Option<String>, Query, description = "How long to wait for it, for example 10s"),
        ("limit" = Option<u32>, Query, description = "Of an access review, the most entries"),
        ("after" = Option<String>, Query, description = "Of an access review, the entry to go on after")
    ),
    responses(
        (status = 200, body = BTreeMap<String, Value>),
        (status = 404, body = crate::openapi::ErrorObject, description = "The caller has no job of this id"),
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
            Ok(Computed::Comparison(made)) => Ok(answered(&app.served(), document(made))),
            Ok(Computed::Review(made)) => access::document(&app, made.clone(), part).await,
            Err(fault) => Err(fault.clone()),
        },
    }
}

/// Stops a job, or forgets one that is done.
#[utoipa::path(
    delete,
    path = JOB,
    params(("id" = String, Path, description = "As Location has it")),
    responses(
        (status = 204, description = "It is stopped"),
        (status = 404, body = crate::openapi::ErrorObject, description = "The caller has no job of this id"),
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
        "there is no such comparison or review of this caller",
    )
}

/// Seconds, as `10s` or `10`.
fn duration(text: &str) -> Result<Duration, Fault> {
    let seconds = text.strip_suffix('s').unwrap_or(text).parse();
    let seconds = seconds
        .map_err(|_| Fault::bad_request("`wait` must be a number of seconds, for example 10s"))?;
    Ok(Duration::from_secs(seconds).min(LONGEST))
}
