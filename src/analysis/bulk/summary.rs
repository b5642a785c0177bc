//! Resources of a bulk decision: counts, examples, and the groups they are in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cedar_policy::EntityTypeName;

use crate::bulk::index::{
    ActionId, AskerId, CellId, ClassId, PersonId, ResourceId, StateId, SurveyId, Surveys,
};
use crate::bulk::survey::{BulkDecision, CellMarks, ClassDecisions};
use crate::explain::{Labels, Named};
use tarbac_host::bundle::Action;
use tarbac_host::decision::{Decision, Outcome};
use tarbac_host::engine::Engine;
use tarbac_store::Row;
use tarbac_store::index::IndexVec;

/// How many examples are kept of resources that are treated alike.
const EXAMPLES: usize = 3;

/// The resources of a survey, as a person knows them. One that is in several states is known as in the
/// latest.
pub(crate) struct Summary<'s, 'e> {
    engines: IndexVec<StateId, &'e Engine>,
    survey: &'s BulkDecision<'e>,
}

/// Some resources by name, and what all of them are in.
pub(crate) struct Members {
    pub resources: Vec<Named>,
    pub groups: Vec<(Named, u64)>,
}

/// Where something was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub asker: AskerId,
    pub survey: SurveyId,
    pub class: ClassId,
    pub cells: Vec<CellId>,
}

/// What was found in a survey and can be told in detail.
pub(crate) trait HasCells {
    /// Where it was found.
    fn place(&self) -> &Place;
    /// Takes the detail.
    fn tell(&mut self, detail: &Members);
}

/// What is known of the resources of some cells, for whoever has no sets of resources: these have the same
/// cells.
#[derive(Default)]
pub(crate) struct SharedMembers(Mutex<BTreeMap<Place, Arc<Members>>>);

impl SharedMembers {
    fn all(&self) -> MutexGuard<'_, BTreeMap<Place, Arc<Members>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, at: &Place) -> Option<Arc<Members>> {
        self.all().get(at).map(Arc::clone)
    }

    /// What is known, or is made now. Several may make the same at a time: nobody waits for anybody.
    fn get_or_make(&self, at: Place, make: impl FnOnce(&Place) -> Members) -> Arc<Members> {
        self.get(&at).unwrap_or_else(|| {
            let made = Arc::new(make(&at));
            self.all().insert(at, Arc::clone(&made));
            made
        })
    }
}

/// Where something was found, for whoever has no sets of resources.
fn in_whole(of: &impl HasCells) -> Place {
    Place {
        class: ClassId::new(0),
        ..of.place().clone()
    }
}

/// Resources by how many they are.
pub(crate) struct Count {
    pub count: u64,
    /// The same by what the attributes of the resources name, as the hierarchy of devices.
    pub under: Vec<(Named, u64)>,
}

