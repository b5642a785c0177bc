//! The findings of an access review: refusals of granted permissions, and redundant assignments.

use maud::{Markup, html};

use super::super::because;
use crate::explanation::typed;
use crate::html::{Cells, Count, Grid, GridColumn, GridRow, Shown, Tone, message, some_lines};
use crate::tally::first;
use tarbac_analysis::access_review::{AccessReview, Assignment, Obstacle, Redundancy};

/// The most rows of a table.
const ROWS: usize = 100;

/// The most roles in a cell.
const ROLES: usize = 5;

const REFUSING: [GridColumn<'_>; 4] = [
    GridColumn::new("Policy", Cells::Heading),
    GridColumn::new("Permissions refused", Cells::Number),
    GridColumn::new("Accounts", Cells::Number),
    GridColumn::new("Advice", Cells::Wide),
];

const ASSIGNMENTS: [GridColumn<'_>; 5] = [
    GridColumn::new("Assignment", Cells::Heading),
    GridColumn::new("Members", Cells::Text),
    GridColumn::new("Accounts", Cells::Number),
    GridColumn::new("Roles", Cells::Text),
    GridColumn::new("Because", Cells::Wide),
];

pub(super) fn section(review: &AccessReview) -> Markup {
    let accounts = review
        .obstacles
        .iter()
        .filter_map(|of| of.accounts.as_ref());
    html! {
        @for accounts in accounts {
            (message(
                Tone::Open,
                &format!("{}: {}", accounts.called, accounts.people.len()),
                &some_lines(accounts.people.iter().map(|of| of.name.clone())),
            ))
        }
        @for (redundancy, title, remark) in REDUNDANT {
            (assignments(review, redundancy, title, remark))
        }
        @if !review.obstacles.is_empty() { (obstacles(&review.obstacles)) }
    }
}

const REDUNDANT: [(Redundancy, &str, &str); 4] = [
    (
        Redundancy::Nothing,
        "Assignments that give nothing",
        "All of them can go, and no decision changes.",
    ),
    (
        Redundancy::Repeats,
        "Assignments that give only what others give",
        "Any one of them can go.",
    ),
    (
        Redundancy::Withheld,
        "Assignments that give nothing here",
        "Their effect elsewhere is not examined.",
    ),
    (
        Redundancy::Suspended,
        "Assignments that give nothing more now",
        "They may once accounts are enabled or memberships are activated.",
    ),
];

fn assignments(review: &AccessReview, redundancy: Redundancy, title: &str, remark: &str) -> Markup {
    let of = review
        .assignments
        .iter()
        .filter(|of| of.redundancy == redundancy);
    let of: Vec<&Assignment> = of.collect();
    if of.is_empty() {
        return html! {};
    }
    let rows = of.iter().take(ROWS).map(|assignment| {
        let roles: Vec<String> = assignment.roles.iter().map(typed).collect();
        GridRow::new(vec![
            html! { (Shown(&assignment.to.name)) },
            html! { (Shown(&assignment.from.as_ref().map_or_else(|| "nobody".to_owned(), typed))) },
            html! { (Count(assignment.people)) },
            html! { (Shown(&first(&roles, ROLES))) },
            html! { (Shown(&because(assignment).unwrap_or_default())) },
        ])
    });
    let grid = Grid {
        caption: &format!("{title}: {} of {}", of.len(), review.totals.assignments),
        columns: &ASSIGNMENTS,
        rows: rows.collect(),
        note: html! { (remark) (more(of.len())) },
    };
    grid.markup()
}

fn obstacles(obstacles: &[Obstacle]) -> Markup {
    let rows = obstacles.iter().take(ROWS).map(|of| {
        GridRow::new(vec![
            html! { code { (Shown(&of.policy)) } div.quiet { (Shown(&of.says)) } },
            html! { (Count(of.decisions)) },
            html! { (Count(of.people)) },
            html! { @if let Some(advice) = &of.advice { (Shown(advice)) } },
        ])
    });
    let grid = Grid {
        caption: "The policies that refuse most of the granted permissions",
        columns: &REFUSING,
        rows: rows.collect(),
        note: more(obstacles.len()),
    };
    grid.markup()
}

/// The number of rows that are left out.
fn more(count: usize) -> Markup {
    let rest = count.saturating_sub(ROWS);
    html! { @if rest > 0 { " and " (Count(rest as u64)) " more" } }
}
