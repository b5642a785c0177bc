//! The sentence, numbers and pictures of a comparison.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::super::{ImpactReport, unknown};
use crate::explanation::kind;
use crate::html::{BarRow, Bars, Count, Figure, Icon, Shown, Tone, figures, message};
use crate::premises;
use crate::tally::digits;
use crate::words::counted;
use tarbac_analysis::change::impact::{Direction, Impact, ImpactTotals};
use tarbac_analysis::change::what_if::Premises;

/// The most bars of a picture.
const BARS: usize = 12;

/// The series of the pictures: to the left, and to the right.
const SERIES: [(&str, Tone); 2] = [("lost", Tone::Bad), ("gained", Tone::Good)];

pub(super) fn section(report: &ImpactReport<'_>, states: Option<&[String; 2]>) -> Markup {
    let totals = &report.impact.totals;
    let notes = &report.premises.notes;
    html! {
        p.lead { (Shown(&format!("{}{}.", opening(report.premises, states), changes(totals)))) }
        @if !notes.is_empty() {
            (message(Tone::Brand, "Supposed besides", &html! { ul { @for note in notes { li { (Shown(note)) "." } } } }))
        }
        (numbers(totals))
        p.quiet {
            "A permission counts once for each account and each device or tenant. Of " (Count(totals.decisions)) ", "
            (Count(totals.allowed_before)) " are allowed before and " (Count(totals.allowed_after)) " after."
        }
        @if let Some(unknown) = unknown(totals) {
            (message(Tone::Open, "Not everything can be decided", &html! { p { (unknown) "." } }))
        }
    }
}

/// The supposed changes, or the states that are compared, as the beginning of a sentence.
fn opening(premises: &Premises, states: Option<&[String; 2]>) -> String {
    if let Some([before, after]) = states {
        let besides = premises.besides.iter().skip(1);
        let besides: Vec<String> = besides
            .map(|flag| format!("if {}, ", premises::in_words(flag)))
            .collect();
        return format!("From {before} to {after}, {}", besides.concat());
    }
    premises::opening(premises)
}

/// The changes as the end of a sentence.
fn changes(totals: &ImpactTotals) -> String {
    if totals.gained == 0 && totals.lost == 0 {
        let allowed = digits(totals.allowed_before);
        let of = counted(totals.decisions, "permission");
        return format!("nobody gains or loses anything: of {of}, the same {allowed} are allowed");
    }
    let did = |people: u64, one: &str, several: &str, count: u64| {
        let verb = if people == 1 { one } else { several };
        match people {
            0 => format!("nobody {one} anything"),
            _ => format!(
                "{} {verb} {}",
                counted(people, "account"),
                counted(count, "permission")
            ),
        }
    };
    let gained = did(totals.people_gaining, "gains", "gain", totals.gained);
    let lost = did(totals.people_losing, "loses", "lose", totals.lost);
    let everything = match totals.people_losing_everything {
        0 => "nobody loses everything".to_owned(),
        1 => "1 account loses everything".to_owned(),
        several => format!("{} lose everything", counted(several, "account")),
    };
    format!("{gained}, and {lost}; {everything}")
}

fn numbers(totals: &ImpactTotals) -> Markup {
    let resources = match totals.resources {
        1 => "on 1 device or tenant".to_owned(),
        several => format!("on {} devices and tenants", digits(several)),
    };
    let number = |count: u64, name: &'static str, icon: Icon, tone: Tone| Figure {
        count,
        name,
        note: "",
        icon: (icon, tone),
        href: None,
    };
    let tone = |count: u64, tone: Tone| if count == 0 { Tone::Neutral } else { tone };
    figures(&[
        Figure {
            note: &resources,
            ..number(
                totals.gained,
                "permissions gained",
                Icon::Plus,
                tone(totals.gained, Tone::Good),
            )
        },
        Figure {
            note: &resources,
            ..number(
                totals.lost,
                "permissions lost",
                Icon::Minus,
                tone(totals.lost, Tone::Bad),
            )
        },
        number(
            totals.people_gaining,
            "accounts gain something",
            Icon::People,
            Tone::Neutral,
        ),
        number(
            totals.people_losing,
            "accounts lose something",
            Icon::People,
            Tone::Neutral,
        ),
        number(
            totals.people_losing_everything,
            "accounts lose everything",
            Icon::Warning,
            tone(totals.people_losing_everything, Tone::Bad),
        ),
    ])
}

/// Losses and gains by name.
type ByName = BTreeMap<String, [u64; 2]>;

pub(super) fn pictures(impact: &Impact) -> Markup {
    let (mut by_permission, mut by_place) = (ByName::new(), ByName::new());
    let mut place = None;
    for affected in &impact.people {
        let people = affected.people.len() as u64;
        for change in &affected.changes {
            let side = match change.direction {
                Direction::Lost => 0,
                Direction::Gained => 1,
                Direction::Undecided => continue,
            };
            let add = |sums: &mut ByName, name: &str, count: u64| {
                let sums = sums.entry(name.to_owned()).or_default();
                if let Some(sum) = sums.get_mut(side) {
                    *sum += people * count;
                }
            };
            add(&mut by_permission, &change.name, change.count);
            for (named, count) in &change.under {
                place.get_or_insert_with(|| kind(named));
                add(&mut by_place, &named.name, *count);
            }
            let placed: u64 = change.under.iter().map(|(_, count)| count).sum();
            if placed < change.count {
                add(&mut by_place, "elsewhere", change.count - placed);
            }
        }
    }
    let place = place.unwrap_or_else(|| "place".to_owned());
    html! {
        @if !by_permission.is_empty() {
            div.columns {
                (picture(&format!("Lost and gained, by {place}"), &place, by_place))
                (picture("Lost and gained, by permission", "permission", by_permission))
            }
        }
    }
}

fn picture(caption: &str, what: &str, sums: ByName) -> Markup {
    let mut sums: Vec<(String, [u64; 2])> = sums.into_iter().collect();
    sums.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.iter().sum::<u64>()));
    let rest = sums.len().saturating_sub(BARS);
    let rows = sums.iter().take(BARS).map(|(name, counts)| BarRow {
        name,
        href: None,
        counts: counts.to_vec(),
    });
    let bars = Bars {
        caption,
        what,
        series: &SERIES,
        rows: rows.collect(),
    };
    html! {
        section.card {
            (bars.diverging())
            @if rest > 0 { p.quiet { "and " (Count(rest as u64)) " more" } }
        }
    }
}
