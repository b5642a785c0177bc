//! Permissions that people lack, and the losses that each would mend.
//!
//! Decisions about people with losses are made in further states: with a new role without permissions, with the same
//! role and every permission, and with every permission added to the custom roles that they have. A loss that the
//! first mends needs a role and no permission; one that only the second mends needs the permission. A permission that
//! is added to a custom role needs no new assignment.
//!
//! A decision about an action depends on the permissions of a role only by whether the action is among them. These
//! states therefore tell the effect of every choice of permissions.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;

use super::Planner;
use super::draft::{Draft, can_have};
use super::role_catalog::RoleCatalog;
use crate::bulk::decision::{BulkDecision, CellMarks, ClassDecisions};
use crate::bulk::decisions::{BulkDecisions, Selection};
use crate::bulk::index::{ResourceId, StateId};
use crate::change::impact::Direction;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::Source;
use tarbac_host::bundle::Action;
use tarbac_host::decision::{Decision, Outcome};
use tarbac_host::engine::Engine;
use tarbac_store::index::Id;

const BEFORE: StateId = StateId::new(0);
const AFTER: StateId = StateId::new(1);
/// People with losses have a role without permissions.
const WITH_ROLE: StateId = StateId::new(2);
/// That role gives every permission.
const WITH_ALL: StateId = StateId::new(3);
/// Custom roles give every permission.
const EXTENDED: StateId = StateId::new(4);

/// The permissions that people need, and those that they may be given.
pub(super) struct Needs {
    /// The permissions, in the order of the schema. Others refer to them by index.
    pub permissions: Vec<EntityUid>,
    /// The needs of people with losses, and of those with a role that could be extended.
    pub people: BTreeMap<EntityUid, Person>,
}

/// The permissions that a person needs, and those that would let the person do more than before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Person {
    /// The permissions that mend a loss.
    pub need: BTreeSet<usize>,
    /// Whether a role without permissions mends a loss.
    pub needs_role: bool,
    /// The permissions that mend no loss when added to a role that the person has.
    pub not_helped: BTreeSet<usize>,
    /// The permissions that let the person do more than before when a new role gives them.
    pub harms: BTreeSet<usize>,
    /// The permissions that let the person do more than before when a role of the person gives them.
    pub harms_extended: BTreeSet<usize>,
    /// By permission, the number of decisions that no role mends.
    pub lost: BTreeMap<usize, u64>,
    /// By permission, or `None` for the role without permissions, a loss that it mends: a permission and a resource.
    pub mended: BTreeMap<Option<usize>, (usize, EntityUid)>,
}

impl Person {
    fn add(&mut self, other: &Self) {
        self.need.extend(&other.need);
        self.needs_role |= other.needs_role;
        self.not_helped.extend(&other.not_helped);
        self.harms.extend(&other.harms);
        self.harms_extended.extend(&other.harms_extended);
        for (permission, count) in &other.lost {
            *self.lost.entry(*permission).or_default() += count;
        }
        for (need, loss) in &other.mended {
            let mended = self.mended.entry(*need);
            mended.or_insert_with(|| loss.clone());
        }
    }

    /// The permissions that a new role may give the person.
    pub(super) fn may(&self, permissions: usize) -> BTreeSet<usize> {
        self.unless(permissions, &self.harms)
    }

    /// The permissions that may be added to a role that the person has.
    pub(super) fn may_extended(&self, permissions: usize) -> BTreeSet<usize> {
        self.unless(permissions, &self.harms_extended)
    }

    fn unless(&self, permissions: usize, harms: &BTreeSet<usize>) -> BTreeSet<usize> {
        let is_harmless = |permission: &usize| !harms.contains(permission);
        let harmless = (0..permissions).filter(is_harmless);
        harmless.chain(self.need.iter().copied()).collect()
    }
}

impl Planner<'_, '_> {
    /// The needs of people with losses; `custom` has the roles that could be extended.
    pub(super) fn needs(
        &self,
        catalog: &RoleCatalog<'_>,
        losing: &[EntityUid],
        custom: &BTreeSet<EntityUid>,
    ) -> Result<Needs, Vec<Finding>> {
        let after = self.states.after;
        let mut draft = Draft::default();
        let role = draft.fresh(after, &catalog.role_type, "a role that gives everything");
        let can_have = |person: &&EntityUid| can_have(after, person, &role);
        draft.make(&role);
        for person in losing.iter().filter(can_have) {
            draft.join(person, &role);
        }
        let with_role = draft.applied(after)?;
        let with_every_permission = |roles: &mut dyn Iterator<Item = &EntityUid>| {
            let permits = roles.enumerate().map(|(index, role)| {
                format!(
                    "@id(\"{}\")\npermit (principal in {role}, action, resource);\n",
                    free_id(after, index)
                )
            });
            let mut draft = Draft::default();
            let text = permits.collect::<String>();
            draft.files.push(Source::held("the plan", text));
            draft
        };
        let with_all = with_every_permission(&mut std::iter::once(&role)).applied(&with_role)?;
        let extended = match custom.is_empty() {
            true => None,
            false => Some(with_every_permission(&mut custom.iter()).applied(after)?),
        };
        let extended = extended.as_ref().unwrap_or(after);
        let engines = [self.states.before, after, &with_role, &with_all, extended];
        let holders = catalog.holders(custom);
        let holders = holders.iter().map(|row| after.directory().uid(*row));
        let people: BTreeSet<EntityUid> = losing.iter().cloned().chain(holders).collect();
        Ok(self.needs_in(&engines, &people.into_iter().collect::<Vec<_>>()))
    }

