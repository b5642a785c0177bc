//! An explanation, as text on one screen and as JSON.

mod alternatives;
mod reasons;
mod sheet;
mod wire;

use alternatives::Family;
use tarbac_analysis::explain::{
    DecisionReasons, ExplainedCondition, Explanation, Named, Path, Remedies, Rule, Truth,
};
use tarbac_host::decision::Decision;
use tarbac_host::lookup::in_words;
use unicode_width::UnicodeWidthStr;

use super::page::{Page, padded};
use super::{provenance, support};
use reasons::{forbidden, indeterminate, not_permitted, permitted, referenced};

pub use sheet::csv;
pub use wire::{ExplanationWire, SCHEMA, wire};

/// The most remedies that are written out; JSON has all of them.
const WRITTEN: usize = 5;

/// The explanation as plain text, as wide as the terminal.
pub fn human(explanation: &Explanation, width: Option<usize>) -> String {
    let mut page = Page::new(width);
    page.line(0, &headline(explanation));
    authority(&mut page, explanation);
    match &explanation.why {
        DecisionReasons::Permitted(grants, supports) => {
            permitted(&mut page, grants, explanation.authority.as_ref());
            support::in_full(&mut page, supports, &explanation.principal.name);
        }
        DecisionReasons::Forbidden(rules) => {
            forbidden(&mut page, rules, explanation.authority.as_ref())
        }
        DecisionReasons::NotPermitted(roles) => not_permitted(&mut page, explanation, roles),
        DecisionReasons::Indeterminate => indeterminate(&mut page, explanation),
    }
    if let Some(remedies) = &explanation.remedies {
        changes(&mut page, remedies);
    }
    notices(&mut page, explanation);
    readings(&mut page, explanation);
    page.apart();
    page.add(&provenance::human(&explanation.provenance, width));
    documents(&mut page, explanation);
    page.into_text()
}

fn headline(explanation: &Explanation) -> String {
    let (word, verb) = match explanation.answer.outcome.decision {
        Decision::Allow => ("ALLOW", "may"),
        Decision::Deny => ("DENY", "may not"),
        Decision::Indeterminate => {
            return format!(
                "INDETERMINATE  whether {} may {} on {} cannot be decided, which is a refusal",
                explanation.principal, explanation.action.short_name, explanation.resource
            );
        }
    };
    format!(
        "{word}  {} {verb} {} on {}",
        explanation.principal, explanation.action.short_name, explanation.resource
    )
}

fn authority(page: &mut Page, explanation: &Explanation) {
    let (Some(authority), Some(rule)) = (&explanation.answer.authority, &explanation.authority)
    else {
        return;
    };
    let decides = match &explanation.decides {
        Some(decides) => decides.clone(),
        None => format!("Authority: {}", authority.name),
    };
    page.heading(&format!("{decides}  ({}, {})", rule.policy, place(rule)));
    page.line(2, rule.doc.as_deref().unwrap_or_default());
    for clause in &rule.clauses {
        let width = clause
            .parts
            .iter()
            .map(|part| part.text.width())
            .max()
            .unwrap_or_default();
        for part in &clause.parts {
            let text = format!(
                "{:<6} {}  {}",
                truth(&part.truth),
                padded(&part.text, width),
                read(part)
            );
            page.line(4, text.trim_end());
        }
    }
}

/// The values that a part read, without a known value whose path is the text of the part.
fn read(part: &ExplainedCondition) -> String {
    if let Truth::Error(error) = &part.truth {
        return error.clone();
    }
    part.facts
        .iter()
        .filter(|fact| fact.is_assumed || fact.path != part.text)
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}

fn truth(truth: &Truth) -> &'static str {
    match truth {
        Truth::True => "true",
        Truth::False => "false",
        Truth::Error(_) => "error",
        Truth::NotJudged => "-",
    }
}

