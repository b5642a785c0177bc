//! The comparison of two states for people, and in every format.

mod html;
mod markdown;
pub(crate) mod plan;
mod sheet;
mod wire;

use std::collections::BTreeSet;

use super::page::Page;
use super::people::by_people;
use super::tally::{DECISION, common, digits, first, for_some, on, some, tally, under};
use super::words::counted;
use tarbac_analysis::change::impact::{
    Affected, Concerned, Direction, Impact, ImpactTotals, Unreachable,
};
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::explain::Named;
use tarbac_analysis::plan::{Plan, PlannedRoles, RoleChange};
use tarbac_host::decision::{Decision, Outcome, Provenance};

pub use wire::SCHEMA;

/// The most rows of a list, unless all are wanted.
pub const LISTED: usize = 5;

/// The most groups of people, unless all are wanted.
pub const PEOPLE: usize = 2;

/// The most people named with a concern.
const CONCERNED: usize = 3;

/// A comparison of two states with the role changes that go with it.
#[derive(Debug, Clone, Copy)]
pub struct ImpactReport<'r> {
    /// The premises, or the two states that are compared.
    pub premises: &'r Premises,
    /// The changes.
    pub impact: &'r Impact,
    /// The role changes.
    pub roles: &'r PlannedRoles,
    /// The provenance of the states before and after.
    pub states: [&'r Provenance; 2],
    /// The provenance of the workspace of this run, which is one of the two states.
    pub at_hand: &'r Provenance,
}

impl<'r> ImpactReport<'r> {
    /// The plan, if there is one.
    pub fn plan(&self) -> Option<&'r Plan> {
        match self.roles {
            PlannedRoles::Planned(plan) => Some(plan),
            PlannedRoles::InNeed(_) => None,
        }
    }

    /// The role changes that prevent losses.
    fn against_losses(&self) -> &'r [RoleChange] {
        match self.roles {
            PlannedRoles::Planned(plan) => &plan.against_losses.changes,
            PlannedRoles::InNeed(changes) => changes,
        }
    }

    /// The report on about a screen; with `all`, every row.
    pub fn human(&self, all: bool, width: Option<usize>) -> String {
        let Self { impact, .. } = self;
        let mut page = Page::new(width);
        totals(&mut page, &impact.totals);
        self.look_at_first(&mut page, all);
        people(&mut page, &impact.people, all);
        if let Some(plan) = self.plan() {
            plan::human(&mut page, &impact.totals, plan, all);
        }
        page.into_text()
    }

    fn look_at_first(&self, page: &mut Page, all: bool) {
        let limit = if all { usize::MAX } else { LISTED };
        let concerned = if all { usize::MAX } else { CONCERNED };
        let Impact {
            people,
            concerns,
            pages,
            ..
        } = self.impact;
        let losing = people.iter().filter(|affected| affected.loses_everything());
        let losing: Vec<&Named> = losing.flat_map(|affected| &affected.people).collect();
        // The plan has the same in detail.
        let in_need = match self.roles {
            PlannedRoles::InNeed(changes) => changes.as_slice(),
            PlannedRoles::Planned(_) => &[],
        };
        if losing.is_empty() && concerns.is_empty() && pages.is_empty() && in_need.is_empty() {
            return;
        }
        page.heading("Look at first");
        if !losing.is_empty() {
            let verb = if losing.len() == 1 { "loses" } else { "lose" };
            let who = counted(losing.len(), "account");
            let everybody = some(&losing, limit);
            page.line(2, &format!("{who} {verb} everything: {everybody}"));
        }
        for concern in concerns {
            look_at(page, &concern.says, &concern.people, concerned);
            if let Some(advice) = &concern.advice {
                page.item(4, "> ", advice);
            }
        }
        for unreachable in pages {
            look_at(
                page,
                &out_of_reach(unreachable),
                &unreachable.people,
                concerned,
            );
        }
        if !in_need.is_empty() {
            page.line(2, IN_NEED);
            for change in in_need.iter().take(limit) {
                page.item(4, "- ", &plan::in_short(change, limit));
            }
            let rest = in_need.len().saturating_sub(limit);
            if rest > 0 {
                page.line(4, &format!("and {rest} more (--all lists them)"));
            }
        }
    }
}

/// The heading of role changes without a plan.
const IN_NEED: &str = "Roles that would need a permission so that nobody loses it (what-if --plan writes and tries them):";

/// The note about a page that becomes unreachable.
fn out_of_reach(page: &Unreachable) -> String {
    format!(
        "The page {} is refused to people who keep permissions on it: {}.",
        page.name,
        page.carries.join(", ")
    )
}

/// The changes by person; without `all`, only the first ones.
fn people(page: &mut Page, people: &[Affected], all: bool) {
    let limit = |limit: usize| if all { usize::MAX } else { limit };
    by_people(
        page,
        people,
        (limit(PEOPLE), limit(LISTED)),
        |affected| &affected.people,
        |block, affected| {
            for row in rows(affected) {
                row.human(block, all);
            }
        },
    );
}

fn totals(page: &mut Page, totals: &ImpactTotals) {
    if totals.is_same() {
        page.heading(&format!(
            "Nothing changes: of {}, the same {} are allowed",
            counted(totals.decisions, "decision"),
            digits(totals.allowed_before)
        ));
    } else {
        page.heading(&format!(
            "{} gained, {} lost, on {}",
            counted(totals.gained, "decision"),
            digits(totals.lost),
            counted(totals.resources, "resource"),
        ));
        page.line(2, DECISION);
        page.line(
            2,
            &format!(
                "accounts that gain something: {}, that lose something: {}, everything: {}",
                digits(totals.people_gaining),
                digits(totals.people_losing),
                digits(totals.people_losing_everything)
            ),
        );
        page.line(
            2,
            &format!(
                "of {}, {} are allowed before and {} after",
                counted(totals.decisions, "decision"),
                digits(totals.allowed_before),
                digits(totals.allowed_after)
            ),
        );
    }
    if let Some(unknown) = unknown(totals) {
        page.line(2, &unknown);
    }
}

