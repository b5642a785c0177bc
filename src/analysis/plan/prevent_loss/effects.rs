//! Effects of role changes: gains beyond the state before, and losses that remain.

use std::collections::BTreeMap;

use cedar_policy::EntityUid;

use super::Step;
use crate::change::impact::{Direction, Impact};
use crate::plan::choose::ChosenRole;
use crate::plan::groups::Groups;
use crate::plan::needed::Needs;
use crate::plan::role_catalog::RoleCatalog;
use crate::plan::verify::Tally;
use crate::plan::{Gain, Lost, Permission};

/// The pages that carry the permissions of a new role, unless they let a person do more than before.
pub(super) fn pages(
    catalog: &RoleCatalog<'_>,
    needs: &Needs,
    groups: &Groups,
    role: &ChosenRole,
) -> Vec<usize> {
    let vocabulary = catalog.engine.bundle().vocabulary();
    let page = |permission: &usize| {
        let action = vocabulary.action(needs.permissions.get(*permission)?)?;
        let page = vocabulary.permission(action.page()?)?;
        let mut permissions = needs.permissions.iter();
        permissions.position(|uid| *uid == page.uid)
    };
    let to = role.to.iter().filter_map(|group| groups.of.get(*group));
    let pages = role.gives.iter().filter_map(page);
    let harmless = pages.filter(|page| to.clone().all(|group| group.may.contains(page)));
    harmless.collect()
}

/// The gains of each step beyond the state before.
pub(super) fn gains(
    catalog: &RoleCatalog<'_>,
    needs: &Needs,
    steps: &[Step],
    found: &Impact,
    before: &Tally<'_>,
) -> Vec<Vec<Gain>> {
    let mut gains: Vec<BTreeMap<EntityUid, (u64, u64)>> = vec![BTreeMap::new(); steps.len()];
    for affected in &found.people {
        let mut counts: BTreeMap<&EntityUid, u64> = BTreeMap::new();
        let changes = affected.changes.iter();
        for change in changes.filter(|change| change.direction == Direction::Gained) {
            *counts.entry(&change.action).or_default() += change.count;
        }
        for (action, count) in counts {
            let index = needs.permissions.iter().position(|uid| uid == action);
            for person in &affected.people {
                let more =
                    count.saturating_sub(before.count(&person.uid, action, Direction::Gained));
                if more == 0 {
                    continue;
                }
                let gives = |step: &Step| index.is_some_and(|index| step.gives(&person.uid, index));
                let giving = steps.iter().position(gives);
                // A gain without a given permission comes from the assignment of a role.
                let assigning = || steps.iter().position(|step| step.assigns(&person.uid));
                let step = giving.or_else(assigning);
                if let Some(gains) = step.and_then(|step| gains.get_mut(step)) {
                    let (people, decisions) = gains.entry(action.clone()).or_default();
                    *people += 1;
                    *decisions += more;
                }
            }
        }
    }
    let in_order = |of_step: BTreeMap<EntityUid, (u64, u64)>| {
        let actions = catalog.in_order(|uid| of_step.contains_key(uid));
        let permissions = catalog.named(&actions).into_iter();
        let gains = permissions.filter_map(|permission| {
            let (people, decisions) = *of_step.get(&permission.action)?;
            Some(Gain {
                permission,
                people,
                decisions,
            })
        });
        gains.collect()
    };
    gains.into_iter().map(in_order).collect()
}

/// The losses of a comparison, people with equal losses for equal reasons together; most first.
pub(super) fn lost(found: &Impact) -> Vec<Lost> {
    let mut all: Vec<Lost> = Vec::new();
    for affected in &found.people {
        let mut lost = Lost {
            people: affected.people.clone(),
            permissions: Vec::new(),
            decisions: 0,
            after: Vec::new(),
        };
        let changes = affected.changes.iter();
        for change in changes.filter(|change| change.direction == Direction::Lost) {
            let permission = Permission {
                action: change.action.clone(),
                name: change.name.clone(),
            };
            lost.decisions += change.count;
            if !lost.permissions.contains(&permission) {
                lost.permissions.push(permission);
            }
            if !lost.after.contains(&change.after) {
                lost.after.push(change.after.clone());
            }
        }
        let same = |known: &&mut Lost| {
            known.permissions == lost.permissions
                && known.decisions == lost.decisions
                && known.after == lost.after
        };
        match all.iter_mut().find(same) {
            _ if lost.decisions == 0 => {}
            Some(known) => known.people.extend(lost.people),
            None => all.push(lost),
        }
    }
    for lost in &mut all {
        lost.people.sort();
    }
    all.sort_by_key(|lost| std::cmp::Reverse(lost.decisions * lost.people.len() as u64));
    all
}
