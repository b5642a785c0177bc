//! The access review: a job, as it may take long.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header;
use axum::response::Response;
use tarbac_analysis::access_review::AccessReview;
use tarbac_analysis::inquiry::{self, ContextInquiry, Progress};
use tarbac_report::access_review;

use super::api::answered;
use super::arguments::{Arguments, Suppositions};
use super::compared::add_limits;
use super::documents::{ListPart, key, with_page};
use super::job::{JobQuestion, begun};
use super::supposed::supposed;
use super::typed::{Typed, add_suppositions};
use crate::app::App;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::jobs::{Computed, Job, ReviewAnswer, State};
use crate::served::{Served, reviewed};

/// The share of the time for an answer that a caller waits for a review.
const WAITED: f64 = 0.5;

/// The question who can do what.
#[derive(Debug, Clone)]
pub(crate) struct AccessQuestion {
    pub(crate) suppositions: Suppositions,
    context: ContextInquiry,
}

impl JobQuestion for AccessQuestion {
    fn take(served: &Served, mut given: Arguments) -> Result<Self, Fault> {
        let question = Self {
            suppositions: given.suppositions(served.flags())?,
            context: given.context()?,
        };
        given.flag("all")?;
        given.finish()?;
        Ok(question)
    }

    fn ask(self, app: &App, served: &Arc<Served>, caller: &Caller) -> Result<Arc<Job>, Fault> {
        let command = self.typed().line(None);
        let key = format!("{} {command}", served.engine.provenance().revision);
        let served = Arc::clone(served);
        app.jobs.ask(caller, &key, move |progress| {
            self.compute(&served, progress).map(Computed::Review)
        })
    }
}

impl AccessQuestion {
    /// The equal command.
    pub(crate) fn typed(&self) -> Typed {
        let mut typed = Typed::new("access");
        add_suppositions(&mut typed, &self.suppositions);
        add_limits(&mut typed, &inquiry::ScopeInquiry::default(), &self.context);
        typed
    }

    /// Whether it is about the workspace as it is.
    fn is_plain(&self) -> bool {
        self.suppositions.is_empty() && self.context == ContextInquiry::default()
    }

    /// The review, if it is known already.
    pub(crate) fn known(&self, served: &Served) -> Option<ReviewAnswer> {
        let review = served.known_review().filter(|_| self.is_plain())?;
        Some(ReviewAnswer {
            premises: Default::default(),
            review,
            state: Arc::clone(served.engine.provenance()),
        })
    }

    fn compute(&self, served: &Served, progress: &dyn Progress) -> Result<ReviewAnswer, Fault> {
        if self.is_plain() {
            return Ok(ReviewAnswer {
                premises: Default::default(),
                review: served.review(progress),
                state: Arc::clone(served.engine.provenance()),
            });
        }
        let supposed = supposed(served, &self.suppositions)?;
        let review = inquiry::review(&supposed.engine, &self.context)?;
        Ok(ReviewAnswer {
            review: Arc::new(reviewed(&review, progress)),
            premises: supposed.premises,
            state: Arc::clone(supposed.engine.provenance()),
        })
    }
}

/// Answers with the document, or with the place where it will be if it is not made soon.
///
/// # Errors
/// An argument is wrong, or too much is being computed.
pub(super) async fn answer(
    app: &App,
    caller: &Caller,
    mut given: Arguments,
) -> Result<Response, Fault> {
    let served = app.served();
    let part = ListPart::take(&mut given)?;
    let question = AccessQuestion::take(&served, given)?;
    if let Some(known) = question.known(&served) {
        return document(app, known, part).await;
    }
    let job = question.ask(app, &served, caller)?;
    let timeout = app.settings.limits.timeout;
    match job.wait(timeout.mul_f64(WAITED).min(LONGEST)).await {
        State::Running => {
            let mut response = begun(app, &job)?;
            part.add_to(response.headers_mut().get_mut(header::LOCATION));
            Ok(response)
        }
        State::Stopped => Err(Fault::unavailable("the review was stopped")),
        State::Done(made) => match made.as_ref() {
            Ok(Computed::Review(reviewed)) => document(app, reviewed.clone(), part).await,
            Ok(Computed::Comparison(_)) => Err(Fault::broken()),
            Err(fault) => Err(fault.clone()),
        },
    }
}

/// The longest that a caller waits.
const LONGEST: Duration = Duration::from_secs(15);

/// The document of a review, or of a part of it.
///
/// # Errors
/// `after` is no entry of it.
pub(super) async fn document(
    app: &App,
    made: ReviewAnswer,
    part: ListPart,
) -> Result<Response, Fault> {
    let written = app.workers.run(move |_| written(&made, &part)).await??;
    Ok(answered(&app.served(), written))
}

fn written(made: &ReviewAnswer, part: &ListPart) -> Result<String, Fault> {
    let ReviewAnswer {
        premises,
        review,
        state,
    } = made;
    if part.is_whole() {
        return Ok(access_review::document(review, premises, state));
    }
    let mut shown = AccessReview::clone(review);
    let whole = part.cut(&mut shown.people, |holder| {
        holder.people.first().map(key).unwrap_or_default()
    })?;
    Ok(with_page(
        access_review::document(&shown, premises, state),
        whole,
    ))
}
