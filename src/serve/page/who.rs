//! The view *Who can*: the people who have a permission on a device or tenant.

use maud::{Markup, html};
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::explain::Named;
use tarbac_analysis::inquiry;
use tarbac_analysis::who_what::{RefusedPeople, Who};
use tarbac_host::Engine;
use tarbac_host::lookup::{Lookup, Name};
use tarbac_report::explanation::chain;
use tarbac_report::html::{
    Cells, Figure, Grid, GridColumn, GridRow, Icon, Shown, Tone, figures, tick,
};
use tarbac_report::{who_what, words::counted};

use super::parts::{
    Window, action_field, form, names, or_refused, resource_field, supposing, unasked, why_link,
};
use super::view::{Answer, TABLE, View, ViewRequest};
use crate::explore::{Question, Typed, add_suppositions, who_inquiry};
use crate::fault::Fault;

/// The people of a group with the same reasons that are named.
const NAMED: usize = 10;

const MAY: [GridColumn<'_>; 3] = [
    GridColumn::new("Person", Cells::Heading),
    GridColumn::new("By this path", Cells::Wide),
    GridColumn::new("Policies", Cells::Text),
];

const MAY_NOT: [GridColumn<'_>; 3] = [
    GridColumn::new("People", Cells::Number),
    GridColumn::new("Who", Cells::Wide),
    GridColumn::new("Because", Cells::Wide),
];

pub(super) fn answer(asked: &ViewRequest) -> Result<Answer, Fault> {
    let fields = fields(asked);
    if asked.given.first("action").is_empty() || asked.given.first("resource").is_empty() {
        let main = unasked(
            fields,
            "Who can do it?",
            "Choose a permission and a device or tenant.",
            Icon::People,
        );
        return Ok(Answer::Page(View::new(main)));
    }
    or_refused(fields.clone(), shown(asked, fields))
}

fn fields(asked: &ViewRequest) -> Markup {
    let fields = html! {
        (action_field(&asked.served.engine, &asked.given.first("action")))
        (resource_field(&asked.given.first("resource"), "Device or tenant"))
        (tick("may-not", "on", "Those who may not, too", asked.given.has("may-not")))
        (tick("eligible", "on", "After an activation", asked.given.has("eligible")))
    };
    form(asked, &asked.suppositions(), &fields, "Show")
}

fn shown(asked: &ViewRequest, fields: Markup) -> Result<Answer, Fault> {
    let mut given = asked.given.clone();
    let format = given.text("format")?;
    let page = given.number("page")?;
    if format.as_deref() == Some("json") {
        let document = Question::Who.document(&asked.served, given)?;
        return Ok(Answer::json("who", document));
    }
    let (suppositions, supposed) = asked.supposed(&mut given)?;
    let inquiry = who_inquiry(&mut given)?;
    let may_not = given.flag("may-not")?;
    given.finish()?;
    let engine = &supposed.engine;
    if format.is_some() {
        let (who, _) = inquiry::who(engine, &inquiry, usize::MAX)?;
        return Answer::csv("who", who_what::who_csv(&who, &supposed.premises));
    }
    let (who, in_words) = inquiry::who(engine, &inquiry, NAMED)?;
    let mut typed = Typed::new("who");
    typed.word("action", &inquiry.action);
    typed.word("resource", &inquiry.resource);
    for (name, is_on) in [("may-not", may_not), ("eligible", inquiry.eligible)] {
        if is_on {
            typed.flag(name);
        }
    }
    add_suppositions(&mut typed, &suppositions);
    let resource = resource(engine, &inquiry)?;
    let question = Answered {
        asked,
        engine,
        action: &inquiry.action,
        resource: &resource,
    };
    let main = html! {
        (fields)
        (question.premises(&supposed.premises))
        p.lead { "Who may " strong { (Shown(&in_words)) } "?" }
        (question.figures(&who))
        (question.may(&who, page))
        @if let Some(eligible) = &who.eligible { (question.eligible(eligible)) }
        @if may_not { (question.refused("May not", &who.may_not)) }
        @if !who.unknown.is_empty() { (question.refused("Cannot be decided about", &who.unknown)) }
    };
    Ok(Answer::Page(View {
        title: Some(format!("Who may {in_words}")),
        equal: Some(asked.equal(&typed, "/api/v1/who")),
        formats: TABLE,
        ..View::new(main)
    }))
}

