//! What changes for whom, for programs.

use serde::Serialize;

use super::plan::wire::PlanDocument;
use crate::decision::Outcome;
use crate::impact::{Change, Concern, Impact, Totals, Touched};
use crate::plan::Plan;
use crate::render::entity::{Counted, Entity, counts};
use crate::render::{VERSION, json};

#[derive(Serialize)]
struct Document<'i> {
    version: u32,
    totals: TotalsDocument,
    concerns: Vec<ConcernDocument<'i>>,
    people: Vec<TouchedDocument<'i>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<PlanDocument<'i>>,
}

#[derive(Serialize)]
pub(super) struct TotalsDocument {
    decisions: u64,
    allowed_before: u64,
    allowed_after: u64,
    gained: u64,
    lost: u64,
    unknown_before: u64,
    unknown_after: u64,
    people_gaining: u64,
    people_losing: u64,
    people_losing_everything: u64,
    resources: u64,
}

#[derive(Serialize)]
struct ConcernDocument<'i> {
    policy: &'i str,
    says: &'i str,
    advice: Option<&'i str>,
    change: &'static str,
    people: Vec<ConcernedDocument<'i>>,
}

#[derive(Serialize)]
struct ConcernedDocument<'i> {
    principal: Entity<'i>,
    resources: u64,
    examples: Vec<Entity<'i>>,
}

#[derive(Serialize)]
struct TouchedDocument<'i> {
    principals: Vec<Entity<'i>>,
    allowed_before: u64,
    allowed_after: u64,
    changes: Vec<ChangeDocument<'i>>,
}

#[derive(Serialize)]
struct ChangeDocument<'i> {
    action: &'i str,
    name: &'i str,
    change: &'static str,
    count: u64,
    under: Vec<Counted<'i>>,
    groups: Vec<Counted<'i>>,
    resources: Vec<Entity<'i>>,
    out_of_reach: bool,
    before: Option<OutcomeDocument<'i>>,
    after: Option<OutcomeDocument<'i>>,
}

#[derive(Serialize)]
pub(super) struct OutcomeDocument<'i> {
    decision: &'static str,
    policies: &'i [String],
    errors: &'i [String],
}

impl<'i> OutcomeDocument<'i> {
    pub(super) fn of(outcome: &'i Outcome) -> Self {
        Self {
            decision: outcome.decision.word(),
            policies: &outcome.policies,
            errors: &outcome.errors,
        }
    }
}

/// The same as JSON.
pub fn document(impact: &Impact, plan: Option<&Plan>) -> String {
    json(&Document::of(impact, plan))
}

/// The same as JSON in one line, for a page.
pub(super) fn line(impact: &Impact, plan: Option<&Plan>) -> String {
    serde_json::to_string(&Document::of(impact, plan)).unwrap_or_default()
}

/// The same as JSON, an object a line: the totals, what to look at first, every change with the people for
/// whom it is the same, and the plan. Each says in `kind` what it is.
pub fn ndjson<'i>(
    impact: &'i Impact,
    plan: Option<&'i Plan>,
) -> impl Iterator<Item = String> + use<'i> {
    let totals = std::iter::once(Line::Totals(TotalsDocument::of(&impact.totals)));
    let concerns = impact.concerns.iter();
    let concerns = concerns.map(|concern| Line::Concern(ConcernDocument::of(concern)));
    let changes = impact.people.iter().flat_map(|touched| {
        touched.changes.iter().map(|change| {
            Line::Change(ChangeLine {
                principals: touched.people.iter().map(Entity::of).collect(),
                change: ChangeDocument::of(change),
            })
        })
    });
    let plan = plan.map(|plan| Line::Plan(PlanDocument::of(plan)));
    let lines = totals.chain(concerns).chain(changes).chain(plan);
    lines.filter_map(|line| Some(serde_json::to_string(&line).ok()? + "\n"))
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line<'i> {
    Totals(TotalsDocument),
    Concern(ConcernDocument<'i>),
    Change(ChangeLine<'i>),
    Plan(PlanDocument<'i>),
}

#[derive(Serialize)]
struct ChangeLine<'i> {
    principals: Vec<Entity<'i>>,
    #[serde(flatten)]
    change: ChangeDocument<'i>,
}

impl<'i> Document<'i> {
    fn of(impact: &'i Impact, plan: Option<&'i Plan>) -> Self {
        Self {
            version: VERSION,
            totals: TotalsDocument::of(&impact.totals),
            concerns: impact.concerns.iter().map(ConcernDocument::of).collect(),
            people: impact.people.iter().map(TouchedDocument::of).collect(),
            plan: plan.map(PlanDocument::of),
        }
    }
}

impl TotalsDocument {
    pub(super) fn of(totals: &Totals) -> Self {
        Self {
            decisions: totals.decisions,
            allowed_before: totals.allowed_before,
            allowed_after: totals.allowed_after,
            gained: totals.gained,
            lost: totals.lost,
            unknown_before: totals.unknown_before,
            unknown_after: totals.unknown_after,
            people_gaining: totals.people_gaining,
            people_losing: totals.people_losing,
            people_losing_everything: totals.people_losing_everything,
            resources: totals.resources,
        }
    }
}

impl<'i> ConcernDocument<'i> {
    fn of(concern: &'i Concern) -> Self {
        let people = concern.people.iter();
        Self {
            policy: &concern.policy,
            says: &concern.says,
            advice: concern.advice.as_deref(),
            change: concern.direction.word(),
            people: people
                .map(|concerned| ConcernedDocument {
                    principal: Entity::of(&concerned.person),
                    resources: concerned.resources,
                    examples: concerned.examples.iter().map(Entity::of).collect(),
                })
                .collect(),
        }
    }
}

impl<'i> TouchedDocument<'i> {
    fn of(touched: &'i Touched) -> Self {
        Self {
            principals: touched.people.iter().map(Entity::of).collect(),
            allowed_before: touched.allowed_before,
            allowed_after: touched.allowed_after,
            changes: touched.changes.iter().map(ChangeDocument::of).collect(),
        }
    }
}

impl<'i> ChangeDocument<'i> {
    fn of(change: &'i Change) -> Self {
        Self {
            action: change.action.id().unescaped(),
            name: &change.name,
            change: change.direction.word(),
            count: change.count,
            under: counts(&change.under),
            groups: counts(&change.groups),
            resources: change.resources.iter().map(Entity::of).collect(),
            out_of_reach: change.is_out_of_reach,
            before: change.before.as_ref().map(OutcomeDocument::of),
            after: change.after.as_ref().map(OutcomeDocument::of),
        }
    }
}
