//! A bulk decision: all people and all resources, in one or more states.
//!
//! People whom no policy can tell apart are decided about alike, and so are resources (see
//! [`class`](crate::bulk::class)): one of each class is decided about, by Cedar, and the answer is that of
//! all. Where it is asked whether a resource is in a set of the person's own, as a collection of
//! Configuration Manager is, the sets split the resources for that person alone.

mod bits;
mod groups;
mod split;

use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

use cedar_policy::{Context, EntityTypeName, EntityUid};
use hashbrown::HashMap;
use rayon::iter::{
    IndexedParallelIterator, IntoParallelIterator, IntoParallelRefIterator,
    IntoParallelRefMutIterator, ParallelIterator,
};

use crate::bulk::class::{Partition, Projection, Rows};
use crate::bulk::index::{
    ActionId, CellId, ClassId, PersonId, ResourceClassId, ResourceId, StateId,
};
use groups::{Groups, Place};
use split::{Batch, CellSplit, Membership, OwnedSet};
use tarbac_host::bundle::Action;
use tarbac_host::decision::{Outcome, Request};
use tarbac_host::engine::Engine;
use tarbac_store::Row;
use tarbac_store::index::{Id, IndexVec};
use tarbac_store::index_type;

pub(crate) use split::Cell;

/// Everybody of a type and everything of another, in one or several states of a tenant. Actions, people and
/// resources are the same in every state.
pub(crate) struct BulkDecision<'e> {
    types: (EntityTypeName, EntityTypeName),
    states: IndexVec<StateId, State<'e>>,
    actions: IndexVec<ActionId, EntityUid>,
    people: People,
    resources: Resources,
    /// For each state; looked up when somebody has sets of resources.
    groups: OnceLock<IndexVec<StateId, Groups>>,
}

/// A state of the tenant.
struct State<'e> {
    engine: &'e Engine,
    view: Projection,
    /// For each action what is known about a request; none where nobody asks about it.
    contexts: IndexVec<ActionId, Option<Context>>,
    /// The resources in classes.
    resources: Arc<Partition<ResourceId, ResourceClassId>>,
}

/// Entities `T` of a type, the same by their uids whatever the state.
pub(crate) struct Population<T: Id, C: Id> {
    rows: IndexVec<StateId, Rows<T>>,
    /// Those that are treated alike in every state.
    classes: Arc<Partition<T, C>>,
}

/// Those who ask.
pub(crate) type People = Population<PersonId, ClassId>;

/// What is asked about.
pub(crate) type Resources = Population<ResourceId, ResourceClassId>;

/// What came of looking at every class of people.
pub(crate) struct Surveyed<T> {
    /// For each class.
    pub made: IndexVec<ClassId, T>,
    /// For each resource whether it matters to anybody.
    pub matters: IndexVec<ResourceId, bool>,
}

/// For each cell whether it matters.
pub(crate) type CellMarks = IndexVec<CellId, bool>;

/// What an action sees of resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CellKey {
    class: ResourceClassId,
    is_there: bool,
    sets: u64,
}

/// What is decided about a class of people.
pub(crate) struct ClassDecisions<'s> {
    /// The class.
    pub class: ClassId,
    split: &'s CellSplit<'s>,
    /// None where it cannot be asked.
    decided: IndexVec<StateId, IndexVec<ActionId, IndexVec<CellId, Option<OutcomeId>>>>,
    outcomes: Outcomes,
}

