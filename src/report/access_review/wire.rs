//! Who can do what, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::entity::{Counted, Entity, counts};
use crate::premises::PremisesDocument;
use crate::schema;
use crate::support::SupportDocument;
use crate::{VERSION, json_line, provenance};
use tarbac_analysis::access_review::{
    AccessReview, Assignment, Entitlement, Obstacle, PersonAccess, Redundancy, Role, Status, Totals,
};
use tarbac_analysis::change::what_if::Premises;
use tarbac_host::decision::Provenance;

/// The JSON Schema of an access review.
pub const SCHEMA: fn() -> String = schema::text::<provenance::With<'static, Document<'static>>>;

#[derive(Serialize, JsonSchema)]
struct Document<'s> {
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<PremisesDocument<'s>>,
    totals: TotalsDocument,
    roles: Vec<RoleDocument<'s>>,
    obstacles: Vec<ObstacleDocument<'s>>,
    assignments: Vec<AssignmentDocument<'s>>,
    people: Vec<HolderDocument<'s>>,
}

#[derive(Serialize, JsonSchema)]
struct TotalsDocument {
    people: u64,
    people_allowed: u64,
    people_refused: u64,
    decisions: u64,
    allowed: u64,
    out_of_reach: u64,
    refused: u64,
    unknown: u64,
    assignments: u64,
    assignments_unknown: u64,
    assignments_unlisted: u64,
}

#[derive(Serialize, JsonSchema)]
struct RoleDocument<'s> {
    role: Entity<'s>,
    policies: &'s [String],
    people: u64,
    people_allowed: u64,
    allowed: u64,
    refused: u64,
}

#[derive(Serialize, JsonSchema)]
struct ObstacleDocument<'s> {
    policy: &'s str,
    says: &'s str,
    message: Option<&'s str>,
    advice: Option<&'s str>,
    decisions: u64,
    people: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<AccountsDocument<'s>>,
}

#[derive(Serialize, JsonSchema)]
struct AccountsDocument<'s> {
    called: &'s str,
    people: Vec<Entity<'s>>,
}

#[derive(Serialize, JsonSchema)]
struct AssignmentDocument<'s> {
    gives: Redundancy,
    from: Option<Entity<'s>>,
    to: Entity<'s>,
    roles: Vec<Entity<'s>>,
    people: u64,
    policies: &'s [String],
    reasons: Vec<ReasonDocument<'s>>,
    because: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct ReasonDocument<'s> {
    reason: &'s str,
    count: u64,
}

#[derive(Serialize, JsonSchema)]
struct HolderDocument<'s> {
    principals: Vec<Entity<'s>>,
    allowed: u64,
    refused: u64,
    unknown: u64,
    holds: Vec<HoldDocument<'s>>,
}

#[derive(Serialize, JsonSchema)]
struct HoldDocument<'s> {
    action: &'s str,
    name: &'s str,
    status: Status,
    count: u64,
    of: u64,
    under: Vec<Counted<'s>>,
    groups: Vec<Counted<'s>>,
    resources: Vec<Entity<'s>>,
    through: Vec<ThroughDocument<'s>>,
    /// Of the first of the people, on some of the resources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    supports: Vec<SupportDocument<'s>>,
    reasons: Vec<ReasonDocument<'s>>,
}

#[derive(Serialize, JsonSchema)]
struct ThroughDocument<'s> {
    policy: &'s str,
    role: bool,
    steps: Vec<Entity<'s>>,
}

