//! The access review for people, and in every format.

mod html;
mod markdown;
mod row;
mod sheet;
mod wire;

use unicode_width::UnicodeWidthStr;

use super::explanation::typed;
use super::page::{Page, padded};
use super::people::by_people;
use super::tally::{DECISION, digits, first, on, tally, under};
use super::words::counted;
use row::{Row, rows};
use tarbac_analysis::access_review::{
    AccessReview, Assignment, Obstacle, PersonAccess, Redundancy, Role, Status,
};

pub use html::{findings, html, pictures, summary};
pub use markdown::markdown;
pub use sheet::csv;
pub use wire::{SCHEMA, document, ndjson};

/// The most rows of a list, unless all are wanted.
pub const LISTED: usize = 5;

/// The most permissions of one outcome, about a line, unless all are wanted.
const ACTIONS: usize = 4;

/// The most groups of people, unless all are wanted: one as an example, since each takes a paragraph.
pub const PEOPLE: usize = 1;

/// The most policies that refuse granted permissions, unless all are wanted.
const OBSTACLES: usize = 3;

/// The review on about a screen; with `all`, every row.
pub fn human(review: &AccessReview, all: bool, width: Option<usize>) -> String {
    let limit = |limit: usize| if all { usize::MAX } else { limit };
    let mut page = Page::new(width);
    totals(&mut page, review);
    roles(&mut page, &review.roles, limit(LISTED));
    obstacles(&mut page, &review.obstacles, all);
    assignments(&mut page, review, limit(LISTED));
    by_people(
        &mut page,
        &review.people,
        (limit(PEOPLE), limit(LISTED)),
        |holder| &holder.people,
        |block, holder| held(block, holder, all),
    );
    page.into_text()
}

fn totals(page: &mut Page, review: &AccessReview) {
    let totals = &review.totals;
    page.heading(&format!(
        "{} of {} can do something; of {}, {} are allowed",
        digits(totals.people_allowed),
        counted(totals.people, "account"),
        counted(totals.decisions, "decision"),
        digits(totals.allowed)
    ));
    page.line(2, DECISION);
    if totals.out_of_reach > 0 {
        page.line(
            2,
            &format!(
                "allowed, but unreachable in the admin center, because the page is refused: {}",
                counted(totals.out_of_reach, "decision")
            ),
        );
    }
    if totals.refused > 0 {
        page.line(
            2,
            &format!(
                "granted by a role, but refused: {} about {}",
                counted(totals.refused, "decision"),
                counted(totals.people_refused, "account")
            ),
        );
    }
    if totals.unknown > 0 {
        let unknown = counted(totals.unknown, "decision");
        page.line(2, &format!("indeterminate: {unknown}"));
    }
    let all = counted(totals.assignments, "assignment");
    if totals.assignments_unknown > 0 {
        let unknown = digits(totals.assignments_unknown);
        page.line(
            2,
            &format!("of {all}, not judged for that reason: {unknown}"),
        );
    } else if review.assignments.is_empty() && totals.assignments_unlisted == 0 {
        page.line(2, &format!("of {all}, each gives something"));
    }
    if totals.assignments_unlisted > 0 {
        let unlisted = digits(totals.assignments_unlisted);
        let because = "because members of them are not known";
        page.line(2, &format!("of {all}, not judged, {because}: {unlisted}"));
    }
}

/// A table of roles.
fn roles(page: &mut Page, roles: &[Role], limit: usize) {
    let (roles, without): (Vec<&Role>, Vec<&Role>) = roles.iter().partition(|role| role.people > 0);
    if roles.is_empty() {
        return;
    }
    let names: Vec<String> = roles
        .iter()
        .take(limit)
        .map(|role| typed(&role.entity))
        .collect();
    let width = names.iter().map(|name| name.width()).max();
    let width = width.unwrap_or_default().max(8);
    page.heading(&format!(
        "{:<width$}  {:>9}  {:>10}  {:>9}  {:>9}",
        "By role", "accounts", "can use it", "allowed", "refused"
    ));
    for (role, name) in roles.iter().zip(&names) {
        let counts = [role.people, role.people_allowed, role.allowed, role.refused];
        let [people, using, allowed, refused] = counts.map(digits);
        page.line(
            0,
            &format!(
                "{}  {people:>9}  {using:>10}  {allowed:>9}  {refused:>9}",
                padded(name, width)
            ),
        );
    }
    let rest = roles.len().saturating_sub(limit);
    if rest > 0 {
        page.line(0, &format!("and {}", counted(rest, "more role")));
    }
    if !without.is_empty() {
        page.line(
            0,
            &format!("and {} that nobody has", counted(without.len(), "role")),
        );
    }
}

fn obstacles(page: &mut Page, obstacles: &[Obstacle], all: bool) {
    if obstacles.is_empty() {
        return;
    }
    for accounts in obstacles.iter().filter_map(|of| of.accounts.as_ref()) {
        let limit = if all { usize::MAX } else { LISTED };
        let names: Vec<String> = accounts.people.iter().map(|of| of.name.clone()).collect();
        let count = digits(names.len() as u64);
        page.heading(&format!("{}: {count}", accounts.called));
        page.line(2, &first(&names, limit));
    }
    let limit = if all { usize::MAX } else { OBSTACLES };
    page.heading("The policies that refuse most of the granted permissions");
    for obstacle in obstacles.iter().take(limit) {
        page.line(2, &refuses(obstacle));
        if all {
            page.line(4, &obstacle.says);
        }
        if let Some(advice) = &obstacle.advice {
            page.item(4, "> ", advice);
        }
    }
    let rest = obstacles.len().saturating_sub(limit);
    if rest > 0 {
        page.line(2, &format!("and {} more", digits(rest as u64)));
    }
}

