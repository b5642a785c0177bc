//! What changes for whom, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::Report;
use super::plan::wire::{NeedDocument, PlanDocument};
use crate::entity::{Counted, Entity, counts};
use crate::premises::PremisesDocument;
use crate::schema;
use crate::{VERSION, json_line, provenance};
use tarbac_analysis::change::impact::{
    Affected, Change, Concern, Concerned, Direction, Impact, Totals, Unreachable,
};
use tarbac_host::decision::{Decision, Outcome};

/// The JSON Schema of what changes for whom.
pub const SCHEMA: fn() -> String = schema::text::<provenance::With<'static, Document<'static>>>;

#[derive(Serialize, JsonSchema)]
struct Document<'i> {
    version: u32,
    asked: PremisesDocument<'i>,
    #[serde(flatten)]
    states: provenance::States<'i>,
    totals: TotalsDocument,
    concerns: Vec<ConcernDocument<'i>>,
    pages: Vec<PageDocument<'i>>,
    roles: Vec<NeedDocument<'i>>,
    people: Vec<TouchedDocument<'i>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<PlanDocument<'i>>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct TotalsDocument {
    decisions: u64,
    allowed_before: u64,
    allowed_after: u64,
    gained: u64,
    lost: u64,
    undecided: u64,
    unknown_before: u64,
    unknown_after: u64,
    people_gaining: u64,
    people_losing: u64,
    people_losing_everything: u64,
    resources: u64,
}

#[derive(Serialize, JsonSchema)]
struct ConcernDocument<'i> {
    policy: Option<&'i str>,
    says: &'i str,
    advice: Option<&'i str>,
    change: Direction,
    people: Vec<ConcernedDocument<'i>>,
}

#[derive(Serialize, JsonSchema)]
struct PageDocument<'i> {
    page: &'i str,
    name: &'i str,
    carries: &'i [String],
    people: Vec<ConcernedDocument<'i>>,
}

#[derive(Serialize, JsonSchema)]
struct ConcernedDocument<'i> {
    principal: Entity<'i>,
    resources: u64,
    examples: Vec<Entity<'i>>,
}

#[derive(Serialize, JsonSchema)]
struct TouchedDocument<'i> {
    principals: Vec<Entity<'i>>,
    allowed_before: u64,
    allowed_after: u64,
    changes: Vec<ChangeDocument<'i>>,
}

#[derive(Serialize, JsonSchema)]
struct ChangeDocument<'i> {
    action: &'i str,
    name: &'i str,
    change: Direction,
    count: u64,
    under: Vec<Counted<'i>>,
    groups: Vec<Counted<'i>>,
    resources: Vec<Entity<'i>>,
    out_of_reach: bool,
    before: Option<OutcomeDocument<'i>>,
    after: Option<OutcomeDocument<'i>>,
}

#[derive(Serialize, JsonSchema)]
pub(super) struct OutcomeDocument<'i> {
    #[schemars(schema_with = "schema::decision")]
    decision: Decision,
    policies: &'i [String],
    errors: &'i [String],
}

impl<'i> OutcomeDocument<'i> {
    pub(super) fn of(outcome: &'i Outcome) -> Self {
        Self {
            decision: outcome.decision,
            policies: &outcome.policies,
            errors: &outcome.errors,
        }
    }
}

impl<'r> Report<'r> {
    /// The report as JSON.
    pub fn document(&self) -> String {
        provenance::document(Document::of(self), self.at_hand)
    }

    /// The same in one line, for a page.
    pub(super) fn line(&self) -> String {
        json_line(&provenance::Wire::of(self.at_hand).with(Document::of(self)))
    }

