//! Permissions removable from a role assignment without anybody losing earlier access.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;

use super::held::{Holding, Holdings, RoleVia};
use super::role_catalog::RoleCatalog;
use super::{Gained, GrantingRole, Reason};
use crate::explain::{Labels, Named};

/// The removable permissions of a [`RoleVia`].
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Removable {
    /// The permissions that are removed, because people gain by them.
    pub goes: BTreeSet<usize>,
    /// The permissions that may be removed.
    pub may_go: BTreeSet<usize>,
}

impl Removable {
    /// Whether the permissions that are removed from either can be removed from the other.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        self.goes.is_subset(&other.may_go) && other.goes.is_subset(&self.may_go)
    }
}

/// The permissions that can be removed from each role.
pub(super) struct RemovablePermissions<'s, 'e> {
    pub catalog: &'s RoleCatalog<'e>,
    pub holdings: &'s Holdings,
    /// Every [`RoleVia`] of the roles that give a gain.
    pub roles_via: BTreeMap<&'s RoleVia, Removable>,
    /// The number of removed gains, by person and permission.
    pub removed: BTreeMap<(EntityUid, usize), u64>,
    /// By [`RoleVia`], the people and permissions with a removed gain.
    pub removed_by: BTreeMap<&'s RoleVia, Vec<(&'s EntityUid, usize)>>,
    /// The remaining gains by reason and person: the permissions, and the number of decisions.
    reasons: BTreeMap<(Reason, Named), (BTreeSet<usize>, u64)>,
    pub is_smallest: bool,
}

impl<'s, 'e> RemovablePermissions<'s, 'e> {
    /// Finds the permissions that can be removed.
    pub(super) fn new(catalog: &'s RoleCatalog<'e>, holdings: &'s Holdings) -> Self {
        let mut removals = Self {
            catalog,
            holdings,
            roles_via: BTreeMap::new(),
            removed: BTreeMap::new(),
            removed_by: BTreeMap::new(),
            reasons: BTreeMap::new(),
            is_smallest: true,
        };
        for permission in 0..holdings.permissions.len() {
            removals.permission(permission);
        }
        removals
    }

