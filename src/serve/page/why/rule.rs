//! The conditions of a rule, and where it comes from.

use maud::{Markup, html};
use tarbac_analysis::explain::{ExplainedClause, ExplainedCondition, Read, Rule, Truth};
use tarbac_report::html::{Cells, Grid, GridColumn, GridRow, Shown, Tone, badge, facts};

const CONDITIONS: [GridColumn<'_>; 3] = [
    GridColumn::new("Condition", Cells::Heading),
    GridColumn::new("Holds", Cells::Text),
    GridColumn::new("Values that it read", Cells::Wide),
];

/// The conditions of clauses, with the values that they read. Beside an authority, which has said its own, only those that
/// decide.
pub(super) fn conditions(
    caption: &str,
    clauses: &[ExplainedClause],
    authority: Option<&Rule>,
) -> Markup {
    let is_said = |clause: &ExplainedClause| {
        authority.is_some_and(|rule| rule.clauses.iter().any(|said| said.text == clause.text))
    };
    let told = clauses.iter().filter(|clause| !is_said(clause));
    let rows = told.flat_map(|clause| {
        let parts = clause.parts.iter();
        let parts = parts.filter(|part| authority.is_none() || clause.is_decisive(part));
        let words = std::iter::once(clause.keyword.word()).chain(std::iter::repeat("and"));
        parts.zip(words).map(|(part, word)| condition(word, part))
    });
    let rows: Vec<GridRow> = rows.collect();
    if rows.is_empty() {
        return html! {};
    }
    Grid {
        caption,
        columns: &CONDITIONS,
        rows,
        note: html! {},
    }
    .markup()
}

fn condition(word: &str, part: &ExplainedCondition) -> GridRow {
    let (tone, truth) = match part.truth {
        Truth::True => (Tone::Good, "True"),
        Truth::False => (Tone::Bad, "False"),
        Truth::Error(_) => (Tone::Open, "Error"),
        Truth::NotJudged => (Tone::Neutral, "Not judged"),
    };
    GridRow::new(vec![
        html! { span.quiet { (word) } " " code { (Shown(&part.text)) } },
        html! { (badge(tone, truth)) },
        values(part),
    ])
}

fn values(part: &ExplainedCondition) -> Markup {
    if let Truth::Error(error) = &part.truth {
        return html! { (Shown(error)) };
    }
    html! {
        ul {
            @for fact in &part.facts {
                li {
                    code { (Shown(&fact.path)) }
                    @match fact.read {
                        Read::Value => " = ",
                        Read::Ancestors => " is in ",
                    }
                    (Shown(&fact.value.to_string()))
                    @if fact.is_assumed { ", which is assumed" }
                }
            }
        }
    }
}

/// The place of a rule, and its source document.
pub(super) fn origin(rule: &Rule) -> Markup {
    let line = rule.line.map(|line| format!(":{line}")).unwrap_or_default();
    let place = format!("{}{line}", rule.file);
    let mut said = vec![("Policy", html! { code { (Shown(&rule.policy)) } })];
    said.push(("File", html! { code { (Shown(&place)) } }));
    if let Some(source) = &rule.source {
        said.push(("Document", html! { (Shown(source)) }));
    }
    if let Some(reading) = &rule.reading {
        said.push(("Reading", html! { (Shown(reading)) }));
    }
    facts(&said)
}
