//! The output of `who` and `what`, in every format.

mod rows;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::VERSION;
use super::explanation::{chain, kind};
use super::page::Page;
use super::premises::PremisesDocument;
use super::support;
use super::words::counted;
use crate::schema;
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::explain::Named;
use tarbac_analysis::who_what::{
    ActionDecision, Alike as AlikeResources, Eligible, Permitted, RefusedPeople, Way, What, Who,
};
use tarbac_host::decision::{Basis, Decision, Outcome, Provenance, Refusal};

pub use rows::{what_csv, what_markdown, who_csv, who_markdown};

/// The most members of a class that are listed.
pub const LISTED: usize = 5;

/// The most allowed people that are listed, unless `all` is wanted.
const PERMITTED: usize = 20;

/// The people who are allowed, each with the path that gives the permission; with `may_not` the others too, with the
/// reasons. Without `all`, only the first ones.
pub fn human(who: &Who, asked: &str, (may_not, all): (bool, bool), width: Option<usize>) -> String {
    let mut page = Page::new(width);
    page.heading(&format!(
        "{} may {asked}",
        counted(who.may.len(), "account")
    ));
    let limit = if all { usize::MAX } else { PERMITTED };
    for permitted in who.may.iter().take(limit) {
        page.line(2, &permitted.principal.name);
        for path in &permitted.paths {
            page.line(4, &chain(path));
        }
        if permitted.paths.is_empty() {
            page.line(4, &permitted.policies.join(", "));
        }
        if let Some(permissions) = support::in_short(&permitted.supports) {
            page.line(4, &format!("with {permissions}"));
        }
    }
    let rest = who.may.len().saturating_sub(limit);
    if rest > 0 {
        let rest = counted(rest, "more account");
        page.line(2, &format!("and {rest} (--all lists them)"));
    }
    let mut refused_are = "account";
    if let Some(eligible) = &who.eligible {
        after_activation(&mut page, eligible, may_not, limit);
        refused_are = "other account";
    }
    let count = |refused: &[RefusedPeople]| refused.iter().map(|refused| refused.count).sum();
    let refused: usize = count(&who.may_not);
    if !may_not {
        page.heading(&format!(
            "{} may not (--may-not says why)",
            counted(refused, refused_are)
        ));
    } else {
        page.heading(&format!("{} may not", counted(refused, refused_are)));
        for refused in &who.may_not {
            reasons(&mut page, refused);
        }
    }
    let unknown: usize = count(&who.unknown);
    if unknown > 0 {
        page.heading(&format!(
            "{} could not be decided about",
            counted(unknown, "account")
        ));
        for refused in &who.unknown {
            reasons(&mut page, refused);
        }
    }
    page.into_text()
}

/// The people who are allowed after activating an eligible membership, each with the membership and the path that it
/// gives; with `may_not` also the refusal until then.
fn after_activation(page: &mut Page, eligible: &[Eligible], may_not: bool, limit: usize) {
    page.heading(&format!(
        "{} may not now, but may after activating an eligible membership",
        counted(eligible.len(), "account")
    ));
    for of in eligible.iter().take(limit) {
        page.line(2, &of.principal.name);
        if may_not {
            page.line(4, &format!("now: {}", because(&of.outcome, &of.refusals)));
        }
        for way in &of.ways {
            let words = std::iter::once("").chain(std::iter::repeat("and "));
            for (path, and) in way.paths.iter().zip(words) {
                // An alternative needs all of its paths; any alternative is enough.
                let and = if way.activate.len() > 1 { and } else { "" };
                page.line(4, &format!("{and}{}", chain(path)));
            }
        }
    }
    let rest = eligible.len().saturating_sub(limit);
    if rest > 0 {
        let rest = counted(rest, "more account");
        page.line(2, &format!("and {rest} (--all lists them)"));
    }
}

/// The reasons of an outcome other than allow.
pub fn because(outcome: &Outcome, refusals: &[Refusal]) -> String {
    let mut because: Vec<&str> = match outcome.basis {
        // Errors are shown in full, so that they can be mended.
        Basis::Forbidden => refusals.iter().map(|of| of.policy.as_str()).collect(),
        _ => outcome.policies.iter().map(String::as_str).collect(),
    };
    because.extend(outcome.errors.iter().map(String::as_str));
    match because.is_empty() {
        true => "no policy permits it".to_owned(),
        false => because.join(", "),
    }
}

fn reasons(page: &mut Page, refused: &RefusedPeople) {
    let because = because(&refused.outcome, &refused.refusals);
    page.line(2, &format!("{}: {because}", refused.count));
    let mut messages: Vec<&str> = Vec::new();
    for refusal in &refused.refusals {
        if let Some(message) = &refusal.message
            && !messages.contains(&message.as_str())
        {
            messages.push(message);
        }
    }
    for message in messages {
        page.line(4, &format!("\"{message}\""));
    }
    for principal in &refused.principals {
        page.line(4, &principal.name);
    }
    let more = refused.count.saturating_sub(refused.principals.len());
    if more > 0 {
        page.line(4, &format!("and {more} more (--all)"));
    }
}

