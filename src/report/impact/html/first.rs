//! The changes of a comparison that deserve a look first.

use maud::{Markup, html};

use super::super::{ImpactReport, out_of_reach, plan};
use crate::html::{Shown, Tone, message, some_lines};
use crate::tally::on;
use crate::words::counted;
use tarbac_analysis::change::impact::{Concerned, Direction};
use tarbac_analysis::explain::Named;
use tarbac_analysis::plan::PlannedRoles;

pub(super) fn section(report: &ImpactReport<'_>, whole: &str) -> Markup {
    let impact = report.impact;
    let losing = impact.people.iter().filter(|of| of.loses_everything());
    let losing: Vec<&Named> = losing.flat_map(|of| &of.people).collect();
    // A plan has the same in detail.
    let in_need = match report.roles {
        PlannedRoles::InNeed(changes) => changes.as_slice(),
        PlannedRoles::Planned(_) => &[],
    };
    if losing.is_empty()
        && impact.concerns.is_empty()
        && impact.pages.is_empty()
        && in_need.is_empty()
    {
        return html! {};
    }
    html! {
        section.stack.tight {
            h2 #first { "Look at first" }
            @if !losing.is_empty() {
                (message(
                    Tone::Bad,
                    &format!("{} with nothing left", counted(losing.len(), "account")),
                    &some_lines(losing.iter().map(|of| of.name.clone())),
                ))
            }
            @for concern in &impact.concerns {
                @let tone = if concern.direction == Direction::Lost { Tone::Bad } else { Tone::Open };
                (message(tone, &concern.says, &html! {
                    @if let Some(advice) = &concern.advice { p { (Shown(advice)) } }
                    (people(&concern.people))
                }))
            }
            @for page in &impact.pages { (message(Tone::Open, &out_of_reach(page), &people(&page.people))) }
            @if !in_need.is_empty() {
                (message(Tone::Brand, "Roles that would need a permission so that nobody loses it", &html! {
                    (some_lines(in_need.iter().map(|change| plan::in_short(change, usize::MAX))))
                    p.quiet { code { (Shown(whole.split(" --format").next().unwrap_or(whole))) " --plan" } " writes and tries them." }
                }))
            }
        }
    }
}

/// People with the number of devices, and some of these.
fn people(people: &[Concerned]) -> Markup {
    some_lines(people.iter().map(|of| {
        format!(
            "{}: {}",
            of.person.name,
            on(&of.examples, of.resources, None)
        )
    }))
}
