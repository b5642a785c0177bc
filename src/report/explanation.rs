//! An explanation, as text on one screen and as JSON.

mod alternatives;
mod wire;

use alternatives::Family;
use unicode_width::UnicodeWidthStr;

use tarbac_analysis::explain::{
    Clause, Explanation, Grant, Named, Part, Path, Read, Remedies, Roles, Rule, Truth, Why,
};
use tarbac_host::decision::{Decision, Refusal};
use tarbac_host::lookup::in_words;

use super::page::{Page, padded};
use super::provenance;
use super::support;

pub use wire::{SCHEMA, Wire, wire};

/// How many ways to change a refusal are written out; JSON has them all.
const WRITTEN: usize = 5;

/// Up to how many refusing rules are described by their sentence as well.
const DESCRIBED: usize = 2;

/// The explanation as plain text, as wide as the terminal.
pub fn human(explanation: &Explanation, width: Option<usize>) -> String {
    let mut page = Page::new(width);
    page.line(0, &headline(explanation));
    authority(&mut page, explanation);
    match &explanation.why {
        Why::Permitted(grants, supports) => {
            permitted(&mut page, grants, explanation.authority.as_ref());
            support::in_full(&mut page, supports, &explanation.principal.name);
        }
        Why::Forbidden(rules) => forbidden(&mut page, rules, explanation.authority.as_ref()),
        Why::NotPermitted(roles) => not_permitted(&mut page, explanation, roles),
        Why::Indeterminate => indeterminate(&mut page, explanation),
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

fn permitted(page: &mut Page, grants: &[Grant], authority: Option<&Rule>) {
    page.heading("Why it is allowed");
    for (index, grant) in grants.iter().enumerate() {
        let rule = &grant.rule;
        let mark = mark(index, grants.len());
        page.item(2, &mark, &format!("{}  {}", rule.policy, place(rule)));
        let indent = 2 + mark.len();
        page.line(indent, rule.doc.as_deref().unwrap_or_default());
        for path in &grant.paths {
            page.line(indent, &chain(path));
        }
        for clause in rule
            .clauses
            .iter()
            .filter(|clause| !repeats(clause, authority))
        {
            clause_lines(page, indent, clause);
        }
    }
}

fn forbidden(page: &mut Page, rules: &[Rule], authority: Option<&Rule>) {
    page.heading(&match rules.len() {
        1 => "Why it is refused: one rule".to_owned(),
        several => format!("Why it is refused: {several} rules"),
    });
    for (index, rule) in rules.iter().enumerate() {
        let mark = mark(index, rules.len());
        page.item(2, &mark, &format!("{}  {}", rule.policy, place(rule)));
        let indent = 2 + mark.len();
        // Where many rules refuse, their clauses and their advice say enough on one screen.
        if rules.len() <= DESCRIBED || rule.advice.is_none() {
            page.line(indent, rule.doc.as_deref().unwrap_or_default());
        }
        for clause in rule
            .clauses
            .iter()
            .filter(|clause| !repeats(clause, authority))
        {
            clause_lines(page, indent, clause);
        }
        if let Some(advice) = &rule.advice {
            page.item(indent, "> ", advice);
        }
    }
    let messages = rules.iter().map(|rule| {
        rule.message
            .as_deref()
            .map(|message| format!("\"{message}\""))
    });
    if rules.iter().any(|rule| rule.message.is_some()) {
        page.heading("The admin center says");
        referenced(page, messages);
    }
}

/// What several things say, each once, after the numbers of those that say it.
fn referenced(page: &mut Page, said: impl ExactSizeIterator<Item = Option<String>>) {
    let count = said.len();
    let mut once: Vec<(String, Vec<String>)> = Vec::new();
    for (index, said) in said
        .enumerate()
        .filter_map(|(index, said)| Some((index, said?)))
    {
        let number = (index + 1).to_string();
        match once.iter_mut().find(|(known, _)| *known == said) {
            Some((_, numbers)) => numbers.push(number),
            None => once.push((said, vec![number])),
        }
    }
    for (said, numbers) in once {
        match count {
            1 => page.line(2, &said),
            _ => page.item(2, &format!("{}: ", numbers.join(", ")), &said),
        }
    }
}

/// The number of a rule, unless it is the only one.
fn mark(index: usize, count: usize) -> String {
    match count {
        1 => String::new(),
        _ => format!("{}. ", index + 1),
    }
}

/// Whether a clause only asks again which authority is in force, which has been said.
fn repeats(clause: &Clause, authority: Option<&Rule>) -> bool {
    authority.is_some_and(|rule| rule.clauses.iter().any(|said| said.text == clause.text))
}

fn clause_lines(page: &mut Page, indent: usize, clause: &Clause) {
    let keyword = clause.keyword.word();
    for part in clause.parts.iter().filter(|part| clause.is_decisive(part)) {
        let read = match read(part) {
            read if read.is_empty() => String::new(),
            read => format!(": {read}"),
        };
        page.line(
            indent,
            &format!("{keyword} {} -- {}{read}", part.text, truth(&part.truth)),
        );
    }
}

/// The values a part read, but for one that is the part itself.
fn read(part: &Part) -> String {
    if let Truth::Error(error) = &part.truth {
        return error.clone();
    }
    part.facts
        .iter()
        .filter(|fact| fact.path != part.text)
        .map(|fact| match fact.read {
            Read::Value => format!("{} = {}", fact.path, fact.value),
            Read::Ancestors => format!("{} is in {}", fact.path, fact.value),
        })
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

fn not_permitted(page: &mut Page, explanation: &Explanation, roles: &Roles) {
    page.heading("Why it is refused: no policy permits it");
    let giving: Vec<&Named> = roles.giving.iter().map(|giving| &giving.entity).collect();
    match giving.is_empty() {
        true => page.line(2, "No role of these policies gives the permission."),
        false => page.line(
            2,
            &format!("The permission comes with {}.", by_type(&giving)),
        ),
    }
    let holds = match (roles.held.is_empty(), roles.withheld.is_empty()) {
        (true, true) => "holds no role.",
        (true, false) => "holds no role that counts here:",
        (false, _) => "holds another:",
    };
    page.line(2, &format!("{} {holds}", explanation.principal));
    for held in &roles.held {
        match &held.path {
            Some(path) => page.line(4, &chain(path)),
            None => page.line(4, &typed(&held.entity)),
        }
    }
    for withheld in &roles.withheld {
        if let Some(path) = &withheld.path {
            page.line(4, &chain(path));
        }
        page.line(6, &withheld.told);
    }
    let refusals = &explanation.answer.refusals;
    if !refusals.is_empty() {
        page.heading("The admin center says");
    }
    for Refusal {
        message, advice, ..
    } in refusals
    {
        page.line(
            2,
            &format!("\"{}\"", message.as_deref().unwrap_or_default()),
        );
        if let Some(advice) = advice {
            page.item(2, "> ", advice);
        }
    }
}

fn indeterminate(page: &mut Page, explanation: &Explanation) {
    page.heading("Why it cannot be decided");
    for error in &explanation.answer.outcome.errors {
        page.line(2, error);
    }
}

fn changes(page: &mut Page, remedies: &Remedies) {
    page.heading("What would change it, each decided again with the change made");
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
        page.line(2, "Nothing that can be changed.");
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

/// What may be taken in place of something in the first alternative of a family.
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
        Why::Permitted(grants, _) => grants.iter().map(|grant| &grant.rule).collect(),
        Why::Forbidden(rules) => rules.iter().collect(),
        Why::NotPermitted(_) | Why::Indeterminate => Vec::new(),
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

pub(super) fn chain(path: &Path) -> String {
    let mut steps = path.steps.iter();
    let first = steps.next().map(|step| step.name.clone());
    first
        .into_iter()
        .chain(steps.map(typed))
        .collect::<Vec<_>>()
        .join(" -> ")
}

/// The entities by name, under the name of their type.
fn by_type(entities: &[&Named]) -> String {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for entity in entities {
        let kind = kind(entity);
        match groups.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, names)) => names.push(&entity.name),
            None => groups.push((kind, vec![&entity.name])),
        }
    }
    groups
        .into_iter()
        .map(|(kind, names)| match names.split_last() {
            Some((last, [])) => format!("{kind} {last}"),
            Some((last, others)) => format!("{kind} {} or {last}", others.join(", ")),
            None => kind,
        })
        .collect::<Vec<_>>()
        .join("; ")
}

pub(super) fn typed(entity: &Named) -> String {
    format!("{} {}", kind(entity), entity.name)
}

/// The type of an entity in words.
pub(super) fn kind(entity: &Named) -> String {
    in_words(entity.uid.type_name())
}