impl<'s, 'e> Summary<'s, 'e> {
    /// Those of a survey of these states.
    pub fn of(engines: &[&'e Engine], survey: &'s BulkDecision<'e>) -> Self {
        let engines = engines.iter().copied().collect();
        Self { engines, survey }
    }

    /// How many resources are in some cells.
    pub fn count(&self, seen: &ClassDecisions<'_>, cells: &[CellId]) -> Count {
        let mut under: BTreeMap<Named, u64> = BTreeMap::new();
        let mut count = 0;
        for cell in cells.iter().map(|cell| &seen.cells()[*cell]) {
            count += cell.count;
            for named in self.named_by(cell.first) {
                *under.entry(named).or_default() += cell.count;
            }
        }
        Count {
            count,
            under: under.into_iter().collect(),
        }
    }

    /// Some of the resources of some cells.
    pub fn examples(&self, seen: &ClassDecisions<'_>, cells: &[CellId]) -> Vec<Named> {
        let firsts = cells.iter().map(|cell| seen.cells()[*cell].first);
        let mut firsts: Vec<ResourceId> = firsts.collect();
        firsts.sort_unstable();
        let firsts = firsts.into_iter().take(EXAMPLES);
        firsts.filter_map(|number| self.resource(number)).collect()
    }

    /// The resources of some cells, so many of them by name, and what all are in.
    pub fn detail(&self, seen: &ClassDecisions<'_>, cells: &[CellId], named: usize) -> Members {
        let all = seen.cells().indices();
        let cell_is_in: CellMarks = all.map(|cell| cells.contains(&cell)).collect();
        let is_in = |number: &ResourceId| cell_is_in[seen.cell(*number)];
        let numbers = self.survey.resources().filter(is_in);
        let resources = numbers.clone().take(named);
        Members {
            resources: resources
                .filter_map(|number| self.resource(number))
                .collect(),
            groups: self.groups(numbers),
        }
    }

    /// What resources are in, with how many of them are, most first.
    fn groups(&self, resources: impl Iterator<Item = ResourceId>) -> Vec<(Named, u64)> {
        let tables = self.engines.iter().map(|of| of.directory().table(0_u64));
        let mut counted: IndexVec<StateId, IndexVec<Row, u64>> = tables.collect();
        for number in resources {
            let row = |state| self.survey.resource(state, number);
            let Some((state, row)) = self.last(row) else {
                continue;
            };
            for group in self.engines[state].directory().ancestors(row) {
                counted[state][group] += 1;
            }
        }
        let mut groups: BTreeMap<Named, u64> = BTreeMap::new();
        for (engine, counts) in self.engines.iter().zip(&counted) {
            for (row, count) in counts.iter_enumerated().filter(|(_, count)| **count > 0) {
                *groups.entry(named(engine, row)).or_default() += count;
            }
        }
        let mut groups: Vec<(Named, u64)> = groups.into_iter().collect();
        groups.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        groups
    }

    /// The entities that the attributes of a resource name at which policies look.
    fn named_by(&self, resource: ResourceId) -> Vec<Named> {
        let Some((state, row)) = self.last(|state| self.survey.resource(state, resource)) else {
            return Vec::new();
        };
        let engine = self.engines[state];
        let attributes = self.survey.telling(state).iter();
        let rows = attributes.filter_map(|name| engine.directory().attribute_entity(row, name));
        rows.map(|row| named(engine, row)).collect()
    }

    /// A person by name.
    pub fn person(&self, number: PersonId) -> Option<Named> {
        let known = self.last_known(|state| self.survey.person(state, number));
        known.map(|(engine, row)| named(engine, row))
    }

    fn resource(&self, number: ResourceId) -> Option<Named> {
        let known = self.last_known(|state| self.survey.resource(state, number));
        known.map(|(engine, row)| named(engine, row))
    }

    fn last_known(&self, row: impl Fn(StateId) -> Option<Row>) -> Option<(&'e Engine, Row)> {
        let (state, row) = self.last(row)?;
        Some((self.engines[state], row))
    }

    /// The latest of the states that have an entity, with its row there.
    fn last(&self, row: impl Fn(StateId) -> Option<Row>) -> Option<(StateId, Row)> {
        let mut states = self.engines.indices().rev();
        states.find_map(|state| Some((state, row(state)?)))
    }
}

/// Finds out what the resources are in of everything that was found about some people, and names so many
/// of them.
pub(crate) fn tell<T: HasCells>(
    engines: &[&Engine],
    surveys: &Surveys<BulkDecision<'_>>,
    found: &mut [T],
    named: usize,
    whole: &SharedMembers,
) {
    for (asker, surveys) in surveys.iter_enumerated() {
        for (number, survey) in surveys.iter_enumerated() {
            let is_here = |of: &&mut T| (of.place().asker, of.place().survey) == (asker, number);
            let found: Vec<&mut T> = found.iter_mut().filter(is_here).collect();
            let Some(class) = found.first().map(|of| of.place().class) else {
                continue;
            };
            let known = found.iter().map(|of| whole.get(&in_whole(&**of)));
            let known: Option<Vec<Arc<Members>>> = match survey.has_sets(class) {
                true => None,
                false => known.collect(),
            };
            if let Some(known) = known {
                for (of, detail) in found.into_iter().zip(known) {
                    of.tell(&detail);
                }
                continue;
            }
            let extents = Summary::of(engines, survey);
            survey.one(class, |seen| {
                let own = SharedMembers::default();
                let known = match seen.is_whole() {
                    true => whole,
                    false => &own,
                };
                for of in found {
                    let at = in_whole(of);
                    let detail = known.get_or_make(at, |at| extents.detail(seen, &at.cells, named));
                    of.tell(&detail);
                }
            });
        }
    }
}

/// An entity as a person knows it.
pub(crate) fn named(engine: &Engine, row: Row) -> Named {
    Labels::new(engine).named(&engine.directory().uid(row))
}

/// The types that ask in any of these states, each with those that it is asked about.
pub(crate) fn asking(engines: &[&Engine]) -> BTreeMap<EntityTypeName, BTreeSet<EntityTypeName>> {
    let mut types: BTreeMap<EntityTypeName, BTreeSet<EntityTypeName>> = BTreeMap::new();
    for engine in engines {
        for action in engine.bundle().vocabulary().permissions() {
            for principal in &action.principals {
                let resources = types.entry(principal.clone()).or_default();
                resources.extend(action.resources.iter().cloned());
            }
        }
    }
    types
}

/// The actions of a bulk decision; none where nobody asks about it.
pub(crate) type Asked<'e> = IndexVec<ActionId, Option<&'e Action>>;

/// An action and the page that carries it.
#[derive(Clone, Copy)]
pub(crate) struct OnPage {
    pub action: ActionId,
    pub page: ActionId,
}

/// An action with the page that carries it; none where it is on no page.
pub(crate) fn on_page(asked: &Asked<'_>, action: &Action) -> Option<OnPage> {
    let page = action.page()?;
    let place = |is: &dyn Fn(&Action) -> bool| asked.position(|of| of.is_some_and(is));
    let number = place(&|of| of.uid == action.uid)?;
    Some(OnPage {
        action: number,
        page: place(&|of| of.id() == page)?,
    })
}

/// Whether an action is allowed in a state and the page that carries it is not, given the places of both.
pub(crate) fn is_stuck(
    seen: &ClassDecisions<'_>,
    state: StateId,
    on_page: OnPage,
    cell: CellId,
) -> bool {
    let may = |number| is(seen.outcome(state, number, cell), Decision::Allow);
    may(on_page.action) && !may(on_page.page)
}

/// Whether an outcome is this decision.
pub(crate) fn is(outcome: Option<&Outcome>, decision: Decision) -> bool {
    outcome.is_some_and(|outcome| outcome.decision == decision)
}
