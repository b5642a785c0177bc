//! The result of an access review: entitlements, roles, obstacles and redundant assignments.

use std::cmp::Ordering;

use cedar_policy::EntityUid;
use schemars::JsonSchema;
use serde::Serialize;
use strum::AsRefStr;

use super::assignment::{Assignment, Redundancy};
use crate::bulk::summary::{CellSet, HasCells};
use crate::explain::{Named, Support};
use crate::wire;

/// The access of all people, and findings about roles and assignments.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessReview {
    /// The numbers of people and decisions.
    pub totals: AccessTotals,
    /// The roles and other entities that permits name, by the number of decisions that are allowed through them.
    pub roles: Vec<Role>,
    /// The policies that refuse granted permissions, most decisions first.
    pub obstacles: Vec<Obstacle>,
    /// Redundant assignments: first those that give nothing, then those that repeat others.
    pub assignments: Vec<Assignment>,
    /// People with entitlements, those with equal ones together; sorted by the number of allowed decisions.
    pub people: Vec<PersonAccess>,
}

/// The numbers of people and decisions.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccessTotals {
    /// All people.
    pub people: u64,
    /// People with allowed decisions.
    pub people_allowed: u64,
    /// People with granted permissions that are refused.
    pub people_refused: u64,
    /// All decisions that can be asked for.
    pub decisions: u64,
    /// Allowed decisions.
    pub allowed: u64,
    /// Allowed decisions that are out of reach: the page that carries the action is refused.
    pub out_of_reach: u64,
    /// Refused decisions whose permission a role grants.
    pub refused: u64,
    /// Indeterminate decisions.
    pub unknown: u64,
    /// Role assignments, counted once for each direct member.
    pub assignments: u64,
    /// Assignments that cannot be judged: a decision about a person in them is indeterminate.
    pub assignments_unknown: u64,
    /// Assignments that are not judged because their members are not all known.
    pub assignments_unlisted: u64,
}

/// A role, or another entity that permits ask the principal to be in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Role {
    /// The entity.
    #[serde(rename = "role")]
    pub entity: Named,
    /// The permits in force that name it.
    pub policies: Vec<String>,
    /// The number of people who have it.
    pub people: u64,
    /// The number of people with decisions that are allowed through it.
    pub people_allowed: u64,
    /// Decisions that are allowed through it.
    pub allowed: u64,
    /// Decisions that it grants and a policy refuses.
    pub refused: u64,
}

/// A policy that refuses granted permissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Obstacle {
    /// The id of the policy.
    pub policy: String,
    /// Its `@doc`.
    pub says: String,
    /// Its `@message`: the words of the admin center.
    pub message: Option<String>,
    /// Its `@advice`.
    pub advice: Option<String>,
    /// The number of granted decisions that it refuses, alone or with others.
    pub decisions: u64,
    /// The number of people with such decisions.
    pub people: u64,
    /// These people by name, where the policy has `@accounts`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<Accounts>,
}

/// People to whom a policy with `@accounts` refuses granted permissions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Accounts {
    /// The value of `@accounts`, for example disabled accounts that still hold a role.
    pub called: String,
    /// The people, sorted by name.
    pub people: Vec<Named>,
}

/// People with the same entitlements.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct PersonAccess {
    /// The people, sorted by name.
    #[serde(rename = "principals")]
    pub people: Vec<Named>,
    /// The number of allowed decisions about each.
    pub allowed: u64,
    /// The number of granted decisions about each that are refused.
    pub refused: u64,
    /// The number of indeterminate decisions about each.
    pub unknown: u64,
    /// The entitlements of each, in the order of the schema.
    pub holds: Vec<Entitlement>,
}

/// The status of an entitlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, AsRefStr)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Status {
    /// Allowed.
    Allowed,
    /// Allowed, but the page that carries the action is refused.
    OutOfReach,
    /// Granted by a role and refused.
    Refused,
    /// Indeterminate.
    Unknown,
}

/// An action that a person holds on some resources, with the roles behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Entitlement {
    #[serde(skip)]
    pub(super) cells: CellSet,
    /// The action.
    #[serde(serialize_with = "wire::id")]
    #[schemars(with = "String")]
    pub action: EntityUid,
    /// Its documented name without its category.
    pub name: String,
    /// The status.
    pub status: Status,
    /// The number of resources.
    pub count: u64,
    /// The number of resources that can be asked about.
    pub of: u64,
    /// The same by the entities in attributes of the resources, as the hierarchy of a device.
    #[serde(serialize_with = "wire::counts")]
    #[schemars(with = "Vec<wire::Counted<'_>>")]
    pub under: Vec<(Named, u64)>,
    /// The groups of the resources with the number of those in each, most first; only after
    /// [`Review::detail`](super::Review::detail).
    #[serde(serialize_with = "wire::counts")]
    #[schemars(with = "Vec<wire::Counted<'_>>")]
    pub groups: Vec<(Named, u64)>,
    /// Some of the resources, in the order of their ids; as many as [`Review::detail`](super::Review::detail) names.
    pub resources: Vec<Named>,
    /// The permits that allow or grant it: those that name a role, or all where none does.
    pub through: Vec<Through>,
    /// The facts about the first of the people, apart from roles, that keep forbids from refusing it on some of the
    /// resources; only if it is allowed, and after [`Review::support`](super::Review::support).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub supports: Vec<Support>,
    /// The policies that refuse it, or the errors, each with the number of resources; most first.
    #[serde(serialize_with = "wire::reasons")]
    #[schemars(with = "Vec<wire::ReasonCount<'_>>")]
    pub reasons: Vec<(String, u64)>,
}

/// A permit, and the chain of memberships by which people have it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Through {
    /// The id of the permit.
    pub policy: String,
    /// Whether its scope names a principal or a group of principals.
    #[serde(rename = "role")]
    pub is_role: bool,
    /// A shortest chain from a parent of the person to the entity that the permit asks the person to be in; empty for a
    /// permit that names the person or no entity. Where the entity depends on the resource, it is that of the first.
    pub steps: Vec<Named>,
}

impl Status {
    /// Whether the decision is an allow.
    pub fn is_allowed(self) -> bool {
        matches!(self, Self::Allowed | Self::OutOfReach)
    }
}

impl Entitlement {
    /// The order of entitlements: by the roles before the number of resources.
    fn key(&self) -> impl Ord + '_ {
        (
            (
                &self.cells,
                &self.action,
                &self.name,
                self.status,
                &self.through,
            ),
            (self.count, self.of, &self.under, &self.reasons),
            (&self.supports, &self.resources, &self.groups),
        )
    }
}

impl Ord for Entitlement {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Entitlement {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl HasCells for Entitlement {
    fn cells(&self) -> &CellSet {
        &self.cells
    }

    fn members(&mut self) -> (&mut Vec<Named>, &mut Vec<(Named, u64)>) {
        (&mut self.resources, &mut self.groups)
    }
}

impl PersonAccess {
    /// The entitlements with a status.
    pub fn of_status(&self, status: Status) -> impl Iterator<Item = &Entitlement> {
        self.holds.iter().filter(move |hold| hold.status == status)
    }
}

impl AccessReview {
    /// Whether a granted permission has no effect, or an assignment gives nothing.
    pub fn has_findings(&self) -> bool {
        self.totals.refused + self.totals.out_of_reach > 0
            || self
                .assignments
                .iter()
                .any(|of| of.redundancy == Redundancy::Nothing)
    }

    /// Whether a decision is indeterminate.
    pub fn has_unknown(&self) -> bool {
        self.totals.unknown > 0
    }
}
