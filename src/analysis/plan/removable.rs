//! Permissions removable from a role assignment without anybody losing earlier access.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;

use super::held::{Holding, Holdings, RoleVia};
use super::role_catalog::RoleCatalog;
use super::{Gained, Giving, Reason};
use crate::explain::{Labels, Named};

/// The permissions of a role and the way to it, by what a plan can do with them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Removable {
    /// The permissions that are removed, because people gain by them.
    pub goes: BTreeSet<usize>,
    /// Those that may go.
    pub may_go: BTreeSet<usize>,
}

impl Removable {
    /// Whether both can go without the same permissions.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        self.goes.is_subset(&other.may_go) && other.goes.is_subset(&self.may_go)
    }
}

/// Finds out what can go.
pub(super) struct RemovablePermissions<'s, 'e> {
    pub catalog: &'s RoleCatalog<'e>,
    pub holdings: &'s Holdings,
    /// By share; every share of the roles that give a gain.
    pub shares: BTreeMap<&'s RoleVia, Removable>,
    /// By person and permission how many gains go.
    pub removed: BTreeMap<(EntityUid, usize), u64>,
    /// By share the people and permissions of which.
    pub removed_by: BTreeMap<&'s RoleVia, Vec<(&'s EntityUid, usize)>>,
    /// By reason and person what stays: the permissions, and how many decisions.
    reasons: BTreeMap<(Reason, Named), (BTreeSet<usize>, u64)>,
    pub is_smallest: bool,
}

impl<'s, 'e> RemovablePermissions<'s, 'e> {
    /// Finds out what can go.
    pub(super) fn of(catalog: &'s RoleCatalog<'e>, holdings: &'s Holdings) -> Self {
        let mut cuts = Self {
            catalog,
            holdings,
            shares: BTreeMap::new(),
            removed: BTreeMap::new(),
            removed_by: BTreeMap::new(),
            reasons: BTreeMap::new(),
            is_smallest: true,
        };
        for permission in 0..holdings.permissions.len() {
            cuts.permission(permission);
        }
        cuts
    }

    /// Finds out which shares can go without a permission.
    fn permission(&mut self, permission: usize) {
        let holdings = self.holdings;
        let of: Vec<(&'s EntityUid, &'s Holding, BTreeSet<&'s RoleVia>)> = holdings
            .of(permission)
            .map(|(person, holding)| (person, holding, holdings.roles_via(person, permission)))
            .collect();
        let kept = self.kept(&of);
        for (_, _, shares) in &of {
            for share in shares {
                let cut = self.shares.entry(share).or_default();
                if !kept.contains_key(share) {
                    cut.may_go.insert(permission);
                }
            }
        }
        for (person, holding, shares) in of {
            for (policies, count) in &holding.by_others {
                let reason = Reason::ByOther(policies.clone());
                self.stays(reason, person, permission, *count);
            }
            if holding.gains == 0 {
                continue;
            }
            let held = shares.iter().find_map(|share| {
                let keeper = kept.get(*share)?;
                Some(Reason::Shared {
                    through: Box::new(self.call(&share.through)),
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
            for share in shares {
                let cut = self.shares.entry(share).or_default();
                cut.goes.insert(permission);
                let removed = self.removed_by.entry(share).or_default();
                removed.push((person, permission));
            }
            self.removed
                .insert((person.clone(), permission), holding.gains);
        }
    }

    /// The shares that keep a permission, each with somebody who needs it there.
    fn kept(
        &mut self,
        of: &[(&'s EntityUid, &'s Holding, BTreeSet<&'s RoleVia>)],
    ) -> BTreeMap<&'s RoleVia, &'s EntityUid> {
        let mut kept = BTreeMap::new();
        let keepers = of.iter().filter(|(_, holding, _)| holding.keeps);
        for (person, _, shares) in keepers.clone() {
            if let [only] = shares.iter().collect::<Vec<_>>()[..] {
                kept.entry(*only).or_insert(*person);
            }
        }
        // Whoever has it several times needs it once: where most of the others have it as well.
        loop {
            let mut waiting: BTreeMap<&RoleVia, (usize, &EntityUid)> = BTreeMap::new();
            for (person, _, shares) in keepers.clone() {
                if shares.iter().any(|share| kept.contains_key(share)) {
                    continue;
                }
                for share in shares {
                    waiting.entry(share).or_insert((0, person)).0 += 1;
                }
            }
            let most = waiting
                .into_iter()
                .max_by_key(|(share, (count, _))| (*count, std::cmp::Reverse(*share)));
            let Some((share, (_, person))) = most else {
                return kept;
            };
            self.is_smallest = false;
            kept.insert(share, person);
        }
    }

    fn stays(&mut self, reason: Reason, person: &EntityUid, permission: usize, count: u64) {
        let entry = self.reasons.entry((reason, self.call(person)));
        let (permissions, decisions) = entry.or_default();
        permissions.insert(permission);
        *decisions += count;
    }

    /// The roles that give what is gained.
    pub(super) fn giving(&self) -> Vec<Giving> {
        #[derive(Default)]
        struct Given<'s> {
            permissions: BTreeSet<usize>,
            people: BTreeSet<&'s EntityUid>,
            decisions: u64,
        }
        let mut by_role: BTreeMap<&EntityUid, Given<'_>> = BTreeMap::new();
        for permission in 0..self.holdings.permissions.len() {
            for (person, holding) in self.holdings.of(permission) {
                let shares = self.holdings.roles_via(person, permission);
                let roles: BTreeSet<&EntityUid> = shares.iter().map(|share| &share.role).collect();
                for role in roles.into_iter().filter(|_| holding.gains > 0) {
                    let given = by_role.entry(role).or_default();
                    given.permissions.insert(permission);
                    given.people.insert(person);
                    given.decisions += holding.gains;
                }
            }
        }
        let giving = by_role.into_iter().map(|(role, given)| Giving {
            role: self.call(role),
            permissions: self.catalog.named(self.uids(&given.permissions)),
            people: given.people.len() as u64,
            decisions: given.decisions,
        });
        let mut giving: Vec<Giving> = giving.collect();
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
        uids.filter_map(|number| holdings.permissions.get(number))
    }

    pub(super) fn call(&self, uid: &EntityUid) -> Named {
        Labels::new(self.catalog.engine).named(uid)
    }
}
