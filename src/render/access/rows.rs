//! Who may do what, a row for each: of a sheet, of a table in Markdown, or of lines of JSON.

use serde::Serialize;

use super::{AlikeDocument, EligibleDocument, Permitted, chain, messages};
use crate::access::{Eligible, Refused, What, Who};
use crate::decision::Decision;
use crate::explain::Named;
use crate::render::entity::Entity;
use crate::render::premises::PremisesDocument;
use crate::render::support::in_short;
use crate::render::table::Table;
use crate::render::tally::names_in_a_cell;
use crate::render::{VERSION, json_line};
use crate::what_if::Premises;

/// What stands in place of a decision for whoever may after activating something.
const ELIGIBLE: &str = "eligible";

const WHO: &[&str] = &[
    "principal",
    "principal_name",
    "decision",
    "policies",
    "through",
    "says",
    "errors",
    "with",
];

const WHAT: &[&str] = &[
    "resources",
    "count",
    "type",
    "action",
    "decision",
    "policies",
    "errors",
];

/// Everybody, as comma-separated values.
///
/// # Errors
/// The rows cannot be written, which does not happen in memory.
pub fn who_csv(who: &Who, premises: &Premises) -> Result<String, csv::Error> {
    who_table(who, true).csv(premises)
}

/// Those who may in Markdown; with `may_not` the others, too.
pub fn who_markdown(who: &Who, may_not: bool) -> String {
    who_table(who, may_not).markdown()
}

/// What somebody may do, as comma-separated values.
///
/// # Errors
/// The rows cannot be written, which does not happen in memory.
pub fn what_csv(what: &What, premises: &Premises) -> Result<String, csv::Error> {
    what_table(what).csv(premises)
}

/// What somebody may do, in Markdown.
pub fn what_markdown(what: &What) -> String {
    what_table(what).markdown()
}

fn who_table(who: &Who, may_not: bool) -> Table {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for permitted in &who.may {
        let paths: Vec<String> = permitted.paths.iter().map(chain).collect();
        rows.push(vec![
            permitted.principal.uid.to_string(),
            permitted.principal.name.clone(),
            Decision::Allow.word().to_owned(),
            permitted.policies.join(" "),
            paths.join("; "),
            String::new(),
            String::new(),
            in_short(&permitted.supports).unwrap_or_default(),
        ]);
    }
    for eligible in eligible(who) {
        for way in &eligible.ways {
            let paths: Vec<String> = way.paths.iter().map(chain).collect();
            rows.push(vec![
                eligible.principal.uid.to_string(),
                eligible.principal.name.clone(),
                ELIGIBLE.to_owned(),
                way.policies.join(" "),
                paths.join("; "),
                String::new(),
                String::new(),
                String::new(),
            ]);
        }
    }
    for refused in refused(who).filter(|_| may_not) {
        for principal in &refused.principals {
            rows.push(vec![
                principal.uid.to_string(),
                principal.name.clone(),
                refused.outcome.decision.word().to_owned(),
                refused.outcome.policies.join(" "),
                String::new(),
                messages(refused).join(" "),
                refused.outcome.errors.join("; "),
                String::new(),
            ]);
        }
    }
    Table::new(WHO, rows)
}

fn what_table(what: &What) -> Table {
    let rows = what.alike.iter().flat_map(|alike| {
        let resources = names_in_a_cell(&alike.resources);
        let of_type = alike.resources.first();
        let of_type = of_type.map_or(String::new(), |of| of.uid.type_name().to_string());
        alike.decisions.iter().map(move |decided| {
            vec![
                resources.clone(),
                alike.count.to_string(),
                of_type.clone(),
                decided.action.clone(),
                decided.decision.word().to_owned(),
                decided.policies.join(" "),
                decided.errors.join("; "),
            ]
        })
    });
    Table::new(WHAT, rows.collect())
}

fn eligible(who: &Who) -> impl Iterator<Item = &Eligible> {
    who.eligible.iter().flatten()
}

fn refused(who: &Who) -> impl Iterator<Item = &Refused> {
    who.may_not.iter().chain(&who.unknown)
}

/// Somebody, and what is decided.
#[derive(Serialize)]
struct WhoLine<'a> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<PremisesDocument<'a>>,
    decision: &'a str,
    #[serde(flatten)]
    permitted: Option<Permitted<'a>>,
    #[serde(flatten)]
    refused: Option<RefusedLine<'a>>,
    #[serde(flatten)]
    eligible: Option<EligibleDocument<'a>>,
}

#[derive(Serialize)]
struct RefusedLine<'a> {
    principal: Entity<'a>,
    policies: &'a [String],
    messages: Vec<&'a str>,
    errors: &'a [String],
}

/// Everybody, an object a line.
pub fn who_ndjson<'a>(
    who: &'a Who,
    premises: &'a Premises,
) -> impl Iterator<Item = String> + use<'a> {
    let may = who.may.iter().map(move |permitted| WhoLine {
        version: VERSION,
        asked: PremisesDocument::if_any(premises),
        decision: Decision::Allow.word(),
        permitted: Some(Permitted::of(permitted)),
        refused: None,
        eligible: None,
    });
    let eligible = eligible(who).map(move |eligible| WhoLine {
        version: VERSION,
        asked: PremisesDocument::if_any(premises),
        decision: ELIGIBLE,
        permitted: None,
        refused: None,
        eligible: Some(EligibleDocument::of(eligible)),
    });
    let others = refused(who).flat_map(move |refused| {
        refused.principals.iter().map(move |principal| WhoLine {
            version: VERSION,
            asked: PremisesDocument::if_any(premises),
            decision: refused.outcome.decision.word(),
            permitted: None,
            refused: Some(RefusedLine {
                principal: Entity::of(principal),
                policies: &refused.outcome.policies,
                messages: messages(refused),
                errors: &refused.outcome.errors,
            }),
            eligible: None,
        })
    });
    may.chain(eligible).chain(others).map(|line| json(&line))
}

/// Resources that are treated alike, and what is decided about them.
#[derive(Serialize)]
struct WhatLine<'a> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<PremisesDocument<'a>>,
    principal: Entity<'a>,
    #[serde(flatten)]
    alike: AlikeDocument<'a>,
}

/// What somebody may do, an object a line for resources that are treated alike.
pub fn what_ndjson<'a>(
    what: &'a What,
    principal: &'a Named,
    premises: &'a Premises,
) -> impl Iterator<Item = String> + use<'a> {
    what.alike.iter().map(move |alike| {
        json(&WhatLine {
            version: VERSION,
            asked: PremisesDocument::if_any(premises),
            principal: Entity::of(principal),
            alike: AlikeDocument::of(alike),
        })
    })
}

/// A line. The objects have string keys and no maps of anything else, so they can be written.
fn json(line: &impl Serialize) -> String {
    json_line(line) + "\n"
}
