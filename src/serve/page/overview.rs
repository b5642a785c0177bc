//! The view *Overview*: the workspace that answers.

use maud::{Markup, html};
use tarbac_analysis::change::what_if::{SettingWords, TenantSetting, settings_now};
use tarbac_analysis::explain::Value;
use tarbac_host::excerpt::Excerpts;
use tarbac_host::lookup::in_words;
use tarbac_report::html::{
    Cells, Figure, Grid, GridColumn, GridRow, Icon, Shown, Tone, badge, facts, figures,
};
use tarbac_report::sheet;
use tarbac_report::words::of_number;

use super::changes::silence;
use super::frame::age;
use super::view::{Answer, Route, TABLE, View, ViewRequest};
use crate::explore::{Typed, status_document};
use crate::fault::Fault;
use crate::source::ReplicaCondition;

/// The most warnings that are listed.
const WARNINGS: usize = 50;

const SETTINGS: [GridColumn<'_>; 2] = [
    GridColumn::new("As it is", Cells::Heading),
    GridColumn::new("The setting", Cells::Wide),
];

const READINGS: [GridColumn<'_>; 3] = [
    GridColumn::new("Reading", Cells::Heading),
    GridColumn::new("State", Cells::Text),
    GridColumn::new("If it is on", Cells::Wide),
];

const FINDINGS: [GridColumn<'_>; 3] = [
    GridColumn::new("Warning", Cells::Heading),
    GridColumn::new("Where", Cells::Text),
    GridColumn::new("Help", Cells::Wide),
];

const REPLICAS: [GridColumn<'_>; 5] = [
    GridColumn::new("Replica", Cells::Heading),
    GridColumn::new("State", Cells::Text),
    GridColumn::new("Serves", Cells::Text),
    GridColumn::new("Since", Cells::Text),
    GridColumn::new("Program", Cells::Text),
];

const SHEET: &[&str] = &["part", "name", "value", "note"];

/// The views that questions lead to, each with the question that it answers.
const QUESTIONS: [(Route, &str); 6] = [
    (Route::Why, "Why can’t she see this device?"),
    (Route::Who, "Who may run scripts on it?"),
    (Route::What, "What may he do?"),
    (Route::WhatIf, "What happens if we switch?"),
    (Route::Access, "Who has access that they do not need?"),
    (Route::Roles, "What does a role give?"),
];

pub(super) fn answer(asked: &ViewRequest) -> Result<Answer, Fault> {
    match asked.given.first("format").as_str() {
        "" => {}
        "json" => {
            let document = status_document(&asked.served, asked.caller.name(), asked.stale());
            return Ok(Answer::json("overview", document));
        }
        _ => {
            let rows = rows(asked).into_iter().map(Vec::from);
            return Answer::csv("overview", sheet(SHEET, rows));
        }
    }
    let main = html! {
        (counts(asked))
        (questions(asked))
        (settings(asked))
        (readings(asked))
        (warnings(asked))
        (about(asked))
        (replicas(asked))
    };
    Ok(Answer::Page(View {
        equal: Some(asked.equal_get(&Typed::new("validate"), "/api/v1/status")),
        formats: TABLE,
        ..View::new(main)
    }))
}

/// The rows of the overview as a sheet.
fn rows(asked: &ViewRequest) -> Vec<[String; 4]> {
    let row = |part: &str, name: &str, value: String, note: &str| {
        [part.to_owned(), name.to_owned(), value, note.to_owned()]
    };
    let engine = &asked.served.engine;
    let mut rows = vec![row(
        "revision",
        &engine.provenance().revision,
        String::new(),
        "",
    )];
    for (name, count) in asked.served.entities_by_type() {
        rows.push(row("entities", &name, count.to_string(), ""));
    }
    let policies = engine.bundle().policies().len();
    rows.push(row("policies", "", policies.to_string(), ""));
    for setting in settings_now(engine) {
        rows.push(row(
            "setting",
            &setting.entity.name,
            setting_sentence(&setting),
            &setting.doc,
        ));
    }
    for reading in engine.bundle().readings() {
        let is_on = engine.readings().contains(&reading.name);
        let state = if is_on { "on" } else { "off" };
        rows.push(row(
            "reading",
            &reading.name,
            state.to_owned(),
            &reading.doc,
        ));
    }
    for finding in &asked.served.findings {
        let place = finding.places().next();
        let place = place
            .map(|place| place.source.name.clone())
            .unwrap_or_default();
        rows.push(row(
            "warning",
            &finding.message,
            place,
            finding.help.as_deref().unwrap_or_default(),
        ));
    }
    for replica in asked.news.iter().flat_map(|news| &news.replicas) {
        let (_, condition) = condition(replica.state);
        rows.push(row(
            "replica",
            &replica.instance,
            replica.number.to_string(),
            condition,
        ));
    }
    rows
}

