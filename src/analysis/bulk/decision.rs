//! Bulk decisions about all people of one type and all resources of another.
//!
//! No policy tells the people of a class apart, nor the resources of a class (see [`class`](crate::bulk::class)):
//! Cedar decides about one of each, and the answer holds for all. Where policies ask whether a resource is in a set of
//! the person, as in a collection of Configuration Manager, the sets split the resources for that person alone.

mod bits;
mod class_decisions;
mod groups;
mod membership;
mod population;
mod split;

use std::sync::{Arc, OnceLock};

use cedar_policy::{Context, EntityTypeName, EntityUid};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::bulk::class::{Partition, Projection};
use crate::bulk::index::{
    ActionId, CellId, ClassId, PersonId, ResourceClassId, ResourceId, StateId,
};
use groups::{Groups, StateResources};
use membership::{Batch, Member, Membership, OwnedSet};
use population::{People, Resources};
use split::{AtomMarks, Atoms, CellSplit, shared_sets};
use tarbac_host::bundle::Action;
use tarbac_host::decision::{Outcome, Request};
use tarbac_host::engine::Engine;
use tarbac_store::Row;
use tarbac_store::index::{Id, IndexVec};

pub(crate) use class_decisions::{CellKey, CellMarks, ClassDecisions};
pub(crate) use population::Population;

/// The decisions about people of a type and resources of another, in one or more states of a tenant. Actions, people
/// and resources have the same indices in every state.
pub(crate) struct BulkDecision<'e> {
    types: (EntityTypeName, EntityTypeName),
    states: IndexVec<StateId, State<'e>>,
    actions: IndexVec<ActionId, EntityUid>,
    people: People,
    resources: Resources,
    /// By state; computed once a person has sets of resources.
    groups: OnceLock<IndexVec<StateId, Groups>>,
}

/// The results of a visit of every class of people.
pub(crate) struct Visited<T> {
    /// For each class, its result.
    pub(crate) results: IndexVec<ClassId, T>,
    /// For each resource, whether any class has marked its cell.
    pub(crate) marks: IndexVec<ResourceId, bool>,
}

/// A state of the tenant.
struct State<'e> {
    engine: &'e Engine,
    projection: Projection,
    /// The context of requests; `None` for an action that the state does not ask about.
    contexts: IndexVec<ActionId, Option<Context>>,
    /// The classes of the resources.
    resources: Arc<Partition<ResourceId, ResourceClassId>>,
    /// For each action, the first of the classes that its policies do not tell apart; `None` for an action that the
    /// state does not ask about. A policy about one action thus adds no decisions about others.
    like: IndexVec<ActionId, Option<IndexVec<ResourceClassId, ResourceClassId>>>,
}

impl<'e> BulkDecision<'e> {
    /// Prepares decisions about people and resources, of one type each, and about the actions that are asked about:
    /// permissions or questions.
    pub(crate) fn new(
        engines: &[&'e Engine],
        (principal, mut people): (&EntityTypeName, People),
        (resource, mut resources): (&EntityTypeName, Resources),
        is_asked: impl Fn(&Action) -> bool,
        context: impl Fn(&Engine, &Action) -> Context,
    ) -> Self {
        let is_asked =
            |action: &&Action| is_asked(action) && action.applies_to(principal, resource);
        let mut actions: IndexVec<ActionId, EntityUid> = IndexVec::new();
        for engine in engines {
            for action in engine.bundle().vocabulary().actions().filter(is_asked) {
                if !actions.raw.contains(&action.uid) {
                    actions.push(action.uid.clone());
                }
            }
        }
        let mut people_classes = IndexVec::new();
        let mut states: IndexVec<StateId, State<'_>> = IndexVec::new();
        for engine in engines {
            let state = states.next();
            let asked: IndexVec<ActionId, Option<&Action>> = actions
                .iter()
                .map(|uid| {
                    let action = engine.bundle().vocabulary().action(uid);
                    action.filter(is_asked)
                })
                .collect();
            let projection = Projection::new(engine, &asked).by_attributes_of(engine, resource);
            people_classes.push(Arc::new(projection.principals(engine, &people.rows[state])));
            let contexts = asked.iter();
            let contexts = contexts.map(|action| action.map(|action| context(engine, action)));
            let rows = &resources.rows[state];
            let classes = projection.resources(engine, rows);
            let like = asked.iter().map(|action| {
                action.map(|action| projection.resources_of_action(engine, action, rows, &classes))
            });
            states.push(State {
                engine,
                contexts: contexts.collect(),
                like: like.collect(),
                resources: Arc::new(classes),
                projection,
            });
        }
        people.classify(&people_classes);
        let resource_classes = states.iter().map(|state| Arc::clone(&state.resources));
        resources.classify(&resource_classes.collect());
        Self {
            types: (principal.clone(), resource.clone()),
            states,
            actions,
            people,
            resources,
            groups: OnceLock::new(),
        }
    }

    /// The resources of each state.
    fn resources_by_state(&self) -> IndexVec<StateId, StateResources<'_>> {
        let states = self.states.iter().zip(&self.resources.rows);
        let resources = states.map(|(state, rows)| StateResources {
            directory: state.engine.directory(),
            rows,
        });
        resources.collect()
    }

