//! Role changes that prevent gains, without a loss.
//!
//! A [`RoleVia`] is a role with the entity that gives it, as a role assignment. A permission can be removed from it if
//! no earlier access depends on the permission there. All people of a [`RoleVia`] are treated equally, since the role
//! is assigned to them together.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;

use super::draft::Draft;
use super::held::RoleVia;
use super::policy_text::{NewRole, Rewriting, in_name, in_sentence, rewritten};
use super::removable::{Removable, RemovablePermissions};
use super::role_catalog::RoleCatalog;
use super::set_cover::covers;
use super::verify::{Tally, deviations};
use super::{Assigned, Gained, GrantingRole, Planner, Proposal, RoleChange, RoleChangeKind};
use crate::change::impact::{Direction, States};
use tarbac_diagnostic::finding::Finding;

/// The most kinds of [`RoleVia`] of one role for which the fewest new roles are found with certainty.
const CERTAIN: usize = 12;

/// The part of a plan about gains.
pub(super) struct GainPlan {
    pub giving: Vec<GrantingRole>,
    pub proposal: Proposal,
    pub gained: Vec<Gained>,
}

impl Planner<'_, '_> {
    /// The proposal that removes the gains that can be removed without a loss.
    pub(super) fn prevent_gains(
        &self,
        catalog: &RoleCatalog<'_>,
    ) -> Result<GainPlan, Vec<Finding>> {
        let holdings = self.holdings(catalog);
        let mut writer = RemovalWriter {
            removals: RemovablePermissions::new(catalog, &holdings),
        };
        let mut draft = Draft::default();
        let mut changes = writer.reduced(&mut draft)?;
        changes.extend(writer.replaced(&mut draft));
        changes.sort_by_key(RoleChange::most_first);
        let giving = writer.removals.giving();
        let gained = writer.removals.gained();
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
                    let index = holdings.permissions.iter().position(|of| of == action);
                    let removed = index.and_then(|index| {
                        writer
                            .removals
                            .removed
                            .get(&(person.clone(), index))
                            .copied()
                    });
                    count.saturating_sub(removed.unwrap_or_default())
                }
            }
        });
        Ok(GainPlan {
            giving,
            proposal: Proposal {
                changes,
                is_smallest: writer.removals.is_smallest,
                totals: found.totals,
                deviations,
            },
            gained,
        })
    }
}

/// The writer of the removals.
struct RemovalWriter<'s, 'e> {
    removals: RemovablePermissions<'s, 'e>,
}