/// The resource of a question that was answered.
fn resource(engine: &Engine, inquiry: &inquiry::WhoInquiry) -> Result<Named, Fault> {
    let names = Lookup::new(engine);
    let found = names.any_resource(&Name::from(inquiry.resource.as_str()));
    let found = found.map_err(inquiry::InquiryError::from)?;
    Ok(inquiry::named(engine, &found))
}

/// A question with its answer.
struct Answered<'a> {
    asked: &'a ViewRequest,
    engine: &'a Engine,
    action: &'a str,
    resource: &'a Named,
}

impl Answered<'_> {
    fn premises(&self, premises: &Premises) -> Markup {
        supposing(self.asked, premises, &self.asked.suppositions())
    }

    fn figures(&self, who: &Who) -> Markup {
        let count = |people: &[RefusedPeople]| people.iter().map(|of| of.count as u64).sum();
        let (refused, unknown): (u64, u64) = (count(&who.may_not), count(&who.unknown));
        let list = self.asked.here_with("may-not", "on");
        let figure = |count, name, tone: Tone, href| Figure {
            count,
            name,
            note: "",
            icon: (tone.icon(), tone),
            href,
        };
        let mut all = vec![figure(who.may.len() as u64, "may", Tone::Good, None)];
        if let Some(eligible) = &who.eligible {
            let count = eligible.len() as u64;
            all.push(figure(count, "may after an activation", Tone::Brand, None));
        }
        all.push(figure(refused, "may not", Tone::Bad, Some(list.as_str())));
        if unknown > 0 {
            all.push(figure(unknown, "cannot be decided about", Tone::Open, None));
        }
        figures(&all)
    }

    fn why(&self, person: &Named) -> String {
        why_link(
            self.asked,
            self.engine,
            (person, self.action, self.resource),
        )
    }

    fn may(&self, who: &Who, page: Option<usize>) -> Markup {
        let window = Window::new(page, who.may.len());
        let rows = window.of_list(&who.may).map(|permitted| {
            let person = &permitted.principal;
            GridRow {
                cells: vec![
                    html! { a href=(self.why(person)) { (Shown(&person.name)) } },
                    html! { ul { @for path in &permitted.paths { li { (Shown(&chain(path))) } } } },
                    html! { (Shown(&permitted.policies.join(", "))) },
                ],
                keys: String::new(),
            }
        });
        let caption = format!("{} may", counted(who.may.len(), "account"));
        let grid = Grid {
            caption: &caption,
            columns: &MAY,
            rows: rows.collect(),
            note: html! {},
        };
        html! { (grid.markup()) (window.pager(self.asked)) }
    }

    fn eligible(&self, eligible: &[tarbac_analysis::who_what::Eligible]) -> Markup {
        let rows = eligible.iter().take(super::parts::ROWS).map(|of| {
            let ways = of.ways.iter().flat_map(|way| &way.paths);
            GridRow::new(vec![
                html! { a href=(self.why(&of.principal)) { (Shown(&of.principal.name)) } },
                html! { ul { @for path in ways { li { (Shown(&chain(path))) } } } },
                html! { (Shown(&of.outcome.policies.join(", "))) },
            ])
        });
        let caption = format!(
            "{} may after activating an eligible membership",
            counted(eligible.len(), "account")
        );
        Grid {
            caption: &caption,
            columns: &MAY,
            rows: rows.collect(),
            note: html! {},
        }
        .markup()
    }

    fn refused(&self, heading: &str, people: &[RefusedPeople]) -> Markup {
        let rows = people.iter().map(|refused| {
            let first = refused.principals.first();
            let because = who_what::because(&refused.outcome, &refused.refusals);
            let messages = refused
                .refusals
                .iter()
                .filter_map(|of| of.message.as_deref());
            let messages: std::collections::BTreeSet<&str> = messages.collect();
            GridRow::new(vec![
                html! { (tarbac_report::html::Count(refused.count as u64)) },
                html! {
                    (names(&refused.principals, refused.count))
                    @if let Some(first) = first { " " a href=(self.why(first)) { "Why not?" } }
                },
                html! {
                    (Shown(&because))
                    @for message in messages { p.quiet { "“" (Shown(message)) "”" } }
                },
            ])
        });
        let caption = heading.to_owned();
        Grid {
            caption: &caption,
            columns: &MAY_NOT,
            rows: rows.collect(),
            note: html! {},
        }
        .markup()
    }
}
