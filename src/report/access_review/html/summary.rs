//! The sentence, numbers and pictures of an access review.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use crate::explanation::kind;
use crate::html::{
    BarRow, Bars, Count, Figure, HeatCell, HeatMap, Icon, Shown, Tone, figures, message,
};
use crate::tally::digits;
use crate::words::counted;
use tarbac_analysis::access_review::{AccessReview, AccessTotals, Role};

/// The most bars, and columns of the heat map.
const BARS: usize = 12;

/// The most rows of the heat map.
const PERMISSIONS: usize = 40;

/// The column of resources without a hierarchy.
const ELSEWHERE: &str = "elsewhere";

pub(super) fn section(totals: &AccessTotals, opening: &str, notes: &[String]) -> Markup {
    let can = match totals.people_allowed {
        0 => format!(
            "none of {} can do anything",
            counted(totals.people, "account")
        ),
        some => format!(
            "{} of {} can do something",
            digits(some),
            counted(totals.people, "account")
        ),
    };
    let of = counted(totals.decisions, "permission");
    let allowed = digits(totals.allowed);
    html! {
        p.lead { (Shown(&format!("{opening}{can}; of {of}, {allowed} are allowed."))) }
        @if !notes.is_empty() {
            (message(Tone::Brand, "Supposed besides", &html! { ul { @for note in notes { li { (Shown(note)) "." } } } }))
        }
        (numbers(totals))
        p.quiet { "A permission counts once for each account and each device or tenant." }
        @if totals.unknown > 0 {
            (message(Tone::Open, "Not everything can be decided", &html! {
                p { (counted(totals.unknown, "permission")) " of some account cannot be decided." }
            }))
        }
        @if totals.assignments_unknown > 0 || totals.assignments_unlisted > 0 {
            (message(Tone::Open, "Not every assignment is judged", &html! {
                p {
                    "Of " (counted(totals.assignments, "assignment")) ", "
                    (Count(totals.assignments_unknown)) " have members about whom something cannot be decided, and "
                    (Count(totals.assignments_unlisted)) " have members that are not known."
                }
            }))
        }
    }
}

fn numbers(totals: &AccessTotals) -> Markup {
    let accounts = format!("about {}", counted(totals.people_refused, "account"));
    let figure = |count: u64, name: &'static str, icon: Icon, tone: Tone| Figure {
        count,
        name,
        note: "",
        icon: (icon, if count == 0 { Tone::Neutral } else { tone }),
        href: None,
    };
    figures(&[
        figure(
            totals.people_allowed,
            "accounts can do something",
            Icon::People,
            Tone::Neutral,
        ),
        figure(
            totals.allowed,
            "permissions allowed",
            Icon::Tick,
            Tone::Good,
        ),
        Figure {
            note: "allowed, but the page that carries them is refused",
            ..figure(
                totals.out_of_reach,
                "permissions out of reach",
                Icon::Warning,
                Tone::Open,
            )
        },
        Figure {
            note: &accounts,
            ..figure(
                totals.refused,
                "granted by a role, but refused",
                Icon::Barred,
                Tone::Bad,
            )
        },
        figure(
            totals.assignments,
            "role assignments",
            Icon::Assignment,
            Tone::Neutral,
        ),
    ])
}

pub(super) fn pictures(review: &AccessReview) -> Markup {
    let roles: Vec<&Role> = review.roles.iter().filter(|role| role.people > 0).collect();
    let rest = roles.len().saturating_sub(BARS);
    let names: Vec<String> = roles.iter().take(BARS).map(|role| named(role)).collect();
    let rows = roles.iter().zip(&names).map(|(role, name)| BarRow {
        name,
        href: None,
        counts: vec![role.allowed, role.refused],
    });
    let bars = Bars {
        caption: "What each role gives",
        what: "role",
        series: &[("allowed", Tone::Good), ("granted, but refused", Tone::Bad)],
        rows: rows.collect(),
    };
    html! {
        @if !roles.is_empty() {
            section.card {
                (bars.stacked())
                @if rest > 0 { p.quiet { "and " (counted(rest, "more role")) } }
            }
        }
        (heat_map(review))
    }
}

/// The role, with the number of accounts that can use it.
fn named(role: &Role) -> String {
    let accounts = counted(role.people, "account");
    let word = kind(&role.entity);
    let name = &role.entity.name;
    let using = match role.people_allowed == role.people {
        true => accounts,
        false => format!("{} of {accounts} can use it", digits(role.people_allowed)),
    };
    match word.as_str() {
        "role" => format!("{name} ({using})"),
        other => format!("{name}, {other} ({using})"),
    }
}

/// The number of accounts that may do something, by permission and place.
#[derive(Debug, Default)]
struct ByPlace {
    counts: BTreeMap<(String, String), u64>,
    permissions: Vec<String>,
    places: BTreeMap<String, u64>,
    kind: Option<String>,
}

impl ByPlace {
    fn new(review: &AccessReview) -> Self {
        let mut all = Self::default();
        for person in &review.people {
            let mut pairs = BTreeSet::new();
            for hold in person.holds.iter().filter(|hold| hold.status.is_allowed()) {
                for (place, _) in &hold.under {
                    all.kind.get_or_insert_with(|| kind(place));
                    pairs.insert((hold.name.clone(), place.name.clone()));
                }
                if hold.under.is_empty() {
                    pairs.insert((hold.name.clone(), ELSEWHERE.to_owned()));
                }
            }
            for pair in pairs {
                *all.places.entry(pair.1.clone()).or_default() += 1;
                if !all.permissions.contains(&pair.0) {
                    all.permissions.push(pair.0.clone());
                }
                *all.counts.entry(pair).or_default() += person.people.len() as u64;
            }
        }
        all
    }

    /// The places in which most may be done, and the number of the others.
    fn columns(&self) -> (Vec<&str>, usize) {
        let mut places: Vec<(&str, u64)> = self
            .places
            .iter()
            .map(|(name, count)| (name.as_str(), *count))
            .collect();
        let rest = places.len().saturating_sub(BARS);
        places.sort_by_key(|(name, count)| (*name == ELSEWHERE, std::cmp::Reverse(*count)));
        (
            places.iter().take(BARS).map(|(name, _)| *name).collect(),
            rest,
        )
    }
}

fn heat_map(review: &AccessReview) -> Markup {
    let all = ByPlace::new(review);
    let most = all.counts.values().copied().max().unwrap_or(0);
    let (columns, rest) = all.columns();
    let rows = all.permissions.iter().take(PERMISSIONS).map(|permission| {
        let cells = columns.iter().map(|place| {
            let key = (permission.clone(), (*place).to_owned());
            let count = all.counts.get(&key).copied().unwrap_or(0);
            HeatCell {
                tone: Tone::Brand,
                share: if most == 0 {
                    0.0
                } else {
                    count as f64 / most as f64
                },
                text: digits(count),
                words: format!("{}: {permission}, {place}", counted(count, "account")),
                href: None,
            }
        });
        (html! { (Shown(permission)) }, cells.collect())
    });
    let place = all.kind.clone().unwrap_or_else(|| "place".to_owned());
    let map = HeatMap {
        caption: &format!("How many accounts may do what, by {place}"),
        what: "Permission",
        columns: &columns,
        rows: rows.collect(),
    };
    html! {
        @if !columns.is_empty() {
            section.stack.tight {
                (map.markup())
                @if rest > 0 { p.quiet { "and " (Count(rest as u64)) " more places" } }
            }
        }
    }
}
