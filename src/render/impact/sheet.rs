//! What changes for whom, as a sheet: a row for each person and change.

use crate::decision::Outcome;
use crate::impact::Impact;
use crate::render::tally::in_a_cell;

/// Comma-separated values, with a heading.
///
/// # Errors
/// The rows cannot be written, which does not happen in memory.
pub fn csv(impact: &Impact) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
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
    for touched in &impact.people {
        for change in &touched.changes {
            let resources = change.resources.iter().map(|of| of.name.as_str());
            let resources = resources.collect::<Vec<_>>().join(" ");
            let (before, before_policies) = decided(change.before.as_ref());
            let (after, after_policies) = decided(change.after.as_ref());
            for person in &touched.people {
                writer.write_record([
                    &person.uid.to_string(),
                    &person.name,
                    change.action.id().unescaped(),
                    change.direction.word(),
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
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn decided(outcome: Option<&Outcome>) -> (&'static str, String) {
    match outcome {
        Some(outcome) => (outcome.decision.word(), outcome.policies.join(" ")),
        None => ("", String::new()),
    }
}
