//! The view *What if*: a change, and who gains and loses by it.

mod form;
mod plan;
mod result;

use std::sync::Arc;
use std::time::Duration;

use maud::{Markup, html};
use tarbac_analysis::change::impact::Affected;
use tarbac_analysis::tenants::tenants;
use tarbac_report::html::{Colophon, Icon, Shown, Tone, message};

use super::parts::unasked;
use super::view::{Answer, Asked, Shown as View};
use crate::app::App;
use crate::clock;
use crate::explore::{Arguments, Typed, WhatIfQuestion, document};
use crate::fault::Fault;
use crate::jobs::{Job, State, WhatIf};

/// How long a browser without a script waits for the first answer.
const PATIENCE: Duration = Duration::from_millis(1500);

/// The state of a what-if before its view is made.
pub(super) enum Prepared {
    /// No change is named.
    Nothing,
    /// The form was sent, and its question has another address.
    Canonical(String),
    /// It is being computed, or is.
    Asked(Arc<Job>),
}

/// Begins the what-if of a view, and waits for it for a moment.
///
/// # Errors
/// The question is wrong, or too many are being computed.
pub(super) async fn prepare(app: &App, asked: &Asked) -> Result<Prepared, Fault> {
    if let Some(query) = form::canonical(&asked.given)? {
        return Ok(Prepared::Canonical(query));
    }
    let question = question(asked)?;
    if question.suppositions.is_empty() {
        return Ok(Prepared::Nothing);
    }
    let job = question.ask(app, &asked.served, &asked.caller)?;
    job.wait(PATIENCE).await;
    Ok(Prepared::Asked(job))
}

/// The question without what only says how it is shown.
fn question(asked: &Asked) -> Result<WhatIfQuestion, Fault> {
    WhatIfQuestion::take(&asked.served, plain(&asked.given))
}

fn plain(given: &Arguments) -> Arguments {
    let shown = ["format", "page", "tab", "file"];
    shown
        .iter()
        .fold(given.clone(), |given, name| given.without(name))
}

pub(super) fn answer(asked: &Asked) -> Result<Answer, Fault> {
    let form = form::form(asked);
    match &asked.prepared {
        Some(Ok(Prepared::Canonical(query))) => {
            Ok(Answer::Elsewhere(asked.links.with_query(asked.view, query)))
        }
        Some(Ok(Prepared::Asked(job))) => of_job(asked, form, job),
        Some(Err(fault)) => Ok(Answer::Page(View::refused(form, fault.clone()))),
        Some(Ok(Prepared::Nothing)) | None => {
            let main = unasked(
                form,
                "What if something changes?",
                "Choose what changes. Nothing is written, and nobody's access changes.",
                Icon::Compare,
            );
            Ok(Answer::Page(View::new(main)))
        }
    }
}

fn of_job(asked: &Asked, form: Markup, job: &Job) -> Result<Answer, Fault> {
    let typed = question(asked)?.typed();
    match job.state() {
        State::Running => Ok(Answer::Page(waiting(asked, &form, job, &typed))),
        State::Stopped => {
            let again = html! { p { a href=(asked.here_without("page")) { "Compute it again" } } };
            let main =
                html! { (form) (message(Tone::Neutral, "This what-if was stopped.", &again)) };
            Ok(Answer::Page(View::new(main)))
        }
        State::Done(made) => match made.as_ref() {
            Ok(what_if) => done(asked, &form, what_if, &typed),
            Err(fault) => Ok(Answer::Page(View::refused(form, fault.clone()))),
        },
    }
}

/// How far it is, with a way to stop it. Without a script, the page is asked for again after a moment.
fn waiting(asked: &Asked, form: &Markup, job: &Job, typed: &Typed) -> View {
    let path = asked
        .links
        .path(&format!("{}/{}", crate::explore::WHAT_IF, job.id));
    let percent = (job.done() * 100.0).round();
    let main = html! {
        (form)
        section.card #progress data-job=(path) aria-live="polite" {
            h2 { "Comparing every decision before and after" }
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
        equal: Some(asked.equal(typed, crate::explore::WHAT_IF)),
        ..View::new(main)
    }
}

fn done(asked: &Asked, form: &Markup, what_if: &WhatIf, typed: &Typed) -> Result<Answer, Fault> {
    let mut given = asked.given.clone();
    let report = what_if.report();
    if let Some(number) = given.number("file")? {
        return plan::file(what_if, number);
    }
    match given.text("format")?.as_deref() {
        Some("json") => {
            let document = document(what_if);
            return Ok(Answer::File(
                "what-if.json".into(),
                "application/json",
                document,
            ));
        }
        Some("html") => {
            let engine = asked.served.engine.as_ref();
            let colophon = Colophon {
                tenants: tenants(engine).into_iter().map(|of| of.name).collect(),
                made_at: clock::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
                command: what_if.command.clone(),
                states: None,
            };
            // Its devices are named already.
            let in_full = |affected: &Affected, _| affected.clone();
            let page = report.html(&colophon, (&[engine], false), in_full);
            return Ok(Answer::File(
                "what-if.html".into(),
                "text/html; charset=utf-8",
                page,
            ));
        }
        Some(_) => {
            let table = report.csv().map_err(|_| Fault::broken())?;
            return Ok(Answer::File(
                "what-if.csv".into(),
                "text/csv; charset=utf-8",
                table,
            ));
        }
        None => {}
    }
    let tab = given.text("tab")?;
    let page = given.number("page")?;
    let main = html! {
        details.question { summary { "Change the question" } (form) }
        @if let Some(sentence) = what_if.premises.sentence() {
            p.lead { (Shown(&sentence)) ":" }
        }
        @for note in &what_if.premises.notes { p.quiet { (Shown(note)) "." } }
        (result::summary(asked, what_if))
        (result::parts(asked, what_if, tab.as_deref(), page))
    };
    Ok(Answer::Page(View {
        equal: Some(asked.equal(typed, crate::explore::WHAT_IF)),
        formats: FORMATS,
        ..View::new(main)
    }))
}

/// CSV, JSON, and a report to send.
const FORMATS: &[(&str, &str)] = &[
    ("Export CSV", "csv"),
    ("Export JSON", "json"),
    ("Save report", "html"),
];
