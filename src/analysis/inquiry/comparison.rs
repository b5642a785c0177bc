//! The comparison of two states, with the role changes that go with it.

use super::{ContextInquiry, InquiryError, check_context, or_empty};
use crate::change::impact::{About, Comparison, Impact, States};
use crate::plan::{PlannedRoles, Planner, RoleChange};
use tarbac_diagnostic::finding::Finding;
use tarbac_host::bundle::Action;
use tarbac_host::engine::Engine;

/// A part of a long inquiry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InquiryStep {
    /// Deciding both states, class by class of people.
    Comparing,
    /// Looking for roles that would need a permission, which is one part.
    Roles,
    /// Comparing again, with a plan in force.
    Trying,
    /// Naming devices, one row after the other.
    Naming,
}

/// Whoever wants to know how far a long inquiry is.
pub trait Progress: Sync {
    /// A step begins that has so many parts.
    fn begin(&self, step: InquiryStep, parts: usize);

    /// A part of it is done. It may unwind to end the inquiry: everything that is being made is made anew by the next.
    fn advance(&self);

    /// The step is done.
    fn end(&self);
}

/// The options of a comparison.
#[derive(Debug, Clone)]
pub struct ComparisonInquiry {
    /// Its limits.
    pub about: About,
    /// The context of requests.
    pub context: ContextInquiry,
    /// Whether gains come first.
    pub gains_first: bool,
    /// The role changes that are looked for.
    pub roles: RolesInquiry,
    /// The devices that are named.
    pub naming: Naming,
}

/// The role changes that a comparison looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RolesInquiry {
    /// None.
    None,
    /// Those that would prevent losses.
    InNeed,
    /// The whole plan.
    Plan,
}

/// The devices that a comparison names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Naming {
    /// The most rows of people with devices.
    pub rows: usize,
    /// The most devices of a change, if the rows have at most `most` in all.
    pub named: usize,
    /// The most devices of a change otherwise.
    pub otherwise: usize,
    /// See `named`.
    pub most: u64,
}

/// A comparison that was made.
pub struct Compared<'e> {
    /// What it was made with, for further details.
    pub comparison: Comparison<'e>,
    /// The changes.
    pub impact: Impact,
    /// The role changes.
    pub roles: PlannedRoles,
    /// Why the roles that would need a permission cannot be found, if so.
    pub without_roles: Option<Finding>,
    /// Whether there were too many devices to name all.
    pub is_short: bool,
}

/// Compares two states.
///
/// # Errors
/// The context does not fit every action, or a plan cannot be made.
pub fn compare<'e>(
    states: States<'e>,
    asked: &ComparisonInquiry,
    progress: &dyn Progress,
) -> Result<Compared<'e>, InquiryError> {
    check_context(states.before, &asked.context)?;
    check_context(states.after, &asked.context)?;
    let context = |engine: &Engine, action: &Action| or_empty(engine, action, &asked.context);
    let comparison = states.compare_about(&asked.about, context);
    let mut impact = compared(&comparison, InquiryStep::Comparing, progress);
    if asked.gains_first {
        impact.gains_first();
    }
    let is_short = name(&comparison, &mut impact, asked.naming, progress);
    let planner = Planner {
        states,
        impact: &impact,
        context: &context,
        compare: &|states| compared(&states.compare(context), InquiryStep::Trying, progress),
    };
    let (roles, without_roles) = match asked.roles {
        RolesInquiry::None => (PlannedRoles::InNeed(Vec::new()), None),
        RolesInquiry::InNeed => {
            let (roles, finding) = in_need(&planner, progress);
            (PlannedRoles::InNeed(roles), finding)
        }
        RolesInquiry::Plan => {
            let plan = planner.plan().map_err(InquiryError::Findings)?;
            (PlannedRoles::Planned(Box::new(plan)), None)
        }
    };
    Ok(Compared {
        comparison,
        impact,
        roles,
        without_roles,
        is_short,
    })
}

fn compared(comparison: &Comparison<'_>, step: InquiryStep, progress: &dyn Progress) -> Impact {
    progress.begin(step, comparison.classes());
    let impact = comparison.impact(|| progress.advance());
    progress.end();
    impact
}

/// The roles that would need a permission. If they cannot be found, the comparison goes without them.
fn in_need(
    planner: &Planner<'_, '_>,
    progress: &dyn Progress,
) -> (Vec<RoleChange>, Option<Finding>) {
    progress.begin(InquiryStep::Roles, 1);
    let found = planner.roles_in_need();
    progress.end();
    match found {
        Ok(roles) => (roles, None),
        Err(findings) => (Vec::new(), findings.into_iter().next()),
    }
}

/// Fills in the devices and their groups; whether there were too many to name all that are wanted.
fn name(
    comparison: &Comparison<'_>,
    impact: &mut Impact,
    naming: Naming,
    progress: &dyn Progress,
) -> bool {
    let shown = naming.rows.min(impact.people.len());
    let people = impact.people.get_mut(..shown).unwrap_or_default();
    let changes = people.iter().flat_map(|affected| &affected.changes);
    let count: u64 = changes.map(|change| change.count).sum();
    let is_short = count > naming.most;
    let named = if is_short {
        naming.otherwise
    } else {
        naming.named
    };
    progress.begin(InquiryStep::Naming, shown);
    comparison.detail(people, named, || progress.advance());
    progress.end();
    is_short
}
