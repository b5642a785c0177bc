//! The JSON of the access review.

use schemars::JsonSchema;
use serde::Serialize;

use crate::premises::PremisesDocument;
use crate::{VERSION, json_line, ndjson as line_of, provenance, schema};
use tarbac_analysis::access_review::{
    AccessReview, Assignment, Entitlement, Obstacle, PersonAccess, Role, Totals,
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
    totals: &'s Totals,
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
    Totals(&'s Totals),
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

/// The same as JSON.
pub fn document(standing: &AccessReview, premises: &Premises, provenance: &Provenance) -> String {
    provenance::document(Document::of(standing, premises), provenance)
}

/// The same as JSON in one line, for a page.
pub(super) fn line(
    standing: &AccessReview,
    premises: &Premises,
    provenance: &Provenance,
) -> String {
    json_line(&provenance::Wire::of(provenance).with(Document::of(standing, premises)))
}

/// The same as JSON, an object a line: the totals with what it was decided with, what is supposed, the roles, what refuses, the assignments that give
/// nothing, and what holds of every permission with the people for whom it does. Each says in `kind` what it
/// is.
/// `in_full` finds out the detail of some people, one after the other, so that no more of it is there at a time.
pub fn ndjson<'a, F: Fn(&PersonAccess) -> PersonAccess>(
    standing: &'a AccessReview,
    premises: &'a Premises,
    provenance: &'a Provenance,
    in_full: F,
) -> impl Iterator<Item = String> + use<'a, F> {
    let totals = Line::Totals(&standing.totals);
    let head = line_of(&provenance::Wire::of(provenance).with(totals));
    let asked = PremisesDocument::if_any(premises).map(Line::Asked);
    let roles = standing.roles.iter().map(Line::Role);
    let obstacles = standing.obstacles.iter().map(Line::Obstacle);
    let assignments = standing.assignments.iter();
    let assignments = assignments.map(|of| Line::Assignment(AssignmentDocument::of(of)));
    let holds = standing.people.iter().flat_map(move |holder| {
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
    fn of(standing: &'s AccessReview, premises: &'s Premises) -> Self {
        let assignments = standing.assignments.iter();
        Self {
            version: VERSION,
            asked: PremisesDocument::if_any(premises),
            totals: &standing.totals,
            roles: &standing.roles,
            obstacles: &standing.obstacles,
            assignments: assignments.map(AssignmentDocument::of).collect(),
            people: &standing.people,
        }
    }
}

impl<'s> AssignmentDocument<'s> {
    fn of(assignment: &'s Assignment) -> Self {
        Self {
            because: super::because(assignment),
            assignment,
        }
    }
}
