//! Plans of role changes, for people.

pub(super) mod html;
pub(super) mod wire;

use super::{LISTED, because, counted, digits, first, some};
use crate::explanation::kind;
use crate::matrix::in_markdown;
use crate::page::Page;
use tarbac_analysis::change::impact::{Direction, ImpactTotals};
use tarbac_analysis::explain::Named;
use tarbac_analysis::plan::{
    Deviation, Gained, GrantingRole, Lost, Permission, Plan, PlannedFile, Proposal, Reason,
    RoleChange, RoleChangeKind,
};

/// The most deviations that are listed: one is enough to distrust a plan.
const DEVIATIONS: usize = 3;

/// The two plans, with the policies of the first changes; with `all`, of every change.
pub(super) fn human(page: &mut Page, without: &ImpactTotals, plan: &Plan, all: bool) {
    let limit = if all { usize::MAX } else { LISTED };
    page.heading("Plan against losses");
    for line in against_losses(without, plan) {
        page.line(2, &line);
    }
    changes(page, &plan.against_losses, limit);
    if !plan.lost.is_empty() {
        page.heading("Losses that no role prevents");
        for lost in plan.lost.iter().take(limit) {
            page.item(2, "- ", &names(&lost.permissions, limit));
            page.line(4, &whose(lost, limit));
            page.line(
                4,
                &format!(
                    "now {}",
                    because(&lost.after.iter().collect::<Vec<_>>(), all)
                ),
            );
        }
        more(page, plan.lost.len(), limit);
    }
    if without.gained == 0 {
        return;
    }
    page.heading("Plan against gains");
    for line in against_gains(without, plan) {
        page.line(2, &line);
    }
    changes(page, &plan.against_gains, limit);
    if !plan.giving.is_empty() {
        page.heading("The roles that give the gains");
        for giving in plan.giving.iter().take(limit) {
            page.line(2, &role_in_words(giving, limit));
        }
        more(page, plan.giving.len(), limit);
    }
    if !plan.gained.is_empty() {
        page.heading("Gains that remain");
        for gained in plan.gained.iter().take(limit) {
            page.item(2, "+ ", &stays(gained, limit));
            page.line(4, &reason(&gained.reason));
        }
        more(page, plan.gained.len(), limit);
    }
}

/// The two plans, with every policy.
pub(super) fn markdown(without: &ImpactTotals, plan: &Plan) -> String {
    let mut text = String::from("\n## Plan against losses\n\n");
    let listed = |text: &mut String, line: &str| {
        text.push_str(&format!("- {}\n", in_markdown(line)));
    };
    let heading = |text: &mut String, title: &str| text.push_str(&format!("\n{title}:\n\n"));
    for line in against_losses(without, plan) {
        listed(&mut text, &line);
    }
    for change in &plan.against_losses.changes {
        text.push_str(&change_in_markdown(change));
    }
    if !plan.lost.is_empty() {
        heading(&mut text, "Losses that no role prevents");
        for lost in &plan.lost {
            let permissions = names(&lost.permissions, usize::MAX);
            let because = because(&lost.after.iter().collect::<Vec<_>>(), true);
            let whose = whose(lost, LISTED);
            listed(&mut text, &format!("{permissions}: {whose}; now {because}"));
        }
    }
    if without.gained == 0 {
        return text;
    }
    text.push_str("\n## Plan against gains\n\n");
    for line in against_gains(without, plan) {
        listed(&mut text, &line);
    }
    for change in &plan.against_gains.changes {
        text.push_str(&change_in_markdown(change));
    }
    if !plan.giving.is_empty() {
        heading(&mut text, "The roles that give the gains");
        for giving in &plan.giving {
            listed(&mut text, &role_in_words(giving, usize::MAX));
        }
    }
    if !plan.gained.is_empty() {
        heading(&mut text, "Gains that remain");
        for gained in &plan.gained {
            let reason = reason(&gained.reason);
            listed(&mut text, &format!("{}: {reason}", stays(gained, LISTED)));
        }
    }
    text
}

