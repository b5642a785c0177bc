//! The view *Search*: names, and what can be asked about each.

use maud::{Markup, html};
use tarbac_report::html::{Cells, Grid, GridColumn, GridRow, Icon, Shown, empty};

use super::view::{Answer, Route, View, ViewRequest};
use crate::explore::{Hit, Role, found};
use crate::fault::Fault;

/// The most results.
const MOST: usize = 50;

const COLUMNS: [GridColumn<'_>; 3] = [
    GridColumn::new("Name", Cells::Heading),
    GridColumn::new("What it is", Cells::Text),
    GridColumn::new("Ask", Cells::Wide),
];

pub(super) fn answer(asked: &ViewRequest) -> Result<Answer, Fault> {
    let text = asked.search();
    let hits = found(&asked.served, &text, None, Some(MOST))?;
    let main = match (hits.is_empty(), text.is_empty()) {
        (_, true) => empty(
            Icon::Search,
            "Nothing is searched for.",
            "Type the beginning of a name above.",
        ),
        (true, false) => empty(
            Icon::Search,
            "No name has a word that begins so.",
            "Names and ids are found by the beginning of each of their words.",
        ),
        (false, false) => results(asked, &hits),
    };
    Ok(Answer::Page(View::new(main)))
}

fn results(asked: &ViewRequest, hits: &[Hit]) -> Markup {
    let rows = hits.iter().map(|hit| {
        let links = links(asked, hit);
        let first = links.first().map(|(href, _)| href.clone());
        GridRow::new(vec![
            html! {
                @match first {
                    Some(href) => a href=(href) { (Shown(&hit.name)) },
                    None => (Shown(&hit.name)),
                }
            },
            html! { (Shown(&hit.kind)) },
            html! { div.row { @for (href, words) in &links { a href=(href) { (words) } } } },
        ])
    });
    Grid {
        caption: "Results",
        columns: &COLUMNS,
        rows: rows.collect(),
        note: html! {},
    }
    .markup()
}

/// The questions about an entity, by its part in requests.
fn links(asked: &ViewRequest, hit: &Hit) -> Vec<(String, &'static str)> {
    let link = |route, name, words| (asked.links.view(route, &[(name, &hit.value)]), words);
    match hit.role {
        Role::Principal => vec![
            link(Route::What, "principal", "What may this person do?"),
            link(Route::Why, "principal", "Why, or why not?"),
        ],
        Role::Resource => vec![
            link(Route::Who, "resource", "Who may do something to it?"),
            link(Route::Why, "resource", "Why, or why not?"),
            link(Route::Roles, "resource", "Everybody on it"),
        ],
        Role::Action => vec![
            link(Route::Who, "action", "Who may do it?"),
            link(Route::Why, "action", "Why, or why not?"),
        ],
        Role::Other => vec![link(Route::Access, "tab", "Access review")],
    }
}