    /// The needs of people by the decisions in these states.
    fn needs_in(&self, engines: &[&Engine], people: &[EntityUid]) -> Needs {
        let permissions = self.permissions();
        let selection = Selection {
            people: Some(people),
            resources: None,
        };
        let is_asked = |action: &Action| permissions.contains(&action.uid);
        let bulk_decisions = BulkDecisions::new(engines, selection, is_asked, self.context);
        let people = people.iter().map(|uid| (uid.clone(), Person::default()));
        let mut people: BTreeMap<EntityUid, Person> = people.collect();
        for bulk in bulk_decisions.all() {
            let examiner = Examiner {
                bulk,
                engines,
                permissions: &permissions,
            };
            let visited = bulk.visit_classes(
                |decisions| (examiner.examine(decisions), CellMarks::new()),
                || {},
            );
            for (uid, person) in &mut people {
                if let Some(class) = bulk.class_of(uid) {
                    person.add(&visited.results[class]);
                }
            }
        }
        Needs {
            permissions,
            people,
        }
    }

    /// The lost permissions, and the pages that carry them.
    fn permissions(&self) -> Vec<EntityUid> {
        let changes = self.impact.people.iter().flat_map(|of| &of.changes);
        let lost = changes.filter(|change| change.direction == Direction::Lost);
        let lost: BTreeSet<&EntityUid> = lost.map(|change| &change.action).collect();
        let vocabulary = self.states.after.bundle().vocabulary();
        let actions = lost.iter().filter_map(|uid| vocabulary.action(uid));
        let pages: BTreeSet<&str> = actions.filter_map(Action::page).collect();
        let matters = |action: &&Action| lost.contains(&action.uid) || pages.contains(action.id());
        let all = self.states.permissions().into_iter();
        all.filter(matters)
            .map(|action| action.uid.clone())
            .collect()
    }
}

/// An id that no policy has.
fn free_id(engine: &Engine, index: usize) -> String {
    let mut again = 0_u64;
    loop {
        let id = format!("plan.{again}.{index}");
        if engine.bundle().policy(&id).is_none() {
            return id;
        }
        again += 1;
    }
}

/// Examines classes of people in all states.
struct Examiner<'s, 'e> {
    bulk: &'s BulkDecision<'e>,
    engines: &'s [&'s Engine],
    permissions: &'s [EntityUid],
}

impl Examiner<'_, '_> {
    fn examine(&self, decisions: &ClassDecisions<'_>) -> Person {
        let mut person = Person::default();
        for (action, uid) in self.bulk.actions().iter_enumerated() {
            let Some(permission) = self.permissions.iter().position(|of| of == uid) else {
                continue;
            };
            for (cell, of) in decisions.cells().iter_enumerated() {
                let [before, after, with_role, with_all, extended] =
                    [BEFORE, AFTER, WITH_ROLE, WITH_ALL, EXTENDED]
                        .map(|state| is_allowed(decisions.outcome(state, action, cell)));
                if before && !after {
                    let need = match (with_role, with_all) {
                        (true, _) => None,
                        (false, true) => Some(permission),
                        (false, false) => {
                            *person.lost.entry(permission).or_default() += of.count;
                            continue;
                        }
                    };
                    match need {
                        None => person.needs_role = true,
                        Some(permission) => {
                            person.need.insert(permission);
                            if !extended {
                                person.not_helped.insert(permission);
                            }
                        }
                    }
                    if let Some(resource) = self.resource(of.first) {
                        person.mended.entry(need).or_insert((permission, resource));
                    }
                    continue;
                }
                if with_all && !with_role {
                    person.harms.insert(permission);
                }
                if extended && !after {
                    person.harms_extended.insert(permission);
                }
            }
        }
        person
    }

    fn resource(&self, resource: ResourceId) -> Option<EntityUid> {
        let row = self.bulk.resource(AFTER, resource)?;
        let engine = self.engines.get(AFTER.index())?;
        Some(engine.directory().uid(row))
    }
}

fn is_allowed(outcome: Option<&Outcome>) -> bool {
    outcome.is_some_and(|outcome| outcome.decision == Decision::Allow)
}
