//! Role changes that prevent gains, without a loss.
//!
//! A [`RoleVia`] is a role with the entity that gives it, as a role assignment. A permission can be removed from it if
//! nobody needs the permission there, because no earlier access depends on it. All people of one are treated equally,
//! since roles are assigned to them together.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;

use super::draft::Draft;
use super::held::RoleVia;
use super::policy_text::{NewRole, Rewriting, in_name, in_sentence, rewritten};
use super::removable::{Removable, RemovablePermissions};
use super::role_catalog::RoleCatalog;
use super::set_cover::covers;
use super::verify::{Tally, deviations};
use super::{Assigned, Gained, Giving, Planner, Proposal, RoleChange, What};
use crate::change::impact::{Direction, States};
use tarbac_diagnostic::finding::Finding;

/// Of how many kinds of shares of a role the fewest new roles are found for certain.
const CERTAIN: usize = 12;

/// The part of a plan about gains.
pub(super) struct GainPlan {
    pub giving: Vec<Giving>,
    pub proposal: Proposal,
    pub gained: Vec<Gained>,
}

impl Planner<'_, '_> {
    /// The proposal that removes the gains that can be removed without a loss.
    pub(super) fn spare(&self, catalog: &RoleCatalog<'_>) -> Result<GainPlan, Vec<Finding>> {
        let holdings = self.holdings(catalog);
        let mut sparing = Sparing {
            cuts: RemovablePermissions::of(catalog, &holdings),
        };
        let mut draft = Draft::default();
        let mut changes = sparing.reduced(&mut draft);
        changes.extend(sparing.replaced(&mut draft));
        changes.sort_by_key(RoleChange::most_first);
        let giving = sparing.cuts.giving();
        let gained = sparing.cuts.gained();
        if changes.is_empty() {
            return Ok(GainPlan {
                giving,
                proposal: Proposal::none(&self.impact.totals),
                gained,
            });
        }
        let after = draft.applied(self.states.after)?;
        let found = (self.compare)(States {
            before: self.states.before,
            after: &after,
        });
        let without = Tally::new(self.impact);
        let deviations = deviations(&found, |person, action, direction, _| {
            let count = without.count(person, action, direction);
            match direction {
                Direction::Lost | Direction::Undecided => count,
                Direction::Gained => {
                    let number = holdings.permissions.iter().position(|of| of == action);
                    let removed = number.and_then(|number| {
                        sparing.cuts.removed.get(&(person.clone(), number)).copied()
                    });
                    count.saturating_sub(removed.unwrap_or_default())
                }
            }
        });
        Ok(GainPlan {
            giving,
            proposal: Proposal {
                changes,
                is_smallest: sparing.cuts.is_smallest,
                totals: found.totals,
                deviations,
            },
            gained,
        })
    }
}

/// Writes down what can go.
struct Sparing<'s, 'e> {
    cuts: RemovablePermissions<'s, 'e>,
}

