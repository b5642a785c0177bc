//! Plans of role changes as a part of a document of HTML.

use maud::{Markup, html};

use super::{
    about, against_gains, against_losses, heading_of, names, reason, role_in_words, stays, title,
    whose,
};
use crate::html::{Shown, Tone, message, some_lines, source};
use tarbac_analysis::change::impact::ImpactTotals;
use tarbac_analysis::plan::{Plan, Proposal};

/// The most names in a line.
const LISTED: usize = 5;

/// The most role changes of a plan that are written out.
const CHANGES: usize = 100;

/// The two plans, with every policy.
pub(in crate::impact) fn section(without: &ImpactTotals, plan: &Plan) -> Markup {
    html! {
        section.stack {
            h2 #plan { "Plan" }
            div.card {
                h3 { "Plan against losses" }
                (proposal(&plan.against_losses, &against_losses(without, plan)))
                @if !plan.lost.is_empty() {
                    h3 { "Losses that no role prevents" }
                    (some_lines(plan.lost.iter().map(|lost| {
                        format!("{}: {}", names(&lost.permissions, usize::MAX), whose(lost, LISTED))
                    })))
                }
            }
            @if without.gained > 0 {
                div.card {
                    h3 { "Plan against gains" }
                    (proposal(&plan.against_gains, &against_gains(without, plan)))
                    @if !plan.giving.is_empty() {
                        h3 { "The roles that give the gains" }
                        (some_lines(plan.giving.iter().map(|giving| role_in_words(giving, usize::MAX))))
                    }
                    @if !plan.gained.is_empty() {
                        h3 { "Gains that remain" }
                        (some_lines(plan.gained.iter().map(|gained| {
                            format!("{}; {}", stays(gained, LISTED), reason(&gained.reason))
                        })))
                    }
                }
            }
        }
    }
}

/// What was found about a proposal, and its changes with their files.
fn proposal(proposal: &Proposal, found: &[String]) -> Markup {
    let rest = proposal.changes.len().saturating_sub(CHANGES);
    let found = html! { ul { @for line in found { li { (Shown(line)) } } } };
    html! {
        @if proposal.changes.is_empty() {
            (found)
        } @else if proposal.is_verified() {
            (message(Tone::Good, "Verified", &found))
        } @else {
            (message(Tone::Bad, "NOT VERIFIED, do not use it", &found))
        }
        @for change in proposal.changes.iter().take(CHANGES) {
            details {
                summary { (Shown(&title(change, LISTED))) }
                ul { @for line in about(change, usize::MAX) { li { (Shown(&line)) } } }
                @for file in &change.files {
                    p { (Shown(&heading_of(file))) }
                    @if !file.policy.trim().is_empty() { (source(&file.policy)) }
                }
            }
        }
        @if rest > 0 { p { "and " (crate::html::Count(rest as u64)) " more changes, which the command lists" } }
    }
}
