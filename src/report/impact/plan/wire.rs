//! The JSON of plans.

use schemars::JsonSchema;
use serde::Serialize;

use tarbac_analysis::explain::Named;
use tarbac_analysis::plan::{
    Gained, GrantingRole, Lost, Permission, Plan, Proposal, Reason, RoleChange, RoleChangeKind,
};
use tarbac_analysis::wire::OutcomeShape;
use tarbac_host::decision::Outcome;

/// The two plans, and the losses and gains that remain.
#[derive(Serialize, JsonSchema)]
pub(in crate::impact) struct PlanDocument<'i> {
    verified: bool,
    #[serde(rename = "keep")]
    against_losses: ProposalDocument<'i>,
    lost: Vec<LostDocument<'i>>,
    giving: &'i [GrantingRole],
    #[serde(rename = "spare")]
    against_gains: ProposalDocument<'i>,
    gained: Vec<GainedDocument<'i>>,
}

#[derive(Serialize, JsonSchema)]
struct ProposalDocument<'i> {
    verified: bool,
    #[serde(flatten)]
    proposal: &'i Proposal,
}

#[derive(Serialize, JsonSchema)]
struct LostDocument<'i> {
    principals: &'i [Named],
    permissions: &'i [Permission],
    /// The sum over all of the people.
    decisions: u64,
    #[schemars(with = "Vec<Option<OutcomeShape>>")]
    after: &'i [Option<Outcome>],
}

#[derive(Serialize, JsonSchema)]
struct GainedDocument<'i> {
    principals: &'i [Named],
    permissions: &'i [Permission],
    decisions: u64,
    reason: &'static str,
    through: Option<&'i Named>,
    with: Option<&'i Named>,
    policies: &'i [String],
}

/// A role change in short.
#[derive(Serialize, JsonSchema)]
pub(in crate::impact) struct NeedDocument<'i> {
    what: RoleChangeKind,
    role: &'i Named,
    permissions: &'i [Permission],
    people: u64,
}

impl<'i> NeedDocument<'i> {
    /// A role change that prevents a loss.
    pub(crate) fn new(change: &'i RoleChange) -> Self {
        Self {
            what: change.what,
            role: &change.role,
            permissions: &change.permissions,
            people: change.people,
        }
    }
}

impl<'i> PlanDocument<'i> {
    /// The totals of a plan.
    pub(crate) fn new(plan: &'i Plan) -> Self {
        Self {
            verified: plan.is_verified(),
            against_losses: ProposalDocument::new(&plan.against_losses),
            lost: plan.lost.iter().map(LostDocument::new).collect(),
            giving: &plan.giving,
            against_gains: ProposalDocument::new(&plan.against_gains),
            gained: plan.gained.iter().map(GainedDocument::new).collect(),
        }
    }
}

impl<'i> ProposalDocument<'i> {
    fn new(proposal: &'i Proposal) -> Self {
        Self {
            verified: proposal.is_verified(),
            proposal,
        }
    }
}

impl<'i> LostDocument<'i> {
    fn new(lost: &'i Lost) -> Self {
        Self {
            principals: &lost.people,
            permissions: &lost.permissions,
            decisions: lost.decisions * lost.people.len() as u64,
            after: &lost.after,
        }
    }
}

impl<'i> GainedDocument<'i> {
    fn new(gained: &'i Gained) -> Self {
        let (reason, through, with, policies) = match &gained.reason {
            Reason::HadElsewhere => ("had_elsewhere", None, None, &[][..]),
            Reason::Shared { through, with } => {
                ("shared", Some(&**through), Some(&**with), &[][..])
            }
            Reason::ByOther(policies) => ("by_other_policies", None, None, policies.as_slice()),
        };
        Self {
            principals: &gained.people,
            permissions: &gained.permissions,
            decisions: gained.decisions,
            reason,
            through,
            with,
            policies,
        }
    }
}
