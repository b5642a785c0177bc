//! The JSON of the access review.

use schemars::JsonSchema;
use serde::Serialize;

use crate::premises::PremisesDocument;
use crate::{VERSION, ndjson as line_of, provenance, schema};
use tarbac_analysis::access_review::{
    AccessReview, AccessTotals, Assignment, Entitlement, Obstacle, PersonAccess, Role,
};
use tarbac_analysis::change::what_if::Premises;
use tarbac_analysis::explain::Named;
use tarbac_host::decision::Provenance;

/// The JSON Schema of an access review.
pub const SCHEMA: fn() -> String = schema::text::<provenance::With<'static, Document<'static>>>;

#[derive(Serialize, JsonSchema)]
struct Document<'s> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<PremisesDocument<'s>>,
    totals: &'s AccessTotals,
    roles: &'s [Role],
    obstacles: &'s [Obstacle],
    assignments: Vec<AssignmentDocument<'s>>,
    people: &'s [PersonAccess],
}

#[derive(Serialize, JsonSchema)]
struct AssignmentDocument<'s> {
    #[serde(flatten)]
    assignment: &'s Assignment,
    because: Option<String>,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line<'s> {
    Totals(&'s AccessTotals),
    Asked(PremisesDocument<'s>),
    Role(&'s Role),
    Obstacle(&'s Obstacle),
    Assignment(AssignmentDocument<'s>),
    Hold(HoldLine<'s>),
}

#[derive(Serialize)]
struct HoldLine<'s> {
    principals: &'s [Named],
    #[serde(flatten)]
    hold: &'s Entitlement,
}

/// The access review as JSON.
pub fn document(review: &AccessReview, premises: &Premises, provenance: &Provenance) -> String {
    provenance::document(Document::new(review, premises), provenance)
}

/// The access review as NDJSON: the totals with provenance and premises, the roles, the refusing policies, the redundant
/// assignments, and the entitlements with the people who share them. The key `kind` of each object names what it is.
/// `in_full` fills in the details of one person at a time, so that memory holds those of no more than one.
pub fn ndjson<'a, F: Fn(&PersonAccess) -> PersonAccess>(
    review: &'a AccessReview,
    premises: &'a Premises,
    provenance: &'a Provenance,
    in_full: F,
) -> impl Iterator<Item = String> + use<'a, F> {
    let totals = Line::Totals(&review.totals);
    let head = line_of(&provenance::ProvenanceWire::new(provenance).with(totals));
    let asked = PremisesDocument::if_any(premises).map(Line::Asked);
    let roles = review.roles.iter().map(Line::Role);
    let obstacles = review.obstacles.iter().map(Line::Obstacle);
    let assignments = review.assignments.iter();
    let assignments = assignments.map(|of| Line::Assignment(AssignmentDocument::new(of)));
    let holds = review.people.iter().flat_map(move |holder| {
        let holder = in_full(holder);
        let lines = holder.holds.iter().map(|hold| {
            line_of(&Line::Hold(HoldLine {
                principals: &holder.people,
                hold,
            }))
        });
        lines.collect::<Vec<String>>()
    });
    let asked = asked.into_iter();
    let first = asked.chain(roles).chain(obstacles).chain(assignments);
    let first = first.map(|line| line_of(&line));
    std::iter::once(head).chain(first).chain(holds)
}

impl<'s> Document<'s> {
    fn new(review: &'s AccessReview, premises: &'s Premises) -> Self {
        let assignments = review.assignments.iter();
        Self {
            version: VERSION,
            asked: PremisesDocument::if_any(premises),
            totals: &review.totals,
            roles: &review.roles,
            obstacles: &review.obstacles,
            assignments: assignments.map(AssignmentDocument::new).collect(),
            people: &review.people,
        }
    }
}

impl<'s> AssignmentDocument<'s> {
    fn new(assignment: &'s Assignment) -> Self {
        Self {
            because: super::because(assignment),
            assignment,
        }
    }
}
