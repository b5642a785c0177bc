//! The view *What if*: a change, and who gains and loses by it.

mod form;

use maud::Markup;
use tarbac_report::html::Icon;

use super::compared::done;
use super::job::{Prepared, Work, of_job, question};
use super::parts::unasked;
use super::view::{Answer, View, ViewRequest};
use crate::app::App;
use crate::explore::{JobQuestion, WHAT_IF, WhatIfQuestion};
use crate::fault::Fault;
use crate::jobs::{Computed, Job};

/// Begins the what-if of a view, and waits for it for a moment.
///
/// # Errors
/// The question is wrong, or too many are being computed.
pub(super) async fn prepare(app: &App, asked: &ViewRequest) -> Result<Prepared, Fault> {
    if let Some(query) = form::canonical(&asked.given)? {
        return Ok(Prepared::Canonical(query));
    }
    let question: WhatIfQuestion = question(asked)?;
    if question.suppositions.is_empty() {
        return Ok(Prepared::Nothing);
    }
    let job = question.ask(app, &asked.served, &asked.caller)?;
    Ok(Prepared::begun(job).await)
}

pub(super) fn answer(asked: &ViewRequest) -> Result<Answer, Fault> {
    let form = form::form(asked);
    match &asked.prepared {
        Some(Ok(Prepared::Canonical(query))) => Ok(Answer::Elsewhere(
            asked.links.with_query(asked.route, query),
        )),
        Some(Ok(Prepared::Asked(job))) => begun(asked, form, job),
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

fn begun(asked: &ViewRequest, form: Markup, job: &Job) -> Result<Answer, Fault> {
    let typed = question::<WhatIfQuestion>(asked)?.typed();
    let work = Work {
        doing: "Comparing every decision before and after",
        typed: &typed,
        endpoint: WHAT_IF,
    };
    of_job(asked, form, job, &work, |form, made| match made {
        Computed::Comparison(compared) => done(asked, form, compared, &work, "what-if"),
        Computed::Review(_) => Err(Fault::broken()),
    })
}