fn change_in_markdown(change: &RoleChange) -> String {
    let mut text = format!("\n### {}\n\n", in_markdown(&title(change, usize::MAX)));
    for line in about(change, usize::MAX) {
        text.push_str(&format!("- {}\n", in_markdown(&line)));
    }
    for file in &change.files {
        text.push_str(&format!("\n{}\n", in_markdown(&heading_of(file))));
        if !file.policy.is_empty() {
            text.push_str(&format!("\n```cedar\n{}```\n", file.policy));
        }
    }
    text
}

fn heading_of(file: &PlannedFile) -> String {
    match file.policy.trim().is_empty() {
        true => format!("{}: the policy goes", file.path),
        false => format!("{}:", file.path),
    }
}

/// The result of the plan against losses.
pub(crate) fn against_losses(without: &ImpactTotals, plan: &Plan) -> Vec<String> {
    let proposal = &plan.against_losses;
    if without.lost == 0 {
        return vec!["nobody loses anything".to_owned()];
    }
    if proposal.changes.is_empty() {
        return vec!["no role change prevents any of the losses".to_owned()];
    }
    let mut lines = vec![format!(
        "{}{}",
        number_of(proposal),
        if plan.lost.is_empty() {
            ": nobody loses anything"
        } else {
            ": the remaining losses are those that no role prevents"
        }
    )];
    lines.extend(tried(without, proposal));
    lines
}

/// The result of the plan against gains.
pub(crate) fn against_gains(without: &ImpactTotals, plan: &Plan) -> Vec<String> {
    let proposal = &plan.against_gains;
    if proposal.changes.is_empty() {
        let nothing = "no role change removes any of the gains without a loss";
        return vec![nothing.to_owned()];
    }
    let mut lines = vec![format!(
        "{}, role by role: no gain remains that can be removed without a loss",
        number_of(proposal)
    )];
    if !plan.against_losses.changes.is_empty() {
        lines
            .push("this plan is independent of the one above, and was tried without it".to_owned());
    }
    lines.extend(tried(without, proposal));
    lines
}

fn number_of(proposal: &Proposal) -> String {
    let changes = counted(proposal.changes.len(), "role change");
    match proposal.is_smallest {
        true => format!("{changes}, and fewer are not enough"),
        false => format!("{changes}; fewer may be enough: there are too many to be certain"),
    }
}

/// The result of the comparison with a proposal.
fn tried(without: &ImpactTotals, proposal: &Proposal) -> Vec<String> {
    let totals = &proposal.totals;
    let found = format!(
        "{} lost instead of {}, {} gained instead of {}",
        counted(totals.lost, "decision"),
        digits(without.lost),
        digits(totals.gained),
        digits(without.gained)
    );
    if proposal.is_verified() {
        return vec![format!("verified by comparing again: {found}")];
    }
    let mut lines = vec![format!(
        "NOT VERIFIED, do not use it: compared again, {found}"
    )];
    let deviations = proposal.deviations.iter().take(DEVIATIONS);
    lines.extend(deviations.map(deviation));
    if proposal.deviations.len() > DEVIATIONS {
        let more = proposal.deviations.len() - DEVIATIONS;
        lines.push(format!("and {more} more"));
    }
    lines
}

fn deviation(deviation: &Deviation) -> String {
    let word = match deviation.direction {
        Direction::Gained => "gains",
        Direction::Lost => "loses",
        Direction::Undecided => "can no longer be told about",
    };
    format!(
        "{} {word} {} on {}, and not on {} at most",
        deviation.person.name,
        deviation.permission.name,
        digits(deviation.found),
        digits(deviation.foreseen)
    )
}

fn changes(page: &mut Page, proposal: &Proposal, limit: usize) {
    for (number, change) in proposal.changes.iter().take(limit).enumerate() {
        page.apart();
        page.item(2, &format!("{}. ", number + 1), &title(change, limit));
        for line in about(change, limit) {
            page.line(5, &line);
        }
        for file in &change.files {
            page.line(5, &heading_of(file));
            page.verbatim(7, &file.policy);
        }
    }
    more(page, proposal.changes.len(), limit);
}

fn more(page: &mut Page, count: usize, limit: usize) {
    let rest = count.saturating_sub(limit);
    if rest > 0 {
        page.line(2, &format!("and {rest} more (--all lists them)"));
    }
}