#[derive(Serialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Line<'s> {
    Totals(TotalsDocument),
    Asked(PremisesDocument<'s>),
    Role(RoleDocument<'s>),
    Obstacle(ObstacleDocument<'s>),
    Assignment(AssignmentDocument<'s>),
    Hold(HoldLine<'s>),
}

#[derive(Serialize, JsonSchema)]
struct HoldLine<'s> {
    principals: Vec<Entity<'s>>,
    #[serde(flatten)]
    hold: HoldDocument<'s>,
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
    let totals = Line::Totals(TotalsDocument::of(&standing.totals));
    let totals = provenance::Wire::of(provenance).with(totals);
    let head = std::iter::once(json_line(&totals) + "\n");
    let asked = PremisesDocument::if_any(premises).map(Line::Asked);
    let roles = standing
        .roles
        .iter()
        .map(|of| Line::Role(RoleDocument::of(of)));
    let obstacles = standing.obstacles.iter();
    let obstacles = obstacles.map(|of| Line::Obstacle(ObstacleDocument::of(of)));
    let assignments = standing.assignments.iter();
    let assignments = assignments.map(|of| Line::Assignment(AssignmentDocument::of(of)));
    let holds = standing.people.iter().flat_map(move |holder| {
        let holder = in_full(holder);
        let lines = holder.holds.iter().filter_map(|hold| {
            let line = Line::Hold(HoldLine {
                principals: holder.people.iter().map(Entity::of).collect(),
                hold: HoldDocument::of(hold),
            });
            line.text()
        });
        lines.collect::<Vec<String>>()
    });
    let asked = asked.into_iter();
    let first = asked.chain(roles).chain(obstacles).chain(assignments);
    let first = first.filter_map(|line| line.text());
    head.chain(first).chain(holds)
}

impl Line<'_> {
    fn text(&self) -> Option<String> {
        Some(json_line(self) + "\n")
    }
}

impl<'s> Document<'s> {
    fn of(standing: &'s AccessReview, premises: &'s Premises) -> Self {
        Self {
            version: VERSION,
            asked: PremisesDocument::if_any(premises),
            totals: TotalsDocument::of(&standing.totals),
            roles: standing.roles.iter().map(RoleDocument::of).collect(),
            obstacles: standing
                .obstacles
                .iter()
                .map(ObstacleDocument::of)
                .collect(),
            assignments: standing
                .assignments
                .iter()
                .map(AssignmentDocument::of)
                .collect(),
            people: standing.people.iter().map(HolderDocument::of).collect(),
        }
    }
}

impl TotalsDocument {
    fn of(totals: &Totals) -> Self {
        Self {
            people: totals.people,
            people_allowed: totals.people_allowed,
            people_refused: totals.people_refused,
            decisions: totals.decisions,
            allowed: totals.allowed,
            out_of_reach: totals.out_of_reach,
            refused: totals.refused,
            unknown: totals.unknown,
            assignments: totals.assignments,
            assignments_unknown: totals.assignments_unknown,
            assignments_unlisted: totals.assignments_unlisted,
        }
    }
}

impl<'s> RoleDocument<'s> {
    fn of(role: &'s Role) -> Self {
        Self {
            role: Entity::of(&role.entity),
            policies: &role.policies,
            people: role.people,
            people_allowed: role.people_allowed,
            allowed: role.allowed,
            refused: role.refused,
        }
    }
}

impl<'s> ObstacleDocument<'s> {
    fn of(obstacle: &'s Obstacle) -> Self {
        Self {
            policy: &obstacle.policy,
            says: &obstacle.says,
            message: obstacle.message.as_deref(),
            advice: obstacle.advice.as_deref(),
            decisions: obstacle.decisions,
            people: obstacle.people,
            accounts: obstacle.accounts.as_ref().map(|of| AccountsDocument {
                called: &of.called,
                people: of.people.iter().map(Entity::of).collect(),
            }),
        }
    }
}

impl<'s> AssignmentDocument<'s> {
    fn of(assignment: &'s Assignment) -> Self {
        Self {
            gives: assignment.idle,
            from: assignment.from.as_ref().map(Entity::of),
            to: Entity::of(&assignment.to),
            roles: assignment.roles.iter().map(Entity::of).collect(),
            people: assignment.people,
            policies: &assignment.policies,
            reasons: reasons(&assignment.reasons),
            because: super::because(assignment),
        }
    }
}

impl<'s> HolderDocument<'s> {
    fn of(holder: &'s PersonAccess) -> Self {
        Self {
            principals: holder.people.iter().map(Entity::of).collect(),
            allowed: holder.allowed,
            refused: holder.refused,
            unknown: holder.unknown,
            holds: holder.holds.iter().map(HoldDocument::of).collect(),
        }
    }
}

impl<'s> HoldDocument<'s> {
    fn of(hold: &'s Entitlement) -> Self {
        let through = hold.through.iter().map(|through| ThroughDocument {
            policy: &through.policy,
            role: through.is_role,
            steps: through.steps.iter().map(Entity::of).collect(),
        });
        Self {
            action: hold.action.id().unescaped(),
            name: &hold.name,
            status: hold.status,
            count: hold.count,
            of: hold.of,
            under: counts(&hold.under),
            groups: counts(&hold.groups),
            resources: hold.resources.iter().map(Entity::of).collect(),
            through: through.collect(),
            supports: hold.supports.iter().map(SupportDocument::of).collect(),
            reasons: reasons(&hold.reasons),
        }
    }
}

fn reasons(of: &[(String, u64)]) -> Vec<ReasonDocument<'_>> {
    of.iter()
        .map(|(reason, count)| ReasonDocument {
            reason,
            count: *count,
        })
        .collect()
}