impl<'s> Sparing<'s, '_> {
    /// The custom roles from which permissions are removed for all their holders.
    fn reduced(&mut self, draft: &mut Draft) -> Vec<RoleChange> {
        let bundle = self.cuts.catalog.engine.bundle();
        let mut changes: Vec<RoleChange> = Vec::new();
        let mut rewritings = Vec::new();
        let mut owners = Vec::new();
        for (role, shares) in self.by_role() {
            let goes = all_that_goes(&shares);
            let can_go = shares.iter().all(|(_, cut)| goes.is_subset(&cut.may_go));
            if goes.is_empty() || !can_go || !self.cuts.catalog.is_custom(role) {
                continue;
            }
            let gone: BTreeSet<&EntityUid> = self.cuts.uids(&goes).collect();
            for policy in self.cuts.catalog.lists(role).unwrap_or_default() {
                let gives: BTreeSet<&EntityUid> = bundle
                    .permissions_of(policy)
                    .map(|action| &action.uid)
                    .collect();
                if gives.is_disjoint(&gone) {
                    continue;
                }
                let is_left = |uid: &EntityUid| gives.contains(uid) && !gone.contains(uid);
                let actions = self.cuts.catalog.in_order(is_left);
                if actions.is_empty() {
                    draft.dropped.insert(policy.id().to_owned());
                }
                rewritings.push(Rewriting { policy, actions });
                owners.push(changes.len());
            }
            changes.push(RoleChange {
                role: self.cuts.call(role),
                what: What::Reduced,
                instead_of: None,
                permissions: self.cuts.catalog.named(self.cuts.uids(&goes)),
                assigned: Vec::new(),
                people: self.spared(&shares, &goes),
                files: Vec::new(),
                gains: Vec::new(),
                proof: None,
            });
        }
        let (sources, files) = rewritten(&rewritings);
        draft.files.extend(sources);
        for (owner, file) in owners.into_iter().zip(files) {
            if let Some(change) = changes.get_mut(owner) {
                change.files.push(file);
            }
        }
        changes
    }

    /// The roles in whose place others are assigned.
    fn replaced(&mut self, draft: &mut Draft) -> Vec<RoleChange> {
        let mut changes = Vec::new();
        for (role, shares) in self.by_role() {
            let goes = all_that_goes(&shares);
            let can_go = shares.iter().all(|(_, cut)| goes.is_subset(&cut.may_go));
            if can_go && self.cuts.catalog.is_custom(role) {
                continue;
            }
            for of_role in self.alike(shares) {
                let goes = all_that_goes(&of_role);
                let gone: BTreeSet<&EntityUid> = self.cuts.uids(&goes).collect();
                let permissions = self.cuts.catalog.named(self.cuts.uids(&goes));
                let name = self.cuts.call(role);
                let new = draft.fresh(
                    self.cuts.catalog.engine,
                    &self.cuts.catalog.role_type,
                    &format!("{name} without {}", in_name(&permissions)),
                );
                let mut actions = self.cuts.catalog.permissions(role);
                actions.retain(|uid| !gone.contains(uid));
                let files = draft.make_with(&NewRole {
                    uid: &new,
                    doc: &format!("As {name}, without {}.", in_sentence(&permissions)),
                    actions: &actions,
                });
                for (share, _) in &of_role {
                    draft.leave(&share.through, role);
                    draft.join(&share.through, &new);
                }
                let through = of_role.iter().map(|(share, _)| Assigned {
                    to: self.cuts.call(&share.through),
                    people: self.cuts.holdings.people_with(share),
                });
                changes.push(RoleChange {
                    role: self.cuts.call(&new),
                    what: What::Replaced,
                    instead_of: Some(name),
                    permissions,
                    assigned: through.collect(),
                    people: self.spared(&of_role, &goes),
                    files,
                    gains: Vec::new(),
                    proof: None,
                });
            }
        }
        changes
    }

    /// The shares that some permission goes from, in as few parts as possible, each of which can go without
    /// the same permissions.
    fn alike(
        &mut self,
        shares: Vec<(&'s RoleVia, Removable)>,
    ) -> Vec<Vec<(&'s RoleVia, Removable)>> {
        let mut kinds: BTreeMap<Removable, Vec<&'s RoleVia>> = BTreeMap::new();
        for (share, cut) in shares {
            if !cut.goes.is_empty() {
                kinds.entry(cut).or_default().push(share);
            }
        }
        let kinds: Vec<(Removable, Vec<&RoleVia>)> = kinds.into_iter().collect();
        let mut sets: BTreeSet<BTreeSet<usize>> = BTreeSet::new();
        for number in 0..kinds.len() {
            let larger: Vec<BTreeSet<usize>> = match kinds.len() <= CERTAIN {
                true => sets.iter().cloned().collect(),
                false => Vec::new(),
            };
            let agrees = |set: &BTreeSet<usize>| {
                let others = set.iter().filter_map(|other| kinds.get(*other));
                let this = kinds.get(number);
                this.is_some_and(|(this, _)| others.clone().all(|(other, _)| this.agrees(other)))
            };
            let larger = larger.into_iter().filter(agrees).map(|mut set| {
                set.insert(number);
                set
            });
            sets.extend(larger.collect::<Vec<_>>());
            sets.insert(BTreeSet::from([number]));
        }
        let sets: Vec<BTreeSet<usize>> = sets.into_iter().collect();
        let found = covers(kinds.len(), &sets);
        self.cuts.is_smallest &= found.is_smallest && kinds.len() <= CERTAIN;
        let cover = found.all.first().into_iter().flatten();
        let mut taken = BTreeSet::new();
        let parts = cover.filter_map(|place| sets.get(*place)).map(|set| {
            let mut part = Vec::new();
            for number in set.iter().filter(|number| taken.insert(**number)) {
                if let Some((cut, shares)) = kinds.get(*number) {
                    part.extend(shares.iter().map(|share| (*share, cut.clone())));
                }
            }
            part
        });
        parts.collect()
    }

    /// The shares by role.
    fn by_role(&self) -> BTreeMap<&'s EntityUid, Vec<(&'s RoleVia, Removable)>> {
        let mut by_role: BTreeMap<&EntityUid, Vec<(&RoleVia, Removable)>> = BTreeMap::new();
        for (share, cut) in &self.cuts.shares {
            let of_role = by_role.entry(&share.role).or_default();
            of_role.push((share, cut.clone()));
        }
        by_role
    }

    /// How many people gain less by some shares without some permissions.
    fn spared(&self, shares: &[(&'s RoleVia, Removable)], goes: &BTreeSet<usize>) -> u64 {
        let removed = shares
            .iter()
            .filter_map(|(share, _)| self.cuts.removed_by.get(share));
        let removed = removed
            .flatten()
            .filter(|(_, permission)| goes.contains(permission));
        let people: BTreeSet<&EntityUid> = removed.map(|(person, _)| *person).collect();
        people.len() as u64
    }
}

fn all_that_goes(shares: &[(&RoleVia, Removable)]) -> BTreeSet<usize> {
    let goes = shares.iter().flat_map(|(_, cut)| &cut.goes);
    goes.copied().collect()
}
