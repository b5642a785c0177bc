//! The result of a comparison: a sentence, a picture, and tabs.

use std::collections::BTreeMap;

use maud::{Markup, html};
use tarbac_analysis::change::impact::{
    Affected, ChangedDecision as Change, Concerned, Direction, ImpactTotals,
};
use tarbac_analysis::explain::Named;
use tarbac_report::html::{
    BarRow, Bars, Cells, Count, Figure, Grid, GridColumn, GridRow, Icon, Shown, TabLink, Tone,
    empty, figures, message, tabs,
};
use tarbac_report::words;

use super::super::parts::{ROWS, Window, why_link};
use super::super::view::ViewRequest;
use super::plan;
use crate::jobs::ComparisonAnswer;

const CHANGES: [GridColumn<'_>; 4] = [
    GridColumn::new("Who", Cells::Heading),
    GridColumn::new("Permission", Cells::Text),
    GridColumn::new("On", Cells::Wide),
    GridColumn::new("Because", Cells::Wide),
];

const CONCERNED: [GridColumn<'_>; 2] = [
    GridColumn::new("Who", Cells::Heading),
    GridColumn::new("On", Cells::Wide),
];

/// The bars of a picture.
const BARS: usize = 12;

/// The numbers, and the picture of gains and losses by what the devices are under.
pub(super) fn summary(asked: &ViewRequest, comparison: &ComparisonAnswer) -> Markup {
    let totals = &comparison.impact.totals;
    if totals.is_same() {
        let about = format!(
            "Nothing changes: of {}, the same {} are allowed.",
            words::counted(totals.decisions, "decision"),
            totals.allowed_before
        );
        return message(Tone::Good, &about, &html! {});
    }
    let lost = asked.here_with("tab", "lost");
    let gained = asked.here_with("tab", "gained");
    let people = |count| format!("by {}", words::counted(count, "account"));
    let (gaining, losing) = (people(totals.people_gaining), people(totals.people_losing));
    let everything = words::counted(totals.people_losing_everything, "account");
    let all = [
        Figure {
            count: totals.gained,
            name: "decisions gained",
            note: &gaining,
            icon: (Icon::Plus, Tone::Good),
            href: Some(&gained),
        },
        Figure {
            count: totals.lost,
            name: "decisions lost",
            note: &losing,
            icon: (Icon::Minus, Tone::Bad),
            href: Some(&lost),
        },
        Figure {
            count: totals.resources,
            name: "devices and tenants affected",
            note: "",
            icon: (Icon::Device, Tone::Brand),
            href: None,
        },
        Figure {
            count: totals.people_losing_everything,
            name: "accounts lose everything",
            note: if totals.people_losing_everything > 0 {
                &everything
            } else {
                ""
            },
            icon: (Icon::Person, Tone::Open),
            href: None,
        },
    ];
    html! {
        (figures(&all))
        div.columns {
            section.card { (picture("Lost and gained, by what the devices are under", "Under", by_place(comparison))) }
            section.card { (picture("Lost and gained, by permission", "Permission", by_permission(comparison))) }
        }
        (unknown(totals))
    }
}

fn unknown(totals: &ImpactTotals) -> Markup {
    if totals.unknown_before + totals.unknown_after == 0 {
        return html! {};
    }
    let about = format!(
        "{} cannot be made before, and {} after.",
        words::counted(totals.unknown_before, "decision"),
        totals.unknown_after
    );
    message(Tone::Open, &about, &html! {})
}

type Counts = BTreeMap<String, [u64; 2]>;

/// Counts of losses and gains, by something that each change has counts of.
fn counted<'w>(
    comparison: &'w ComparisonAnswer,
    of: impl Fn(&'w Change) -> Vec<(&'w str, u64)>,
) -> Counts {
    let mut counts = Counts::new();
    for affected in &comparison.impact.people {
        let people = affected.people.len() as u64;
        for change in &affected.changes {
            let place = match change.direction {
                Direction::Lost => 0,
                Direction::Gained => 1,
                Direction::Undecided => continue,
            };
            for (name, count) in of(change) {
                let entry = counts.entry(name.to_owned()).or_default();
                if let Some(sum) = entry.get_mut(place) {
                    *sum += count * people;
                }
            }
        }
    }
    counts
}

fn by_place(comparison: &ComparisonAnswer) -> Counts {
    counted(comparison, |change| match change.under.is_empty() {
        true => vec![("the tenant itself", change.count)],
        false => {
            let under = change.under.iter();
            under
                .map(|(named, count)| (named.name.as_str(), *count))
                .collect()
        }
    })
}

fn by_permission(comparison: &ComparisonAnswer) -> Counts {
    counted(comparison, |change| {
        vec![(change.name.as_str(), change.count)]
    })
}

fn picture(caption: &str, what: &str, counts: Counts) -> Markup {
    let mut rows: Vec<(&String, &[u64; 2])> = counts.iter().collect();
    rows.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<u64>()));
    let more = rows.len().saturating_sub(BARS);
    let bars = Bars {
        caption,
        what,
        series: &[("lost", Tone::Bad), ("gained", Tone::Good)],
        rows: rows
            .into_iter()
            .take(BARS)
            .map(|(name, counts)| BarRow {
                name,
                href: None,
                counts: counts.to_vec(),
            })
            .collect(),
    };
    html! {
        (bars.diverging())
        @if more > 0 { p.quiet { "and " (more) " more" } }
    }
}