    /// The groups of the resources of each state.
    fn groups(&self) -> &IndexVec<StateId, Groups> {
        self.groups
            .get_or_init(|| Groups::by_state(&self.resources_by_state()))
    }

    /// The types of the people and of the resources.
    pub(crate) fn types(&self) -> (&EntityTypeName, &EntityTypeName) {
        (&self.types.0, &self.types.1)
    }

    /// The actions.
    pub(crate) fn actions(&self) -> &IndexVec<ActionId, EntityUid> {
        &self.actions
    }

    /// The number of classes of people.
    pub(crate) fn classes(&self) -> usize {
        self.people.classes.len()
    }

    /// The number of people.
    pub(crate) fn people(&self) -> usize {
        self.people.len()
    }

    /// The class of a person.
    pub(crate) fn class(&self, person: PersonId) -> ClassId {
        self.people.classes.class(person)
    }

    /// The attributes whose entities tell resources apart in a state.
    pub(crate) fn distinguishing_attributes(&self, state: StateId) -> &[String] {
        self.states[state].projection.distinguishing_attributes()
    }

    /// The class of a person; `None` for an entity that is not among the people.
    pub(crate) fn class_of(&self, person: &EntityUid) -> Option<ClassId> {
        let index = self.people.index(&self.engines(), person)?;
        Some(self.class(index))
    }

