//! The JSON of a comparison of two states.

use schemars::JsonSchema;
use serde::Serialize;

use super::ImpactReport;
use super::plan::wire::{NeedDocument, PlanDocument};
use crate::premises::PremisesDocument;
use crate::{VERSION, ndjson, provenance, schema};
use tarbac_analysis::change::impact::{
    Affected, ChangedDecision, Concern, Impact, ImpactTotals, Unreachable,
};
use tarbac_analysis::explain::Named;

/// The JSON Schema of the comparison of two states.
pub const SCHEMA: fn() -> String = schema::text::<provenance::With<'static, Document<'static>>>;

#[derive(Serialize, JsonSchema)]
struct Document<'i> {
    version: u32,
    asked: PremisesDocument<'i>,
    #[serde(flatten)]
    states: provenance::States<'i>,
    totals: &'i ImpactTotals,
    concerns: &'i [Concern],
    pages: &'i [Unreachable],
    roles: Vec<NeedDocument<'i>>,
    people: &'i [Affected],
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<PlanDocument<'i>>,
}

impl<'r> ImpactReport<'r> {
    /// The comparison as JSON.
    pub fn document(&self) -> String {
        provenance::document(Document::new(self), self.at_hand)
    }

    /// The comparison as NDJSON: the totals with provenance, the premises, the concerns, every change with the people who
    /// share it, and the plan. The key `kind` of each object names what it is. `in_full` fills in the details of one person
    /// at a time, so that memory holds those of no more than one.
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
            totals: Line::Totals(totals),
            states: provenance::States::new(self.states),
        };
        let head = ndjson(&provenance::ProvenanceWire::new(self.at_hand).with(totals));
        let asked = std::iter::once(Line::Asked(PremisesDocument::new(self.premises)));
        let concerns = concerns.iter().map(Line::Concern);
        let pages = pages.iter().map(Line::Page);
        let roles = self.against_losses().iter();
        let roles = roles.map(|change| Line::Role(NeedDocument::new(change)));
        let changes = people.iter().flat_map(move |affected| {
            let affected = in_full(affected);
            let lines = affected.changes.iter().map(|change| {
                ndjson(&Line::Change(ChangeLine {
                    principals: &affected.people,
                    change,
                }))
            });
            lines.collect::<Vec<String>>()
        });
        let plan = self.plan().map(|plan| Line::Plan(PlanDocument::new(plan)));
        let first = asked.chain(concerns).chain(pages).chain(roles);
        let text = |line: Line<'_>| ndjson(&line);
        std::iter::once(head)
            .chain(first.map(text))
            .chain(changes)
            .chain(plan.map(text))
    }
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line<'i> {
    Totals(&'i ImpactTotals),
    Asked(PremisesDocument<'i>),
    Concern(&'i Concern),
    Page(&'i Unreachable),
    Role(NeedDocument<'i>),
    Change(ChangeLine<'i>),
    Plan(PlanDocument<'i>),
}

/// The first line, with the provenance of both states.
#[derive(Serialize)]
struct HeadLine<'i> {
    #[serde(flatten)]
    totals: Line<'i>,
    #[serde(flatten)]
    states: provenance::States<'i>,
}

#[derive(Serialize)]
struct ChangeLine<'i> {
    principals: &'i [Named],
    #[serde(flatten)]
    change: &'i ChangedDecision,
}

impl<'i> Document<'i> {
    fn new(report: &ImpactReport<'i>) -> Self {
        let impact = report.impact;
        Self {
            version: VERSION,
            asked: PremisesDocument::new(report.premises),
            states: provenance::States::new(report.states),
            totals: &impact.totals,
            concerns: &impact.concerns,
            pages: &impact.pages,
            roles: report
                .against_losses()
                .iter()
                .map(NeedDocument::new)
                .collect(),
            people: &impact.people,
            plan: report.plan().map(PlanDocument::new),
        }
    }
}
