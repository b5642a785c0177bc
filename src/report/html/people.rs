//! Tables about people, within limits: a report stays small in a tenant of any size.

use maud::{Markup, PreEscaped, html};

use super::grid::{Grid, GridGroup};
use super::text::{Count, Shown};
use crate::tally::{some, tally};
use crate::words::counted;
use tarbac_analysis::explain::Named;

/// The most bytes of the rows of a report.
const BYTES: usize = 6 << 20;

/// The most names of a report.
const NAMES: usize = 20_000;

/// The most places and groups that a row names.
const PLACES: usize = 5;

/// The names of people that stand in their heading; the others are folded away.
const HEADED: usize = 5;

/// The limits of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The most groups of people.
    pub groups: usize,
    /// The most rows of each.
    pub rows: usize,
    /// The most devices that a row names.
    pub named: usize,
}

impl Limits {
    /// The limits of a report; with `all`, only that of its size holds.
    pub(crate) fn new(all: bool) -> Self {
        match all {
            false => Self {
                groups: 300,
                rows: 12,
                named: 5,
            },
            true => Self {
                groups: usize::MAX,
                rows: usize::MAX,
                named: 50,
            },
        }
    }
}

/// Groups of people as the body of a table, until a limit is reached.
#[derive(Debug)]
pub(crate) struct PeopleTable {
    limits: Limits,
    body: String,
    groups: usize,
    names: usize,
    left_out: Vec<String>,
    people_left_out: u64,
    rows_left_out: usize,
}

