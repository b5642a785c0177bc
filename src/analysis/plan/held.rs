//! Gained and kept decisions of each person, with the roles behind them.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;

use super::Planner;
use super::role_catalog::RoleCatalog;
use crate::bulk::decision::{BulkDecision, CellMarks, ClassDecisions};
use crate::bulk::decisions::{BulkDecisions, Selection};
use crate::bulk::index::StateId;
use crate::change::impact::Direction;
use tarbac_host::decision::{Decision, Outcome};

const BEFORE: StateId = StateId::new(0);
const AFTER: StateId = StateId::new(1);

/// A role, and the entity through which a person has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RoleVia {
    pub role: EntityUid,
    /// The direct child of the role, as a role assignment.
    pub through: EntityUid,
}

/// The decisions that a person holds by a permission.
#[derive(Debug, Clone, Default)]
pub(super) struct Holding {
    /// The number of decisions that are gained by roles alone.
    pub gains: u64,
    /// The number of gained decisions that other policies permit too, by these policies.
    pub by_others: BTreeMap<Vec<String>, u64>,
    /// Whether a decision is allowed before as well, and after by roles alone.
    pub keeps: bool,
}

/// The holdings of people who gain a decision, or who have a role by which others gain one.
pub(super) struct Holdings {
    /// The permissions that are gained, in the order of the schema. Others refer to them by index.
    pub permissions: Vec<EntityUid>,
    people: BTreeMap<EntityUid, BTreeMap<usize, Holding>>,
    roles_via: BTreeMap<EntityUid, BTreeSet<RoleVia>>,
    /// The permissions of each role.
    gives: BTreeMap<EntityUid, BTreeSet<usize>>,
}

impl Holding {
    /// Adds decisions about other resources.
    fn add(&mut self, other: &Self) {
        self.gains += other.gains;
        self.keeps |= other.keeps;
        for (policies, count) in &other.by_others {
            *self.by_others.entry(policies.clone()).or_default() += count;
        }
    }
}

impl Holdings {
    /// The people with their holdings by a permission.
    pub(super) fn holders(
        &self,
        permission: usize,
    ) -> impl Iterator<Item = (&EntityUid, &Holding)> {
        let people = self.people.iter();
        people.filter_map(move |(uid, of)| Some((uid, of.get(&permission)?)))
    }

    /// The number of people who have a role in this way.
    pub(super) fn people_with(&self, via: &RoleVia) -> u64 {
        let roles_via = self.roles_via.values();
        roles_via
            .filter(|roles_via| roles_via.contains(via))
            .count() as u64
    }

    /// The roles that give a person a permission, each with the entity through which the person has it.
    pub(super) fn roles_via(&self, person: &EntityUid, permission: usize) -> BTreeSet<&RoleVia> {
        let roles_via = self.roles_via.get(person).into_iter().flatten();
        let gives = |via: &&RoleVia| {
            let gives = self.gives.get(&via.role);
            gives.is_some_and(|gives| gives.contains(&permission))
        };
        roles_via.filter(gives).collect()
    }
}

impl Planner<'_, '_> {
    /// The holdings of people by the permissions that are gained.
    pub(super) fn holdings(&self, catalog: &RoleCatalog<'_>) -> Holdings {
        let mut gaining: BTreeSet<EntityUid> = BTreeSet::new();
        let mut gained: BTreeSet<&EntityUid> = BTreeSet::new();
        let mut roles: BTreeSet<EntityUid> = BTreeSet::new();
        for affected in &self.impact.people {
            let changes = affected.changes.iter();
            for change in changes.filter(|change| change.direction == Direction::Gained) {
                gaining.extend(affected.people.iter().map(|person| person.uid.clone()));
                gained.insert(&change.action);
                let after = change.after.iter();
                let policies = after.flat_map(|outcome| &outcome.policies);
                roles.extend(policies.filter_map(|id| catalog.role_of(id)).cloned());
            }
        }
        let directory = catalog.engine.directory();
        let holders = catalog.holders(&roles);
        let holders = holders.into_iter().map(|row| directory.uid(row));
        let people: Vec<EntityUid> = gaining
            .into_iter()
            .chain(holders)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let permissions = catalog.in_order(|uid| gained.contains(uid));
        let index = |uid: &EntityUid| permissions.iter().position(|of| of == uid);
        let gives = roles.into_iter().map(|role| {
            let gives = catalog
                .permissions(&role)
                .iter()
                .filter_map(index)
                .collect();
            (role, gives)
        });
        let gives: BTreeMap<EntityUid, BTreeSet<usize>> = gives.collect();
        let roles_via = people.iter().map(|uid| {
            let roles = directory.row(uid).map(|row| catalog.roles_of(row));
            let roles_via = roles.into_iter().flatten();
            let roles_via = roles_via.filter(|via| gives.contains_key(&via.role));
            (uid.clone(), roles_via.collect())
        });
        let roles_via = roles_via.collect();
        let mut holdings = Holdings {
            people: people
                .iter()
                .map(|uid| (uid.clone(), BTreeMap::new()))
                .collect(),
            roles_via,
            gives,
            permissions,
        };
        self.hold(catalog, &people, &mut holdings);
        holdings
    }

    /// Adds the decisions that people hold by the permissions of `holdings`.
    fn hold(&self, catalog: &RoleCatalog<'_>, people: &[EntityUid], holdings: &mut Holdings) {
        let permissions = holdings.permissions.clone();
        let selection = Selection {
            people: Some(people),
            resources: None,
        };
        let bulk_decisions = BulkDecisions::new(
            &[self.states.before, self.states.after],
            selection,
            |action| permissions.contains(&action.uid),
            self.context,
        );
        for bulk in bulk_decisions.all() {
            let visited = bulk.visit_classes(
                |decisions| {
                    let held = held(catalog, bulk, &permissions, decisions);
                    (held, CellMarks::new())
                },
                || {},
            );
            for (uid, person) in &mut holdings.people {
                let Some(class) = bulk.class_of(uid) else {
                    continue;
                };
                for (permission, found) in &visited.results[class] {
                    person.entry(*permission).or_default().add(found);
                }
            }
        }
    }
}

/// The holdings of a class of people by each permission.
fn held(
    catalog: &RoleCatalog<'_>,
    bulk: &BulkDecision<'_>,
    permissions: &[EntityUid],
    decisions: &ClassDecisions<'_>,
) -> BTreeMap<usize, Holding> {
    let mut held: BTreeMap<usize, Holding> = BTreeMap::new();
    for (action, uid) in bulk.actions().iter_enumerated() {
        let Some(permission) = permissions.iter().position(|of| of == uid) else {
            continue;
        };
        for (cell, of) in decisions.cells().iter_enumerated() {
            let is_allowed = |outcome: &&Outcome| outcome.decision == Decision::Allow;
            let before = decisions.outcome(BEFORE, action, cell).filter(is_allowed);
            let Some(after) = decisions.outcome(AFTER, action, cell).filter(is_allowed) else {
                continue;
            };
            let others = after.policies.iter();
            let others = others.filter(|id| catalog.role_of(id).is_none());
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
