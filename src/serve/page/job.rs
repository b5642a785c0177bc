//! Jobs in a view: begun, watched, stopped, and shown when they are done.

use std::sync::Arc;
use std::time::Duration;

use maud::{Markup, html};
use tarbac_report::html::{Tone, message};

use super::compared::plain;
use super::view::{Answer, View, ViewRequest};
use crate::explore::{JobQuestion, Typed, WHAT_IF};
use crate::fault::Fault;
use crate::jobs::{Computed, Job, State};

/// The time that a browser without a script waits for the first answer.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The state of a view before it is made.
pub(super) enum Prepared {
    /// Nothing is asked, or it is known already.
    Nothing,
    /// The form was sent, and its question has another address.
    Canonical(String),
    /// It is being computed, or is.
    Asked(Arc<Job>),
}

impl Prepared {
    /// A job, after a moment in which it may have ended.
    pub(super) async fn begun(job: Arc<Job>) -> Self {
        job.wait(PATIENCE).await;
        Self::Asked(job)
    }
}

/// The question of a view, without the arguments about its form.
pub(super) fn question<Q: JobQuestion>(asked: &ViewRequest) -> Result<Q, Fault> {
    Q::take(&asked.served, plain(&asked.given))
}

/// The words of a view whose answer takes long.
pub(super) struct Work<'a> {
    /// The description of the work.
    pub(super) doing: &'a str,
    /// The equal command, and the equal endpoint.
    pub(super) typed: &'a Typed,
    pub(super) endpoint: &'a str,
}

/// The view of a job; `done` shows its result.
pub(super) fn of_job(
    asked: &ViewRequest,
    form: Markup,
    job: &Job,
    work: &Work<'_>,
    done: impl FnOnce(&Markup, &Computed) -> Result<Answer, Fault>,
) -> Result<Answer, Fault> {
    match job.state() {
        State::Running => Ok(Answer::Page(waiting(asked, &form, job, work))),
        State::Stopped => {
            let again = html! { p { a href=(asked.here_without("page")) { "Compute it again" } } };
            let main = html! { (form) (message(Tone::Neutral, "This was stopped.", &again)) };
            Ok(Answer::Page(View::new(main)))
        }
        State::Done(made) => match made.as_ref() {
            Ok(made) => done(&form, made),
            Err(fault) => Ok(Answer::Page(View::refused(form, fault.clone()))),
        },
    }
}

/// How far it is, with a way to stop it. Without a script, the page is asked for again after a moment.
fn waiting(asked: &ViewRequest, form: &Markup, job: &Job, work: &Work<'_>) -> View {
    let path = asked.links.path(&format!("{WHAT_IF}/{}", job.id));
    let percent = (job.done() * 100.0).round();
    let main = html! {
        (form)
        section.card #progress data-job=(path) aria-live="polite" {
            h2 { (work.doing) }
            progress #bar max="100" value=(percent) aria-label="How far it is" {}
            p { span #percent { (percent) " %" } }
            div.row {
                a.button href=(asked.here_without("page")) { "Refresh" }
                button type="button" data-do="stop" hidden { "Stop" }
            }
        }
        noscript { meta http-equiv="refresh" content="2"; }
    };
    View {
        equal: Some(asked.equal(work.typed, work.endpoint)),
        ..View::new(main)
    }
}