impl PeopleTable {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            body: String::new(),
            groups: 0,
            names: 0,
            left_out: Vec::new(),
            people_left_out: 0,
            rows_left_out: 0,
        }
    }

    /// Whether no further group fits. Its people are counted by [`PeopleTable::leave_out`].
    pub(crate) fn is_full(&self) -> bool {
        self.groups >= self.limits.groups || self.body.len() >= BYTES
    }

    /// Adds a group, with a remark after its names.
    pub(crate) fn add(
        &mut self,
        grid: &Grid<'_>,
        people: &[Named],
        remark: &Markup,
        mut group: GridGroup,
    ) {
        let rest = group.rows.len().saturating_sub(self.limits.rows);
        group.rows.truncate(self.limits.rows);
        self.rows_left_out += rest;
        let heading = self.heading(people);
        group.heading = html! {
            (heading) " " (remark)
            @if rest > 0 { " " span.quiet { "and " (counted(rest, "more row")) } }
        };
        group.people = people.len() as u64;
        self.groups += 1;
        self.body.push_str(&grid.group(&group).0);
    }

    /// Counts people who are left out, and names them while there is room.
    pub(crate) fn leave_out(&mut self, people: &[Named]) {
        self.people_left_out += people.len() as u64;
        let room = NAMES.saturating_sub(self.names);
        let named = people.iter().take(room).map(|of| of.name.clone());
        self.left_out.extend(named);
        self.names += people.len().min(room);
    }

    /// The names of some people, most of them folded away.
    fn heading(&mut self, people: &[Named]) -> Markup {
        let (first, others) = people.split_at(people.len().min(HEADED));
        let room = NAMES.saturating_sub(self.names);
        let named = others.get(..others.len().min(room)).unwrap_or_default();
        self.names += first.len() + named.len();
        let unnamed = (others.len() - named.len()) as u64;
        html! {
            (names(first))
            @if !others.is_empty() {
                details {
                    summary { "and " (counted(others.len(), "more account")) }
                    (names(named))
                    @if unnamed > 0 { " and " (Count(unnamed)) " more" }
                }
            }
        }
    }

    /// The table, with a remark about what is left out; `command` writes everything.
    pub(crate) fn markup(&self, grid: &Grid<'_>, command: &str) -> Markup {
        let unnamed = self.people_left_out - self.left_out.len() as u64;
        let is_whole = self.people_left_out == 0 && self.rows_left_out == 0;
        html! {
            (grid.table(&PreEscaped(self.body.clone())))
            @if !is_whole {
                div.message.brand {
                    (super::icon(super::Icon::Info))
                    div {
                        p.about {
                            "Left out here: "
                            @if self.people_left_out > 0 { (counted(self.people_left_out, "account")) }
                            @if self.people_left_out > 0 && self.rows_left_out > 0 { ", and " }
                            @if self.rows_left_out > 0 { (counted(self.rows_left_out, "row")) }
                        }
                        p { "Everything, for a spreadsheet: " code { (Shown(command)) } }
                        @if !self.left_out.is_empty() {
                            details data-left-out {
                                summary { "The accounts" }
                                p {
                                    (Shown(&self.left_out.join(", ")))
                                    @if unnamed > 0 { " and " (Count(unnamed)) " more" }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The cell of a row about resources: where they are, and some of them.
pub(crate) struct ResourcesCell<'r> {
    /// The number of the resources.
    pub count: u64,
    /// The places that they are in, each with their number there.
    pub under: &'r [(Named, u64)],
    /// Some of them.
    pub named: &'r [Named],
    /// The groups that the policies ask for, each with their number there.
    pub groups: &'r [(Named, u64)],
}

impl ResourcesCell<'_> {
    /// The cell, with at most `most` names.
    pub(crate) fn markup(&self, most: usize) -> Markup {
        let named: Vec<&Named> = self.named.iter().take(most).collect();
        let is_all = named.len() as u64 == self.count;
        html! {
            @if !self.under.is_empty() { div { (Shown(&tally(self.under, PLACES))) } }
            div.quiet {
                @if !is_all && !named.is_empty() { "for example " }
                (Shown(&some(&named, usize::MAX)))
            }
            @if !self.groups.is_empty() { div.quiet { "of " (Shown(&tally(self.groups, PLACES))) } }
        }
    }
}

/// Names in a row.
fn names(people: &[Named]) -> Markup {
    html! {
        @for (place, of) in people.iter().enumerate() {
            @if place > 0 { ", " }
            (Shown(&of.name))
        }
    }
}

/// A list of lines, of which the first stand there, some more are folded away, and the others are counted.
pub(crate) fn some_lines(lines: impl ExactSizeIterator<Item = String>) -> Markup {
    const FIRST: usize = 5;
    const FOLDED: usize = 100;
    let count = lines.len();
    let lines: Vec<String> = lines.take(FIRST + FOLDED).collect();
    let (first, folded) = lines.split_at(lines.len().min(FIRST));
    let rest = (count - lines.len()) as u64;
    html! {
        ul { @for line in first { li { (Shown(line)) } } }
        @if !folded.is_empty() {
            details {
                summary { "and " (Count((count - first.len()) as u64)) " more" }
                ul {
                    @for line in folded { li { (Shown(line)) } }
                    @if rest > 0 { li { "and " (Count(rest)) " more" } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test")]

    use maud::html;
    use tarbac_analysis::explain::Named;

    use super::{Limits, PeopleTable};
    use crate::html::{Cells, Grid, GridColumn, GridGroup, GridRow};

    fn people(names: &[&str]) -> Vec<Named> {
        let named = |name: &&str| Named {
            name: (*name).to_owned(),
            uid: format!("User::\"{name}\"").parse().unwrap(),
        };
        names.iter().map(named).collect()
    }

    #[test]
    fn a_report_says_what_it_leaves_out() {
        let columns = [GridColumn::new("What", Cells::Heading)];
        let grid = Grid {
            caption: "All",
            columns: &columns,
            rows: Vec::new(),
            note: html! {},
        };
        let mut table = PeopleTable::new(Limits {
            groups: 1,
            rows: 2,
            named: 1,
        });
        let row = |cell: &str| GridRow::new(vec![html! { (cell) }]);
        let group = GridGroup {
            heading: html! {},
            people: 0,
            rows: ["one", "two", "three"].map(row).into(),
        };
        let first = people(&["a", "b", "c", "d", "e", "f", "<g>"]);
        table.add(&grid, &first, &html! {}, group);
        assert!(table.is_full());
        table.leave_out(&people(&["x", "y"]));
        let text = table.markup(&grid, "tarbac access --format csv").0;
        for said in [
            "data-people=\"7\"",
            "and 2 more accounts",
            "f, &lt;g&gt;",
            "and 1 more row<",
            "Left out here: 2 accounts, and 1 row<",
            "<code>tarbac access --format csv</code>",
            "x, y",
        ] {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(!text.contains("three"), "{text}");
    }
}
