//! What changes for whom, for a page of a wiki or a comment on a pull request.

use super::{because, rows};
use crate::explain::Named;
use crate::impact::{Direction, Impact};
use crate::plan::Plan;
use crate::render::matrix::in_markdown;
use crate::render::tally::{counted, digits, first, some, tally};

/// How many are listed in a cell of a table.
const LISTED: usize = 5;

/// Markdown: the totals, what to look at first, a table of every change, and the plan.
pub fn markdown(impact: &Impact, plan: Option<&Plan>) -> String {
    let mut text = changes(impact);
    if let Some(plan) = plan {
        text.push_str(&super::plan::markdown(&impact.totals, plan));
    }
    text
}

fn changes(impact: &Impact) -> String {
    let totals = &impact.totals;
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
    for concern in &impact.concerns {
        let people: Vec<&Named> = concern.people.iter().map(|of| &of.person).collect();
        let people = in_markdown(&some(&people, LISTED));
        text.push_str(&format!("\n- {} {people}", in_markdown(&concern.says)));
        if let Some(advice) = &concern.advice {
            text.push_str(&format!(". {}", in_markdown(advice)));
        }
    }
    if impact.people.is_empty() {
        return text;
    }
    text.push_str("\n\n| | who | permissions | devices | in | of | was | now |\n");
    text.push_str("|---|---|---|---:|---|---|---|---|\n");
    for touched in &impact.people {
        let people: Vec<&Named> = touched.people.iter().collect();
        let who = some(&people, LISTED);
        for row in rows(touched) {
            let mark = match row.direction {
                Direction::Gained => "+",
                Direction::Lost => "−",
            };
            let [before, after] = &row.reasons;
            let cells = [
                mark.to_owned(),
                who.clone(),
                first(&row.actions, usize::MAX),
                digits(row.count),
                tally(row.under, LISTED),
                tally(row.groups, LISTED),
                because(before, false),
                because(after, false),
            ];
            let cells = cells.map(|cell| in_markdown(&cell));
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
    }
    text
}
