//! The reasons of a decision: the policies that permit, refuse, or are missing.

use tarbac_analysis::explain::{ExplainedClause, Explanation, Grant, GrantingGroups, Named, Rule};
use tarbac_host::decision::Refusal;

use super::super::page::Page;
use super::{chain, kind, place, read, truth, typed};

/// The most refusing rules whose sentences are written out.
const DESCRIBED: usize = 2;

pub(super) fn permitted(page: &mut Page, grants: &[Grant], authority: Option<&Rule>) {
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

pub(super) fn forbidden(page: &mut Page, rules: &[Rule], authority: Option<&Rule>) {
    page.heading(&match rules.len() {
        1 => "Why it is refused: one rule".to_owned(),
        several => format!("Why it is refused: {several} rules"),
    });
    for (index, rule) in rules.iter().enumerate() {
        let mark = mark(index, rules.len());
        page.item(2, &mark, &format!("{}  {}", rule.policy, place(rule)));
        let indent = 2 + mark.len();
        // With many rules, their clauses and advice fill a screen already.
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

/// The texts of several rules, each text once, after the numbers of its rules.
pub(super) fn referenced(page: &mut Page, said: impl ExactSizeIterator<Item = Option<String>>) {
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
pub(super) fn mark(index: usize, count: usize) -> String {
    match count {
        1 => String::new(),
        _ => format!("{}. ", index + 1),
    }
}

/// Whether a clause repeats one of the rule of the authority, which the page has shown.
fn repeats(clause: &ExplainedClause, authority: Option<&Rule>) -> bool {
    authority.is_some_and(|rule| rule.clauses.iter().any(|said| said.text == clause.text))
}

fn clause_lines(page: &mut Page, indent: usize, clause: &ExplainedClause) {
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

pub(super) fn not_permitted(page: &mut Page, explanation: &Explanation, roles: &GrantingGroups) {
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

pub(super) fn indeterminate(page: &mut Page, explanation: &Explanation) {
    page.heading("Why it cannot be decided");
    for error in &explanation.answer.outcome.errors {
        page.line(2, error);
    }
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