    /// Finds each [`RoleVia`] from which a permission can be removed.
    fn permission(&mut self, permission: usize) {
        let holdings = self.holdings;
        let of: Vec<(&'s EntityUid, &'s Holding, BTreeSet<&'s RoleVia>)> = holdings
            .holders(permission)
            .map(|(person, holding)| (person, holding, holdings.roles_via(person, permission)))
            .collect();
        let kept = self.kept(&of);
        for (_, _, roles_via) in &of {
            for via in roles_via {
                let removable = self.roles_via.entry(via).or_default();
                if !kept.contains_key(via) {
                    removable.may_go.insert(permission);
                }
            }
        }
        for (person, holding, roles_via) in of {
            for (policies, count) in &holding.by_others {
                let reason = Reason::ByOther(policies.clone());
                self.stays(reason, person, permission, *count);
            }
            if holding.gains == 0 {
                continue;
            }
            let held = roles_via.iter().find_map(|via| {
                let keeper = kept.get(*via)?;
                Some(Reason::Shared {
                    through: Box::new(self.call(&via.through)),
                    with: Box::new(self.call(keeper)),
                })
            });
            let reason = match holding.keeps {
                true => Some(Reason::HadElsewhere),
                false => held,
            };
            if let Some(reason) = reason {
                self.stays(reason, person, permission, holding.gains);
                continue;
            }
            for via in roles_via {
                let removable = self.roles_via.entry(via).or_default();
                removable.goes.insert(permission);
                let removed = self.removed_by.entry(via).or_default();
                removed.push((person, permission));
            }
            self.removed
                .insert((person.clone(), permission), holding.gains);
        }
    }

    /// Each [`RoleVia`] that keeps a permission, with a person who needs it there.
    fn kept(
        &mut self,
        of: &[(&'s EntityUid, &'s Holding, BTreeSet<&'s RoleVia>)],
    ) -> BTreeMap<&'s RoleVia, &'s EntityUid> {
        let mut kept = BTreeMap::new();
        let keepers = of.iter().filter(|(_, holding, _)| holding.keeps);
        for (person, _, roles_via) in keepers.clone() {
            if let [only] = roles_via.iter().collect::<Vec<_>>()[..] {
                kept.entry(*only).or_insert(*person);
            }
        }
        // A person with several needs only one: the one that most of the other people have as well.
        loop {
            let mut waiting: BTreeMap<&RoleVia, (usize, &EntityUid)> = BTreeMap::new();
            for (person, _, roles_via) in keepers.clone() {
                if roles_via.iter().any(|via| kept.contains_key(via)) {
                    continue;
                }
                for via in roles_via {
                    waiting.entry(via).or_insert((0, person)).0 += 1;
                }
            }
            let most = waiting
                .into_iter()
                .max_by_key(|(via, (count, _))| (*count, std::cmp::Reverse(*via)));
            let Some((via, (_, person))) = most else {
                return kept;
            };
            self.is_smallest = false;
            kept.insert(via, person);
        }
    }

    fn stays(&mut self, reason: Reason, person: &EntityUid, permission: usize, count: u64) {
        let entry = self.reasons.entry((reason, self.call(person)));
        let (permissions, decisions) = entry.or_default();
        permissions.insert(permission);
        *decisions += count;
    }

    /// The roles that give the gains.
    pub(super) fn giving(&self) -> Vec<GrantingRole> {
        #[derive(Default)]
        struct Given<'s> {
            permissions: BTreeSet<usize>,
            people: BTreeSet<&'s EntityUid>,
            decisions: u64,
        }
        let mut by_role: BTreeMap<&EntityUid, Given<'_>> = BTreeMap::new();
        for permission in 0..self.holdings.permissions.len() {
            for (person, holding) in self.holdings.holders(permission) {
                let roles_via = self.holdings.roles_via(person, permission);
                let roles: BTreeSet<&EntityUid> = roles_via.iter().map(|via| &via.role).collect();
                for role in roles.into_iter().filter(|_| holding.gains > 0) {
                    let given = by_role.entry(role).or_default();
                    given.permissions.insert(permission);
                    given.people.insert(person);
                    given.decisions += holding.gains;
                }
            }
        }
        let giving = by_role.into_iter().map(|(role, given)| GrantingRole {
            role: self.call(role),
            permissions: self.catalog.named(self.uids(&given.permissions)),
            people: given.people.len() as u64,
            decisions: given.decisions,
        });
        let mut giving: Vec<GrantingRole> = giving.collect();
        giving.sort_by_key(|giving| std::cmp::Reverse(giving.decisions));
        giving
    }

    /// The gains that remain.
    pub(super) fn gained(&self) -> Vec<Gained> {
        type Stays = (Vec<Named>, u64);
        let mut all: BTreeMap<(&Reason, &BTreeSet<usize>), Stays> = BTreeMap::new();
        for ((reason, person), (permissions, count)) in &self.reasons {
            let (people, decisions) = all.entry((reason, permissions)).or_default();
            people.push(person.clone());
            *decisions += count;
        }
        let gained = all.into_iter();
        let gained = gained.map(|((reason, permissions), (people, decisions))| Gained {
            reason: reason.clone(),
            people,
            permissions: self.catalog.named(self.uids(permissions)),
            decisions,
        });
        let mut gained: Vec<Gained> = gained.collect();
        gained.sort_by_key(|gained| std::cmp::Reverse(gained.decisions));
        gained
    }

    pub(super) fn uids(
        &self,
        permissions: &BTreeSet<usize>,
    ) -> impl Iterator<Item = &'s EntityUid> {
        let holdings = self.holdings;
        let uids = permissions.clone().into_iter();
        uids.filter_map(|index| holdings.permissions.get(index))
    }

    pub(super) fn call(&self, uid: &EntityUid) -> Named {
        Labels::new(self.catalog.engine).named(uid)
    }
}
