//! The role changes that go with a change, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::wire::{OutcomeDocument, TotalsDocument};
use crate::entity::Entity;
use tarbac_analysis::change::impact::Direction;
use tarbac_analysis::plan::{
    Assigned, Deviation, File, Gain, Gained, Giving, Lost, Permission, Plan, Proof, Proposal,
    Reason, RoleChange, What,
};

/// The two plans, and what they leave.
#[derive(Serialize, JsonSchema)]
pub(in crate::impact) struct PlanDocument<'i> {
    verified: bool,
    keep: ProposalDocument<'i>,
    lost: Vec<LostDocument<'i>>,
    giving: Vec<GivingDocument<'i>>,
    spare: ProposalDocument<'i>,
    gained: Vec<GainedDocument<'i>>,
}

#[derive(Serialize, JsonSchema)]
struct ProposalDocument<'i> {
    verified: bool,
    smallest: bool,
    changes: Vec<ChangeDocument<'i>>,
    totals: TotalsDocument,
    deviations: Vec<DeviationDocument<'i>>,
}

#[derive(Serialize, JsonSchema)]
struct ChangeDocument<'i> {
    what: What,
    role: Entity<'i>,
    instead_of: Option<Entity<'i>>,
    permissions: Vec<PermissionDocument<'i>>,
    assigned: Vec<AssignedDocument<'i>>,
    people: u64,
    files: Vec<FileDocument<'i>>,
    gains: Vec<GainDocument<'i>>,
    without_it: Option<ProofDocument<'i>>,
}

#[derive(Serialize, JsonSchema)]
struct AssignedDocument<'i> {
    #[serde(flatten)]
    to: Entity<'i>,
    people: u64,
}

#[derive(Serialize, JsonSchema)]
struct PermissionDocument<'i> {
    action: &'i str,
    name: &'i str,
}

#[derive(Serialize, JsonSchema)]
struct FileDocument<'i> {
    path: &'i str,
    text: &'i str,
    policy: &'i str,
}

#[derive(Serialize, JsonSchema)]
struct GainDocument<'i> {
    #[serde(flatten)]
    permission: PermissionDocument<'i>,
    people: u64,
    decisions: u64,
}

#[derive(Serialize, JsonSchema)]
struct ProofDocument<'i> {
    principal: Entity<'i>,
    action: &'i str,
    resource: Entity<'i>,
}

#[derive(Serialize, JsonSchema)]
struct DeviationDocument<'i> {
    principal: Entity<'i>,
    action: &'i str,
    change: Direction,
    foreseen: u64,
    found: u64,
}

#[derive(Serialize, JsonSchema)]
struct LostDocument<'i> {
    principals: Vec<Entity<'i>>,
    permissions: Vec<PermissionDocument<'i>>,
    /// Of all of the people.
    decisions: u64,
    after: Vec<Option<OutcomeDocument<'i>>>,
}

#[derive(Serialize, JsonSchema)]
struct GivingDocument<'i> {
    role: Entity<'i>,
    permissions: Vec<PermissionDocument<'i>>,
    people: u64,
    decisions: u64,
}

#[derive(Serialize, JsonSchema)]
struct GainedDocument<'i> {
    principals: Vec<Entity<'i>>,
    permissions: Vec<PermissionDocument<'i>>,
    decisions: u64,
    reason: &'static str,
    through: Option<Entity<'i>>,
    with: Option<Entity<'i>>,
    policies: &'i [String],
}

/// A role change in short.
#[derive(Serialize, JsonSchema)]
pub(in crate::impact) struct NeedDocument<'i> {
    what: What,
    role: Entity<'i>,
    permissions: Vec<PermissionDocument<'i>>,
    people: u64,
}

impl<'i> NeedDocument<'i> {
    /// Of a role change that keeps what is lost.
    pub fn of(change: &'i RoleChange) -> Self {
        Self {
            what: change.what,
            role: Entity::of(&change.role),
            permissions: permissions(&change.permissions),
            people: change.people,
        }
    }
}

impl<'i> PlanDocument<'i> {
    /// Of a plan.
    pub fn of(plan: &'i Plan) -> Self {
        Self {
            verified: plan.is_verified(),
            keep: ProposalDocument::of(&plan.keep),
            lost: plan.lost.iter().map(LostDocument::of).collect(),
            giving: plan.giving.iter().map(GivingDocument::of).collect(),
            spare: ProposalDocument::of(&plan.spare),
            gained: plan.gained.iter().map(GainedDocument::of).collect(),
        }
    }
}

