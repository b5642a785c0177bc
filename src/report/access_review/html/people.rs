//! The entitlements of people, as a table that can be filtered.

use maud::{Markup, html};

use super::super::row::{Row, rows};
use crate::html::{
    Cells, Count, Filters, Grid, GridColumn, GridGroup, GridRow, Icon, Limits, PeopleTable,
    ResourcesCell, Shown, Tone, badge, empty,
};
use crate::tally::first;
use tarbac_analysis::access_review::{PersonAccess, Status};

/// The most paths that a row names.
const PATHS: usize = 5;

const COLUMNS: [GridColumn<'_>; 5] = [
    GridColumn::new("Outcome", Cells::Heading),
    GridColumn::new("Permissions", Cells::Wide),
    GridColumn::new("Devices", Cells::Number),
    GridColumn::new("On", Cells::Wide),
    GridColumn::new("Through, and why", Cells::Wide),
];

const KINDS: [(&str, &str); 4] = [
    ("allowed", "Allowed"),
    ("out-of-reach", "Allowed, but out of reach"),
    ("refused", "Granted by a role, but refused"),
    ("unknown", "Indeterminate"),
];

pub(super) fn section(
    people: &[PersonAccess],
    whole: &str,
    limits: Limits,
    in_full: impl Fn(&PersonAccess, usize) -> PersonAccess,
) -> Markup {
    if people.is_empty() {
        return empty(Icon::People, "Nobody holds a permission", "");
    }
    let mut filters = Filters::default();
    let mut table = PeopleTable::new(limits);
    let grid = Grid {
        caption: "Permissions by account",
        columns: &COLUMNS,
        rows: Vec::new(),
        note: html! {},
    };
    for holder in people {
        if table.is_full() {
            table.leave_out(&holder.people);
            continue;
        }
        let holder = in_full(holder, limits.named);
        let rows = rows(&holder);
        let rows = rows.iter().map(|row| GridRow {
            cells: cells(row, limits.named),
            keys: filters.keys(
                row.status.as_ref(),
                &row.actions,
                row.under.iter().map(|(of, _)| of),
            ),
        });
        let group = GridGroup {
            heading: html! {},
            people: 0,
            rows: rows.collect(),
        };
        let remark = html! { @if holder.allowed == 0 { (badge(Tone::Bad, "nothing works")) } };
        table.add(&grid, &holder.people, &remark, group);
    }
    html! {
        section.stack {
            h2 #people { "Who can do what" }
            (filters.form("Outcome", &KINDS))
            (table.markup(&grid, whole))
        }
    }
}

fn cells(row: &Row<'_>, named: usize) -> Vec<Markup> {
    let outcome = match row.status {
        Status::Allowed => badge(Tone::Good, "Allowed"),
        Status::OutOfReach => badge(Tone::Open, "Out of reach"),
        Status::Refused => badge(Tone::Bad, "Refused"),
        Status::Unknown => badge(Tone::Open, "Indeterminate"),
    };
    let ways = row.ways(false);
    vec![
        outcome,
        html! {
            (Shown(&first(&row.actions, usize::MAX)))
            @if row.status == Status::OutOfReach {
                p.quiet { "Allowed, but unreachable in the admin center: the page is refused." }
            }
        },
        html! { (Count(row.count)) @if row.of != row.count { " of " (Count(row.of)) } },
        ResourcesCell {
            count: row.count,
            under: row.under,
            named: row.resources,
            groups: row.groups,
        }
        .markup(named),
        html! {
            @for way in ways.iter().take(PATHS) { div { (Shown(&way.replace(" -> ", " → "))) } }
            @if ways.len() > PATHS { div.quiet { "and " (Count((ways.len() - PATHS) as u64)) " more paths" } }
            @if let Some(with) = row.with() { div.quiet { (Shown(&with)) } }
            @if let Some(reasons) = row.reasons(false) { div.bad { (Shown(&reasons)) } }
        },
    ]
}
