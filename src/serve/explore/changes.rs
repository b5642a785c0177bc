//! Two revisions of a store that are compared, as `tarbac store diff` does.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::inquiry::{ContextInquiry, Progress, RolesInquiry, ScopeInquiry};
use tarbac_host::Engine;
use tarbac_report::{VERSION, provenance};

use super::api::answered;
use super::arguments::Arguments;
use super::compared::{Compared, add_limits};
use super::job::{self, JobQuestion};
use super::typed::Typed;
use crate::app::App;
use crate::caller::{Caller, Right};
use crate::fault::Fault;
use crate::follow;
use crate::freshness::{Freshness, no_numbers};
use crate::history::StoreHistory;
use crate::jobs::{ComparisonAnswer, Computed, Job};
use crate::openapi::Faults;
use crate::served::Served;
use crate::source::{HeardReplica, PastRevision};

/// The address at which a comparison of two revisions is begun.
pub(crate) const PATH: &str = "/api/v1/changes";

/// The address of the list of revisions.
pub(crate) const REVISIONS: &str = "/api/v1/revisions";

/// The question what has changed from one revision to another.
#[derive(Debug, Clone)]
pub(crate) struct ChangesQuestion {
    pub(crate) old: u64,
    pub(crate) new: u64,
    scope: ScopeInquiry,
    context: ContextInquiry,
}

impl JobQuestion for ChangesQuestion {
    /// Without `new`, the question is about the served revision.
    fn take(served: &Served, mut given: Arguments) -> Result<Self, Fault> {
        let number = |name: &str, text: String| {
            let number = text.parse::<u64>();
            number.map_err(|_| {
                Fault::bad_request(format!("`{name}` must be the number of a revision"))
            })
        };
        let old = given.need("old")?;
        let new = given.text("new")?;
        let question = Self {
            old: number("old", old)?,
            new: match (new, served.name()) {
                (Some(new), _) => number("new", new)?,
                (None, Some(name)) => name.number,
                (None, None) => return Err(no_numbers()),
            },
            scope: given.scope()?,
            context: given.context()?,
        };
        given.finish()?;
        Ok(question)
    }

    fn ask(self, app: &App, served: &Arc<Served>, caller: &Caller) -> Result<Arc<Job>, Fault> {
        let history = Arc::clone(followed(app)?.history());
        let command = self.typed(&history.place()).line(None);
        let served = Arc::clone(served);
        let key = command.clone();
        app.jobs.ask(caller, &key, move |progress| {
            let made = self.compute(&served, &history, command, progress)?;
            Ok(Computed::Comparison(Box::new(made)))
        })
    }
}

impl ChangesQuestion {
    /// The equal command, about the store at a place.
    pub(crate) fn typed(&self, place: &str) -> Typed {
        let mut typed = Typed::new("store diff");
        typed.word("old", &self.old.to_string());
        typed.word("new", &self.new.to_string());
        add_limits(&mut typed, &self.scope, &self.context);
        typed.shell("store", place);
        typed
    }

    fn compute(
        &self,
        served: &Served,
        history: &StoreHistory,
        command: String,
        progress: &dyn Progress,
    ) -> Result<ComparisonAnswer, Fault> {
        let before = engine(served, history, self.old)?;
        // A job that was stopped does not read the other.
        progress.end();
        let after = engine(served, history, self.new)?;
        progress.end();
        let names = [(self.old, &before), (self.new, &after)]
            .map(|(number, engine)| called(number, engine.provenance().revision_id()));
        let compared = Compared {
            states: [&before, &after],
            names: Some(names.clone()),
            scope: &self.scope,
            context: &self.context,
            roles: RolesInquiry::InNeed,
        };
        let [old, new] = names;
        let premises = Premises {
            besides: vec![format!(
                "store diff {} {}: {old} and {new}",
                self.old, self.new
            )],
            ..Premises::default()
        };
        compared.made(premises, command, progress)
    }
}

/// A revision by its number, and the first digits of what it is.
pub(crate) fn called(number: u64, id: &str) -> String {
    format!("revision {number} ({id})")
}

/// The store that is followed.
fn followed(app: &App) -> Result<&Freshness, Fault> {
    app.freshness.as_deref().ok_or_else(no_numbers)
}

/// The engine of a revision: that which is served, or one that is read for this.
fn engine(served: &Served, history: &StoreHistory, number: u64) -> Result<Arc<Engine>, Fault> {
    if served.name().is_some_and(|name| name.number == number) {
        return Ok(Arc::clone(&served.engine));
    }
    let mut read = None;
    let fetched = history.store().fetch(number, &mut |origin, _| {
        read = Some(Arc::new(follow::load(origin)?.engine));
        Ok(())
    });
    let unusable = |reason: &str| {
        let message = format!("revision {number} cannot be read: {reason}");
        Fault::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    };
    fetched.map_err(|error| unusable(&error.to_string()))?;
    read.ok_or_else(|| unusable("it has no files"))
}

/// Begins to compare two revisions of the store.
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
pub(crate) async fn changes(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Fault> {
    job::begin::<ChangesQuestion>(&app, &caller, request).await
}

/// The revisions of the store, the newest first, and the replicas that say how they are.
#[derive(Debug, Serialize)]
struct RevisionsBody<'a> {
    version: u32,
    store: String,
    count: usize,
    revisions: &'a [PastRevision],
    replicas: &'a [HeardReplica],
    /// Why this may be old, if it may.
    #[serde(skip_serializing_if = "Option::is_none")]
    silence: Option<&'a str>,
}

/// The revisions of the store, and its replicas.
#[utoipa::path(
    get,
    path = REVISIONS,
    responses((status = 200, body = BTreeMap<String, Value>), Faults),
    tag = "Explore"
)]
pub(crate) async fn revisions(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Fault> {
    caller.demand(Right::Explore)?;
    let history = followed(&app)?.history();
    let news = history.news().await;
    let served = app.served();
    let body = RevisionsBody {
        version: VERSION,
        store: history.place(),
        count: news.count,
        revisions: &news.revisions,
        replicas: &news.replicas,
        silence: news.silence.as_deref(),
    };
    Ok(answered(
        &served,
        provenance::document(body, served.engine.provenance()),
    ))
}
