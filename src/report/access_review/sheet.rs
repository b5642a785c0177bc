//! The access review as a table: a row for each person and permission.

use crate::support::in_short;
use crate::table::Table;
use crate::tally::{in_a_cell, names_in_a_cell};
use tarbac_analysis::access_review::{AccessReview, Entitlement, Through};
use tarbac_analysis::change::what_if::Premises;

const COLUMNS: &[&str] = &[
    "principal",
    "principal_name",
    "action",
    "status",
    "count",
    "of",
    "under",
    "groups",
    "resources",
    "through",
    "policies",
    "reasons",
    "with",
];

/// Comma-separated values, with a heading.
///
/// # Errors
/// The rows cannot be written, which does not happen in memory.
pub fn csv(review: &AccessReview, premises: &Premises) -> Result<String, csv::Error> {
    let rows = review.people.iter().flat_map(|holder| {
        holder.holds.iter().flat_map(|hold| {
            let row = row(hold);
            holder.people.iter().map(move |person| {
                let who = [person.uid.to_string(), person.name.clone()];
                who.iter().chain(&row).cloned().collect()
            })
        })
    });
    Table::new(COLUMNS, rows).csv(premises)
}

/// The cells of a permission, which follow those of the person.
fn row(hold: &Entitlement) -> [String; 11] {
    let policies = hold.through.iter().map(|of| of.policy.as_str());
    let ways = hold.through.iter().filter(|of| !of.steps.is_empty());
    let reasons = hold.reasons.iter();
    let reasons = reasons.map(|(reason, count)| format!("{reason}: {count}"));
    [
        hold.action.id().unescaped().to_owned(),
        hold.status.as_ref().to_owned(),
        hold.count.to_string(),
        hold.of.to_string(),
        in_a_cell(&hold.under),
        in_a_cell(&hold.groups),
        names_in_a_cell(&hold.resources),
        ways.map(way).collect::<Vec<_>>().join("; "),
        policies.collect::<Vec<_>>().join(" "),
        reasons.collect::<Vec<_>>().join("; "),
        in_short(&hold.supports).unwrap_or_default(),
    ]
}

fn way(through: &Through) -> String {
    let steps = through.steps.iter().map(|step| step.name.as_str());
    steps.collect::<Vec<_>>().join(" -> ")
}
