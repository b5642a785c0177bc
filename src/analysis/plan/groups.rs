//! Classes of people with equal needs, and the possible extensions of each role.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;

use super::choose::{Choice, Group};
use super::needed::{Needs, Person};
use super::role_catalog::RoleCatalog;
use tarbac_store::Row;

/// People by their needs.
pub(super) struct Groups {
    /// The roles that could be extended. Others refer to them by index.
    pub roles: Vec<EntityUid>,
    /// The people with needs, by their needs.
    pub of: Vec<Group>,
    members: Vec<BTreeSet<EntityUid>>,
    /// The people who have each role.
    holders: Vec<BTreeSet<EntityUid>>,
}

impl Groups {
    pub(super) fn new(
        catalog: &RoleCatalog<'_>,
        needs: &Needs,
        custom: BTreeSet<EntityUid>,
    ) -> Self {
        let directory = catalog.engine.directory();
        let roles: Vec<EntityUid> = custom.into_iter().collect();
        let numbered = roles.iter().enumerate();
        let numbers: BTreeMap<Row, usize> = numbered
            .filter_map(|(index, role)| Some((directory.row(role)?, index)))
            .collect();
        let mut holders = vec![BTreeSet::new(); roles.len()];
        let mut groups: BTreeMap<Group, BTreeSet<EntityUid>> = BTreeMap::new();
        for (uid, person) in &needs.people {
            let above = directory.row(uid).into_iter();
            let above = above.flat_map(|row| directory.ancestors(row));
            let has = above.filter_map(|row| numbers.get(&row).copied());
            let has: BTreeSet<usize> = has.collect();
            for role in &has {
                if let Some(holders) = holders.get_mut(*role) {
                    holders.insert(uid.clone());
                }
            }
            if !person.need.is_empty() || person.needs_role {
                let group = group(person, has, needs.permissions.len());
                groups.entry(group).or_default().insert(uid.clone());
            }
        }
        let (of, members) = groups.into_iter().unzip();
        Self {
            roles,
            of,
            members,
            holders,
        }
    }

    /// The permissions that may be added to each role, for all people who have it.
    pub(super) fn extensible(&self, needs: &Needs) -> BTreeMap<usize, BTreeSet<usize>> {
        let all = needs.permissions.len();
        let may = |holders: &BTreeSet<EntityUid>| {
            let people = holders.iter().filter_map(|uid| needs.people.get(uid));
            people.fold((0..all).collect(), |may: BTreeSet<usize>, person| {
                may.intersection(&person.may_extended(all))
                    .copied()
                    .collect()
            })
        };
        self.holders.iter().map(may).enumerate().collect()
    }

    /// The people in some groups.
    pub(super) fn people(&self, groups: &BTreeSet<usize>) -> BTreeSet<EntityUid> {
        let members = groups.iter().filter_map(|group| self.members.get(*group));
        members.flatten().cloned().collect()
    }

    /// The people who have a role.
    pub(super) fn holders(&self, role: usize) -> BTreeSet<EntityUid> {
        self.holders.get(role).cloned().unwrap_or_default()
    }

    /// A person with a loss that only this change mends, and the loss.
    pub(super) fn proof<'n>(
        &self,
        needs: &'n Needs,
        choice: &Choice,
        change: Changed,
    ) -> Option<(EntityUid, &'n (usize, EntityUid))> {
        let groups = self.of.iter().enumerate().zip(&self.members);
        let mut found = groups.filter_map(|((index, group), members)| {
            let person = needs.people.get(members.first()?)?;
            let mut mended = person.mended.iter();
            let (_, loss) = mended.find(|(need, _)| {
                let mending = mending(choice, index, group, **need);
                mending == BTreeSet::from([change])
            })?;
            Some((members.first()?.clone(), loss))
        });
        found.next()
    }
}

/// A chosen change, by the index of the role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Changed {
    Extended(usize),
    Made(usize),
}

/// The changes that give a group a permission; for `None`, any role.
fn mending(choice: &Choice, index: usize, group: &Group, need: Option<usize>) -> BTreeSet<Changed> {
    let gives = |gives: &BTreeSet<usize>| need.is_none_or(|need| gives.contains(&need));
    let made = choice.new_roles.iter().enumerate();
    let made = made.filter(|(_, role)| role.to.contains(&index) && gives(&role.gives));
    let extended = choice.extended.iter().filter(|(role, of_role)| {
        let helps = need.is_some_and(|need| group.helped.contains(&need));
        group.has.contains(*role) && helps && gives(of_role)
    });
    let made = made.map(|(place, _)| Changed::Made(place));
    made.chain(extended.map(|(role, _)| Changed::Extended(*role)))
        .collect()
}

fn group(person: &Person, has: BTreeSet<usize>, permissions: usize) -> Group {
    Group {
        need: person.need.clone(),
        needs_role: person.needs_role,
        may: person.may(permissions),
        helped: person
            .need
            .difference(&person.not_helped)
            .copied()
            .collect(),
        has,
    }
}
