//! The question what happens if something is changed.

use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::response::Response;
use serde_json::Value;
use tarbac_analysis::change::what_if as changes;
use tarbac_analysis::inquiry::{
    ContextInquiry, InquiryError, Progress, RolesInquiry, ScopeInquiry,
};
use tarbac_host::Switches;
use tarbac_report::json;

use super::arguments::{Arguments, Suppositions};
use super::compared::{Compared, add_limits};
use super::job::{self, JobQuestion};
use super::supposed::{refused, switches};
use super::typed::{Typed, add_suppositions};
use crate::app::App;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::jobs::{ComparisonAnswer, Computed, Job};
use crate::openapi::Faults;
use crate::served::Served;

/// The address at which a what-if is begun.
pub(crate) const PATH: &str = "/api/v1/what-if";

/// The question what happens if something is changed.
#[derive(Debug, Clone)]
pub(crate) struct WhatIfQuestion {
    pub(crate) suppositions: Suppositions,
    scope: ScopeInquiry,
    context: ContextInquiry,
    pub(crate) plan: bool,
}

impl JobQuestion for WhatIfQuestion {
    fn take(served: &Served, mut given: Arguments) -> Result<Self, Fault> {
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

    fn ask(self, app: &App, served: &Arc<Served>, caller: &Caller) -> Result<Arc<Job>, Fault> {
        let command = self.typed().line(app.settings.folder.as_deref());
        let key = format!("{} {command}", served.engine.provenance().revision);
        let served = Arc::clone(served);
        app.jobs.ask(caller, &key, move |progress| {
            let made = self.compute(&served, command, progress)?;
            Ok(Computed::Comparison(Box::new(made)))
        })
    }
}

impl WhatIfQuestion {
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

    fn compute(
        &self,
        served: &Served,
        command: String,
        progress: &dyn Progress,
    ) -> Result<ComparisonAnswer, Fault> {
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
    job::begin::<WhatIfQuestion>(&app, &caller, request).await
}

/// The document, with the equal command.
pub(crate) fn document(comparison: &ComparisonAnswer) -> String {
    let document = comparison.report().document();
    match serde_json::from_str(&document) {
        Ok(Value::Object(mut members)) => {
            let command = Value::from(comparison.command.as_str());
            members.insert("command".to_owned(), command);
            json(&members)
        }
        _ => document,
    }
}