fn counts(asked: &ViewRequest) -> Markup {
    let engine = &asked.served.engine;
    let entities = asked.served.entities_by_type();
    let named: Vec<(String, u64)> = entities
        .iter()
        .filter_map(|(name, count)| {
            let noun = in_words(&name.parse().ok()?);
            let count = *count as u64;
            Some((of_number(count, &noun), count))
        })
        .collect();
    let policies = engine.bundle().policies().len() as u64;
    let name = of_number(policies, "policy");
    let mut all: Vec<Figure<'_>> = named
        .iter()
        .map(|(name, count)| Figure {
            count: *count,
            name,
            note: "",
            icon: (Icon::Collection, Tone::Brand),
            href: None,
        })
        .collect();
    all.push(Figure {
        count: policies,
        name: &name,
        note: "",
        icon: (Icon::Document, Tone::Brand),
        href: None,
    });
    figures(&all)
}

fn questions(asked: &ViewRequest) -> Markup {
    html! {
        section.stack.tight {
            h2 { "Questions" }
            div.numbers {
                @for (route, question) in QUESTIONS {
                    a href=(asked.links.view(route, &[])) {
                        span.row { (tarbac_report::html::icon(route.icon())) strong { (route.name()) } }
                        span.note { (question) }
                    }
                }
            }
        }
    }
}

/// The settings of the tenant and its hierarchies, as the schema says them.
fn settings(asked: &ViewRequest) -> Markup {
    let settings = settings_now(&asked.served.engine);
    if settings.is_empty() {
        return html! {};
    }
    let mut flags: Vec<&str> = settings.iter().map(|of| of.flag.as_str()).collect();
    flags.dedup();
    let rows = flags.into_iter().map(|flag| {
        let of_flag: Vec<&TenantSetting> = settings.iter().filter(|of| of.flag == flag).collect();
        let doc = of_flag.first().map_or("", |of| of.doc.as_str());
        GridRow::new(vec![
            html! { ul { @for setting in of_flag { li { (Shown(&setting_sentence(setting))) } } } },
            html! { (Shown(doc)) },
        ])
    });
    Grid {
        caption: "Settings",
        columns: &SETTINGS,
        rows: rows.collect(),
        note: html! { a href=(asked.links.view(Route::WhatIf, &[])) { "What if one of them changes?" } },
    }
    .markup()
}

/// A setting as it is, in the words of the schema.
pub(super) fn setting_sentence(setting: &TenantSetting) -> String {
    let said = match (&setting.says, &setting.value) {
        (SettingWords::Switch { on, .. }, Some(Value::Bool(true))) => on.clone(),
        (SettingWords::Switch { off, .. }, _) => off.clone(),
        (SettingWords::Value(before), Some(value)) => format!("{before} {value}"),
        (SettingWords::Value(before), None) => format!("{before}: not known"),
    };
    match said.starts_with(&setting.entity.name) {
        true => said,
        false => upper_first(&said),
    }
}

/// A text that begins a sentence.
pub(super) fn upper_first(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters.as_str().chars()).collect()
}

fn readings(asked: &ViewRequest) -> Markup {
    let engine = &asked.served.engine;
    let rows = engine.bundle().readings().iter().map(|reading| {
        let is_on = engine.readings().contains(&reading.name);
        let state = match is_on {
            true => badge(Tone::Good, "On"),
            false => badge(Tone::Neutral, "Off"),
        };
        GridRow::new(vec![
            html! { (Shown(&reading.name)) },
            state,
            html! { (Shown(&reading.doc)) p.quiet { (Shown(&reading.source)) } },
        ])
    });
    let rows: Vec<GridRow> = rows.collect();
    if rows.is_empty() {
        return html! {};
    }
    Grid {
        caption: "Readings: choices where the documents disagree",
        columns: &READINGS,
        rows,
        note: html! {},
    }
    .markup()
}

