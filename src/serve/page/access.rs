//! The view *Access review*: who can do what through which role.

use maud::{Markup, html};
use tarbac_analysis::access_review::{AccessReview, Assignment, Entitlement, PersonAccess, Status};
use tarbac_report::access_review;
use tarbac_report::explanation::typed as with_type;
use tarbac_report::html::{
    BarRow, Bars, Cells, Count, Figure, Grid, GridColumn, GridRow, Icon, Shown, TabLink, Tone,
    badge, figures, tabs,
};
use tarbac_report::words;

use super::job::{Prepared, Work, of_job, question};
use super::parts::{Window, supposing};
use super::view::{Answer, TABLE, View, ViewRequest};
use crate::app::App;
use crate::explore::{AccessQuestion, JobQuestion, Typed};
use crate::fault::Fault;
use crate::jobs::{Computed, ReviewAnswer};

/// What answers the same to programs.
const ENDPOINT: &str = "/api/v1/access";

/// The people with a card on a page.
const CARDS: usize = 10;

const ROLES: [GridColumn<'_>; 4] = [
    GridColumn::new("Role", Cells::Heading),
    GridColumn::new("Accounts that have it", Cells::Number),
    GridColumn::new("Decisions that it allows", Cells::Number),
    GridColumn::new("Granted and refused", Cells::Number),
];

const OBSTACLES: [GridColumn<'_>; 4] = [
    GridColumn::new("Rule", Cells::Heading),
    GridColumn::new("What it says", Cells::Wide),
    GridColumn::new("Accounts", Cells::Number),
    GridColumn::new("Decisions", Cells::Number),
];

const ASSIGNMENTS: [GridColumn<'_>; 4] = [
    GridColumn::new("Assignment", Cells::Heading),
    GridColumn::new("Member", Cells::Text),
    GridColumn::new("Roles", Cells::Text),
    GridColumn::new("Gives", Cells::Text),
];

const HOLDS: [GridColumn<'_>; 4] = [
    GridColumn::new("Permission", Cells::Heading),
    GridColumn::new("Status", Cells::Text),
    GridColumn::new("On", Cells::Wide),
    GridColumn::new("Through", Cells::Wide),
];

/// The parts of the review.
const TABS: [(&str, &str); 4] = [
    ("roles", "Roles"),
    ("people", "People"),
    ("refused", "Granted and refused"),
    ("assignments", "Assignments"),
];

/// Begins the review of a view, unless it is known, and waits for it for a moment.
///
/// # Errors
/// The question is wrong, or too much is being computed.
pub(super) async fn prepare(app: &App, asked: &ViewRequest) -> Result<Prepared, Fault> {
    let question: AccessQuestion = question(asked)?;
    if question.known(&asked.served).is_some() {
        return Ok(Prepared::Nothing);
    }
    let job = question.ask(app, &asked.served, &asked.caller)?;
    Ok(Prepared::begun(job).await)
}

pub(super) fn answer(asked: &ViewRequest) -> Result<Answer, Fault> {
    let question: AccessQuestion = question(asked)?;
    let typed = question.typed();
    match &asked.prepared {
        Some(Ok(Prepared::Asked(job))) => {
            let work = Work {
                doing: "Deciding everything about everybody",
                typed: &typed,
                endpoint: ENDPOINT,
            };
            of_job(asked, html! {}, job, &work, |_, made| match made {
                Computed::Review(made) => shown(asked, made, &typed),
                Computed::Comparison(_) => Err(Fault::broken()),
            })
        }
        Some(Err(fault)) => Ok(Answer::Page(View::refused(html! {}, fault.clone()))),
        Some(Ok(Prepared::Nothing | Prepared::Canonical(_))) | None => {
            let known = question.known(&asked.served);
            let known = known.ok_or_else(Fault::broken)?;
            shown(asked, &known, &typed)
        }
    }
}

