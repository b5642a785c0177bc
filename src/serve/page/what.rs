//! The view *What can*: everything that a person may do.

use maud::{Markup, html};
use tarbac_analysis::explain::Named;
use tarbac_analysis::inquiry;
use tarbac_analysis::who_what::{ActionDecision, Alike, What};
use tarbac_host::{Decision, Engine};
use tarbac_report::explanation::kind;
use tarbac_report::html::{
    Cells, Grid, GridColumn, GridRow, Icon, Shown, Tone, badge, decision, empty,
};
use tarbac_report::who_what;
use tarbac_report::words::counted;

use super::parts::{
    Window, form, names, or_refused, person_field, resource_field, supposing, unasked, why_link,
};
use super::view::{Answer, TABLE, View, ViewRequest};
use crate::explore::{Question, Typed, add_suppositions, what_inquiry};
use crate::fault::Fault;

/// The groups of devices on a page.
const GROUPS: usize = 10;

const COLUMNS: [GridColumn<'_>; 3] = [
    GridColumn::new("Permission", Cells::Heading),
    GridColumn::new("Decision", Cells::Text),
    GridColumn::new("Because of", Cells::Wide),
];

pub(super) fn answer(asked: &ViewRequest) -> Result<Answer, Fault> {
    let fields = html! {
        (person_field(&asked.given.first("principal")))
        (resource_field(&asked.given.first("resource"), "Only on this device or tenant"))
    };
    let fields = form(asked, &asked.suppositions(), &fields, "Show");
    if asked.given.first("principal").is_empty() {
        let main = unasked(
            fields,
            "What may somebody do?",
            "Type the beginning of a user principal name.",
            Icon::Person,
        );
        return Ok(Answer::Page(View::new(main)));
    }
    or_refused(fields.clone(), shown(asked, fields))
}

fn shown(asked: &ViewRequest, fields: Markup) -> Result<Answer, Fault> {
    let mut given = asked.given.clone();
    let format = given.text("format")?;
    let page = given.number("page")?;
    if format.as_deref() == Some("json") {
        let document = Question::What.document(&asked.served, given)?;
        return Ok(Answer::json("what", document));
    }
    let (suppositions, supposed) = asked.supposed(&mut given)?;
    let inquiry = what_inquiry(&mut given)?;
    given.finish()?;
    let engine = &supposed.engine;
    let (what, person) = inquiry::what(engine, &inquiry, who_what::LISTED)?;
    if format.is_some() {
        return Answer::csv("what", who_what::what_csv(&what, &supposed.premises));
    }
    let mut typed = Typed::new("what");
    typed.word("principal", &inquiry.principal);
    if let Some(resource) = &inquiry.resource {
        typed.word("resource", resource);
    }
    add_suppositions(&mut typed, &suppositions);
    let main = html! {
        (fields)
        (supposing(asked, &supposed.premises, &asked.suppositions()))
        (groups(asked, engine, (&what, &person), page))
    };
    Ok(Answer::Page(View {
        title: Some(person.name),
        equal: Some(asked.equal(&typed, "/api/v1/what")),
        formats: TABLE,
        ..View::new(main)
    }))
}

fn groups(
    asked: &ViewRequest,
    engine: &Engine,
    (what, person): (&What, &Named),
    page: Option<usize>,
) -> Markup {
    let window = Window::with_rows(page, what.alike.len(), GROUPS);
    html! {
        p.lead {
            "What may " strong { (Shown(&person.name)) } " do? "
            (counted(what.alike.len(), "group")) " of devices and tenants that are treated alike."
        }
        @if what.alike.is_empty() { (empty(Icon::Device, "Nothing can be asked.", "")) }
        @for alike in window.of_list(&what.alike) { (group(asked, engine, person, alike)) }
        (window.pager(asked))
    }
}

/// Devices that are treated alike, with everything that may be done to them first.
fn group(asked: &ViewRequest, engine: &Engine, person: &Named, alike: &Alike) -> Markup {
    let of_kind = alike.resources.first().map(kind).unwrap_or_default();
    let of = |wanted: Decision| {
        let decisions = alike.decisions.iter();
        decisions.filter(move |of| of.decision == wanted)
    };
    let allowed = of(Decision::Allow).count();
    let first = alike.resources.first();
    let row = |of: &ActionDecision| row(asked, engine, (person, first), of);
    let open = of(Decision::Allow)
        .chain(of(Decision::Indeterminate))
        .map(row)
        .collect();
    let refused: Vec<GridRow> = of(Decision::Deny).map(row).collect();
    let caption = format!("Permissions on {}", counted(alike.count, &of_kind));
    let grid = |rows, caption: &str| {
        Grid {
            caption,
            columns: &COLUMNS,
            rows,
            note: html! {},
        }
        .markup()
    };
    html! {
        section.card {
            header {
                h2 { (counted(alike.count, &of_kind)) ": " (names(&alike.resources, alike.count)) }
                div.row {
                    (badge(if allowed > 0 { Tone::Good } else { Tone::Neutral }, &format!("{allowed} allowed")))
                    (badge(Tone::Neutral, &format!("{} refused", refused.len())))
                }
            }
            @if allowed > 0 || of(Decision::Indeterminate).next().is_some() { (grid(open, &caption)) }
            @if !refused.is_empty() {
                details {
                    summary { "Show what is refused" }
                    (grid(refused, &format!("Refused on {}", counted(alike.count, &of_kind))))
                }
            }
        }
    }
}

fn row(
    asked: &ViewRequest,
    engine: &Engine,
    (person, first): (&Named, Option<&Named>),
    of: &ActionDecision,
) -> GridRow {
    let why = first.map(|first| why_link(asked, engine, (person, &of.action, first)));
    let because: Vec<&str> = of
        .policies
        .iter()
        .chain(&of.errors)
        .map(String::as_str)
        .collect();
    let because = match because.is_empty() {
        true => "no policy permits it".to_owned(),
        false => because.join(", "),
    };
    GridRow::new(vec![
        html! {
            @match why {
                Some(why) => a href=(why) { (Shown(&of.name)) },
                None => (Shown(&of.name)),
            }
        },
        decision(of.decision),
        html! { (Shown(&because)) },
    ])
}
