//! Role changes that prevent losses.

mod effects;
mod steps;

use std::collections::BTreeSet;

use cedar_policy::EntityUid;

use super::choose::choose;
use super::groups::Groups;
use super::needed::Needs;
use super::role_catalog::RoleCatalog;
use super::verify::{Tally, deviations};
use super::{Lost, Planner, Proposal, RoleChange};
use crate::change::impact::{Affected, Direction, States};
use effects::{gains, lost, pages};
use steps::Chosen;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::engine::Engine;

/// A role change, and the people whom it reaches.
struct Step {
    change: RoleChange,
    /// The indices of the permissions that it gives.
    gives: BTreeSet<usize>,
    /// The people who get them.
    reaches: BTreeSet<EntityUid>,
    /// Whether they are assigned the role.
    is_assigned: bool,
}

/// A draft of role changes.
struct Drafted {
    steps: Vec<Step>,
    /// The state with them.
    after: Engine,
    is_smallest: bool,
    needs: Needs,
}

impl Step {
    /// Whether it gives a person a permission.
    fn gives(&self, person: &EntityUid, permission: usize) -> bool {
        self.gives.contains(&permission) && self.reaches.contains(person)
    }

    /// Whether it assigns a person a role.
    fn assigns(&self, person: &EntityUid) -> bool {
        self.is_assigned && self.reaches.contains(person)
    }
}

impl Planner<'_, '_> {
    /// The role changes that prevent the losses that roles can prevent; not verified.
    pub(super) fn needed(
        &self,
        catalog: &RoleCatalog<'_>,
    ) -> Result<Vec<RoleChange>, Vec<Finding>> {
        let drafted = self.drafted(catalog)?.into_iter();
        let steps = drafted.flat_map(|drafted| drafted.steps);
        let mut changes: Vec<RoleChange> = steps.map(|step| step.change).collect();
        changes.sort_by_key(RoleChange::most_first);
        Ok(changes)
    }

    /// Drafts role changes that prevent losses; `None` without losses.
    fn drafted(&self, catalog: &RoleCatalog<'_>) -> Result<Option<Drafted>, Vec<Finding>> {
        let losing = self.losing();
        if losing.is_empty() {
            return Ok(None);
        }
        let custom = catalog.custom_of(&losing);
        let needs = self.needs(catalog, &losing, &custom)?;
        let groups = Groups::new(catalog, &needs, custom);
        let mut choice = choose(&groups.of, &groups.extensible(&needs));
        for role in &mut choice.new_roles {
            role.gives.extend(pages(catalog, &needs, &groups, role));
        }
        let chosen = Chosen {
            catalog,
            needs: &needs,
            groups: &groups,
            choice: &choice,
        };
        let (steps, after) = match chosen.applied(true) {
            Ok(applied) => applied,
            // A group may hold people of several tenants, and an assignment belongs to one.
            Err(_) => chosen.applied(false)?,
        };
        Ok(Some(Drafted {
            steps,
            after,
            is_smallest: choice.is_smallest,
            needs,
        }))
    }

    /// The proposal that prevents losses, and the losses that remain.
    pub(super) fn prevent_losses(
        &self,
        catalog: &RoleCatalog<'_>,
    ) -> Result<(Proposal, Vec<Lost>), Vec<Finding>> {
        let Some(drafted) = self.drafted(catalog)? else {
            return Ok((Proposal::none(&self.impact.totals), Vec::new()));
        };
        let Drafted {
            steps,
            after,
            is_smallest,
            needs,
        } = drafted;
        let found = match steps.is_empty() {
            true => self.impact.clone(),
            false => (self.compare)(States {
                before: self.states.before,
                after: &after,
            }),
        };
        let before = Tally::new(self.impact);
        let index = |action: &EntityUid| needs.permissions.iter().position(|of| of == action);
        let deviations = deviations(&found, |person, action, direction, found| match direction {
            Direction::Lost => {
                let of_person = needs.people.get(person).zip(index(action));
                let lost = of_person.and_then(|(person, index)| person.lost.get(&index));
                lost.copied().unwrap_or_default()
            }
            Direction::Gained => {
                let without = before.count(person, action, direction);
                // The gains of a change are listed with it.
                let gives = |step: &Step| {
                    let gives = index(action).is_some_and(|index| step.gives(person, index));
                    gives || step.assigns(person)
                };
                match found > without && steps.iter().any(gives) {
                    true => found,
                    false => without,
                }
            }
            Direction::Undecided => before.count(person, action, direction),
        });
        let gains = gains(catalog, &needs, &steps, &found, &before);
        let changes = steps.into_iter().zip(gains);
        let mut changes: Vec<RoleChange> = changes
            .map(|(step, gains)| RoleChange {
                gains,
                ..step.change
            })
            .collect();
        changes.sort_by_key(RoleChange::most_first);
        let proposal = Proposal {
            changes,
            is_smallest,
            totals: found.totals.clone(),
            deviations,
        };
        Ok((proposal, lost(&found)))
    }

    /// The people with losses, sorted.
    fn losing(&self) -> Vec<EntityUid> {
        let is_losing = |affected: &&Affected| {
            let mut changes = affected.changes.iter();
            changes.any(|change| change.direction == Direction::Lost)
        };
        let losing = self.impact.people.iter().filter(is_losing);
        let people = losing.flat_map(|affected| &affected.people);
        let uids: BTreeSet<EntityUid> = people.map(|person| person.uid.clone()).collect();
        uids.into_iter().collect()
    }
}
