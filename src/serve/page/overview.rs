//! The view *Overview*: the workspace that answers.

use maud::{Markup, html};
use tarbac_analysis::change::what_if::{SettingWords, TenantSetting, settings_now};
use tarbac_analysis::explain::Value;
use tarbac_host::excerpt::Excerpts;
use tarbac_host::lookup::in_words;
use tarbac_report::html::{
    Cells, Figure, Grid, GridColumn, GridRow, Icon, Shown, Tone, badge, facts, figures,
};
use tarbac_report::words::of_number;

use super::frame::age;
use super::view::{Answer, Asked, Shown as Page, View};
use crate::explore::Typed;
use crate::fault::Fault;

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

/// The views that questions lead to, each with the question that it answers.
const QUESTIONS: [(View, &str); 6] = [
    (View::Why, "Why can’t she see this device?"),
    (View::Who, "Who may run scripts on it?"),
    (View::What, "What may he do?"),
    (View::WhatIf, "What happens if we switch?"),
    (View::Access, "Who has access that they do not need?"),
    (View::Roles, "What does a role give?"),
];

pub(super) fn answer(asked: &Asked) -> Result<Answer, Fault> {
    let main = html! {
        (counts(asked))
        (questions(asked))
        (settings(asked))
        (readings(asked))
        (warnings(asked))
        (about(asked))
    };
    let typed = Typed::new("validate");
    let mut page = Page::new(main);
    let mut equal = asked.equal(&typed, "/api/v1/status");
    equal.curl = equal
        .curl
        .split(" -d ")
        .next()
        .unwrap_or_default()
        .replace("-H 'Content-Type: application/json' ", "");
    page.equal = Some(equal);
    Ok(Answer::Page(page))
}

fn counts(asked: &Asked) -> Markup {
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

fn questions(asked: &Asked) -> Markup {
    html! {
        section.stack.tight {
            h2 { "Questions" }
            div.numbers {
                @for (view, question) in QUESTIONS {
                    a href=(asked.links.view(view, &[])) {
                        span.row { (tarbac_report::html::icon(view.icon())) strong { (view.name()) } }
                        span.note { (question) }
                    }
                }
            }
        }
    }
}

/// The settings of the tenant and its hierarchies, as the schema says them.
fn settings(asked: &Asked) -> Markup {
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
            html! { ul { @for setting in of_flag { li { (Shown(&said(setting))) } } } },
            html! { (Shown(doc)) },
        ])
    });
    Grid {
        caption: "Settings",
        columns: &SETTINGS,
        rows: rows.collect(),
        note: html! { a href=(asked.links.view(View::WhatIf, &[])) { "What if one of them changes?" } },
    }
    .markup()
}

/// A setting as it is, in the words of the schema.
pub(super) fn said(setting: &TenantSetting) -> String {
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

fn readings(asked: &Asked) -> Markup {
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

/// What `validate` warns of.
fn warnings(asked: &Asked) -> Markup {
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

fn about(asked: &Asked) -> Markup {
    let provenance = asked.served.engine.provenance();
    html! {
        section.card {
            h2 { "Workspace" }
            (facts(&[
                ("Revision", html! { code { (Shown(&provenance.revision)) } }),
                ("Rules in force", html! { (provenance.rules.word()) }),
                ("Read", html! { (age(asked.served.loaded)) }),
                ("Files that are not read", html! { (provenance.not_read.len()) }),
            ]))
        }
    }
}