    /// The same as JSON, an object a line: the totals with what they were decided with, what was asked, what to look at first, every change with the people
    /// for whom it is the same, and the plan. Each says in `kind` what it is. `in_full` finds out the detail of
    /// some people, one after the other, so that no more of it is there at a time.
    pub fn ndjson<F: Fn(&Affected) -> Affected>(
        &self,
        in_full: F,
    ) -> impl Iterator<Item = String> + use<'r, F> {
        let Impact {
            totals,
            people,
            concerns,
            pages,
        } = self.impact;
        let totals = HeadLine {
            totals: Line::Totals(TotalsDocument::of(totals)),
            states: provenance::States::of(self.states),
        };
        let totals = provenance::Wire::of(self.at_hand).with(totals);
        let head = std::iter::once(json_line(&totals) + "\n");
        let asked = std::iter::once(Line::Asked(PremisesDocument::of(self.premises)));
        let concerns = concerns
            .iter()
            .map(|concern| Line::Concern(ConcernDocument::of(concern)));
        let pages = pages.iter().map(|page| Line::Page(PageDocument::of(page)));
        let roles = self.keep().iter();
        let roles = roles.map(|change| Line::Role(NeedDocument::of(change)));
        let changes = people.iter().flat_map(move |touched| {
            let touched = in_full(touched);
            let lines = touched.changes.iter().filter_map(|change| {
                let line = Line::Change(ChangeLine {
                    principals: touched.people.iter().map(Entity::of).collect(),
                    change: ChangeDocument::of(change),
                });
                line.text()
            });
            lines.collect::<Vec<String>>()
        });
        let plan = self.plan().map(|plan| Line::Plan(PlanDocument::of(plan)));
        let first = asked.chain(concerns).chain(pages).chain(roles);
        let text = |line: Line<'_>| line.text();
        head.chain(first.filter_map(text))
            .chain(changes)
            .chain(plan.and_then(text))
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line<'i> {
    Totals(TotalsDocument),
    Asked(PremisesDocument<'i>),
    Concern(ConcernDocument<'i>),
    Page(PageDocument<'i>),
    Role(NeedDocument<'i>),
    Change(ChangeLine<'i>),
    Plan(PlanDocument<'i>),
}

impl Line<'_> {
    fn text(&self) -> Option<String> {
        Some(json_line(self) + "\n")
    }
}

/// The first line, with what both states were decided with.
#[derive(Serialize, JsonSchema)]
struct HeadLine<'i> {
    #[serde(flatten)]
    totals: Line<'i>,
    #[serde(flatten)]
    states: provenance::States<'i>,
}

#[derive(Serialize, JsonSchema)]
struct ChangeLine<'i> {
    principals: Vec<Entity<'i>>,
    #[serde(flatten)]
    change: ChangeDocument<'i>,
}

impl<'i> Document<'i> {
    fn of(report: &Report<'i>) -> Self {
        let impact = report.impact;
        Self {
            version: VERSION,
            asked: PremisesDocument::of(report.premises),
            states: provenance::States::of(report.states),
            totals: TotalsDocument::of(&impact.totals),
            concerns: impact.concerns.iter().map(ConcernDocument::of).collect(),
            pages: impact.pages.iter().map(PageDocument::of).collect(),
            roles: report.keep().iter().map(NeedDocument::of).collect(),
            people: impact.people.iter().map(TouchedDocument::of).collect(),
            plan: report.plan().map(PlanDocument::of),
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
            undecided: totals.undecided,
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
        Self {
            policy: concern.policy.as_deref(),
            says: &concern.says,
            advice: concern.advice.as_deref(),
            change: concern.direction,
            people: concern.people.iter().map(ConcernedDocument::of).collect(),
        }
    }
}

impl<'i> PageDocument<'i> {
    fn of(page: &'i Unreachable) -> Self {
        Self {
            page: page.page.id().unescaped(),
            name: &page.name,
            carries: &page.carries,
            people: page.people.iter().map(ConcernedDocument::of).collect(),
        }
    }
}

impl<'i> ConcernedDocument<'i> {
    fn of(concerned: &'i Concerned) -> Self {
        Self {
            principal: Entity::of(&concerned.person),
            resources: concerned.resources,
            examples: concerned.examples.iter().map(Entity::of).collect(),
        }
    }
}

impl<'i> TouchedDocument<'i> {
    fn of(touched: &'i Affected) -> Self {
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
            change: change.direction,
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