fn changes(page: &mut Page, remedies: &Remedies) {
    page.heading("Changes that would reverse it, each decided again");
    let families = alternatives::families(&remedies.alternatives);
    for (index, family) in families.iter().take(WRITTEN).enumerate() {
        let mark = format!("{}. ", index + 1);
        for (position, change) in family.first.iter().enumerate() {
            let mark = if position == 0 {
                mark.clone()
            } else {
                " ".repeat(mark.len())
            };
            let and = if position == 0 { "" } else { "and " };
            page.item(2, &mark, &format!("{and}{}", change.sentence));
        }
        for line in likewise(family) {
            page.line(2 + mark.len(), &line);
        }
    }
    if families.len() > WRITTEN {
        page.line(2, &format!("and {} more", families.len() - WRITTEN));
    }
    if remedies.alternatives.is_empty() {
        page.line(2, "No change that can be made.");
    }
    if !remedies.unliftable.is_empty() {
        page.line(
            2,
            &format!("No change lifts {}.", remedies.unliftable.join(", ")),
        );
    }
    if remedies.is_cut {
        page.line(2, "The search was cut short, so there may be more.");
    }
}

/// The substitutes for values in the first alternative of a family.
fn likewise(family: &Family<'_>) -> Vec<String> {
    let lines = family
        .instead
        .iter()
        .map(|(value, others)| format!("(or, in place of {value}: {})", others.join(", ")));
    match family.unlisted {
        0 => lines.collect(),
        more => vec![format!("(or one of {more} more like it)")],
    }
}

fn notices(page: &mut Page, explanation: &Explanation) {
    if explanation.answer.notices.is_empty() {
        return;
    }
    page.heading("Notices");
    for notice in &explanation.answer.notices {
        let about = notice
            .about
            .as_ref()
            .map(|uid| format!(" ({})", uid.id().unescaped()));
        let former = notice
            .former
            .map(|former| format!(" Formerly: {}.", former.word()));
        page.line(
            2,
            &format!(
                "{}: {}{}{}",
                notice.code,
                notice.message,
                about.unwrap_or_default(),
                former.unwrap_or_default()
            ),
        );
    }
}

fn readings(page: &mut Page, explanation: &Explanation) {
    if explanation.readings.is_empty() {
        page.heading("Readings in force: none");
        return;
    }
    page.heading("Readings in force");
    for reading in &explanation.readings {
        page.line(2, &format!("{}: {}", reading.name, reading.doc));
    }
}

/// The documents that the authority and the numbered rules come from.
fn documents(page: &mut Page, explanation: &Explanation) {
    let rules: Vec<&Rule> = match &explanation.why {
        DecisionReasons::Permitted(grants, _) => grants.iter().map(|grant| &grant.rule).collect(),
        DecisionReasons::Forbidden(rules) => rules.iter().collect(),
        DecisionReasons::NotPermitted(_) | DecisionReasons::Indeterminate => Vec::new(),
    };
    let authority = explanation
        .authority
        .as_ref()
        .and_then(|rule| rule.source.as_ref());
    if authority.is_none() && rules.iter().all(|rule| rule.source.is_none()) {
        return;
    }
    page.heading("Documents");
    referenced(page, rules.iter().map(|rule| rule.source.clone()));
    if let Some(authority) = authority {
        page.line(2, &format!("authority: {authority}"));
    }
}

/// Where a policy stands.
fn place(rule: &Rule) -> String {
    let line = rule.line.map(|line| format!(":{line}")).unwrap_or_default();
    format!("{}{line}", rule.file)
}

/// A chain of memberships in one line.
pub fn chain(path: &Path) -> String {
    let mut steps = path.steps.iter();
    let first = steps.next().map(|step| step.name.clone());
    first
        .into_iter()
        .chain(steps.map(typed))
        .collect::<Vec<_>>()
        .join(" -> ")
}

/// An entity with its type in words.
pub fn typed(entity: &Named) -> String {
    format!("{} {}", kind(entity), entity.name)
}

/// The type of an entity in words.
pub fn kind(entity: &Named) -> String {
    in_words(entity.uid.type_name())
}
