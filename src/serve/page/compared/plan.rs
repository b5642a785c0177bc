//! The plan of a what-if: role changes, their files, and requests of Microsoft Graph.

use maud::{Markup, html};
use tarbac_analysis::plan::{Plan, Proposal, RoleChange};
use tarbac_report::html::{Icon, Shown, Tone, command_link, copyable, empty, message, source};
use tarbac_report::words;

use super::super::view::{Answer, ViewRequest};
use crate::explore::GraphRequest;
use crate::fault::Fault;
use crate::jobs::ComparisonAnswer;

/// The tab.
pub(super) fn tab(asked: &ViewRequest, comparison: &ComparisonAnswer) -> Markup {
    let report = comparison.report();
    let Some(plan) = report.plan() else {
        let more = asked.here_with("plan", "on");
        let hint = html! { p { a href=(more) { "Plan the fewest role changes" } } };
        return message(Tone::Neutral, "No plan was made.", &hint);
    };
    let totals = &comparison.impact.totals;
    let against_losses = plan.against_losses.changes.len();
    html! {
        section.card {
            header { h2 { "Against losses" } }
            ul { @for line in words::against_losses(totals, plan) { li { (Shown(&line)) } } }
            (verified(&plan.against_losses))
            (changes(asked, comparison, &plan.against_losses.changes, 0))
            @if !plan.lost.is_empty() {
                h3 { "Losses that no role prevents" }
                ul { @for lost in &plan.lost { li { (Shown(&words::unpreventable(lost))) } } }
            }
        }
        @if totals.gained > 0 {
            section.card {
                header { h2 { "Against gains" } }
                ul { @for line in words::against_gains(totals, plan) { li { (Shown(&line)) } } }
                (verified(&plan.against_gains))
                (changes(asked, comparison, &plan.against_gains.changes, against_losses))
            }
        }
    }
}

fn verified(proposal: &Proposal) -> Markup {
    match proposal.is_verified() {
        true => html! {},
        false => message(
            Tone::Bad,
            "This plan failed when it was tried. Do not use it.",
            &html! {},
        ),
    }
}

fn changes(
    asked: &ViewRequest,
    comparison: &ComparisonAnswer,
    changes: &[RoleChange],
    before: usize,
) -> Markup {
    if changes.is_empty() {
        return empty(Icon::Role, "No role change is needed, or none helps.", "");
    }
    html! {
        @for (place, change) in changes.iter().enumerate() {
            (one(asked, comparison, change, before + place))
        }
    }
}

/// A role change with its files and the request of Graph.
fn one(
    asked: &ViewRequest,
    comparison: &ComparisonAnswer,
    change: &RoleChange,
    number: usize,
) -> Markup {
    let body = comparison.bodies.get(number).and_then(Option::as_ref);
    html! {
        div.stack.tight {
            h3 { (Shown(&words::role_change(change))) }
            ul { @for line in words::about_role_change(change) { li { (Shown(&line)) } } }
            @for (place, file) in change.files.iter().enumerate() {
                div.row {
                    (command_link(Icon::Download, &format!("Download {}", name(&file.path)), &asked.here_with("file", &key(number, place).to_string())))
                    span.quiet { (Shown(&file.path)) }
                }
                @if !file.policy.trim().is_empty() {
                    details { summary { "Show the policy" } (source(&file.policy)) }
                }
            }
            @if let Some(GraphRequest { call, body }) = body {
                (copyable(&format!("graph-{number}"), "Copy for Microsoft Graph", &format!("{call}\n\n{body}")))
            }
        }
    }
}

/// The most files of one role change that have a number of their own.
const FILES: usize = 100;

/// The number of a file of a role change.
fn key(change: usize, file: usize) -> usize {
    change * FILES + file
}

/// The name of a file without its folders.
fn name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

/// A file of the plan.
///
/// # Errors
/// There is no plan, or none of its files has this number.
pub(super) fn file(comparison: &ComparisonAnswer, number: usize) -> Result<Answer, Fault> {
    let report = comparison.report();
    let changes = report.plan().map(Plan::every_change);
    let mut changes = changes.into_iter().flatten();
    let change = changes.nth(number / FILES);
    let file = change.and_then(|change| change.files.get(number % FILES));
    let file = file.ok_or_else(|| Fault::bad_request("the plan has no such file"))?;
    let kind = "text/plain; charset=utf-8";
    Ok(Answer::File(
        name(&file.path).to_owned(),
        kind,
        file.text.clone(),
    ))
}
