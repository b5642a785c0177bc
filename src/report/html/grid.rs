//! Tables, pages of them, and lists of facts.

use maud::{Markup, html};

use super::icon::{Icon, icon};
use super::text::{Count, Shown};

/// The content of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cells {
    /// The name of the row; the first column of most tables.
    Heading,
    /// Text.
    Text,
    /// Text that needs room.
    Wide,
    /// Numbers, to the right.
    Number,
}

impl Cells {
    fn class(self) -> Option<&'static str> {
        match self {
            Self::Heading | Self::Text => None,
            Self::Wide => Some("wide"),
            Self::Number => Some("number"),
        }
    }
}

/// The order of a table by a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// A column.
#[derive(Debug, Clone, Copy)]
pub struct GridColumn<'a> {
    /// The heading; an empty one is read out as nothing.
    pub heading: &'a str,
    /// The content.
    pub cells: Cells,
    /// The address that orders the table by this column, if it can.
    pub sort: Option<&'a str>,
    /// The order that the table has by this column, if it has.
    pub order: Option<Order>,
}

impl<'a> GridColumn<'a> {
    /// A column that orders nothing.
    pub const fn new(heading: &'a str, cells: Cells) -> Self {
        Self {
            heading,
            cells,
            sort: None,
            order: None,
        }
    }
}

/// A row: its cells, and the words by which a script filters it.
#[derive(Debug)]
pub struct GridRow {
    /// A cell for each column.
    pub cells: Vec<Markup>,
    /// Words separated by blanks; empty where nothing filters.
    pub keys: String,
}

impl GridRow {
    /// A row that nothing filters.
    pub fn new(cells: Vec<Markup>) -> Self {
        Self {
            cells,
            keys: String::new(),
        }
    }
}

/// Rows under a heading of their own, which names people and how many they are.
#[derive(Debug)]
pub struct GridGroup {
    /// The heading.
    pub heading: Markup,
    /// The number of people.
    pub people: u64,
    /// The rows.
    pub rows: Vec<GridRow>,
}

/// A table.
#[derive(Debug)]
pub struct Grid<'a> {
    /// The caption.
    pub caption: &'a str,
    /// The columns.
    pub columns: &'a [GridColumn<'a>],
    /// The rows.
    pub rows: Vec<GridRow>,
    /// A remark under the table, such as the number of rows that are left out; may be empty.
    pub note: Markup,
}

impl Grid<'_> {
    /// The table as markup. It scrolls by itself where it is wider than the window.
    pub fn markup(&self) -> Markup {
        self.table(&html! { tbody { @for row in &self.rows { (self.row(row)) } } })
    }

    /// The table with groups instead of its rows.
    pub fn grouped(&self, groups: &[GridGroup]) -> Markup {
        self.table(&html! { @for group in groups { (self.group(group)) } })
    }

    /// A part of the table, to be joined into a body for [`Grid::table`].
    pub(crate) fn group(&self, group: &GridGroup) -> Markup {
        html! {
            tbody {
                tr.group data-people=(group.people) {
                    th scope="rowgroup" colspan=(self.columns.len()) { (group.heading) }
                }
                @for row in &group.rows { (self.row(row)) }
            }
        }
    }

    /// The table around a body.
    pub(crate) fn table(&self, body: &Markup) -> Markup {
        html! {
            div.grid role="region" aria-label=(Shown(self.caption)) tabindex="0" {
                table {
                    caption { (Shown(self.caption)) }
                    thead { tr { @for column in self.columns { (heading(column)) } } }
                    (body)
                }
                @if !self.note.0.is_empty() { div.note-row { (self.note) } }
            }
        }
    }

    fn row(&self, row: &GridRow) -> Markup {
        let keys = (!row.keys.is_empty()).then_some(row.keys.as_str());
        html! {
            tr data-keys=[keys] {
                @for (cell, column) in row.cells.iter().zip(self.columns) {
                    @match column.cells {
                        Cells::Heading => th scope="row" { (cell) },
                        other => td class=[other.class()] { (cell) },
                    }
                }
            }
        }
    }
}

fn heading(column: &GridColumn<'_>) -> Markup {
    let order = column.order.map(|order| match order {
        Order::Ascending => "ascending",
        Order::Descending => "descending",
    });
    html! {
        th scope="col" class=[column.cells.class()] aria-sort=[order] {
            @match column.sort {
                Some(href) => a href=(href) { (Shown(column.heading)) },
                None => (Shown(column.heading)),
            }
        }
    }
}

/// The place of a page in a longer list, with links to its neighbours.
#[derive(Debug, Clone, Copy)]
pub struct Pager<'a> {
    /// The first item of the page, counted from 1.
    pub first: u64,
    /// The last item of the page.
    pub last: u64,
    /// The number of all items, if known.
    pub total: Option<u64>,
    /// The address of the page before.
    pub previous: Option<&'a str>,
    /// The address of the page after.
    pub next: Option<&'a str>,
}

impl Pager<'_> {
    /// The pager as markup.
    pub fn markup(&self) -> Markup {
        html! {
            div.pager {
                p {
                    (Count(self.first)) " to " (Count(self.last))
                    @if let Some(total) = self.total { " of " (Count(total)) }
                }
                nav aria-label="Pages of the list" {
                    @if let Some(href) = self.previous { a.button href=(href) rel="prev" { "Previous" } }
                    @if let Some(href) = self.next { a.button href=(href) rel="next" { "Next" } }
                }
            }
        }
    }
}

/// A list of facts: a name and what holds for it.
pub fn facts(facts: &[(&str, Markup)]) -> Markup {
    html! {
        dl.facts { @for (name, value) in facts { div { dt { (Shown(name)) } dd { (value) } } } }
    }
}

/// A large number with its name, and a remark that may be empty; with an address it is a link.
#[derive(Debug, Clone, Copy)]
pub struct Figure<'a> {
    /// The number.
    pub count: u64,
    /// The counted thing.
    pub name: &'a str,
    /// A remark.
    pub note: &'a str,
    /// The icon, and the class of its colour.
    pub icon: (Icon, super::Tone),
    /// The address of the list that is counted.
    pub href: Option<&'a str>,
}

/// Large numbers side by side.
pub fn figures(figures: &[Figure<'_>]) -> Markup {
    html! {
        div.numbers {
            @for figure in figures {
                @match figure.href {
                    Some(href) => a href=(href) { (inside(figure)) },
                    None => div { (inside(figure)) },
                }
            }
        }
    }
}

fn inside(figure: &Figure<'_>) -> Markup {
    let (shape, tone) = figure.icon;
    html! {
        span.count { span.(tone.class()) { (icon(shape)) } (Count(figure.count)) }
        span { (Shown(figure.name)) }
        @if !figure.note.is_empty() { span.note { (Shown(figure.note)) } }
    }
}
