//! Permissions that people lack, and the losses that each would mend.
//!
//! Whoever loses something is thought to have a new role: one that gives nothing, and one that gives every
//! permission. What a new role can mend is what the second mends; what the first mends needs no permission,
//! only a role as such. And every custom role that they have is thought to give every permission, since a
//! permission that is added to it comes without a new assignment.
//!
//! A decision about an action sees of a role's permissions only whether this action is among them, so that
//! these few states tell what comes of every choice of permissions.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;

use super::Planner;
use super::draft::{Draft, can_have};
use super::role_catalog::RoleCatalog;
use crate::bulk::index::{PersonId, ResourceId, StateId};
use crate::bulk::summary::asking;
use crate::bulk::survey::{BulkDecision, CellMarks, ClassDecisions, Population};
use crate::change::impact::Direction;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::Source;
use tarbac_host::bundle::Action;
use tarbac_host::decision::{Decision, Outcome};
use tarbac_host::engine::Engine;
use tarbac_store::index::{Id, IndexVec};

const BEFORE: StateId = StateId::new(0);
const AFTER: StateId = StateId::new(1);
/// Whoever loses something has a role that gives nothing.
const WITH_ROLE: StateId = StateId::new(2);
/// The same role gives everything.
const WITH_ALL: StateId = StateId::new(3);
/// Custom roles give everything to whoever has them.
const EXTENDED: StateId = StateId::new(4);

/// What people need, and what they may be given.
pub(super) struct Needs {
    /// The permissions, in the order of the schema; they are numbered.
    pub permissions: Vec<EntityUid>,
    /// By person; whoever loses something, and whoever has a role that could be extended.
    pub people: BTreeMap<EntityUid, Person>,
}

/// What somebody needs, and what could be given without letting the person do more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Person {
    /// The permissions that mend a loss.
    pub need: BTreeSet<usize>,
    /// Whether a role as such mends a loss.
    pub needs_role: bool,
    /// The permissions that do not mend a loss where they are added to a role that the person has.
    pub not_helped: BTreeSet<usize>,
    /// The permissions that let the person do more than before, from a new role.
    pub harms: BTreeSet<usize>,
    /// The same, from roles that the person has.
    pub harms_extended: BTreeSet<usize>,
    /// For each permission how many decisions are lost whatever roles give.
    pub lost: BTreeMap<usize, u64>,
    /// For each permission, and for the role as such, a loss that it mends: a permission and a resource.
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
    pub fn may(&self, permissions: usize) -> BTreeSet<usize> {
        self.unless(permissions, &self.harms)
    }

    /// The permissions that may be added to a role that the person has.
    pub fn may_extended(&self, permissions: usize) -> BTreeSet<usize> {
        self.unless(permissions, &self.harms_extended)
    }

    fn unless(&self, permissions: usize, harms: &BTreeSet<usize>) -> BTreeSet<usize> {
        let is_harmless = |permission: &usize| !harms.contains(permission);
        let harmless = (0..permissions).filter(is_harmless);
        harmless.chain(self.need.iter().copied()).collect()
    }
}

impl Planner<'_, '_> {
    /// Finds out what people need who lose something; `custom` has the roles that could be extended.
    pub(super) fn needs(
        &self,
        book: &RoleCatalog<'_>,
        losing: &[EntityUid],
        custom: &BTreeSet<EntityUid>,
    ) -> Result<Needs, Vec<Finding>> {
        let after = self.states.after;
        let mut draft = Draft::default();
        let role = draft.fresh(after, &book.role_type, "a role that gives everything");
        let can_have = |person: &&EntityUid| can_have(after, person, &role);
        draft.make(&role);
        for person in losing.iter().filter(can_have) {
            draft.join(person, &role);
        }
        let with_role = draft.applied(after)?;
        let everything = |roles: &mut dyn Iterator<Item = &EntityUid>| {
            let permits = roles.enumerate().map(|(number, role)| {
                format!(
                    "@id(\"{}\")\npermit (principal in {role}, action, resource);\n",
                    free_id(after, number)
                )
            });
            let mut draft = Draft::default();
            let text = permits.collect::<String>();
            draft.files.push(Source::held("the plan", text));
            draft
        };
        let with_all = everything(&mut std::iter::once(&role)).applied(&with_role)?;
        let extended = match custom.is_empty() {
            true => None,
            false => Some(everything(&mut custom.iter()).applied(after)?),
        };
        let extended = extended.as_ref().unwrap_or(after);
        let engines = [self.states.before, after, &with_role, &with_all, extended];
        let holders = book.holders(custom);
        let holders = holders.iter().map(|row| after.directory().uid(*row));
        let people: BTreeSet<EntityUid> = losing.iter().cloned().chain(holders).collect();
        Ok(self.look(&engines, &people.into_iter().collect::<Vec<_>>()))
    }

    fn look(&self, engines: &[&Engine], people: &[EntityUid]) -> Needs {
        let permissions = self.permissions();
        let mut needs = Needs {
            people: people
                .iter()
                .map(|uid| (uid.clone(), Person::default()))
                .collect(),
            permissions,
        };
        for (principal, resources) in asking(&[self.states.before, self.states.after]) {
            let of_type = people.iter().filter(|uid| *uid.type_name() == principal);
            let of_type: IndexVec<PersonId, EntityUid> = of_type.cloned().collect();
            for resource in &resources {
                let survey = BulkDecision::new(
                    engines,
                    (&principal, Population::these(engines, &of_type.raw)),
                    (resource, Population::of(engines, resource)),
                    |action| needs.permissions.contains(&action.uid),
                    self.context,
                );
                let looking = Looking {
                    survey: &survey,
                    engines,
                    permissions: &needs.permissions,
                };
                let seen = survey.each(|seen| (looking.at(seen), CellMarks::new()), || {});
                for (number, uid) in of_type.iter_enumerated() {
                    if let Some(person) = needs.people.get_mut(uid) {
                        person.add(&seen.made[survey.class(number)]);
                    }
                }
            }
        }
        needs
    }

    /// The permissions that somebody loses, and those whose pages carry them.
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

/// The id of a policy that is not there yet.
fn free_id(engine: &Engine, number: usize) -> String {
    let numbered = (0..).map(|again| format!("plan.{again}.{number}"));
    let mut free = numbered.filter(|id| engine.bundle().policy(id).is_none());
    free.next().unwrap_or_default()
}

/// Looks at classes of people in all of the states.
struct Looking<'s, 'e> {
    survey: &'s BulkDecision<'e>,
    engines: &'s [&'s Engine],
    permissions: &'s [EntityUid],
}

impl Looking<'_, '_> {
    fn at(&self, seen: &ClassDecisions<'_>) -> Person {
        let mut person = Person::default();
        for (number, uid) in self.survey.actions().iter_enumerated() {
            let Some(permission) = self.permissions.iter().position(|of| of == uid) else {
                continue;
            };
            for (cell, of) in seen.cells().iter_enumerated() {
                let [before, after, with_role, with_all, extended] =
                    [BEFORE, AFTER, WITH_ROLE, WITH_ALL, EXTENDED]
                        .map(|state| is_allowed(seen.outcome(state, number, cell)));
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

    fn resource(&self, number: ResourceId) -> Option<EntityUid> {
        let row = self.survey.resource(AFTER, number)?;
        let engine = self.engines.get(AFTER.index())?;
        Some(engine.directory().uid(row))
    }
}

fn is_allowed(outcome: Option<&Outcome>) -> bool {
    outcome.is_some_and(|outcome| outcome.decision == Decision::Allow)
}
