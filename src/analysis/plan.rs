//! Plans: the fewest role changes that prevent the losses or gains of a change.
//!
//! One proposal prevents losses: with it, nobody loses access that they have today. The other, independent one
//! prevents gains.
//!
//! Cedar decides with a role that has every permission to find the losses that a role can prevent (`needed`); a search
//! finds the fewest roles (`choose`). Each proposal is verified by a comparison with the changes in force: differences
//! from the expected result are [`Deviation`]s.
//!
//! A role change adds permissions to a custom role, removes some from it, or creates a custom role with its assignees.
//! People get only permissions that they lost, or that let them do nothing more.

mod assignees;
mod choose;
mod draft;
mod groups;
mod held;
mod needed;
mod policy_text;
mod prevent_gain;
mod prevent_loss;
mod removable;
mod role_catalog;
mod set_cover;
mod verify;

use std::path::Path;

use cedar_policy::{Context, EntityUid};
use schemars::JsonSchema;
use serde::Serialize;

use crate::change::impact::{Direction, Impact, ImpactTotals, States};
use crate::explain::Named;
use crate::wire;
use role_catalog::RoleCatalog;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::shown;
use tarbac_host::bundle::Action;
use tarbac_host::decision::Outcome;
use tarbac_host::engine::Engine;

/// The role changes that go with a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The changes that prevent all losses that roles can prevent.
    pub against_losses: Proposal,
    /// The losses that no role can prevent.
    pub lost: Vec<Lost>,
    /// The roles behind the gains.
    pub giving: Vec<GrantingRole>,
    /// The changes that prevent all gains that can be prevented without a loss.
    pub against_gains: Proposal,
    /// The gains that remain.
    pub gained: Vec<Gained>,
}

/// The role changes that go with a change: the whole plan, or the first part of it.
#[derive(Debug, Clone, PartialEq)]
pub enum PlannedRoles {
    /// The changes that prevent losses, not verified.
    InNeed(Vec<RoleChange>),
    /// The whole plan.
    Planned(Box<Plan>),
}

/// Role changes, and the result of the comparison with them.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Proposal {
    /// Whether it is certain that no fewer changes do.
    #[serde(rename = "smallest")]
    pub is_smallest: bool,
    /// The changes; those that concern most people first.
    pub changes: Vec<RoleChange>,
    /// How much changes in all, with them.
    pub totals: ImpactTotals,
    /// The differences of the comparison from the expected result; without any, the proposal is verified.
    pub deviations: Vec<Deviation>,
}

/// The kind of a role change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RoleChangeKind {
    /// A custom role is given permissions.
    Extended,
    /// A custom role is created.
    Made,
    /// Permissions are taken out of a custom role.
    Reduced,
    /// A copy of a role without some permissions is created, and assigned in its place.
    Replaced,
}

/// One change of a role.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RoleChange {
    /// The kind.
    pub what: RoleChangeKind,
    /// The role: the one that is changed, or the new one.
    pub role: Named,
    /// The role that a new one takes the place of.
    pub instead_of: Option<Named>,
    /// The permissions that are given, or taken away.
    pub permissions: Vec<Permission>,
    /// Who is assigned a new role, or the assignments in which it takes another's place.
    pub assigned: Vec<Assigned>,
    /// How many people it keeps from losing, or from gaining, something.
    pub people: u64,
    /// The files to write, or to change; none where the role has no permission that a policy could give.
    pub files: Vec<PlannedFile>,
    /// The gains of people by it.
    pub gains: Vec<Gain>,
    /// A loss without it.
    #[serde(rename = "without_it")]
    pub proof: Option<PreventedLoss>,
}

/// An assignee of a role: a person, a group, or all people of an assignment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Assigned {
    /// The person, group or assignment.
    #[serde(flatten)]
    pub to: Named,
    /// How many people that is.
    pub people: u64,
}

/// A permission.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Permission {
    /// The action.
    #[serde(serialize_with = "wire::id")]
    #[schemars(with = "String")]
    pub action: EntityUid,
    /// Its documented name without its category.
    pub name: String,
}

/// A file of policies as it is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "PolicyFile")]
pub struct PlannedFile {
    /// Its path, as messages show it.
    pub path: String,
    /// All of its text.
    pub text: String,
    /// The policy in it that the change is about; empty where that is taken away.
    pub policy: String,
}

/// A permission that lets people do more than before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Gain {
    /// The permission.
    #[serde(flatten)]
    pub permission: Permission,
    /// How many people.
    pub people: u64,
    /// How many decisions in all.
    pub decisions: u64,
}

/// A person with a loss without a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PreventedLoss {
    /// The person.
    #[serde(rename = "principal")]
    pub person: Named,
    /// The permission.
    #[serde(rename = "action", serialize_with = "wire::action")]
    #[schemars(with = "String")]
    pub permission: Permission,
    /// The resource.
    pub resource: Named,
}

