//! Rows of `who` and `what`, for tables.

use super::{chain, messages};
use crate::support::in_short;
use crate::table::Table;
use crate::tally::names_in_a_cell;
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::explain::Named;
use tarbac_analysis::who_what::{Eligible, What, Who};
use tarbac_host::decision::{Decision, Outcome, Refusal};

const WHO: &[&str] = &[
    "principal",
    "principal_name",
    "decision",
    "policies",
    "through",
    "says",
    "errors",
    "with",
    "eligible",
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

/// The answer of `who` as comma-separated values.
///
/// # Errors
/// The rows cannot be written, which does not happen in memory.
pub fn who_csv(who: &Who, premises: &Premises) -> Result<String, csv::Error> {
    who_table(who, true).csv(premises)
}

/// The people who are allowed, in Markdown; with `may_not`, the others too.
pub fn who_markdown(who: &Who, may_not: bool) -> String {
    who_table(who, may_not).markdown()
}

/// The answer of `what` as comma-separated values.
///
/// # Errors
/// The rows cannot be written, which does not happen in memory.
pub fn what_csv(what: &What, premises: &Premises) -> Result<String, csv::Error> {
    what_table(what).csv(premises)
}

/// The answer of `what` in Markdown.
pub fn what_markdown(what: &What) -> String {
    what_table(what).markdown()
}

fn who_table(who: &Who, may_not: bool) -> Table<impl Iterator<Item = Vec<String>>> {
    let permitted = who.may.iter().map(|permitted| {
        let paths: Vec<String> = permitted.paths.iter().map(chain).collect();
        vec![
            permitted.principal.uid.to_string(),
            permitted.principal.name.clone(),
            Decision::Allow.word().to_owned(),
            permitted.policies.join(" "),
            paths.join("; "),
            String::new(),
            String::new(),
            in_short(&permitted.supports).unwrap_or_default(),
            String::new(),
        ]
    });
    let refused_row = |of: RefusedPerson<'_>| {
        let ways = of.eligible.into_iter().flat_map(|eligible| &eligible.ways);
        let ways = ways.map(|way| {
            let paths: Vec<String> = way.paths.iter().map(chain).collect();
            // An alternative needs all of its paths; any alternative is enough.
            paths.join(if way.activate.len() > 1 {
                " and "
            } else {
                "; "
            })
        });
        vec![
            of.principal.uid.to_string(),
            of.principal.name.clone(),
            of.outcome.decision.word().to_owned(),
            of.outcome.policies.join(" "),
            String::new(),
            messages(of.refusals).join(" "),
            of.outcome.errors.join("; "),
            String::new(),
            ways.collect::<Vec<String>>().join("; "),
        ]
    };
    let refused = refused(who).filter(move |of| may_not || of.eligible.is_some());
    Table::new(WHO, permitted.chain(refused.map(refused_row)))
}

fn what_table(what: &What) -> Table<impl Iterator<Item = Vec<String>>> {
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
    Table::new(WHAT, rows)
}

/// A person who is not allowed, or about whom nothing can be decided.
struct RefusedPerson<'a> {
    principal: &'a Named,
    outcome: &'a Outcome,
    refusals: &'a [Refusal],
    /// The eligible memberships that would allow it, if they were asked for.
    eligible: Option<&'a Eligible>,
}

/// The people who are not allowed, each once, eligible people first.
fn refused(who: &Who) -> impl Iterator<Item = RefusedPerson<'_>> {
    let eligible = who.eligible.iter().flatten().map(|of| RefusedPerson {
        principal: &of.principal,
        outcome: &of.outcome,
        refusals: &of.refusals,
        eligible: Some(of),
    });
    let others = who.may_not.iter().chain(&who.unknown);
    eligible.chain(others.flat_map(|of| {
        of.principals.iter().map(|principal| RefusedPerson {
            principal,
            outcome: &of.outcome,
            refusals: &of.refusals,
            eligible: None,
        })
    }))
}