fn shown(asked: &ViewRequest, made: &ReviewAnswer, typed: &Typed) -> Result<Answer, Fault> {
    let ReviewAnswer {
        premises,
        review,
        state,
    } = made;
    let mut given = asked.given.clone();
    match given.text("format")?.as_deref() {
        Some("json") => {
            let document = access_review::document(review, premises, state);
            return Ok(Answer::json("access", document));
        }
        Some(_) => return Answer::csv("access", access_review::csv(review, premises)),
        None => {}
    }
    let page = given.number("page")?;
    let tab = given.text("tab")?.unwrap_or_else(|| "roles".to_owned());
    let main = html! {
        (supposing(asked, premises, &asked.suppositions()))
        (totals(review))
        (parts(asked, review, &tab))
        @match tab.as_str() {
            "people" => (people(asked, review, page)),
            "refused" => (obstacles(review)),
            "assignments" => (assignments(asked, review, page)),
            _ => (roles(review)),
        }
    };
    Ok(Answer::Page(View {
        equal: Some(asked.equal(typed, ENDPOINT)),
        formats: TABLE,
        ..View::new(main)
    }))
}

fn totals(review: &AccessReview) -> Markup {
    let totals = &review.totals;
    let figure = |count, name, note, tone: Tone| Figure {
        count,
        name,
        note,
        icon: (tone.icon(), tone),
        href: None,
    };
    let of_people = format!("of {}", words::counted(totals.people, "account"));
    let of_all = format!("of {}", words::counted(totals.decisions, "decision"));
    let of_people_refused = format!("about {}", words::counted(totals.people_refused, "account"));
    let mut all = vec![
        figure(
            totals.people_allowed,
            "accounts can do something",
            &of_people,
            Tone::Brand,
        ),
        figure(totals.allowed, "decisions are allowed", &of_all, Tone::Good),
        figure(
            totals.refused,
            "are granted by a role and refused",
            &of_people_refused,
            Tone::Bad,
        ),
        figure(
            totals.out_of_reach,
            "are allowed on a page that is refused",
            "",
            Tone::Open,
        ),
    ];
    if totals.unknown > 0 {
        all.push(figure(totals.unknown, "cannot be decided", "", Tone::Open));
    }
    figures(&all)
}

fn parts(asked: &ViewRequest, review: &AccessReview, tab: &str) -> Markup {
    let counts = [
        review.roles.len(),
        review.people.len(),
        review.obstacles.len(),
        review.assignments.len(),
    ];
    let plain = asked.given.without("page");
    let addresses: Vec<String> = TABS
        .iter()
        .map(|(value, _)| {
            asked
                .links
                .with_query(asked.route, &plain.with("tab", value).query())
        })
        .collect();
    let links: Vec<TabLink<'_>> = TABS
        .iter()
        .zip(&addresses)
        .zip(counts)
        .map(|(((value, name), href), count)| TabLink {
            name,
            count: Some(count as u64),
            href,
            is_current: *value == tab,
        })
        .collect();
    tabs("Parts of the review", &links)
}

fn roles(review: &AccessReview) -> Markup {
    let rows = review.roles.iter().map(|role| {
        GridRow::new(vec![
            html! { (Shown(&role.entity.name)) },
            html! { (Count(role.people)) },
            html! { (Count(role.allowed)) },
            html! { (Count(role.refused)) },
        ])
    });
    let bars = Bars {
        caption: "Decisions by role",
        what: "Role",
        series: &[("allowed", Tone::Good), ("granted and refused", Tone::Bad)],
        rows: review
            .roles
            .iter()
            .filter(|role| role.people > 0)
            .take(10)
            .map(|role| BarRow {
                name: &role.entity.name,
                href: None,
                counts: vec![role.allowed, role.refused],
            })
            .collect(),
    };
    let grid = Grid {
        caption: "Roles",
        columns: &ROLES,
        rows: rows.collect(),
        note: html! {},
    };
    html! { section.card { (bars.stacked()) } (grid.markup()) }
}