/// A number of decisions that is not the one that was foreseen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Deviation {
    /// The person.
    #[serde(rename = "principal")]
    pub person: Named,
    /// The permission.
    #[serde(rename = "action", serialize_with = "wire::action")]
    #[schemars(with = "String")]
    pub permission: Permission,
    /// Gained or lost.
    #[serde(rename = "change")]
    pub direction: Direction,
    /// How many decisions were foreseen at most.
    pub foreseen: u64,
    /// How many there are.
    pub found: u64,
}

/// Losses that no role can prevent.
#[derive(Debug, Clone, PartialEq)]
pub struct Lost {
    /// The people.
    pub people: Vec<Named>,
    /// The permissions.
    pub permissions: Vec<Permission>,
    /// The number of decisions that each person loses.
    pub decisions: u64,
    /// The outcomes with the plan in force, each once; `None` if the person or resource does not exist.
    pub after: Vec<Option<Outcome>>,
}

/// A role that gives what is gained.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct GrantingRole {
    /// The role.
    pub role: Named,
    /// The permissions that are gained by it.
    pub permissions: Vec<Permission>,
    /// How many people gain by it.
    pub people: u64,
    /// How many decisions in all.
    pub decisions: u64,
}

/// The reason why a gain remains.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The people had the permission before, on other resources, and have it by the same roles.
    HadElsewhere,
    /// Another person, who has the role in the same way, would lose it.
    Shared {
        /// The entity that gives the role to both, as a role assignment.
        through: Box<Named>,
        /// The other person.
        with: Box<Named>,
    },
    /// These policies permit it, and are more than lists of a role's permissions.
    ByOther(Vec<String>),
}

/// Gains that remain.
#[derive(Debug, Clone, PartialEq)]
pub struct Gained {
    /// The reason.
    pub reason: Reason,
    /// The people.
    pub people: Vec<Named>,
    /// The permissions.
    pub permissions: Vec<Permission>,
    /// How many decisions in all.
    pub decisions: u64,
}

impl RoleChange {
    /// The key of a sort by the number of people, most first.
    fn most_first(&self) -> impl Ord + use<> {
        std::cmp::Reverse(self.people)
    }
}

impl Proposal {
    /// Whether the comparison has the expected result.
    pub fn is_verified(&self) -> bool {
        self.deviations.is_empty()
    }

    /// A proposal without changes.
    fn none(totals: &ImpactTotals) -> Self {
        Self {
            changes: Vec::new(),
            is_smallest: true,
            totals: totals.clone(),
            deviations: Vec::new(),
        }
    }
}

impl Plan {
    /// Puts the paths of new files below the folder of the workspace, like the paths of its other files.
    pub fn in_workspace(&mut self, folder: &Path) {
        let changes = self.against_losses.changes.iter_mut();
        let changes = changes.chain(&mut self.against_gains.changes);
        let new = changes.filter(|change| {
            matches!(change.what, RoleChangeKind::Made | RoleChangeKind::Replaced)
        });
        for file in new.flat_map(|change| &mut change.files) {
            file.path = shown(&folder.join(&file.path));
        }
    }

    /// The role changes against losses, and then those against gains.
    pub fn every_change(&self) -> impl Iterator<Item = &RoleChange> {
        self.against_losses
            .changes
            .iter()
            .chain(&self.against_gains.changes)
    }

    /// Whether the comparison has the expected result.
    pub fn is_verified(&self) -> bool {
        self.against_losses.is_verified() && self.against_gains.is_verified()
    }
}

/// The input of a plan.
pub struct Planner<'p, 'e> {
    /// The states that were compared.
    pub states: States<'e>,
    /// The differences between them.
    pub impact: &'p Impact,
    /// The context of requests.
    pub context: &'p dyn Fn(&Engine, &Action) -> Context,
    /// Compares two states in this context.
    pub compare: &'p dyn Fn(States<'_>) -> Impact,
}

impl Planner<'_, '_> {
    /// The role changes after which no loss remains that a role could prevent, those that concern most people first.
    /// They are not verified, as those of a [`Plan`] are. A schema without roles has none.
    ///
    /// # Errors
    /// A role change cannot be made.
    pub fn roles_in_need(&self) -> Result<Vec<RoleChange>, Vec<Finding>> {
        match self.impact.totals.lost {
            0 => Ok(Vec::new()),
            _ => RoleCatalog::new(self.states.after)
                .map_or(Ok(Vec::new()), |catalog| self.needed(&catalog)),
        }
    }

    /// Plans the role changes that go with a change.
    ///
    /// # Errors
    /// The schema has no roles, or a role change cannot be made.
    pub fn plan(&self) -> Result<Plan, Vec<Finding>> {
        let catalog = RoleCatalog::new(self.states.after)?;
        let (against_losses, lost) = self.prevent_losses(&catalog)?;
        let gains = self.prevent_gains(&catalog)?;
        Ok(Plan {
            against_losses,
            lost,
            giving: gains.giving,
            against_gains: gains.proposal,
            gained: gains.gained,
        })
    }
}
