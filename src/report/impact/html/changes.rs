//! The changes of a comparison by people, as a table that can be filtered.

use maud::{Markup, html};

use super::super::{Row, because, rows};
use crate::html::{
    Cells, Count, Filters, Grid, GridColumn, GridGroup, GridRow, Icon, Limits, PeopleTable,
    ResourcesCell, Shown, Tone, badge, empty,
};
use crate::tally::first;
use tarbac_analysis::change::impact::{Affected, Direction};

const COLUMNS: [GridColumn<'_>; 5] = [
    GridColumn::new("Change", Cells::Heading),
    GridColumn::new("Permissions", Cells::Wide),
    GridColumn::new("Devices", Cells::Number),
    GridColumn::new("On", Cells::Wide),
    GridColumn::new("Before and after", Cells::Wide),
];

const KINDS: [(&str, &str); 4] = [
    ("lost", "Lost"),
    ("gained", "Gained"),
    ("everything", "Lost by accounts with nothing left"),
    ("undecided", "Can be decided in one state only"),
];

pub(super) fn section(
    people: &[Affected],
    whole: &str,
    limits: Limits,
    in_full: impl Fn(&Affected, usize) -> Affected,
) -> Markup {
    if people.is_empty() {
        return empty(Icon::Tick, "Nothing changes for anybody", "");
    }
    let mut filters = Filters::default();
    let mut table = PeopleTable::new(limits);
    let grid = Grid {
        caption: "Changes by account",
        columns: &COLUMNS,
        rows: Vec::new(),
        note: html! {},
    };
    for affected in people {
        if table.is_full() {
            table.leave_out(&affected.people);
            continue;
        }
        let affected = in_full(affected, limits.named);
        let loses_everything = affected.loses_everything();
        let rows = rows(&affected);
        let rows = rows.iter().map(|row| GridRow {
            cells: cells(row, limits.named),
            keys: keys(row, loses_everything, &mut filters),
        });
        let group = GridGroup {
            heading: html! {},
            people: 0,
            rows: rows.collect(),
        };
        let remark = html! { @if loses_everything { (badge(Tone::Bad, "loses everything")) } };
        table.add(&grid, &affected.people, &remark, group);
    }
    html! {
        section.stack {
            h2 #changes { "Who gains and loses what" }
            (filters.form("Change", &KINDS))
            (table.markup(&grid, whole))
        }
    }
}

/// The words by which a row is filtered.
fn keys(row: &Row<'_>, loses_everything: bool, filters: &mut Filters) -> String {
    let mut kind = row.direction.as_ref().to_owned();
    if loses_everything && row.direction == Direction::Lost {
        kind.push_str(" everything");
    }
    filters.keys(&kind, &row.actions, row.under.iter().map(|(of, _)| of))
}

fn cells(row: &Row<'_>, named: usize) -> Vec<Markup> {
    let change = match row.direction {
        Direction::Gained => badge(Tone::Good, "Gained"),
        Direction::Lost => badge(Tone::Bad, "Lost"),
        Direction::Undecided => badge(Tone::Open, "Undecided"),
    };
    let [before, after] = &row.reasons;
    vec![
        change,
        html! {
            (Shown(&first(&row.actions, usize::MAX)))
            @if row.is_out_of_reach {
                p.quiet { "Allowed, but unreachable in the admin center: the page is refused." }
            }
        },
        html! { (Count(row.count)) },
        ResourcesCell {
            count: row.count,
            under: row.under,
            named: row.resources,
            groups: row.groups,
        }
        .markup(named),
        html! {
            div { span.quiet { "before: " } (Shown(&because(before, false))) }
            div { span.quiet { "after: " } (Shown(&because(after, false))) }
        },
    ]
}