/// The number of indeterminate decisions; empty where there are none.
fn unknown(totals: &ImpactTotals) -> Option<String> {
    let is_any = totals.unknown_before > 0 || totals.unknown_after > 0;
    is_any.then(|| {
        format!(
            "{} cannot be made before and {} after; {} that are never allowed can be made in one of the two \
             only",
            counted(totals.unknown_before, "decision"),
            digits(totals.unknown_after),
            digits(totals.undecided)
        )
    })
}

fn look_at(page: &mut Page, says: &str, people: &[Concerned], limit: usize) {
    page.line(2, says);
    let each = people.iter().take(limit).map(|concerned| {
        let on = on(&concerned.examples, concerned.resources, None);
        format!("{}: {on}", concerned.person.name)
    });
    let mut each: Vec<String> = each.collect();
    let rest = people.len().saturating_sub(limit);
    if rest == 0 {
        each.iter().for_each(|person| page.line(4, person));
        return;
    }
    each.push(format!("and {}", counted(rest, "more account")));
    page.line(4, &each.join("; "));
}

/// Actions with the same change on the same resources.
struct Row<'i> {
    direction: Direction,
    actions: Vec<&'i str>,
    count: u64,
    under: &'i [(Named, u64)],
    /// The decisions before and after.
    reasons: [Vec<&'i Option<Outcome>>; 2],
    is_out_of_reach: bool,
    resources: &'i [Named],
    groups: &'i [(Named, u64)],
}

fn rows(affected: &Affected) -> Vec<Row<'_>> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for change in &affected.changes {
        let reasons = [&change.before, &change.after];
        let is_same = |row: &&mut Row<'_>| {
            row.direction == change.direction
                && row.under == change.under
                && row.resources == change.resources
                && row.groups == change.groups
                && row.is_out_of_reach == change.is_out_of_reach
        };
        match rows.iter_mut().find(is_same) {
            Some(row) => {
                row.actions.push(&change.name);
                for (all, reason) in row.reasons.iter_mut().zip(reasons) {
                    all.push(reason);
                }
            }
            None => rows.push(Row {
                direction: change.direction,
                actions: vec![&change.name],
                count: change.count,
                under: &change.under,
                reasons: reasons.map(|reason| vec![reason]),
                is_out_of_reach: change.is_out_of_reach,
                resources: &change.resources,
                groups: &change.groups,
            }),
        }
    }
    rows.sort_by_key(|row| row.direction);
    rows
}

impl Row<'_> {
    fn human(&self, page: &mut Page, all: bool) {
        let limit = if all { usize::MAX } else { LISTED };
        let mark = match self.direction {
            Direction::Gained => "+ ",
            Direction::Lost => "- ",
            Direction::Undecided => "? ",
        };
        page.item(2, mark, &first(&self.actions, limit));
        let examples = self.resources.get(..limit).unwrap_or(self.resources);
        let under = under(self.under, limit);
        page.line(4, &format!("on {}{under}", on(examples, self.count, None)));
        if !self.groups.is_empty() {
            page.line(4, &format!("of {}", tally(self.groups, limit)));
        }
        for (word, reasons) in ["was", "now"].iter().zip(&self.reasons) {
            page.line(4, &format!("{word} {}", because(reasons, all)));
        }
        if self.is_out_of_reach {
            page.line(
                4,
                "allowed, but unreachable in the admin center: the page is refused",
            );
        }
    }
}

/// The reasons for the decisions of some actions: the reasons of all of them, and the number of those of only some; with
/// `all`, every reason.
pub(crate) fn because(reasons: &[&Option<Outcome>], all: bool) -> String {
    let mut decisions: Vec<(&str, Vec<&str>, usize)> = Vec::new();
    for word in ["permitted", "refused", "undecided", "not there"] {
        let of_word = reasons.iter().filter(|outcome| verdict(outcome) == word);
        let policies: Vec<BTreeSet<&str>> = of_word
            .map(|outcome| outcome.iter().flat_map(determining).collect())
            .collect();
        if policies.is_empty() {
            continue;
        }
        let (common, more) = common(&policies, all || policies.len() == 1);
        decisions.push((word, common, more));
    }
    let said =
        decisions
            .into_iter()
            .map(|(word, policies, more)| match (policies.as_slice(), more) {
                ([], 0) if word == "refused" => "refused: no policy permits it".to_owned(),
                ([], 0) => word.to_owned(),
                ([], more) => format!("{word} by {}", counted(more, "policy")),
                (policies, 0) => format!("{word} by {}", policies.join(", ")),
                (policies, more) => {
                    format!("{word} by {}{}", policies.join(", "), for_some(more))
                }
            });
    said.collect::<Vec<_>>().join("; ")
}

fn verdict(outcome: &Option<Outcome>) -> &'static str {
    match outcome.as_ref().map(|outcome| outcome.decision) {
        Some(Decision::Allow) => "permitted",
        Some(Decision::Deny) => "refused",
        Some(Decision::Indeterminate) => "undecided",
        None => "not there",
    }
}

/// The policies that determine a decision, or the errors.
fn determining(outcome: &Outcome) -> impl Iterator<Item = &str> {
    let of = match outcome.decision {
        Decision::Indeterminate => &outcome.errors,
        Decision::Allow | Decision::Deny => &outcome.policies,
    };
    of.iter().map(String::as_str)
}
