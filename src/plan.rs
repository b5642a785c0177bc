//! The role changes that go with a change: the fewest after which nobody who works today loses anything,
//! and, separately, those after which nobody gains what they did not have.
//!
//! What a role can mend is found by asking Cedar about a role that could give everything (see `need`), the
//! fewest roles by a search (see `choice`), and a proposal is only as good as the comparison that is made
//! with it in force: whatever comes out otherwise than foreseen is a [`Deviation`].
//!
//! A role change is a permission or several added to a custom role or taken out of it, or a new custom role
//! with those who are assigned it. Nobody is given a permission that they did not lose, unless it lets them
//! do nothing more.

mod book;
mod choice;
mod cover;
mod cut;
mod draft;
mod groups;
mod holding;
mod keep;
mod members;
mod need;
mod spare;
mod text;
mod verify;

use cedar_policy::{Context, EntityUid};

use crate::bundle::Action;
use crate::decision::Outcome;
use crate::engine::Engine;
use crate::explain::Named;
use crate::finding::Finding;
use crate::impact::{Direction, Impact, States, Totals};

/// The code of what makes a plan impossible.
const CODE: &str = "what_if::plan";

/// The role changes that go with a change.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The changes after which nobody loses what a role could keep.
    pub keep: Proposal,
    /// What is lost all the same: no role can mend it.
    pub lost: Vec<Lost>,
    /// The roles that give what is gained.
    pub giving: Vec<Giving>,
    /// The changes after which nobody gains what can be taken away without a loss.
    pub spare: Proposal,
    /// What is gained all the same.
    pub gained: Vec<Gained>,
}

/// Role changes, and what comes of the comparison with them.
#[derive(Debug, Clone, PartialEq)]
pub struct Proposal {
    /// The changes; those that concern most people first.
    pub changes: Vec<RoleChange>,
    /// Whether it is certain that no fewer changes do.
    pub is_smallest: bool,
    /// How much changes in all, with them.
    pub totals: Totals,
    /// What the comparison found otherwise than it was foreseen; the proposal is verified without any.
    pub deviations: Vec<Deviation>,
}

/// What is done to a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A custom role is given permissions.
    Extended,
    /// A custom role is made.
    Made,
    /// Permissions are taken out of a custom role.
    Reduced,
    /// A custom role is made that is like another one but for some permissions, and is assigned in its
    /// place.
    Replaced,
}

/// One change of a role.
#[derive(Debug, Clone, PartialEq)]
pub struct RoleChange {
    /// The role: the one that is changed, or the new one.
    pub role: Named,
    /// What is done to it.
    pub what: What,
    /// The role that a new one takes the place of.
    pub instead_of: Option<Named>,
    /// The permissions that are given, or taken away.
    pub permissions: Vec<Permission>,
    /// Who is assigned a new role, or the assignments in which it takes another's place.
    pub assigned: Vec<Assigned>,
    /// How many people it keeps from losing, or from gaining, something.
    pub people: u64,
    /// The files to write, or to change; none where the role has no permission that a policy could give.
    pub files: Vec<File>,
    /// What people gain by it beyond what they had before.
    pub gains: Vec<Gain>,
    /// What is lost without it.
    pub proof: Option<Proof>,
}

/// Whom a role is assigned to: a person, a group, or everybody with an assignment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The person, group or assignment.
    pub to: Named,
    /// How many people that is.
    pub people: u64,
}

/// A permission.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The action.
    pub action: EntityUid,
    /// Its documented name without its category.
    pub name: String,
}

/// A file of policies as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path, as messages show it, or in the workspace where it is new.
    pub path: String,
    /// All of its text.
    pub text: String,
    /// The policy in it that the change is about; empty where that is taken away.
    pub policy: String,
}

/// A permission that lets people do more than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gain {
    /// The permission.
    pub permission: Permission,
    /// How many people.
    pub people: u64,
    /// How many decisions in all.
    pub decisions: u64,
}

/// Somebody who loses something without a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The person.
    pub person: Named,
    /// The permission.
    pub permission: Permission,
    /// The resource.
    pub resource: Named,
}

/// A number of decisions that is not the one that was foreseen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deviation {
    /// The person.
    pub person: Named,
    /// The permission.
    pub permission: Permission,
    /// Gained or lost.
    pub direction: Direction,
    /// How many decisions were foreseen at most.
    pub foreseen: u64,
    /// How many there are.
    pub found: u64,
}

/// What people lose and no role can mend.
#[derive(Debug, Clone, PartialEq)]
pub struct Lost {
    /// The people.
    pub people: Vec<Named>,
    /// The permissions.
    pub permissions: Vec<Permission>,
    /// How many decisions each of them loses.
    pub decisions: u64,
    /// What is decided with the plan in force, each once; none where somebody or something is not there.
    pub after: Vec<Option<Outcome>>,
}

/// A role that gives what is gained.
#[derive(Debug, Clone, PartialEq)]
pub struct Giving {
    /// The role.
    pub role: Named,
    /// The permissions that are gained by it.
    pub permissions: Vec<Permission>,
    /// How many people gain by it.
    pub people: u64,
    /// How many decisions in all.
    pub decisions: u64,
}

/// Why a gain is not taken away.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The people had the permission before, on other resources, and have it by the same roles.
    HadElsewhere,
    /// Somebody else would lose it, who has the role in the same way.
    Shared {
        /// What gives the role to both, as a role assignment.
        through: Box<Named>,
        /// The other person.
        with: Box<Named>,
    },
    /// These policies permit it, and they do not only list the permissions of a role.
    ByOther(Vec<String>),
}

/// What people gain and is not taken away.
#[derive(Debug, Clone, PartialEq)]
pub struct Gained {
    /// Why not.
    pub reason: Reason,
    /// The people.
    pub people: Vec<Named>,
    /// The permissions.
    pub permissions: Vec<Permission>,
    /// How many decisions in all.
    pub decisions: u64,
}

impl Proposal {
    /// Whether everything came out as it was foreseen.
    pub fn is_verified(&self) -> bool {
        self.deviations.is_empty()
    }

    /// Nothing is changed.
    fn none(totals: &Totals) -> Self {
        Self {
            changes: Vec::new(),
            is_smallest: true,
            totals: totals.clone(),
            deviations: Vec::new(),
        }
    }
}

impl Plan {
    /// Whether everything came out as it was foreseen.
    pub fn is_verified(&self) -> bool {
        self.keep.is_verified() && self.spare.is_verified()
    }
}

/// What a plan is made from.
struct Planning<'p, 'e> {
    states: States<'e>,
    impact: &'p Impact,
    context: &'p dyn Fn(&Engine, &Action) -> Context,
    compare: &'p dyn Fn(States<'_>) -> Impact,
}

/// Plans the role changes that go with a change, of which this is the impact. `context` is what is known
/// about every request, and `compare` makes a comparison under it.
///
/// # Errors
/// The schema has no roles, or a role change cannot be made.
pub fn plan(
    states: States<'_>,
    impact: &Impact,
    context: &dyn Fn(&Engine, &Action) -> Context,
    compare: &dyn Fn(States<'_>) -> Impact,
) -> Result<Plan, Vec<Finding>> {
    let planning = Planning {
        states,
        impact,
        context,
        compare,
    };
    let book = book::Book::of(states.after)?;
    let (keep, lost) = planning.keep(&book)?;
    let spared = planning.spare(&book)?;
    Ok(Plan {
        keep,
        lost,
        giving: spared.giving,
        spare: spared.proposal,
        gained: spared.gained,
    })
}