fn refuses(obstacle: &Obstacle) -> String {
    format!(
        "{}: {} about {}",
        obstacle.policy,
        counted(obstacle.decisions, "decision"),
        counted(obstacle.people, "account")
    )
}

fn assignments(page: &mut Page, review: &AccessReview, limit: usize) {
    let all = digits(review.totals.assignments);
    for (redundancy, what, said) in [
        (
            Redundancy::Nothing,
            "give nothing",
            "all of them can go, and no decision changes",
        ),
        (
            Redundancy::Repeats,
            "give only what others give",
            "any one of them can go",
        ),
        (
            Redundancy::Withheld,
            "give nothing here",
            "their effect elsewhere is not examined",
        ),
        (
            Redundancy::Suspended,
            "give nothing more now",
            "they may once accounts are enabled or memberships are activated",
        ),
    ] {
        let of = review
            .assignments
            .iter()
            .filter(|of| of.redundancy == redundancy);
        let of: Vec<&Assignment> = of.collect();
        if of.is_empty() {
            continue;
        }
        let count = digits(of.len() as u64);
        page.heading(&format!(
            "Assignments that {what}: {count} of {all}; {said}"
        ));
        for assignment in of.iter().take(limit) {
            page.line(2, &chain(assignment));
            if let Some(because) = because(assignment) {
                page.line(4, &because);
            }
        }
        let rest = of.len().saturating_sub(limit);
        if rest > 0 {
            page.line(2, &format!("and {}", counted(rest, "more assignment")));
        }
    }
}

/// An assignment: its members and its roles.
fn chain(assignment: &Assignment) -> String {
    let mut steps: Vec<String> = assignment.from.iter().map(typed).collect();
    steps.push(typed(&assignment.to));
    let roles: Vec<String> = assignment.roles.iter().map(typed).collect();
    if !roles.is_empty() {
        steps.push(first(&roles, LISTED));
    }
    format!(
        "{}: {}",
        steps.join(" -> "),
        counted(assignment.people, "account")
    )
}

/// The reason why an assignment is redundant.
fn because(assignment: &Assignment) -> Option<String> {
    match assignment.redundancy {
        Redundancy::Nothing | Redundancy::Suspended => {}
        Redundancy::Repeats => return None,
        Redundancy::Withheld => return assignment.told.clone(),
    }
    let reasons: Vec<&str> = assignment
        .reasons
        .iter()
        .map(|(id, _)| id.as_str())
        .collect();
    Some(
        match (
            assignment.people,
            assignment.policies.is_empty(),
            reasons.as_slice(),
        ) {
            (0, _, _) => "it has no members".to_owned(),
            (_, true, _) => "no policy in force permits it anything".to_owned(),
            (_, false, []) => "its permissions apply to no resource".to_owned(),
            (_, false, reasons) => format!("refused by {}", first(reasons, OBSTACLES)),
        },
    )
}

/// The entitlements of some people, by role and path.
fn held(page: &mut Page, holder: &PersonAccess, all: bool) {
    let mut by_way: Vec<(Vec<String>, Vec<Row<'_>>)> = Vec::new();
    for row in rows(holder) {
        let ways = row.ways(all);
        match by_way.iter_mut().find(|(known, _)| *known == ways) {
            Some((_, rows)) => rows.push(row),
            None => by_way.push((ways, vec![row])),
        }
    }
    for (ways, rows) in by_way {
        let words = std::iter::once("through").chain(std::iter::repeat("and"));
        for (way, word) in ways.iter().zip(words) {
            page.line(2, &format!("{word} {way}"));
        }
        let indent = if ways.is_empty() { 2 } else { 4 };
        for row in rows {
            human_row(page, indent, &row, all);
        }
    }
}

fn human_row(page: &mut Page, indent: usize, row: &Row<'_>, all: bool) {
    let limit = if all { usize::MAX } else { LISTED };
    let verb = match row.status {
        Status::Allowed => "may",
        Status::OutOfReach => "may, but cannot reach in the admin center:",
        Status::Refused => "has in a role, but is refused:",
        Status::Unknown => "cannot be decided about:",
    };
    let actions = first(&row.actions, if all { usize::MAX } else { ACTIONS });
    page.line(indent, &format!("{verb} {actions}"));
    let under = under(row.under, limit);
    let on = on(row.resources, row.count, Some(row.of));
    page.line(indent + 2, &format!("on {on}{under}"));
    if !row.groups.is_empty() {
        page.line(indent + 2, &format!("of {}", tally(row.groups, limit)));
    }
    if let Some(with) = row.with() {
        page.line(indent + 2, &with);
    }
    if let Some(reasons) = row.reasons(all) {
        page.line(indent + 2, &reasons);
    }
}
