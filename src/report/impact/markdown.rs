//! The comparison of two states in Markdown.

use super::{IN_NEED, ImpactReport, because, out_of_reach, plan, rows, unknown};
use crate::matrix::in_markdown;
use crate::premises;
use crate::table::Table;
use crate::tally::{digits, first, some, tally};
use crate::words::counted;
use tarbac_analysis::change::impact::{Concerned, Direction, Impact, ImpactTotals};
use tarbac_analysis::explain::Named;
use tarbac_analysis::plan::PlannedRoles;

/// The most names in a cell of a table.
const LISTED: usize = 5;

const COLUMNS: [&str; 8] = [
    "",
    "who",
    "permissions",
    "devices",
    "in",
    "of",
    "was",
    "now",
];

impl ImpactReport<'_> {
    /// The totals, the concerns, a table of every change, and the plan.
    pub fn markdown(&self) -> String {
        let mut text = premises::markdown(self.premises);
        text.push_str(&totals(&self.impact.totals));
        text.push_str(&concerns(self));
        text.push_str(&changes(self.impact));
        if let Some(plan) = self.plan() {
            text.push_str(&plan::markdown(&self.impact.totals, plan));
        }
        text
    }
}

fn totals(totals: &ImpactTotals) -> String {
    let mut text = format!(
        "**{} gained, {} lost**, on {}; {} gain something, {} lose something, {} everything. Of {}, {} \
         are allowed before and {} after.\n",
        counted(totals.gained, "decision"),
        digits(totals.lost),
        counted(totals.resources, "resource"),
        digits(totals.people_gaining),
        digits(totals.people_losing),
        digits(totals.people_losing_everything),
        counted(totals.decisions, "decision"),
        digits(totals.allowed_before),
        digits(totals.allowed_after),
    );
    if let Some(unknown) = unknown(totals) {
        text.push_str(&format!("\n{unknown}.\n"));
    }
    text
}

/// The changes that deserve a look first, as a list.
fn concerns(report: &ImpactReport<'_>) -> String {
    let ImpactReport { impact, roles, .. } = report;
    let mut text = String::new();
    let look_at = |says: &str, people: &[Concerned]| {
        let people: Vec<&Named> = people.iter().map(|of| &of.person).collect();
        let people = in_markdown(&some(&people, LISTED));
        format!("\n- {} {people}", in_markdown(says))
    };
    let losing = impact.people.iter().filter(|of| of.loses_everything());
    let losing: Vec<&Named> = losing.flat_map(|of| &of.people).collect();
    if !losing.is_empty() {
        let losing = in_markdown(&some(&losing, LISTED));
        text.push_str(&format!("\n- Lose everything: {losing}"));
    }
    for concern in &impact.concerns {
        text.push_str(&look_at(&concern.says, &concern.people));
        if let Some(advice) = &concern.advice {
            text.push_str(&format!(". {}", in_markdown(advice)));
        }
    }
    for page in &impact.pages {
        text.push_str(&look_at(&out_of_reach(page), &page.people));
    }
    if let PlannedRoles::InNeed(changes) = roles
        && !changes.is_empty()
    {
        text.push_str(&format!("\n- {IN_NEED}"));
        for change in changes {
            let change = plan::in_short(change, usize::MAX);
            text.push_str(&format!("\n  - {}", in_markdown(&change)));
        }
    }
    text
}

/// A table with a row for each change of each group of people; empty without changes.
fn changes(impact: &Impact) -> String {
    let mut changes = Vec::new();
    for affected in &impact.people {
        let people: Vec<&Named> = affected.people.iter().collect();
        let who = some(&people, LISTED);
        for row in rows(affected) {
            let mark = match row.direction {
                Direction::Gained => "+",
                Direction::Lost => "−",
                Direction::Undecided => "?",
            };
            let [before, after] = &row.reasons;
            changes.push(vec![
                mark.to_owned(),
                who.clone(),
                first(&row.actions, usize::MAX),
                digits(row.count),
                tally(row.under, LISTED),
                tally(row.groups, LISTED),
                because(before, false),
                because(after, false),
            ]);
        }
    }
    match Table::new(&COLUMNS, changes.into_iter()).markdown() {
        table if table.is_empty() => table,
        table => format!("\n\n{table}"),
    }
}