/// The permissions of one person, by classes of resources.
pub fn what(what: &What, principal: &str, width: Option<usize>) -> String {
    let mut page = Page::new(width);
    page.heading(principal);
    for alike in &what.alike {
        let AlikeResources {
            count,
            resources,
            decisions,
        } = alike;
        let names: Vec<&str> = resources.iter().map(|of| of.name.as_str()).collect();
        let kind = resources.first().map(kind).unwrap_or_default();
        let more = match count.saturating_sub(names.len()) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        page.heading(&format!(
            "  {}: {}{more}",
            counted(*count, &kind),
            names.join(", ")
        ));
        let of = |decision: Decision| {
            decisions
                .iter()
                .filter(move |decided| decided.decision == decision)
        };
        allowed(&mut page, of(Decision::Allow));
        not_allowed(&mut page, "may not", of(Decision::Deny));
        not_allowed(
            &mut page,
            "cannot be decided about",
            of(Decision::Indeterminate),
        );
    }
    page.into_text()
}

/// Allowed actions, grouped by the policies that allow them.
fn allowed<'a>(page: &mut Page, decided: impl Iterator<Item = &'a ActionDecision>) {
    let mut groups: Vec<(&[String], Vec<&str>)> = Vec::new();
    for decided in decided {
        match groups
            .iter_mut()
            .find(|(known, _)| *known == decided.policies)
        {
            Some((_, names)) => names.push(&decided.name),
            None => groups.push((&decided.policies, vec![&decided.name])),
        }
    }
    for (policies, names) in groups {
        page.line(4, &format!("may {}", names.join(", ")));
        page.line(6, &policies.join(", "));
    }
}

/// The actions that are not allowed, with every reason against any of them.
fn not_allowed<'a>(page: &mut Page, word: &str, decided: impl Iterator<Item = &'a ActionDecision>) {
    let (mut names, mut reasons) = (Vec::new(), BTreeSet::new());
    for decided in decided {
        names.push(decided.name.as_str());
        reasons.extend(
            decided
                .policies
                .iter()
                .chain(&decided.errors)
                .map(String::as_str),
        );
    }
    if names.is_empty() {
        return;
    }
    if reasons.is_empty() {
        reasons.insert("no policy permits it");
    }
    page.line(4, &format!("{word} {}", names.join(", ")));
    page.line(6, &reasons.into_iter().collect::<Vec<_>>().join(", "));
}

/// The JSON Schema of the answer of `what`.
pub const WHAT_SCHEMA: fn() -> String =
    schema::text::<super::provenance::With<'static, WhatDocument<'static>>>;

#[derive(Serialize, JsonSchema)]
struct WhatDocument<'a> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<PremisesDocument<'a>>,
    principal: &'a Named,
    alike: &'a [AlikeResources],
}

/// The answer of `what` as JSON.
pub fn what_document(
    what: &What,
    principal: &Named,
    premises: &Premises,
    provenance: &Provenance,
) -> String {
    let document = WhatDocument {
        version: VERSION,
        asked: PremisesDocument::if_any(premises),
        principal,
        alike: &what.alike,
    };
    super::provenance::document(document, provenance)
}

/// The JSON Schema of the answer of `who`.
pub const WHO_SCHEMA: fn() -> String =
    schema::text::<super::provenance::With<'static, Document<'static>>>;

#[derive(Serialize, JsonSchema)]
struct Document<'a> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<PremisesDocument<'a>>,
    may: &'a [Permitted],
    may_not: Vec<Alike<'a>>,
    unknown: Vec<Alike<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    eligible: Option<Vec<EligibleDocument<'a>>>,
}

#[derive(Serialize, JsonSchema)]
struct EligibleDocument<'a> {
    principal: &'a Named,
    policies: &'a [String],
    messages: Vec<&'a str>,
    ways: &'a [Way],
}

#[derive(Serialize, JsonSchema)]
struct Alike<'a> {
    policies: &'a [String],
    messages: Vec<&'a str>,
    errors: &'a [String],
    principals: &'a [Named],
}

/// The answer of `who` as JSON.
pub fn document(who: &Who, premises: &Premises, provenance: &Provenance) -> String {
    let document = Document {
        version: VERSION,
        asked: PremisesDocument::if_any(premises),
        may: &who.may,
        may_not: who.may_not.iter().map(alike).collect(),
        unknown: who.unknown.iter().map(alike).collect(),
        eligible: who
            .eligible
            .as_ref()
            .map(|eligible| eligible.iter().map(EligibleDocument::new).collect()),
    };
    super::provenance::document(document, provenance)
}

impl<'a> EligibleDocument<'a> {
    fn new(eligible: &'a Eligible) -> Self {
        Self {
            principal: &eligible.principal,
            policies: &eligible.outcome.policies,
            messages: messages(&eligible.refusals),
            ways: &eligible.ways,
        }
    }
}

/// The messages of the admin center.
fn messages(refusals: &[Refusal]) -> Vec<&str> {
    let messages = refusals.iter();
    messages
        .filter_map(|refusal| refusal.message.as_deref())
        .collect()
}

fn alike(refused: &RefusedPeople) -> Alike<'_> {
    Alike {
        policies: &refused.outcome.policies,
        messages: messages(&refused.refusals),
        errors: &refused.outcome.errors,
        principals: &refused.principals,
    }
}
