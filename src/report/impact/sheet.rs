//! What changes for whom, as a sheet: a row for each person and change.

use super::{Report, determining};
use crate::sheet::Sheet;
use crate::tally::{in_a_cell, names_in_a_cell};
use tarbac_host::decision::Outcome;

impl Report<'_> {
    /// Comma-separated values, with a heading.
    ///
    /// # Errors
    /// The rows cannot be written, which does not happen in memory.
    pub fn csv(&self) -> Result<String, csv::Error> {
        let mut sheet = Sheet::new(&[
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
        ])?;
        for touched in &self.impact.people {
            for change in &touched.changes {
                let resources = names_in_a_cell(&change.resources);
                let (before, before_policies) = decided(change.before.as_ref());
                let (after, after_policies) = decided(change.after.as_ref());
                for person in &touched.people {
                    sheet.row([
                        person.uid.to_string().as_str(),
                        &person.name,
                        change.action.id().unescaped(),
                        change.direction.as_ref(),
                        &change.count.to_string(),
                        &in_a_cell(&change.under),
                        &in_a_cell(&change.groups),
                        &resources,
                        &change.is_out_of_reach.to_string(),
                        before,
                        &before_policies,
                        after,
                        &after_policies,
                    ])?;
                }
            }
        }
        sheet.text()
    }
}

/// A decision, with the policies or what went wrong.
fn decided(outcome: Option<&Outcome>) -> (&'static str, String) {
    match outcome {
        Some(outcome) => {
            let because: Vec<&str> = determining(outcome).collect();
            (outcome.decision.word(), because.join(" "))
        }
        None => ("", String::new()),
    }
}
