//! Decisions that differ between two states of a tenant, for all people.
//!
//! Both states are decided together (see [`bulk`](crate::bulk)): every decision about every person and
//! resource, before and after. An entity is identified by its uid; in a state without it, nothing is allowed.

mod compare;
mod result;
mod totals;

use cedar_policy::{Context, EntityUid};
use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};

use crate::bulk::decisions::{BulkDecisions, Selection, kinds};
use crate::bulk::index::StateId;
use crate::bulk::summary::{SharedMembers, Summary, fill_members};
use compare::{ClassComparer, ClassImpact};
use tarbac_host::bundle::Action;
use tarbac_host::decision::Decision;
use tarbac_host::engine::Engine;
use totals::Differences;

pub use result::{
    Affected, ChangedDecision, Concern, Concerned, Direction, Impact, ImpactTotals, Unreachable,
};

/// The question whether a change deserves a look first.
const CONCERN: &str = "concern";

const BEFORE: StateId = StateId::new(0);
const AFTER: StateId = StateId::new(1);

/// Two states of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct States<'e> {
    /// The state before.
    pub before: &'e Engine,
    /// The state after.
    pub after: &'e Engine,
}

/// The scope of a comparison; an empty list stands for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The people.
    pub principals: Vec<EntityUid>,
    /// The actions.
    pub actions: Vec<EntityUid>,
    /// The resources.
    pub resources: Vec<EntityUid>,
}

/// Two states of a tenant, ready to be compared.
pub struct Comparison<'e> {
    states: States<'e>,
    /// The actions that are compared.
    actions: Vec<EntityUid>,
    bulk_decisions: BulkDecisions<'e>,
}

impl<'e> States<'e> {
    /// Prepares to compare the states. `context` gives the context of requests.
    pub fn compare(self, context: impl Fn(&Engine, &Action) -> Context) -> Comparison<'e> {
        self.compare_about(&About::default(), context)
    }

    /// Prepares to compare the states for some people, actions and resources.
    pub fn compare_about(
        self,
        about: &About,
        context: impl Fn(&Engine, &Action) -> Context,
    ) -> Comparison<'e> {
        let engines = [self.before, self.after];
        let actions: Vec<&Action> = self.permissions();
        let actions = actions
            .into_iter()
            .filter(|action| about.actions.is_empty() || about.actions.contains(&action.uid));
        let actions: Vec<&Action> = actions.collect();
        // Whether an action can be reached depends on the page that carries it.
        let is_asked = |action: &Action| match action.is_question() {
            true => action.id() == CONCERN,
            false => actions
                .iter()
                .any(|asked| asked.uid == action.uid || asked.page() == Some(action.id())),
        };
        let selection = Selection {
            people: selected(&about.principals),
            resources: selected(&about.resources),
        };
        let bulk_decisions = BulkDecisions::new(&engines, selection, is_asked, &context);
        Comparison {
            states: self,
            actions: actions.iter().map(|action| action.uid.clone()).collect(),
            bulk_decisions,
        }
    }

    /// An action of the later schema, or of the earlier if only that has it.
    fn action(self, uid: &EntityUid) -> Option<&'e Action> {
        let after = self.after.bundle().vocabulary().action(uid);
        after.or_else(|| self.before.bundle().vocabulary().action(uid))
    }

    /// The permissions of both states, in the order of the later schema.
    pub(crate) fn permissions(self) -> Vec<&'e Action> {
        let [before, after] = [self.before, self.after].map(|state| state.bundle().vocabulary());
        let gone = before
            .permissions()
            .filter(|action| after.action(&action.uid).is_none());
        after.permissions().chain(gone).collect()
    }

    /// The engine of the state that is examined for a change.
    fn engine(self, direction: Direction) -> &'e Engine {
        match direction.examined_state() {
            BEFORE => self.before,
            _ => self.after,
        }
    }
}

impl Comparison<'_> {
    /// The number of classes of people.
    pub fn classes(&self) -> usize {
        self.bulk_decisions.classes()
    }

    /// Compares all decisions. `done` is called after each class of people.
    pub fn impact(&self, done: impl Fn() + Sync) -> Impact {
        let mut differences = Differences::default();
        for (principal_type, of_type) in self.bulk_decisions.by_principal_type().iter_enumerated() {
            let mut by_class = Vec::new();
            for (id, bulk) in of_type.iter_enumerated() {
                let comparer =
                    ClassComparer::new(self.states, bulk, (principal_type, id)).only(&self.actions);
                let visited = bulk.visit_classes(|decisions| comparer.compare(decisions), &done);
                let changed = visited.marks.iter().filter(|is_changed| **is_changed);
                differences.totals.resources += changed.count() as u64;
                by_class.push(visited.results);
            }
            for members in kinds(of_type, |_, _| {}).members() {
                let (Some(first), Some(people)) = (members.first(), of_type.first()) else {
                    continue;
                };
                let mut impact = ClassImpact::default();
                for (bulk, by_class) in of_type.iter().zip(&by_class) {
                    impact.add(&by_class[bulk.class(*first)]);
                }
                differences.totals.add(&impact, members.len() as u64);
                if impact.changes.is_empty() {
                    continue;
                }
                let summary = Summary::new(&[self.states.before, self.states.after], people);
                let named = members.iter().filter_map(|person| summary.person(*person));
                differences.add(impact, named.collect());
            }
        }
        differences.into_impact(self.states)
    }

    /// The decisions before and after about a person, for each of some actions and resources; `None` if one cannot
    /// be asked for.
    pub fn decisions(
        &self,
        person: &EntityUid,
        asked: &[(EntityUid, EntityUid)],
    ) -> Vec<[Option<Decision>; 2]> {
        let mut decisions = vec![[None; 2]; asked.len()];
        for bulk in self.bulk_decisions.all() {
            let Some(class) = bulk.class_of(person) else {
                continue;
            };
            let resources = bulk.indices_of(asked.iter().map(|(_, resource)| resource));
            bulk.visit_class(class, |in_class| {
                let requests = asked.iter().zip(resources).zip(&mut decisions);
                for (((action, _), resource), decided) in requests {
                    let action = bulk.actions().position(|known| known == action);
                    let (Some(action), Some(resource)) = (action, resource) else {
                        continue;
                    };
                    let cell = in_class.cell(resource);
                    for (state, decided) in [BEFORE, AFTER].into_iter().zip(decided) {
                        let outcome = in_class.outcome(state, action, cell);
                        *decided = outcome.map(|outcome| outcome.decision);
                    }
                }
            });
        }
        decisions
    }

    /// Fills in the resources of changes of this comparison: `named` by name, and the groups of all. `done` is called
    /// after each of the people.
    pub fn detail(&self, affected: &mut [Affected], named: usize, done: impl Fn() + Sync) {
        let engines = [self.states.before, self.states.after];
        let shared = SharedMembers::default();
        affected.par_iter_mut().for_each(|affected| {
            let changes = &mut affected.changes;
            fill_members(&engines, &self.bulk_decisions, changes, named, &shared);
            done();
        });
    }
}

/// The entities of a scope; `None` for all.
fn selected(uids: &[EntityUid]) -> Option<&[EntityUid]> {
    (!uids.is_empty()).then_some(uids)
}
