//! The result of a comparison: gains and losses, with people and resources.

use std::cmp::Reverse;

use cedar_policy::EntityUid;
use schemars::JsonSchema;
use serde::Serialize;
use strum::AsRefStr;

use super::compare::ClassImpact;
use super::{AFTER, BEFORE};
use crate::bulk::index::StateId;
use crate::bulk::summary::{CellSet, HasCells};
use crate::explain::Named;
use crate::wire;
use tarbac_host::decision::Outcome;

/// The differences between two states.
#[derive(Debug, Clone, PartialEq)]
pub struct Impact {
    /// The numbers of decisions and people.
    pub totals: ImpactTotals,
    /// People for whom decisions change, those with the same changes together: first those who lose everything, then
    /// by the number of losses and of gains.
    pub people: Vec<Affected>,
    /// Changes that deserve a look first by the policies in `concerns/`, in the order of the ids of these.
    pub concerns: Vec<Concern>,
    /// Pages that become unreachable, in the order of the schema.
    pub pages: Vec<Unreachable>,
}

/// The numbers of decisions and people in both states.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ImpactTotals {
    /// All decisions that can be asked for in either state.
    pub decisions: u64,
    /// Those that are allowed before.
    pub allowed_before: u64,
    /// Those that are allowed after.
    pub allowed_after: u64,
    /// Those that are allowed after only.
    pub gained: u64,
    /// Those that are allowed before only.
    pub lost: u64,
    /// Those that are allowed in neither state, and indeterminate in one of them.
    pub undecided: u64,
    /// Those that are indeterminate before.
    pub unknown_before: u64,
    /// Those that are indeterminate after.
    pub unknown_after: u64,
    /// People who gain a decision.
    pub people_gaining: u64,
    /// People who lose a decision.
    pub people_losing: u64,
    /// People with allowed decisions before and none after.
    pub people_losing_everything: u64,
    /// Resources on which a decision changes.
    pub resources: u64,
}

/// People with the same changes.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Affected {
    /// The people, sorted by name.
    #[serde(rename = "principals")]
    pub people: Vec<Named>,
    /// The decisions about each that are allowed before.
    pub allowed_before: u64,
    /// The decisions about each that are allowed after.
    pub allowed_after: u64,
    /// The changes for each, in the order of the schema; gains before losses.
    pub changes: Vec<ChangedDecision>,
}

/// The direction of a change.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema, AsRefStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Direction {
    /// Allowed after only.
    Gained,
    /// Allowed before only.
    Lost,
    /// Allowed in neither state, and indeterminate in one of them.
    Undecided,
}

/// A change of the decision about an action on some resources, with the same reasons on all of them.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ChangedDecision {
    #[serde(skip)]
    pub(super) cells: CellSet,
    /// The action.
    #[serde(serialize_with = "wire::id")]
    #[schemars(with = "String")]
    pub action: EntityUid,
    /// Its documented name without its category.
    pub name: String,
    /// The direction.
    #[serde(rename = "change")]
    pub direction: Direction,
    /// The number of resources.
    pub count: u64,
    /// The same by the entities in attributes of the resources, as the hierarchy of a device.
    #[serde(serialize_with = "wire::counts")]
    #[schemars(with = "Vec<wire::Counted<'_>>")]
    pub under: Vec<(Named, u64)>,
    /// The groups of the resources with the number of those in each, most first; only after
    /// [`Comparison::detail`](super::Comparison::detail).
    #[serde(serialize_with = "wire::counts")]
    #[schemars(with = "Vec<wire::Counted<'_>>")]
    pub groups: Vec<(Named, u64)>,
    /// Some of the resources, in the order of their ids; as many as
    /// [`Comparison::detail`](super::Comparison::detail) names.
    pub resources: Vec<Named>,
    /// Whether the page that carries the action is refused after and was not before.
    #[serde(rename = "out_of_reach")]
    pub is_out_of_reach: bool,
    /// The decision before; `None` where it could not be asked for.
    #[schemars(with = "Option<wire::OutcomeShape>")]
    pub before: Option<Outcome>,
    /// The decision after; likewise.
    #[schemars(with = "Option<wire::OutcomeShape>")]
    pub after: Option<Outcome>,
}

/// Changes that deserve a look first by a policy.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Concern {
    /// The id of the policy; `None` where one cannot be evaluated, which `says` tells then.
    pub policy: Option<String>,
    /// Its `@doc`.
    pub says: String,
    /// Its `@advice`.
    pub advice: Option<String>,
    /// The direction of the changes.
    #[serde(rename = "change")]
    pub direction: Direction,
    /// The people with these changes, most resources first.
    pub people: Vec<Concerned>,
}

/// A page that is refused after to people who are allowed an action on it, and who could reach the action or were not
/// allowed it before.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Unreachable {
    /// The permission that opens the page.
    #[serde(serialize_with = "wire::id")]
    #[schemars(with = "String")]
    pub page: EntityUid,
    /// Its documented name without its category.
    pub name: String,
    /// The names of the permissions on it that any of them has, in the order of the schema.
    pub carries: Vec<String>,
    /// The people, most resources first.
    pub people: Vec<Concerned>,
}

/// A person with a concern or an unreachable page.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Concerned {
    /// The person.
    #[serde(rename = "principal")]
    pub person: Named,
    /// The number of resources.
    pub resources: u64,
    /// Some of them.
    pub examples: Vec<Named>,
}

impl Direction {
    /// The state that is examined for a change: the one that allows it, or the later.
    pub(super) fn examined_state(self) -> StateId {
        match self {
            Self::Gained | Self::Undecided => AFTER,
            Self::Lost => BEFORE,
        }
    }
}

impl HasCells for ChangedDecision {
    fn cells(&self) -> &CellSet {
        &self.cells
    }

    fn members(&mut self) -> (&mut Vec<Named>, &mut Vec<(Named, u64)>) {
        (&mut self.resources, &mut self.groups)
    }
}

impl Affected {
    /// Whether they have allowed decisions before and none after.
    pub fn loses_everything(&self) -> bool {
        self.allowed_before > 0 && self.allowed_after == 0
    }

    /// The number of decisions about each that change in a direction.
    pub(super) fn count(&self, direction: Direction) -> u64 {
        let changes = self.changes.iter();
        let changes = changes.filter(|change| change.direction == direction);
        changes.map(|change| change.count).sum()
    }
}

impl Impact {
    /// Sorts people by gains, most first.
    pub fn gains_first(&mut self) {
        let gained = |affected: &Affected| Reverse(affected.count(Direction::Gained));
        self.people.sort_by_cached_key(gained);
    }
}

impl ImpactTotals {
    /// Whether every decision is the same in both states.
    pub fn is_same(&self) -> bool {
        self.gained + self.lost + self.undecided == 0
    }

    /// Adds the changes of each of some people.
    pub(super) fn add(&mut self, impact: &ClassImpact, people: u64) {
        self.decisions += people * impact.decisions;
        self.allowed_before += people * impact.allowed_before;
        self.allowed_after += people * impact.allowed_after;
        self.unknown_before += people * impact.unknown_before;
        self.unknown_after += people * impact.unknown_after;
        self.gained += people * impact.gained;
        self.lost += people * impact.lost;
        self.undecided += people * impact.undecided;
        self.people_gaining += people * u64::from(impact.gained > 0);
        self.people_losing += people * u64::from(impact.lost > 0);
        let is_everything = impact.allowed_before > 0 && impact.allowed_after == 0;
        self.people_losing_everything += people * u64::from(is_everything);
    }
}
