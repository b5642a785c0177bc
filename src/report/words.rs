//! Words of the reports that the views of the server share.

use tarbac_analysis::change::impact::ImpactTotals;
use tarbac_analysis::explain::Named;
use tarbac_analysis::plan::{Lost, Plan, RoleChange};
use tarbac_host::decision::Outcome;

use crate::impact;
use crate::tally;

/// The most names that are listed.
const LISTED: usize = 5;

/// A number with its noun in the singular: `1,024 devices`, `2 hierarchies`.
pub fn counted<N: TryInto<u64>>(count: N, noun: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    format!("{} {}", tally::digits(count), of_number(count, noun))
}

/// The form of a noun in the singular that stands with a number.
pub fn of_number(count: u64, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => noun.to_owned(),
        _ if noun == "person" => "people".to_owned(),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    }
}

/// Some things by name, and how many there are.
pub fn on(examples: &[Named], count: u64) -> String {
    tally::on(examples, count, None)
}

/// The counts of things by what they are in, as devices in hierarchies; empty if that says nothing.
pub fn under(of: &[(Named, u64)]) -> String {
    tally::under(of, LISTED)
}

/// The first of some people by name, and the number of the others.
pub fn people(named: &[Named]) -> String {
    let named: Vec<&Named> = named.iter().collect();
    tally::some(&named, LISTED)
}

/// What was decided, and by which policies.
pub fn decided(outcome: &Option<Outcome>) -> String {
    impact::because(&[outcome], true)
}

/// The title of a role change.
pub fn role_change(change: &RoleChange) -> String {
    impact::plan::title(change, LISTED)
}

/// The remarks about a role change, a line each.
pub fn about_role_change(change: &RoleChange) -> Vec<String> {
    impact::plan::about(change, LISTED)
}

/// A plan against losses, a line each.
pub fn against_losses(without: &ImpactTotals, plan: &Plan) -> Vec<String> {
    impact::plan::against_losses(without, plan)
}

/// A plan against gains, a line each.
pub fn against_gains(without: &ImpactTotals, plan: &Plan) -> Vec<String> {
    impact::plan::against_gains(without, plan)
}

/// Losses that no role prevents: the permissions, and whose they are.
pub fn unpreventable(lost: &Lost) -> String {
    let permissions = impact::plan::names(&lost.permissions, LISTED);
    format!("{permissions}: {}", impact::plan::whose(lost, LISTED))
}