/// The tabs, and the one that is open.
pub(super) fn parts(
    asked: &ViewRequest,
    comparison: &ComparisonAnswer,
    tab: Option<&str>,
    page: Option<usize>,
) -> Markup {
    let totals = &comparison.impact.totals;
    let is_gained_first = comparison.names.is_some() && totals.gained > 0;
    let usual = if is_gained_first || totals.gained > 0 && totals.lost == 0 {
        "gained"
    } else {
        "lost"
    };
    let tab = tab.unwrap_or(usual);
    let first = comparison.impact.concerns.len()
        + comparison.impact.pages.len()
        + usize::from(totals.people_losing_everything > 0);
    let plain = asked.given.without("page");
    let address = |tab: &str| {
        asked
            .links
            .with_query(asked.route, &plain.with("tab", tab).query())
    };
    let planned = plain.with("tab", "plan").with("plan", "on");
    let mut addresses = vec![
        ("gained", "Gained", Some(totals.gained), address("gained")),
        ("lost", "Lost", Some(totals.lost), address("lost")),
        (
            "first",
            "Look at first",
            Some(first as u64),
            address("first"),
        ),
    ];
    // What has happened is not planned any more.
    if comparison.names.is_none() {
        let planned = asked.links.with_query(asked.route, &planned.query());
        addresses.push(("plan", "Plan", None, planned));
    }
    let links: Vec<TabLink<'_>> = addresses
        .iter()
        .map(|(value, name, count, href)| TabLink {
            name,
            count: *count,
            href,
            is_current: *value == tab,
        })
        .collect();
    html! {
        (tabs("Parts of the result", &links))
        @match tab {
            "gained" => (changes(asked, comparison, Direction::Gained, page)),
            "first" => (look_at_first(comparison)),
            "plan" => (plan::tab(asked, comparison)),
            _ => (changes(asked, comparison, Direction::Lost, page)),
        }
    }
}

fn changes(
    asked: &ViewRequest,
    comparison: &ComparisonAnswer,
    direction: Direction,
    page: Option<usize>,
) -> Markup {
    let people = comparison.impact.people.iter();
    let all: Vec<(&Affected, &Change)> = people
        .flat_map(|affected| {
            affected
                .changes
                .iter()
                .map(move |change| (affected, change))
        })
        .filter(|(_, change)| change.direction == direction)
        .collect();
    let word = if direction == Direction::Lost {
        "loses"
    } else {
        "gains"
    };
    if all.is_empty() {
        return empty(Icon::Tick, &format!("Nobody {word} anything."), "");
    }
    let window = Window::new(page, all.len());
    // A decision of a revision that is not served cannot be explained here.
    let [_, after] = &comparison.states;
    let served = &asked.served.engine.provenance().revision;
    let is_served = comparison.names.is_none() || after.revision == *served;
    let rows = window
        .of_list(&all)
        .map(|(affected, change)| row(asked, is_served, affected, change));
    let caption = format!("Who {word} what");
    let grid = Grid {
        caption: &caption,
        columns: &CHANGES,
        rows: rows.collect(),
        note: html! {},
    };
    html! { (grid.markup()) (window.pager(asked)) }
}

fn row(asked: &ViewRequest, is_served: bool, affected: &Affected, change: &Change) -> GridRow {
    let first = affected.people.first().zip(change.resources.first());
    let first = first.filter(|_| is_served);
    let why = first.map(|(person, resource)| why(asked, person, change, resource));
    GridRow::new(vec![
        html! { (Shown(&words::people(&affected.people))) },
        html! {
            @match why {
                Some(why) => a href=(why) { (Shown(&change.name)) },
                None => (Shown(&change.name)),
            }
        },
        html! {
            (Shown(&words::on(&change.resources, change.count)))
            (Shown(&words::under(&change.under)))
        },
        html! {
            p { "was " (Shown(&words::decided(&change.before))) }
            p { "now " (Shown(&words::decided(&change.after))) }
            @if change.is_out_of_reach { p.quiet { "allowed, but the page is refused" } }
        },
    ])
}

/// Why the decision is what it is after the change.
fn why(asked: &ViewRequest, person: &Named, change: &Change, resource: &Named) -> String {
    let action = change.action.id().unescaped();
    why_link(asked, &asked.served.engine, (person, action, resource))
}

fn look_at_first(comparison: &ComparisonAnswer) -> Markup {
    let impact = &comparison.impact;
    let losing: Vec<Named> = impact
        .people
        .iter()
        .filter(|affected| affected.loses_everything())
        .flat_map(|affected| affected.people.clone())
        .collect();
    if losing.is_empty() && impact.concerns.is_empty() && impact.pages.is_empty() {
        return empty(Icon::Tick, "Nothing deserves a look first.", "");
    }
    html! {
        @if !losing.is_empty() {
            (message(Tone::Bad, "These accounts lose everything.", &html! { p { (Shown(&words::people(&losing))) } }))
        }
        @for concern in &impact.concerns {
            section.card {
                header {
                    h2 { (Shown(&concern.says)) }
                    @if let Some(advice) = &concern.advice { p { (Shown(advice)) } }
                }
                (concerned(&concern.says, &concern.people))
            }
        }
        @for page in &impact.pages {
            section.card {
                h2 { "The page " (Shown(&page.name)) " is refused to people who keep permissions on it: " (Shown(&page.carries.join(", "))) }
                (concerned(&page.name, &page.people))
            }
        }
    }
}

fn concerned(caption: &str, people: &[Concerned]) -> Markup {
    let rows = people.iter().take(ROWS).map(|of| {
        GridRow::new(vec![
            html! { (Shown(&of.person.name)) },
            html! { (Shown(&words::on(&of.examples, of.resources))) },
        ])
    });
    let more = people.len().saturating_sub(ROWS);
    Grid {
        caption,
        columns: &CONCERNED,
        rows: rows.collect(),
        note: html! { @if more > 0 { (Count(more as u64)) " more are in the JSON" } },
    }
    .markup()
}