impl<'s> RemovalWriter<'s, '_> {
    /// The custom roles from which permissions are removed for all their holders.
    fn reduced(&mut self, draft: &mut Draft) -> Result<Vec<RoleChange>, Vec<Finding>> {
        let bundle = self.removals.catalog.engine.bundle();
        let mut changes: Vec<RoleChange> = Vec::new();
        let mut rewritings = Vec::new();
        let mut owners = Vec::new();
        for (role, roles_via) in self.by_role() {
            let goes = all_that_goes(&roles_via);
            let can_go = roles_via
                .iter()
                .all(|(_, removable)| goes.is_subset(&removable.may_go));
            if goes.is_empty() || !can_go || !self.removals.catalog.is_custom(role) {
                continue;
            }
            let gone: BTreeSet<&EntityUid> = self.removals.uids(&goes).collect();
            for policy in self.removals.catalog.lists(role).unwrap_or_default() {
                let gives: BTreeSet<&EntityUid> = bundle
                    .permissions_of(policy)
                    .map(|action| &action.uid)
                    .collect();
                if gives.is_disjoint(&gone) {
                    continue;
                }
                let is_left = |uid: &EntityUid| gives.contains(uid) && !gone.contains(uid);
                let actions = self.removals.catalog.in_order(is_left);
                if actions.is_empty() {
                    draft.dropped.insert(policy.id().to_owned());
                }
                rewritings.push(Rewriting { policy, actions });
                owners.push(changes.len());
            }
            changes.push(RoleChange {
                role: self.removals.call(role),
                what: RoleChangeKind::Reduced,
                instead_of: None,
                permissions: self.removals.catalog.named(self.removals.uids(&goes)),
                assigned: Vec::new(),
                people: self.people_who_gain_less(&roles_via, &goes),
                files: Vec::new(),
                gains: Vec::new(),
                proof: None,
            });
        }
        let (sources, files) = rewritten(&rewritings)?;
        draft.files.extend(sources);
        for (owner, file) in owners.into_iter().zip(files) {
            if let Some(change) = changes.get_mut(owner) {
                change.files.push(file);
            }
        }
        Ok(changes)
    }

    /// The steps that assign copies of roles in their place.
    fn replaced(&mut self, draft: &mut Draft) -> Vec<RoleChange> {
        let mut changes = Vec::new();
        for (role, roles_via) in self.by_role() {
            let goes = all_that_goes(&roles_via);
            let can_go = roles_via
                .iter()
                .all(|(_, removable)| goes.is_subset(&removable.may_go));
            if can_go && self.removals.catalog.is_custom(role) {
                continue;
            }
            for of_role in self.alike(roles_via) {
                let goes = all_that_goes(&of_role);
                let gone: BTreeSet<&EntityUid> = self.removals.uids(&goes).collect();
                let permissions = self.removals.catalog.named(self.removals.uids(&goes));
                let name = self.removals.call(role);
                let new = draft.fresh(
                    self.removals.catalog.engine,
                    &self.removals.catalog.role_type,
                    &format!("{name} without {}", in_name(&permissions)),
                );
                let mut actions = self.removals.catalog.permissions(role);
                actions.retain(|uid| !gone.contains(uid));
                let files = draft.make_with(&NewRole {
                    uid: &new,
                    doc: &format!("As {name}, without {}.", in_sentence(&permissions)),
                    actions: &actions,
                });
                for (via, _) in &of_role {
                    draft.leave(&via.through, role);
                    draft.join(&via.through, &new);
                }
                let through = of_role.iter().map(|(via, _)| Assigned {
                    to: self.removals.call(&via.through),
                    people: self.removals.holdings.people_with(via),
                });
                changes.push(RoleChange {
                    role: self.removals.call(&new),
                    what: RoleChangeKind::Replaced,
                    instead_of: Some(name),
                    permissions,
                    assigned: through.collect(),
                    people: self.people_who_gain_less(&of_role, &goes),
                    files,
                    gains: Vec::new(),
                    proof: None,
                });
            }
        }
        changes
    }

    /// The [`RoleVia`]s of a role that lose a permission, in as few parts as possible: all of a part can lose the same
    /// permissions.
    fn alike(
        &mut self,
        roles_via: Vec<(&'s RoleVia, Removable)>,
    ) -> Vec<Vec<(&'s RoleVia, Removable)>> {
        let mut kinds: BTreeMap<Removable, Vec<&'s RoleVia>> = BTreeMap::new();
        for (via, removable) in roles_via {
            if !removable.goes.is_empty() {
                kinds.entry(removable).or_default().push(via);
            }
        }
        let kinds: Vec<(Removable, Vec<&RoleVia>)> = kinds.into_iter().collect();
        let mut sets: BTreeSet<BTreeSet<usize>> = BTreeSet::new();
        for index in 0..kinds.len() {
            let larger: Vec<BTreeSet<usize>> = match kinds.len() <= CERTAIN {
                true => sets.iter().cloned().collect(),
                false => Vec::new(),
            };
            let agrees = |set: &BTreeSet<usize>| {
                let others = set.iter().filter_map(|other| kinds.get(*other));
                let this = kinds.get(index);
                this.is_some_and(|(this, _)| others.clone().all(|(other, _)| this.agrees(other)))
            };
            let larger = larger.into_iter().filter(agrees).map(|mut set| {
                set.insert(index);
                set
            });
            sets.extend(larger.collect::<Vec<_>>());
            sets.insert(BTreeSet::from([index]));
        }
        let sets: Vec<BTreeSet<usize>> = sets.into_iter().collect();
        let found = covers(kinds.len(), &sets);
        self.removals.is_smallest &= found.is_smallest && kinds.len() <= CERTAIN;
        let cover = found.all.first().into_iter().flatten();
        let mut taken = BTreeSet::new();
        let parts = cover.filter_map(|place| sets.get(*place)).map(|set| {
            let mut part = Vec::new();
            for index in set.iter().filter(|index| taken.insert(**index)) {
                if let Some((removable, roles_via)) = kinds.get(*index) {
                    part.extend(roles_via.iter().map(|via| (*via, removable.clone())));
                }
            }
            part
        });
        parts.collect()
    }

    /// The [`RoleVia`]s by role.
    fn by_role(&self) -> BTreeMap<&'s EntityUid, Vec<(&'s RoleVia, Removable)>> {
        let mut by_role: BTreeMap<&EntityUid, Vec<(&RoleVia, Removable)>> = BTreeMap::new();
        for (via, removable) in &self.removals.roles_via {
            let of_role = by_role.entry(&via.role).or_default();
            of_role.push((via, removable.clone()));
        }
        by_role
    }

    /// The number of people who gain less without some permissions of these [`RoleVia`]s.
    fn people_who_gain_less(
        &self,
        roles_via: &[(&'s RoleVia, Removable)],
        goes: &BTreeSet<usize>,
    ) -> u64 {
        let removed = roles_via
            .iter()
            .filter_map(|(via, _)| self.removals.removed_by.get(via));
        let removed = removed
            .flatten()
            .filter(|(_, permission)| goes.contains(permission));
        let people: BTreeSet<&EntityUid> = removed.map(|(person, _)| *person).collect();
        people.len() as u64
    }
}

fn all_that_goes(roles_via: &[(&RoleVia, Removable)]) -> BTreeSet<usize> {
    let goes = roles_via.iter().flat_map(|(_, removable)| &removable.goes);
    goes.copied().collect()
}