fn obstacles(review: &AccessReview) -> Markup {
    let rows = review.obstacles.iter().map(|obstacle| {
        GridRow::new(vec![
            html! { (Shown(&obstacle.policy)) },
            html! {
                p { (Shown(&obstacle.says)) }
                @if let Some(message) = &obstacle.message { p.quiet { "“" (Shown(message)) "”" } }
                @if let Some(advice) = &obstacle.advice { p.quiet { (Shown(advice)) } }
            },
            html! { (Count(obstacle.people)) },
            html! { (Count(obstacle.decisions)) },
        ])
    });
    Grid {
        caption: "Rules that refuse what a role grants, most decisions first",
        columns: &OBSTACLES,
        rows: rows.collect(),
        note: html! {},
    }
    .markup()
}

fn assignments(asked: &ViewRequest, review: &AccessReview, page: Option<usize>) -> Markup {
    if review.assignments.is_empty() {
        let all = words::counted(review.totals.assignments, "assignment");
        let about = format!("Of {all}, none is listed as redundant.");
        return tarbac_report::html::empty(Icon::Assignment, &about, "");
    }
    let window = Window::new(page, review.assignments.len());
    let rows = window
        .of_list(&review.assignments)
        .map(|assignment: &Assignment| {
            let roles: Vec<&str> = assignment
                .roles
                .iter()
                .map(|role| role.name.as_str())
                .collect();
            GridRow::new(vec![
                html! { (Shown(&with_type(&assignment.to))) },
                html! { @if let Some(from) = &assignment.from { (Shown(&with_type(from))) } },
                html! { (Shown(&roles.join(", "))) },
                html! {
                    (badge(Tone::Open, assignment.redundancy.as_ref()))
                    @if let Some(told) = &assignment.told { p.quiet { (Shown(told)) } }
                },
            ])
        });
    let grid = Grid {
        caption: "Assignments that give nothing, or only what others give",
        columns: &ASSIGNMENTS,
        rows: rows.collect(),
        note: html! {},
    };
    html! { (grid.markup()) (window.pager(asked)) }
}

fn people(asked: &ViewRequest, review: &AccessReview, page: Option<usize>) -> Markup {
    let window = Window::with_rows(page, review.people.len(), CARDS);
    html! {
        @for holder in window.of_list(&review.people) { (card(holder)) }
        (window.pager(asked))
    }
}

/// People with the same access.
fn card(holder: &PersonAccess) -> Markup {
    let rows = holder.holds.iter().map(row);
    let who = words::people(&holder.people);
    let caption = format!("What {who} can do");
    let grid = Grid {
        caption: &caption,
        columns: &HOLDS,
        rows: rows.collect(),
        note: html! {},
    };
    html! {
        section.card {
            header {
                h2 { (Shown(&who)) }
                div.row {
                    (badge(Tone::Good, &format!("{} allowed", words::counted(holder.allowed, "decision"))))
                    @if holder.refused > 0 {
                        (badge(Tone::Bad, &format!("{} refused", words::counted(holder.refused, "decision"))))
                    }
                }
            }
            details { summary { "Show permissions" } (grid.markup()) }
        }
    }
}

fn row(hold: &Entitlement) -> GridRow {
    let (tone, word) = match hold.status {
        Status::Allowed => (Tone::Good, "Allowed"),
        Status::OutOfReach => (Tone::Open, "Out of reach"),
        Status::Refused => (Tone::Bad, "Refused"),
        Status::Unknown => (Tone::Open, "Indeterminate"),
    };
    let reasons: Vec<&str> = hold.reasons.iter().map(|(id, _)| id.as_str()).collect();
    GridRow::new(vec![
        html! { (Shown(&hold.name)) },
        html! { (badge(tone, word)) @if !reasons.is_empty() { p.quiet { (Shown(&reasons.join(", "))) } } },
        html! { (Shown(&words::on(&hold.resources, hold.count))) },
        html! {
            ul {
                @for through in &hold.through {
                    @let steps: Vec<&str> = through.steps.iter().map(|step| step.name.as_str()).collect();
                    li { (Shown(&if steps.is_empty() { through.policy.clone() } else { steps.join(" → ") })) }
                }
            }
        },
    ])
}
