//! The view *Changes*: who gained and lost access from one revision to another.

use maud::{Markup, html};
use tarbac_report::html::{
    Cells, Grid, GridColumn, GridRow, Icon, Shown, Tone, choice, empty, message,
};
use tarbac_report::sheet;

use super::compared::done;
use super::job::{Prepared, Work, of_job, question};
use super::parts::form;
use super::view::{Answer, TABLE, View, ViewRequest};
use crate::app::App;
use crate::explore::{CHANGES, ChangesQuestion, JobQuestion, REVISIONS, Typed};
use crate::fault::Fault;
use crate::freshness::no_numbers;
use crate::history::StoreNews;
use crate::jobs::{Computed, Job};
use crate::source::PastRevision;

const COLUMNS: [GridColumn<'_>; 5] = [
    GridColumn::new("Revision", Cells::Heading),
    GridColumn::new("Published", Cells::Text),
    GridColumn::new("By", Cells::Text),
    GridColumn::new("About", Cells::Wide),
    GridColumn::new("Changes", Cells::Text),
];

const SHEET: &[&str] = &[
    "number",
    "id",
    "created",
    "publisher",
    "message",
    "reverts_to",
    "error",
];

/// What limits a comparison, and goes along when other revisions are chosen.
const LIMITS: [&str; 5] = ["principal", "action", "resource", "context", "now"];

/// Begins the comparison of a view, and waits for it for a moment.
///
/// # Errors
/// The question is wrong, or too much is being computed.
pub(super) async fn prepare(app: &App, asked: &ViewRequest) -> Result<Prepared, Fault> {
    if asked.freshness.is_none() {
        return Err(no_numbers());
    }
    if !asked.given.has("old") {
        return Ok(Prepared::Nothing);
    }
    let job = question::<ChangesQuestion>(asked)?.ask(app, &asked.served, &asked.caller)?;
    Ok(Prepared::begun(job).await)
}

pub(super) fn answer(asked: &ViewRequest) -> Result<Answer, Fault> {
    let Some(news) = &asked.news else {
        return Ok(Answer::Page(of_folder()));
    };
    match &asked.prepared {
        Some(Ok(Prepared::Asked(job))) => begun(asked, choices(asked, news), job),
        Some(Err(fault)) => Ok(Answer::Page(View::refused(
            choices(asked, news),
            fault.clone(),
        ))),
        Some(Ok(Prepared::Nothing | Prepared::Canonical(_))) | None => listed(asked, news),
    }
}

/// Where no store is followed, there are no numbers.
fn of_folder() -> View {
    View::new(empty(
        Icon::Document,
        "This server reads a folder, whose revisions have no numbers.",
        "Publish the workspace to a store, and serve that: tarbac help fleet.",
    ))
}

fn begun(asked: &ViewRequest, form: Markup, job: &Job) -> Result<Answer, Fault> {
    let place = asked.freshness.as_ref().map(|of| of.history().place());
    let question: ChangesQuestion = question(asked)?;
    let typed = question.typed(&place.unwrap_or_default());
    let work = Work {
        doing: "Reading both revisions, and comparing every decision",
        typed: &typed,
        endpoint: CHANGES,
    };
    let name = format!("changes-{}-{}", question.old, question.new);
    of_job(asked, form, job, &work, |form, made| match made {
        Computed::Comparison(compared) => done(asked, form, compared, &work, &name),
        Computed::Review(_) => Err(Fault::broken()),
    })
}

/// The choice of two revisions.
fn choices(asked: &ViewRequest, news: &StoreNews) -> Markup {
    let served = asked.served.name().map(|name| name.number);
    let chosen = |name: &str, otherwise: Option<u64>| match asked.given.first(name) {
        number if number.is_empty() => otherwise.map(|of| of.to_string()).unwrap_or_default(),
        number => number,
    };
    let old = chosen("old", before(news, served));
    let new = chosen("new", served);
    let mut known: Vec<(String, String)> = news.revisions.iter().map(option).collect();
    // One that is not among the newest.
    for number in [&old, &new] {
        if !number.is_empty() && !known.iter().any(|(of, _)| of == number) {
            known.push((number.clone(), number.clone()));
        }
    }
    let options: Vec<(&str, &str)> = known
        .iter()
        .map(|(number, words)| (number.as_str(), words.as_str()))
        .collect();
    let fields = html! {
        (choice("old", "From", &options, &old))
        (choice("new", "To", &options, &new))
    };
    form(asked, &LIMITS, &fields, "Compare")
}