impl<T: Id, C: Id> Population<T, C> {
    /// Everything of a type in these states.
    pub fn of(engines: &[&Engine], type_name: &EntityTypeName) -> Self {
        if let [engine] = engines {
            let rows = engine.directory().rows_of(type_name);
            return Self {
                rows: IndexVec::from(vec![rows.map(Some).collect()]),
                classes: Arc::default(),
            };
        }
        let mut waiting: Vec<_> = engines
            .iter()
            .map(|engine| engine.directory().rows_of(type_name).peekable())
            .collect();
        let mut rows: IndexVec<StateId, Rows<T>> = IndexVec::filled(IndexVec::new(), engines.len());
        let mut ids = vec![None; engines.len()];
        loop {
            // Rows of a type are in the order of their ids, in every directory.
            for ((waiting, engine), id) in waiting.iter_mut().zip(engines).zip(&mut ids) {
                *id = waiting.peek().map(|row| engine.directory().id(*row));
            }
            let Some(next) = ids.iter().flatten().min().copied() else {
                break;
            };
            for ((waiting, rows), id) in waiting.iter_mut().zip(rows.iter_mut()).zip(&ids) {
                rows.push(match *id == Some(next) {
                    true => waiting.next(),
                    false => None,
                });
            }
        }
        Self {
            rows,
            classes: Arc::default(),
        }
    }

    /// One entity.
    pub fn one(engines: &[&Engine], uid: &EntityUid) -> Self {
        Self::these(engines, std::slice::from_ref(uid))
    }

    /// Some entities, in this order.
    pub fn these(engines: &[&Engine], uids: &[EntityUid]) -> Self {
        let row = |engine: &Engine, uid| {
            let row = engine.directory().row(uid);
            row.filter(|row| engine.directory().is_defined(*row))
        };
        let rows = |engine: &&Engine| uids.iter().map(|uid| row(engine, uid)).collect();
        Self {
            rows: engines.iter().map(rows).collect(),
            classes: Arc::default(),
        }
    }

    /// The number of an entity; none of what is in no state.
    fn number(&self, engines: &[&Engine], uid: &EntityUid) -> Option<T> {
        let known = |number: T| {
            let mut states = engines.iter().zip(&self.rows);
            states.find_map(|(engine, rows)| Some((engine.directory(), rows[number]?)))
        };
        // They are in the order of their ids.
        let (mut start, mut end) = (0, self.len());
        while start < end {
            let middle = start + (end - start) / 2;
            let number = T::from_usize(middle);
            let (directory, row) = known(number)?;
            match directory.id(row).cmp(uid.id().unescaped()) {
                Ordering::Less => start = middle + 1,
                Ordering::Greater => end = middle,
                Ordering::Equal => return (directory.uid(row) == *uid).then_some(number),
            }
        }
        None
    }

    fn row(&self, state: StateId, number: T) -> Option<Row> {
        self.rows[state][number]
    }

    fn len(&self) -> usize {
        // They are the same in every state.
        self.rows.first().map_or(0, |rows| rows.len())
    }

    /// Puts the entities into classes of those that are in the same class in every state.
    fn classify(&mut self, by_state: &IndexVec<StateId, Arc<Partition<T, C>>>) {
        if let [classes] = by_state.raw.as_slice() {
            self.classes = Arc::clone(classes);
            return;
        }
        let classes = Partition::of(self.len(), |number, seen| {
            for (state, classes) in by_state.iter_enumerated() {
                seen.extend([
                    u32::from(self.row(state, number).is_some()),
                    classes.class(number).index() as u32,
                ]);
            }
        });
        self.classes = Arc::new(classes);
    }
}

impl<'e> BulkDecision<'e> {
    /// Prepares to decide about these people and resources, of one type each, in these states: about the
    /// permissions and questions that are asked.
    pub fn new(
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
        let mut of_people = IndexVec::new();
        let mut states: IndexVec<StateId, State<'_>> = IndexVec::new();
        for engine in engines {
            let number = states.next();
            let asked: IndexVec<ActionId, Option<&Action>> = actions
                .iter()
                .map(|uid| {
                    let action = engine.bundle().vocabulary().action(uid);
                    action.filter(is_asked)
                })
                .collect();
            let view = Projection::new(engine, &asked).by_attributes_of(engine, resource);
            of_people.push(Arc::new(view.principals(engine, &people.rows[number])));
            let contexts = asked.iter();
            let contexts = contexts.map(|action| action.map(|action| context(engine, action)));
            states.push(State {
                engine,
                contexts: contexts.collect(),
                resources: Arc::new(view.resources(engine, &resources.rows[number])),
                view,
            });
        }
        people.classify(&of_people);
        let of_resources = states.iter().map(|state| Arc::clone(&state.resources));
        resources.classify(&of_resources.collect());
        Self {
            types: (principal.clone(), resource.clone()),
            states,
            actions,
            people,
            resources,
            groups: OnceLock::new(),
        }
    }