impl<'i> ProposalDocument<'i> {
    fn of(proposal: &'i Proposal) -> Self {
        let deviations = proposal.deviations.iter();
        Self {
            verified: proposal.is_verified(),
            smallest: proposal.is_smallest,
            changes: proposal.changes.iter().map(ChangeDocument::of).collect(),
            totals: TotalsDocument::of(&proposal.totals),
            deviations: deviations.map(DeviationDocument::of).collect(),
        }
    }
}

impl<'i> ChangeDocument<'i> {
    fn of(change: &'i RoleChange) -> Self {
        Self {
            what: change.what,
            role: Entity::of(&change.role),
            instead_of: change.instead_of.as_ref().map(Entity::of),
            permissions: permissions(&change.permissions),
            assigned: change.assigned.iter().map(AssignedDocument::of).collect(),
            people: change.people,
            files: change.files.iter().map(FileDocument::of).collect(),
            gains: change.gains.iter().map(GainDocument::of).collect(),
            without_it: change.proof.as_ref().map(ProofDocument::of),
        }
    }
}

impl<'i> AssignedDocument<'i> {
    fn of(assigned: &'i Assigned) -> Self {
        Self {
            to: Entity::of(&assigned.to),
            people: assigned.people,
        }
    }
}

fn permissions(permissions: &[Permission]) -> Vec<PermissionDocument<'_>> {
    permissions.iter().map(PermissionDocument::of).collect()
}

impl<'i> PermissionDocument<'i> {
    fn of(permission: &'i Permission) -> Self {
        Self {
            action: permission.action.id().unescaped(),
            name: &permission.name,
        }
    }
}

impl<'i> FileDocument<'i> {
    fn of(file: &'i File) -> Self {
        Self {
            path: &file.path,
            text: &file.text,
            policy: &file.policy,
        }
    }
}

impl<'i> GainDocument<'i> {
    fn of(gain: &'i Gain) -> Self {
        Self {
            permission: PermissionDocument::of(&gain.permission),
            people: gain.people,
            decisions: gain.decisions,
        }
    }
}

impl<'i> ProofDocument<'i> {
    fn of(proof: &'i Proof) -> Self {
        Self {
            principal: Entity::of(&proof.person),
            action: proof.permission.action.id().unescaped(),
            resource: Entity::of(&proof.resource),
        }
    }
}

impl<'i> DeviationDocument<'i> {
    fn of(deviation: &'i Deviation) -> Self {
        Self {
            principal: Entity::of(&deviation.person),
            action: deviation.permission.action.id().unescaped(),
            change: deviation.direction,
            foreseen: deviation.foreseen,
            found: deviation.found,
        }
    }
}

impl<'i> LostDocument<'i> {
    fn of(lost: &'i Lost) -> Self {
        Self {
            principals: lost.people.iter().map(Entity::of).collect(),
            permissions: permissions(&lost.permissions),
            decisions: lost.decisions * lost.people.len() as u64,
            after: lost
                .after
                .iter()
                .map(|after| after.as_ref().map(OutcomeDocument::of))
                .collect(),
        }
    }
}

impl<'i> GivingDocument<'i> {
    fn of(giving: &'i Giving) -> Self {
        Self {
            role: Entity::of(&giving.role),
            permissions: permissions(&giving.permissions),
            people: giving.people,
            decisions: giving.decisions,
        }
    }
}

impl<'i> GainedDocument<'i> {
    fn of(gained: &'i Gained) -> Self {
        let (reason, through, with, policies) = match &gained.reason {
            Reason::HadElsewhere => ("had_elsewhere", None, None, &[][..]),
            Reason::Shared { through, with } => {
                ("shared", Some(&**through), Some(&**with), &[][..])
            }
            Reason::ByOther(policies) => ("by_other_policies", None, None, policies.as_slice()),
        };
        Self {
            principals: gained.people.iter().map(Entity::of).collect(),
            permissions: permissions(&gained.permissions),
            decisions: gained.decisions,
            reason,
            through: through.map(Entity::of),
            with: with.map(Entity::of),
            policies,
        }
    }
}