/// The number before the one that is served.
fn before(news: &StoreNews, served: Option<u64>) -> Option<u64> {
    let mut numbers = news.revisions.iter().map(|of| of.number);
    numbers.find(|number| served.is_some_and(|served| *number < served))
}

fn option(of: &PastRevision) -> (String, String) {
    let number = of.number.to_string();
    let words = match &of.about {
        Ok(about) => {
            let when = about.created.strftime("%Y-%m-%d %H:%M");
            let said = about.message.as_ref().map(|message| format!(", {message}"));
            format!("{number}, {when}{}", said.unwrap_or_default())
        }
        Err(_) => format!("{number}, cannot be used"),
    };
    (number, words)
}

/// The revisions of the store.
fn listed(asked: &ViewRequest, news: &StoreNews) -> Result<Answer, Fault> {
    let mut given = asked.given.clone();
    match given.text("format")?.as_deref() {
        Some("json") => {
            let document = tarbac_report::json(&news.revisions);
            return Ok(Answer::json("revisions", document));
        }
        Some(_) => {
            let rows = news.revisions.iter().map(cells);
            return Answer::csv("revisions", sheet(SHEET, rows));
        }
        None => {}
    }
    let numbers: Vec<u64> = news.revisions.iter().map(|of| of.number).collect();
    let earlier = numbers.iter().skip(1).map(Some).chain([None]);
    let rows = news.revisions.iter().zip(earlier);
    let rows = rows.map(|(of, earlier)| row(asked, of, earlier.copied()));
    let left_out = news.count.saturating_sub(news.revisions.len());
    let grid = Grid {
        caption: "Revisions, the newest first",
        columns: &COLUMNS,
        rows: rows.collect(),
        note: html! { @if left_out > 0 { (left_out) " earlier ones: tarbac store log lists them" } },
    };
    let main = html! {
        (silence(news))
        (choices(asked, news))
        (grid.markup())
    };
    let place = asked.freshness.as_ref().map(|of| of.history().place());
    let mut typed = Typed::new("store log");
    typed.shell("store", &place.unwrap_or_default());
    Ok(Answer::Page(View {
        equal: Some(asked.equal_get(&typed, REVISIONS)),
        formats: TABLE,
        ..View::new(main)
    }))
}

/// The remark that what the store said may be old, where it may.
pub(super) fn silence(news: &StoreNews) -> Markup {
    match &news.silence {
        None => html! {},
        Some(silence) => {
            let reason = html! { p { (Shown(silence)) "." } };
            message(
                Tone::Open,
                "The store does not answer, so this may be old.",
                &reason,
            )
        }
    }
}

fn row(asked: &ViewRequest, of: &PastRevision, earlier: Option<u64>) -> GridRow {
    let served = asked.served.name().map(|name| name.number);
    let numbers = earlier.map(|earlier| [earlier.to_string(), of.number.to_string()]);
    let (when, by, about) = match &of.about {
        Ok(about) => (
            html! { time datetime=(about.created) { (about.created.strftime("%Y-%m-%d %H:%M UTC")) } },
            html! { (Shown(&about.publisher)) },
            html! {
                @if let Some(message) = &about.message { p { (Shown(message)) } }
                @if let Some(number) = about.reverts_to { p.quiet { "the content of " (number) } }
                p.quiet { code { (Shown(&about.id)) } }
            },
        ),
        Err(reason) => (html! {}, html! {}, html! { (Shown(&reason.to_string())) }),
    };
    GridRow::new(vec![
        html! { (of.number) @if served == Some(of.number) { " " (tarbac_report::html::badge(Tone::Good, "Served")) } },
        when,
        by,
        about,
        html! {
            @if let Some([old, new]) = numbers {
                a href=(asked.links.view(asked.route, &[("old", &old), ("new", &new)])) { "Since " (old) }
            }
        },
    ])
}

/// A revision as a row of a sheet.
fn cells(of: &PastRevision) -> Vec<String> {
    let number = of.number.to_string();
    match &of.about {
        Ok(about) => vec![
            number,
            about.id.clone(),
            about.created.to_string(),
            about.publisher.clone(),
            about.message.clone().unwrap_or_default(),
            about
                .reverts_to
                .map(|of| of.to_string())
                .unwrap_or_default(),
            String::new(),
        ],
        Err(error) => {
            let mut cells = vec![String::new(); SHEET.len()];
            cells.splice(..1, [number]);
            cells.splice(SHEET.len() - 1.., [error.to_string()]);
            cells
        }
    }
}