    /// For each state the resources there.
    fn places(&self) -> IndexVec<StateId, Place<'_>> {
        let states = self.states.iter().zip(&self.resources.rows);
        let places = states.map(|(state, rows)| Place {
            directory: state.engine.directory(),
            rows,
        });
        places.collect()
    }

    /// For each state what the resources are in.
    fn groups(&self) -> &IndexVec<StateId, Groups> {
        self.groups.get_or_init(|| Groups::of(&self.places()))
    }

    /// The types of the people and of the resources.
    pub fn types(&self) -> (&EntityTypeName, &EntityTypeName) {
        (&self.types.0, &self.types.1)
    }

    /// The actions.
    pub fn actions(&self) -> &IndexVec<ActionId, EntityUid> {
        &self.actions
    }

    /// How many classes of people there are.
    pub fn classes(&self) -> usize {
        self.people.classes.len()
    }

    /// The number of people.
    pub fn people(&self) -> usize {
        self.people.len()
    }

    /// The class of a person.
    pub fn class(&self, number: PersonId) -> ClassId {
        self.people.classes.class(number)
    }

    /// The attributes by whose entities resources are told apart in a state.
    pub fn telling(&self, state: StateId) -> &[String] {
        self.states[state].view.telling()
    }

    /// The class of a person; none of somebody who is not there.
    pub fn class_of(&self, person: &EntityUid) -> Option<ClassId> {
        let number = self.people.number(&self.engines(), person)?;
        Some(self.class(number))
    }

    /// The numbers of resources; none of what is not there.
    pub fn numbers<'u>(
        &self,
        resources: impl Iterator<Item = &'u EntityUid>,
    ) -> Vec<Option<ResourceId>> {
        let engines = self.engines();
        resources
            .map(|uid| self.resources.number(&engines, uid))
            .collect()
    }

    fn engines(&self) -> Vec<&Engine> {
        self.states.iter().map(|state| state.engine).collect()
    }

    /// The first person of a class.
    pub fn first(&self, class: ClassId) -> PersonId {
        self.people.classes.first(class)
    }

    /// The row of a person in a state.
    pub fn person(&self, state: StateId, number: PersonId) -> Option<Row> {
        self.people.row(state, number)
    }

    /// The row of a resource in a state.
    pub fn resource(&self, state: StateId, number: ResourceId) -> Option<Row> {
        self.resources.row(state, number)
    }

    /// The resources.
    pub fn resources(&self) -> impl ExactSizeIterator<Item = ResourceId> + Clone + use<> {
        (0..self.resources.len()).map(ResourceId::from_usize)
    }

    /// Looks at every class of people, and says which cells matter; what comes of it is in the order of
    /// the classes. `done` is told of each.
    pub fn each<T: Send>(
        &self,
        see: impl Fn(&ClassDecisions<'_>) -> (T, CellMarks) + Sync,
        done: impl Fn() + Sync,
    ) -> Surveyed<T> {
        let firsts: Vec<PersonId> = self.people.classes.firsts().collect();
        let sets = firsts.par_iter().map(|first| self.sets(*first));
        let sets: IndexVec<ClassId, Vec<OwnedSet>> = sets.collect::<Vec<_>>().into();
        let has_sets = |class: &ClassId| !sets[*class].is_empty();
        let (with, without): (Vec<ClassId>, Vec<ClassId>) = sets.indices().partition(has_sets);
        let mut all: Vec<(ClassId, T)> = Vec::new();
        let mut matters = IndexVec::filled(false, self.resources.len());
        let none = CellSplit::none(&self.resources.classes);
        let looked = without.into_par_iter().map(|class| {
            let (made, of_cells) = see(&self.seen(class, &none));
            done();
            (class, made, of_cells)
        });
        let looked: Vec<(ClassId, T, CellMarks)> = looked.collect();
        let mut of_cells: CellMarks = IndexVec::filled(false, none.cells().len());
        for (class, made, of_class) in looked {
            all.push((class, made));
            of_cells
                .iter_mut()
                .zip(of_class)
                .for_each(|(all, of)| *all |= of);
        }
        mark(&mut matters, &[(&none, &of_cells)]);
        let with = with.iter();
        let with = with.map(|class| (*class, sets[*class].as_slice()));
        for batch in Batch::all(with) {
            let membership = self.membership(&batch);
            let looked = batch.members.par_iter().map(|member| {
                let split = CellSplit::by(member, &membership, &self.resources.classes);
                let (made, of_cells) = see(&self.seen(member.class, &split));
                done();
                (member.class, made, split, of_cells)
            });
            let looked: Vec<(ClassId, T, CellSplit<'_>, CellMarks)> = looked.collect();
            let of_batch = looked
                .iter()
                .map(|(_, _, split, of_cells)| (split, of_cells));
            mark(&mut matters, &of_batch.collect::<Vec<_>>());
            all.extend(looked.into_iter().map(|(class, made, _, _)| (class, made)));
        }
        all.sort_by_key(|(class, _)| *class);
        Surveyed {
            made: all.into_iter().map(|(_, made)| made).collect(),
            matters,
        }
    }

    /// Whether a class of people has sets that resources may be in; everybody without has the same cells.
    pub fn has_sets(&self, class: ClassId) -> bool {
        !self.sets(self.first(class)).is_empty()
    }

    /// Looks at one class of people.
    pub fn one<T>(&self, class: ClassId, see: impl FnOnce(&ClassDecisions<'_>) -> T) -> T {
        let sets = self.sets(self.first(class));
        let batches = Batch::all(std::iter::once((class, sets.as_slice())));
        let batch = batches.first().filter(|_| !sets.is_empty());
        let Some((batch, member)) = batch.and_then(|batch| Some((batch, batch.members.first()?)))
        else {
            return see(&self.seen(class, &CellSplit::none(&self.resources.classes)));
        };
        let membership = self.membership(batch);
        see(&self.seen(
            class,
            &CellSplit::by(member, &membership, &self.resources.classes),
        ))
    }

    /// The sets of a person's that resources may be in, in every state, each once.
    fn sets(&self, person: PersonId) -> Vec<OwnedSet> {
        let mut sets: Vec<OwnedSet> = Vec::new();
        for (number, state) in self.states.iter_enumerated() {
            let Some(row) = self.people.row(number, person) else {
                continue;
            };
            for reached in state.view.reached(state.engine, row) {
                let groups = &self.groups()[number];
                let base = &self.states[groups.base];
                let (here, base) = (state.engine.directory(), base.engine.directory());
                let rows = reached.rows.iter();
                let rows = rows.filter_map(|row| groups.in_base(*row, here, base));
                let set = OwnedSet {
                    state: groups.base,
                    rows: rows.collect(),
                    is_itself: reached.is_itself,
                    asked: reached
                        .actions
                        .iter()
                        .map(|action| (number, *action))
                        .collect(),
                };
                let is_same = |known: &&mut OwnedSet| {
                    (known.state, known.is_itself) == (set.state, set.is_itself)
                        && known.rows == set.rows
                };
                match sets.iter_mut().find(is_same) {
                    Some(known) => known.asked.extend(set.asked),
                    // Nothing is in it, whatever the resource.
                    None if set.rows.is_empty() => {}
                    None => sets.push(set),
                }
            }
        }
        sets
    }

    fn membership(&self, batch: &Batch<'_>) -> Membership {
        Membership::of(batch, &self.places(), self.groups())
    }

    fn seen<'s>(&self, class: ClassId, split: &'s CellSplit<'s>) -> ClassDecisions<'s> {
        let person = self.first(class);
        let mut outcomes = Outcomes::default();
        let mut decided = IndexVec::new();
        for state in self.states.indices() {
            let mut by_action = IndexVec::new();
            for action in self.actions.indices() {
                let mut known: HashMap<CellKey, Option<OutcomeId>> = HashMap::new();
                let cells = split.cells().iter_enumerated();
                let by_cell = cells.map(|(cell, Cell { first, .. })| {
                    let sight = self.sight(split, state, action, cell);
                    *known.entry(sight).or_insert_with(|| {
                        let outcome = self.decide(state, action, person, *first);
                        outcome.map(|outcome| outcomes.put(outcome))
                    })
                });
                by_action.push(by_cell.collect());
            }
            decided.push(by_action);
        }
        ClassDecisions {
            class,
            split,
            decided,
            outcomes,
        }
    }

    /// What an action sees in a state of the resources of a cell: those of which it sees the same are decided
    /// about alike, whoever asks that has the sets of this person.
    pub fn sighted(
        &self,
        seen: &ClassDecisions<'_>,
        state: StateId,
        action: ActionId,
        cell: CellId,
    ) -> CellKey {
        self.sight(seen.split, state, action, cell)
    }

    fn sight(
        &self,
        split: &CellSplit<'_>,
        state: StateId,
        action: ActionId,
        cell: CellId,
    ) -> CellKey {
        let first = split.cells()[cell].first;
        CellKey {
            class: self.states[state].resources.class(first),
            is_there: self.resource(state, first).is_some(),
            sets: split.seen(cell, state, action),
        }
    }

    /// What Cedar decides; nothing where one of the two is not there, or nobody asks about the action.
    fn decide(
        &self,
        state: StateId,
        action: ActionId,
        person: PersonId,
        resource: ResourceId,
    ) -> Option<Outcome> {
        let of = &self.states[state];
        let directory = of.engine.directory();
        Some(of.engine.decide(&Request {
            principal: directory.uid(self.person(state, person)?),
            action: self.actions[action].clone(),
            resource: directory.uid(self.resource(state, resource)?),
            context: of.contexts[action].clone()?,
        }))
    }
}

/// Marks the resources that are in a cell that matters to somebody.
fn mark(matters: &mut IndexVec<ResourceId, bool>, cells: &[(&CellSplit<'_>, &CellMarks)]) {
    let cells: Vec<_> = cells
        .iter()
        .filter(|(_, of)| of.raw.contains(&true))
        .collect();
    let resources = matters.raw.par_iter_mut().enumerate();
    resources
        .filter(|(_, matters)| !**matters)
        .for_each(|(resource, matters)| {
            let resource = ResourceId::from_usize(resource);
            let mut cells = cells.iter();
            *matters = cells.any(|(split, of)| of[split.cell(resource)]);
        });
}

index_type! {
    /// An outcome, of those that differ.
    struct OutcomeId;
}

/// Outcomes, each once.
#[derive(Default)]
struct Outcomes(IndexVec<OutcomeId, Outcome>);

impl Outcomes {
    fn put(&mut self, outcome: Outcome) -> OutcomeId {
        let known = self.0.position(|known| *known == outcome);
        known.unwrap_or_else(|| self.0.push(outcome))
    }
}

impl ClassDecisions<'_> {
    /// Every resource is in one of these.
    pub fn cells(&self) -> &IndexVec<CellId, Cell> {
        self.split.cells()
    }

    /// Whether the cells are those of everybody who has no sets of resources.
    pub fn is_whole(&self) -> bool {
        self.split.is_whole()
    }

    /// The cell of a resource.
    pub fn cell(&self, resource: ResourceId) -> CellId {
        self.split.cell(resource)
    }

    /// What is decided about an action on the resources of a cell; nothing where the person or the
    /// resources are not there in that state, or nobody asks about the action.
    pub fn outcome(&self, state: StateId, action: ActionId, cell: CellId) -> Option<&Outcome> {
        let decided = self.decided[state][action][cell];
        decided.map(|outcome| &self.outcomes.0[outcome])
    }
}
