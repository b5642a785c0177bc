//! Permissions that people hold through each role, before and after.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;

use super::Planner;
use super::role_catalog::RoleCatalog;
use crate::bulk::index::{PersonId, StateId};
use crate::bulk::summary::asking;
use crate::bulk::survey::{BulkDecision, CellMarks, ClassDecisions, Population};
use crate::change::impact::Direction;
use tarbac_host::decision::{Decision, Outcome};
use tarbac_store::index::IndexVec;

const BEFORE: StateId = StateId::new(0);
const AFTER: StateId = StateId::new(1);

/// What gives somebody a role.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RoleVia {
    pub role: EntityUid,
    /// What is directly in the role, as a role assignment is.
    pub through: EntityUid,
}

/// What a person has by a permission.
#[derive(Debug, Clone, Default)]
pub(super) struct Holding {
    /// How many decisions are gained by roles alone.
    pub gains: u64,
    /// How many are gained that other policies permit too, by these.
    pub by_others: BTreeMap<Vec<String>, u64>,
    /// Whether anything is allowed before as well, and after by roles alone.
    pub keeps: bool,
}

/// What people have who gain something, or who have a role by which somebody does.
pub(super) struct Holdings {
    /// The permissions that are gained, in the order of the schema; they are numbered.
    pub permissions: Vec<EntityUid>,
    people: BTreeMap<EntityUid, BTreeMap<usize, Holding>>,
    shares: BTreeMap<EntityUid, BTreeSet<RoleVia>>,
    /// For each role what it gives.
    gives: BTreeMap<EntityUid, BTreeSet<usize>>,
}

impl Holdings {
    /// Everybody with what they have by a permission.
    pub fn of(&self, permission: usize) -> impl Iterator<Item = (&EntityUid, &Holding)> {
        let people = self.people.iter();
        people.filter_map(move |(uid, of)| Some((uid, of.get(&permission)?)))
    }

    /// How many people have a share of a role.
    pub fn people_with(&self, share: &RoleVia) -> u64 {
        let shares = self.shares.values();
        shares.filter(|shares| shares.contains(share)).count() as u64
    }

    /// What gives somebody a permission.
    pub fn shares(&self, person: &EntityUid, permission: usize) -> BTreeSet<&RoleVia> {
        let shares = self.shares.get(person).into_iter().flatten();
        let gives = |share: &&RoleVia| {
            let gives = self.gives.get(&share.role);
            gives.is_some_and(|gives| gives.contains(&permission))
        };
        shares.filter(gives).collect()
    }
}

impl Planner<'_, '_> {
    /// Finds out who has what, as far as it is gained by somebody.
    pub(super) fn holdings(&self, book: &RoleCatalog<'_>) -> Holdings {
        let mut gaining: BTreeSet<EntityUid> = BTreeSet::new();
        let mut gained: BTreeSet<&EntityUid> = BTreeSet::new();
        let mut roles: BTreeSet<EntityUid> = BTreeSet::new();
        for touched in &self.impact.people {
            let changes = touched.changes.iter();
            for change in changes.filter(|change| change.direction == Direction::Gained) {
                gaining.extend(touched.people.iter().map(|person| person.uid.clone()));
                gained.insert(&change.action);
                let after = change.after.iter();
                let policies = after.flat_map(|outcome| &outcome.policies);
                roles.extend(policies.filter_map(|id| book.role_of(id)).cloned());
            }
        }
        let directory = book.engine.directory();
        let holders = book.holders(&roles);
        let holders = holders.into_iter().map(|row| directory.uid(row));
        let people: Vec<EntityUid> = gaining
            .into_iter()
            .chain(holders)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let permissions = book.in_order(|uid| gained.contains(uid));
        let number = |uid: &EntityUid| permissions.iter().position(|of| of == uid);
        let gives = roles.into_iter().map(|role| {
            let gives = book.permissions(&role).iter().filter_map(number).collect();
            (role, gives)
        });
        let gives: BTreeMap<EntityUid, BTreeSet<usize>> = gives.collect();
        let shares = people.iter().map(|uid| {
            let roles = directory.row(uid).map(|row| book.roles_of(row));
            let shares = roles.into_iter().flatten();
            let shares = shares.filter(|share| gives.contains_key(&share.role));
            (uid.clone(), shares.collect())
        });
        let shares = shares.collect();
        let mut holdings = Holdings {
            people: people
                .iter()
                .map(|uid| (uid.clone(), BTreeMap::new()))
                .collect(),
            shares,
            gives,
            permissions,
        };
        self.hold(book, &people, &mut holdings);
        holdings
    }

    fn hold(&self, book: &RoleCatalog<'_>, people: &[EntityUid], holdings: &mut Holdings) {
        let engines = [self.states.before, self.states.after];
        for (principal, resources) in asking(&[self.states.before, self.states.after]) {
            let of_type = people.iter().filter(|uid| *uid.type_name() == principal);
            let of_type: IndexVec<PersonId, EntityUid> = of_type.cloned().collect();
            for resource in &resources {
                let survey = BulkDecision::new(
                    &engines,
                    (&principal, Population::these(&engines, &of_type.raw)),
                    (resource, Population::of(&engines, resource)),
                    |action| holdings.permissions.contains(&action.uid),
                    self.context,
                );
                let permissions = &holdings.permissions;
                let seen = survey.each(
                    |seen| (held(book, &survey, permissions, seen), CellMarks::new()),
                    || {},
                );
                for (number, uid) in of_type.iter_enumerated() {
                    let found = &seen.made[survey.class(number)];
                    if let Some(person) = holdings.people.get_mut(uid) {
                        for (permission, of_permission) in found {
                            let holding = person.entry(*permission).or_default();
                            holding.gains += of_permission.gains;
                            holding.keeps |= of_permission.keeps;
                            for (policies, count) in &of_permission.by_others {
                                *holding.by_others.entry(policies.clone()).or_default() += count;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What a class of people has by each permission.
fn held(
    book: &RoleCatalog<'_>,
    survey: &BulkDecision<'_>,
    permissions: &[EntityUid],
    seen: &ClassDecisions<'_>,
) -> BTreeMap<usize, Holding> {
    let mut held: BTreeMap<usize, Holding> = BTreeMap::new();
    for (number, uid) in survey.actions().iter_enumerated() {
        let Some(permission) = permissions.iter().position(|of| of == uid) else {
            continue;
        };
        for (cell, of) in seen.cells().iter_enumerated() {
            let is_allowed = |outcome: &&Outcome| outcome.decision == Decision::Allow;
            let before = seen.outcome(BEFORE, number, cell).filter(is_allowed);
            let Some(after) = seen.outcome(AFTER, number, cell).filter(is_allowed) else {
                continue;
            };
            let others = after.policies.iter();
            let others = others.filter(|id| book.role_of(id).is_none());
            let others: Vec<String> = others.cloned().collect();
            let holding = held.entry(permission).or_default();
            match (before, others.is_empty()) {
                (None, true) => holding.gains += of.count,
                (None, false) => *holding.by_others.entry(others).or_default() += of.count,
                (Some(_), true) => holding.keeps = true,
                (Some(_), false) => {}
            }
        }
    }
    held
}