/// The warnings of `validate`.
fn warnings(asked: &ViewRequest) -> Markup {
    let findings = &asked.served.findings;
    if findings.is_empty() {
        let about = html! {};
        return tarbac_report::html::message(Tone::Good, "The workspace has no warnings.", &about);
    }
    let excerpts = Excerpts::read(findings);
    let rows = findings.iter().take(WARNINGS).map(|finding| {
        let place = finding.places().next();
        let line = place.and_then(|place| excerpts.at(place)).map(|of| format!(":{}", of.line));
        GridRow::new(vec![
            html! { (Shown(&finding.message)) },
            html! { @if let Some(place) = place { code { (Shown(&place.source.name)) (line.unwrap_or_default()) } } },
            html! { (Shown(finding.help.as_deref().unwrap_or_default())) },
        ])
    });
    let more = findings.len().saturating_sub(WARNINGS);
    Grid {
        caption: "Warnings",
        columns: &FINDINGS,
        rows: rows.collect(),
        note: html! { @if more > 0 { (more) " more: tarbac validate lists them" } },
    }
    .markup()
}

fn about(asked: &ViewRequest) -> Markup {
    let provenance = asked.served.engine.provenance();
    let mut known = vec![
        ("Revision", html! { code { (Shown(&provenance.revision)) } }),
        ("Rules in force", html! { (provenance.rules.word()) }),
        ("Read", html! { (age(asked.served.loaded)) }),
        (
            "Files that are not read",
            html! { (provenance.not_read.len()) },
        ),
    ];
    if let (Some(freshness), Some(name)) = (&asked.freshness, asked.served.name()) {
        let changes = asked.links.view(Route::Changes, &[]);
        known.push(("Store", html! { (Shown(&freshness.history().place())) }));
        known.push((
            "Number of the revision",
            html! { (name.number) " of " (freshness.newest()) ", " a href=(changes) { "what has changed" } },
        ));
        known.push((
            "Published",
            html! { time datetime=(name.created) { (name.created.strftime("%Y-%m-%d %H:%M UTC")) } },
        ));
    }
    html! { section.card { h2 { "Workspace" } (facts(&known)) } }
}

/// The replicas that follow the same store and say how they are.
fn replicas(asked: &ViewRequest) -> Markup {
    let Some(news) = &asked.news else {
        return html! {};
    };
    if news.replicas.is_empty() {
        let hint = "Replicas say how they are with serve --announce.";
        let none = tarbac_report::html::empty(Icon::Collection, "No replica says how it is.", hint);
        return html! { (silence(news)) (none) };
    }
    let newest = asked.freshness.as_ref().map_or(0, |of| of.newest());
    let rows = news.replicas.iter().map(|replica| {
        let (tone, words) = condition(replica.state);
        let behind = newest.saturating_sub(replica.number);
        GridRow::new(vec![
            html! { (Shown(&replica.instance)) },
            html! {
                (badge(tone, words))
                @if replica.state == ReplicaCondition::Silent { p.quiet { "for " (replica.seconds) " s" } }
            },
            html! {
                "Revision " (replica.number)
                @if behind > 0 { ", " (behind) " behind" }
                p.quiet { code { (Shown(&replica.id)) } }
            },
            html! { time datetime=(replica.since) { (replica.since.strftime("%Y-%m-%d %H:%M UTC")) } },
            html! { "tarbac " (Shown(&replica.version)) },
        ])
    });
    let grid = Grid {
        caption: "Replicas",
        columns: &REPLICAS,
        rows: rows.collect(),
        note: html! {},
    };
    html! { (silence(news)) (grid.markup()) }
}

fn condition(of: ReplicaCondition) -> (Tone, &'static str) {
    match of {
        ReplicaCondition::Ok => (Tone::Good, "Fresh"),
        ReplicaCondition::Stale => (Tone::Bad, "Stale"),
        ReplicaCondition::Rejecting => (Tone::Bad, "Rejects a newer revision"),
        ReplicaCondition::Silent => (Tone::Bad, "Silent"),
    }
}