/// The change in words.
pub(crate) fn title(change: &RoleChange, limit: usize) -> String {
    let permissions = names(&change.permissions, limit);
    let role = &change.role.name;
    match (change.what, &change.instead_of) {
        (RoleChangeKind::Extended, _) => format!("Add to the role {role}: {permissions}"),
        (RoleChangeKind::Reduced, _) => format!("Take out of the role {role}: {permissions}"),
        (_, Some(instead)) => format!("Make the role {role}, in place of {instead}"),
        (_, None) => format!("Make the role {role}"),
    }
}

/// The change and the people it is for, in a line.
pub(super) fn in_short(change: &RoleChange, limit: usize) -> String {
    let people = counted(change.people, "account");
    let title = match change.what {
        RoleChangeKind::Made if change.permissions.is_empty() => {
            "Make a role with any permissions".to_owned()
        }
        RoleChangeKind::Made => format!("Make a role of {}", names(&change.permissions, limit)),
        _ => title(change, limit),
    };
    format!("{title} ({people})")
}

/// Remarks about a change, a line each.
pub(crate) fn about(change: &RoleChange, limit: usize) -> Vec<String> {
    let assigned = change
        .assigned
        .iter()
        .map(|assigned| match assigned.people {
            1 if change.what == RoleChangeKind::Made => assigned.to.name.clone(),
            people => {
                let (kind, name) = (kind(&assigned.to), &assigned.to.name);
                format!("the {kind} {name} ({})", counted(people, "account"))
            }
        });
    let assigned = first(&assigned.collect::<Vec<_>>(), limit);
    let people = counted(change.people, "account");
    let mut lines = match change.what {
        RoleChangeKind::Extended => vec![format!("prevents losses of {people}")],
        RoleChangeKind::Made => vec![
            format!("prevents losses of {people}"),
            format!("assign it to {assigned}"),
        ],
        RoleChangeKind::Reduced => vec![format!("removes gains of {people}")],
        RoleChangeKind::Replaced => vec![
            format!("removes gains of {people}"),
            format!("assign it in {assigned}"),
        ],
    };
    if change.files.is_empty() && change.what != RoleChangeKind::Reduced {
        lines.push("it needs no permission of the schema".to_owned());
    }
    if !change.gains.is_empty() {
        let gains = change.gains.iter().map(|gain| {
            let decisions = counted(gain.decisions, "decision");
            let people = counted(gain.people, "account");
            format!("{} ({decisions} of {people})", gain.permission.name)
        });
        let gains = gains.collect::<Vec<_>>().join(", ");
        lines.push(format!("lets people do more than before: {gains}"));
    }
    if let Some(proof) = &change.proof {
        lines.push(format!(
            "without it {} loses {} on {}",
            proof.person.name, proof.permission.name, proof.resource.name
        ));
    }
    lines
}

pub(crate) fn whose(lost: &Lost, limit: usize) -> String {
    let people: Vec<&Named> = lost.people.iter().collect();
    let each = if lost.people.len() > 1 { " each" } else { "" };
    let decisions = counted(lost.decisions, "decision");
    format!("{decisions}{each} of {}", some(&people, limit))
}

fn role_in_words(giving: &GrantingRole, limit: usize) -> String {
    format!(
        "{}: {} of {}, by {}",
        giving.role.name,
        counted(giving.decisions, "decision"),
        counted(giving.people, "account"),
        names(&giving.permissions, limit)
    )
}

fn stays(gained: &Gained, limit: usize) -> String {
    let people: Vec<&Named> = gained.people.iter().collect();
    format!(
        "{}: {} of {}",
        names(&gained.permissions, limit),
        counted(gained.decisions, "decision"),
        some(&people, limit)
    )
}

fn reason(reason: &Reason) -> String {
    match reason {
        Reason::HadElsewhere => {
            "they had the permission before on other resources, and a role applies to all of them"
                .to_owned()
        }
        Reason::Shared { through, with } => format!(
            "{} would lose it, who has the role through {} too",
            with.name, through.name
        ),
        Reason::ByOther(policies) => format!("permitted by {}", policies.join(", ")),
    }
}

pub(crate) fn names(permissions: &[Permission], limit: usize) -> String {
    let names = permissions.iter();
    let names: Vec<&str> = names.map(|permission| permission.name.as_str()).collect();
    first(&names, limit)
}