    /// The indices of resources; `None` for an entity that is not among the resources.
    pub(crate) fn indices_of<'u>(
        &self,
        resources: impl Iterator<Item = &'u EntityUid>,
    ) -> Vec<Option<ResourceId>> {
        let engines = self.engines();
        resources
            .map(|uid| self.resources.index(&engines, uid))
            .collect()
    }

    fn engines(&self) -> Vec<&Engine> {
        self.states.iter().map(|state| state.engine).collect()
    }

    /// The first person of a class.
    fn first(&self, class: ClassId) -> PersonId {
        self.people.classes.first(class)
    }

    /// The row, in a state, of the first person of a class.
    pub(crate) fn first_person(&self, state: StateId, class: ClassId) -> Option<Row> {
        self.person(state, self.first(class))
    }

    /// The row of a person in a state.
    pub(crate) fn person(&self, state: StateId, person: PersonId) -> Option<Row> {
        self.people.row(state, person)
    }

    /// The row of a resource in a state.
    pub(crate) fn resource(&self, state: StateId, resource: ResourceId) -> Option<Row> {
        self.resources.row(state, resource)
    }

    /// The resources.
    pub(crate) fn resources(&self) -> impl ExactSizeIterator<Item = ResourceId> + Clone + use<> {
        (0..self.resources.len()).map(ResourceId::from_usize)
    }

    /// Visits every class of people. A visit returns a result and marks cells; `done` is called after each.
    pub(crate) fn visit_classes<T: Send>(
        &self,
        visit: impl Fn(&ClassDecisions<'_>) -> (T, CellMarks) + Sync,
        done: impl Fn() + Sync,
    ) -> Visited<T> {
        let firsts: Vec<PersonId> = self.people.classes.firsts().collect();
        let sets = firsts.par_iter().map(|first| self.sets(*first));
        let sets: IndexVec<ClassId, Vec<OwnedSet>> = sets.collect::<Vec<_>>().into();
        let has_sets = |class: &ClassId| !sets[*class].is_empty();
        let (with, without): (Vec<ClassId>, Vec<ClassId>) = sets.indices().partition(has_sets);
        let mut results: Vec<(ClassId, T)> = Vec::new();
        let mut marks = IndexVec::filled(false, self.resources.len());
        let mut visit_members = |members: &[Member<'_>], atoms: &Atoms<'_>| {
            let visited = members.par_iter().map(|member| {
                let split = CellSplit::new(atoms, member);
                let (result, cell_marks) = visit(&self.decisions(member.class, &split));
                done();
                (member.class, result, split.marked(&cell_marks))
            });
            let visited: Vec<(ClassId, T, AtomMarks)> = visited.collect();
            let mut any = atoms.unmarked();
            results.extend(visited.into_iter().map(|(class, result, marked)| {
                any.join(&marked);
                (class, result)
            }));
            atoms.mark(&any, &mut marks);
        };
        let classes = &self.resources.classes;
        let without: Vec<Member<'_>> = without.into_iter().map(Member::without_sets).collect();
        visit_members(&without, &Atoms::whole(classes));
        let with = with.iter();
        let with = with.map(|class| (*class, sets[*class].as_slice()));
        for batch in Batch::all(with) {
            let membership = self.membership(&batch);
            for members in batch.shares(shared_sets(classes.len())) {
                visit_members(members, &Atoms::of_members(members, &membership, classes));
            }
        }
        results.sort_by_key(|(class, _)| *class);
        Visited {
            results: results.into_iter().map(|(_, result)| result).collect(),
            marks,
        }
    }

    /// Whether a class of people has sets that resources may be in; the classes without have the same cells.
    pub(crate) fn has_sets(&self, class: ClassId) -> bool {
        !self.sets(self.first(class)).is_empty()
    }

    /// Visits one class of people.
    pub(crate) fn visit_class<T>(
        &self,
        class: ClassId,
        visit: impl FnOnce(&ClassDecisions<'_>) -> T,
    ) -> T {
        let classes = &self.resources.classes;
        let sets = self.sets(self.first(class));
        let batches = Batch::all(std::iter::once((class, sets.as_slice())));
        let batch = batches.first().filter(|_| !sets.is_empty());
        let Some((batch, member)) = batch.and_then(|batch| Some((batch, batch.members.first()?)))
        else {
            let member = Member::without_sets(class);
            let atoms = Atoms::whole(classes);
            let split = CellSplit::new(&atoms, &member);
            return visit(&self.decisions(class, &split));
        };
        let membership = self.membership(batch);
        let atoms = Atoms::of_members(&batch.members, &membership, classes);
        let split = CellSplit::new(&atoms, member);
        visit(&self.decisions(class, &split))
    }

    /// The sets of a person that resources may be in, of all states, each once.
    fn sets(&self, person: PersonId) -> Vec<OwnedSet> {
        let mut sets: Vec<OwnedSet> = Vec::new();
        for (id, state) in self.states.iter_enumerated() {
            let Some(row) = self.people.row(id, person) else {
                continue;
            };
            for owned in state.projection.owned_sets(state.engine, row) {
                let groups = &self.groups()[id];
                let base = &self.states[groups.base];
                let (here, base) = (state.engine.directory(), base.engine.directory());
                let rows = owned.rows.iter();
                let rows = rows.filter_map(|row| groups.in_base(*row, here, base));
                let actions = owned.actions.iter();
                let set = OwnedSet {
                    state: groups.base,
                    rows: rows.collect(),
                    is_itself: owned.is_itself,
                    asked: actions.map(|action| (id, *action)).collect(),
                };
                let is_same = |known: &&mut OwnedSet| {
                    (known.state, known.is_itself) == (set.state, set.is_itself)
                        && known.rows == set.rows
                };
                match sets.iter_mut().find(is_same) {
                    Some(known) => known.asked.extend(set.asked),
                    // No resource is in an empty set.
                    None if set.rows.is_empty() => {}
                    None => sets.push(set),
                }
            }
        }
        sets
    }

    fn membership(&self, batch: &Batch<'_>) -> Membership {
        Membership::new(batch, &self.resources_by_state(), self.groups())
    }

    fn decisions<'s>(&self, class: ClassId, split: &'s CellSplit<'s>) -> ClassDecisions<'s> {
        let person = self.first(class);
        ClassDecisions::new(
            class,
            split,
            (self.states.indices(), self.actions.indices()),
            |state, action, cell| self.key(split, state, action, cell),
            |state, action, resource| self.decide(state, action, person, resource),
        )
    }

    /// The key of a cell for an action in a state.
    pub(crate) fn cell_key(
        &self,
        decisions: &ClassDecisions<'_>,
        state: StateId,
        action: ActionId,
        cell: CellId,
    ) -> CellKey {
        self.key(decisions.split, state, action, cell)
    }

    fn key(
        &self,
        split: &CellSplit<'_>,
        state: StateId,
        action: ActionId,
        cell: CellId,
    ) -> CellKey {
        let first = split.cells()[cell].first;
        let class = self.states[state].resources.class(first);
        let like = self.states[state].like[action].as_ref();
        CellKey {
            class: like.map_or(class, |like| like[class]),
            exists: self.resource(state, first).is_some(),
            sets: split.sets_read(cell, state, action),
        }
    }

    /// Cedar's decision; `None` if the person or the resource does not exist, or the action is not asked about.
    fn decide(
        &self,
        state: StateId,
        action: ActionId,
        person: PersonId,
        resource: ResourceId,
    ) -> Option<Outcome> {
        let in_state = &self.states[state];
        let directory = in_state.engine.directory();
        Some(in_state.engine.decide(&Request {
            principal: directory.uid(self.person(state, person)?),
            action: self.actions[action].clone(),
            resource: directory.uid(self.resource(state, resource)?),
            context: in_state.contexts[action].clone()?,
        }))
    }
}
