//! Differences between two states as a table: a row for each person and change.

use super::{ImpactReport, determining};
use crate::table::Table;
use crate::tally::{in_a_cell, names_in_a_cell};
use tarbac_analysis::change::impact::ChangedDecision;
use tarbac_analysis::change::what_if::Premises;
use tarbac_host::decision::Outcome;

const COLUMNS: &[&str] = &[
    "principal",
    "principal_name",
    "action",
    "change",
    "count",
    "under",
    "groups",
    "resources",
    "out_of_reach",
    "before",
    "before_policies",
    "after",
    "after_policies",
];

impl ImpactReport<'_> {
    /// Comma-separated values, with a heading.
    ///
    /// # Errors
    /// The rows cannot be written, which does not happen in memory.
    pub fn csv(&self) -> Result<String, csv::Error> {
        let rows = self.impact.people.iter().flat_map(|affected| {
            affected.changes.iter().flat_map(|change| {
                let row = row(change);
                affected.people.iter().map(move |person| {
                    let who = [person.uid.to_string(), person.name.clone()];
                    who.iter().chain(&row).cloned().collect()
                })
            })
        });
        Table::new(COLUMNS, rows).csv(&Premises::default())
    }
}

/// The cells of a change, which follow those of the person.
fn row(change: &ChangedDecision) -> [String; 11] {
    let [before, after] = [&change.before, &change.after].map(|of| decided(of.as_ref()));
    let ([before, before_policies], [after, after_policies]) = (before, after);
    [
        change.action.id().unescaped().to_owned(),
        change.direction.as_ref().to_owned(),
        change.count.to_string(),
        in_a_cell(&change.under),
        in_a_cell(&change.groups),
        names_in_a_cell(&change.resources),
        change.is_out_of_reach.to_string(),
        before,
        before_policies,
        after,
        after_policies,
    ]
}

/// A decision with its policies or errors.
fn decided(outcome: Option<&Outcome>) -> [String; 2] {
    outcome.map_or_else(Default::default, |outcome| {
        let because: Vec<&str> = determining(outcome).collect();
        [outcome.decision.word().to_owned(), because.join(" ")]
    })
}
