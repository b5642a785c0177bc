//! Resources of a bulk decision: counts, examples, and the groups they are in.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bulk::decision::{BulkDecision, CellMarks, ClassDecisions};
use crate::bulk::decisions::BulkDecisions;
use crate::bulk::index::{
    ActionId, BulkId, CellId, ClassId, PersonId, PrincipalTypeId, ResourceId, StateId,
};
use crate::explain::{Labels, Named};
use tarbac_host::bundle::Action;
use tarbac_host::decision::{Decision, Outcome};
use tarbac_host::engine::Engine;
use tarbac_store::Row;
use tarbac_store::index::IndexVec;

/// The number of examples of resources with equal decisions.
const EXAMPLES: usize = 3;

/// The people and resources of a bulk decision by name. An entity of several states has its name in the latest.
pub(crate) struct Summary<'s, 'e> {
    engines: IndexVec<StateId, &'e Engine>,
    bulk: &'s BulkDecision<'e>,
}

/// Resources by name, and the groups of all.
pub(crate) struct Members {
    pub resources: Vec<Named>,
    pub groups: Vec<(Named, u64)>,
}

/// Cells of a class of people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CellSet {
    pub principal_type: PrincipalTypeId,
    pub bulk: BulkId,
    pub class: ClassId,
    pub cells: Vec<CellId>,
}

/// A result about the resources of some cells, which can be named.
pub(crate) trait HasCells {
    /// The cells.
    fn cells(&self) -> &CellSet;
    /// The resources and groups of the cells.
    fn members(&mut self) -> (&mut Vec<Named>, &mut Vec<(Named, u64)>);
    /// Stores the members of the cells.
    fn fill(&mut self, members: &Members) {
        let (resources, groups) = self.members();
        resources.clone_from(&members.resources);
        groups.clone_from(&members.groups);
    }
}

/// The members of cells, shared by all people without sets of resources: their cells are the same.
#[derive(Default)]
pub(crate) struct SharedMembers(Mutex<BTreeMap<CellSet, Arc<Members>>>);

impl SharedMembers {
    fn all(&self) -> MutexGuard<'_, BTreeMap<CellSet, Arc<Members>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, cells: &CellSet) -> Option<Arc<Members>> {
        self.all().get(cells).map(Arc::clone)
    }

    /// The members, collected now if they are not known. Two threads may collect the same members; neither waits.
    fn get_or_insert_with(
        &self,
        cells: CellSet,
        collect: impl FnOnce(&CellSet) -> Members,
    ) -> Arc<Members> {
        self.get(&cells).unwrap_or_else(|| {
            let members = Arc::new(collect(&cells));
            self.all().insert(cells, Arc::clone(&members));
            members
        })
    }
}

/// The cells of a result without the class, which does not matter if people have no sets of resources.
fn shared_cells(result: &impl HasCells) -> CellSet {
    CellSet {
        class: ClassId::new(0),
        ..result.cells().clone()
    }
}

/// The number of some resources.
pub(crate) struct Count {
    pub count: u64,
    /// The number by the entities in attributes of the resources, as the hierarchy of a device.
    pub under: Vec<(Named, u64)>,
}

impl<'s, 'e> Summary<'s, 'e> {
    /// The summary of a bulk decision of these states.
    pub(crate) fn new(engines: &[&'e Engine], bulk: &'s BulkDecision<'e>) -> Self {
        let engines = engines.iter().copied().collect();
        Self { engines, bulk }
    }

    /// The number of resources of some cells.
    pub(crate) fn count(&self, decisions: &ClassDecisions<'_>, cells: &[CellId]) -> Count {
        let mut under: BTreeMap<Named, u64> = BTreeMap::new();
        let mut count = 0;
        for cell in cells.iter().map(|cell| &decisions.cells()[*cell]) {
            count += cell.count;
            for named in self.entities_in(cell.first) {
                *under.entry(named).or_default() += cell.count;
            }
        }
        Count {
            count,
            under: under.into_iter().collect(),
        }
    }

    /// A few resources of some cells.
    pub(crate) fn examples(&self, decisions: &ClassDecisions<'_>, cells: &[CellId]) -> Vec<Named> {
        let firsts = cells.iter().map(|cell| decisions.cells()[*cell].first);
        let mut firsts: Vec<ResourceId> = firsts.collect();
        firsts.sort_unstable();
        let firsts = firsts.into_iter().take(EXAMPLES);
        firsts
            .filter_map(|resource| self.resource(resource))
            .collect()
    }

    /// The first `named` resources of some cells, and the groups of all.
    pub(crate) fn members(
        &self,
        decisions: &ClassDecisions<'_>,
        cells: &[CellId],
        named: usize,
    ) -> Members {
        let all = decisions.cells().indices();
        let marks: CellMarks = all.map(|cell| cells.contains(&cell)).collect();
        let is_in = |resource: &ResourceId| marks[decisions.cell(*resource)];
        let resources = self.bulk.resources().filter(is_in);
        let first = resources.clone().take(named);
        Members {
            resources: first
                .filter_map(|resource| self.resource(resource))
                .collect(),
            groups: self.groups(resources),
        }
    }

    /// The groups of resources with the number of those in each, most first.
    fn groups(&self, resources: impl Iterator<Item = ResourceId>) -> Vec<(Named, u64)> {
        let tables = self.engines.iter().map(|of| of.directory().table(0_u64));
        let mut counted: IndexVec<StateId, IndexVec<Row, u64>> = tables.collect();
        for resource in resources {
            let row = |state| self.bulk.resource(state, resource);
            let Some((state, row)) = self.latest(row) else {
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

    /// The entities in those attributes of a resource that policies read.
    fn entities_in(&self, resource: ResourceId) -> Vec<Named> {
        let Some((state, row)) = self.latest(|state| self.bulk.resource(state, resource)) else {
            return Vec::new();
        };
        let engine = self.engines[state];
        let attributes = self.bulk.distinguishing_attributes(state).iter();
        let rows = attributes.filter_map(|name| engine.directory().attribute_entity(row, name));
        rows.map(|row| named(engine, row)).collect()
    }

    /// A person by name.
    pub(crate) fn person(&self, person: PersonId) -> Option<Named> {
        let (state, row) = self.latest(|state| self.bulk.person(state, person))?;
        Some(named(self.engines[state], row))
    }

    fn resource(&self, resource: ResourceId) -> Option<Named> {
        let (state, row) = self.latest(|state| self.bulk.resource(state, resource))?;
        Some(named(self.engines[state], row))
    }

    /// The latest state that has an entity, with its row there.
    fn latest(&self, row: impl Fn(StateId) -> Option<Row>) -> Option<(StateId, Row)> {
        let mut states = self.engines.indices().rev();
        states.find_map(|state| Some((state, row(state)?)))
    }
}

/// Fills in the members of the cells of results about one class of people: `limit` resources by name, and the groups
/// of all.
pub(crate) fn fill_members<T: HasCells>(
    engines: &[&Engine],
    bulk_decisions: &BulkDecisions<'_>,
    results: &mut [T],
    limit: usize,
    shared: &SharedMembers,
) {
    for (principal_type, of_type) in bulk_decisions.by_principal_type().iter_enumerated() {
        for (id, bulk) in of_type.iter_enumerated() {
            let is_of_bulk_decision =
                |of: &&mut T| (of.cells().principal_type, of.cells().bulk) == (principal_type, id);
            let results: Vec<&mut T> = results.iter_mut().filter(is_of_bulk_decision).collect();
            fill_in_bulk_decision(engines, bulk, results, limit, shared);
        }
    }
}

fn fill_in_bulk_decision<T: HasCells>(
    engines: &[&Engine],
    bulk: &BulkDecision<'_>,
    results: Vec<&mut T>,
    limit: usize,
    shared: &SharedMembers,
) {
    let Some(class) = results.first().map(|of| of.cells().class) else {
        return;
    };
    let known = results.iter().map(|of| shared.get(&shared_cells(&**of)));
    let known: Option<Vec<Arc<Members>>> = match bulk.has_sets(class) {
        true => None,
        false => known.collect(),
    };
    if let Some(known) = known {
        for (result, members) in results.into_iter().zip(known) {
            result.fill(&members);
        }
        return;
    }
    let summary = Summary::new(engines, bulk);
    bulk.visit_class(class, |decisions| {
        let own = SharedMembers::default();
        let known = match decisions.is_whole() {
            true => shared,
            false => &own,
        };
        for result in results {
            let members = known.get_or_insert_with(shared_cells(result), |of| {
                summary.members(decisions, &of.cells, limit)
            });
            result.fill(&members);
        }
    });
}

/// The entity of a row with its name.
pub(crate) fn named(engine: &Engine, row: Row) -> Named {
    Labels::new(engine).named(&engine.directory().uid(row))
}

/// The actions of a bulk decision; `None` for an action that is not asked about.
pub(crate) type AskedActions<'e> = IndexVec<ActionId, Option<&'e Action>>;

/// An action and the page that carries it.
#[derive(Clone, Copy)]
pub(crate) struct OnPage {
    pub action: ActionId,
    pub page: ActionId,
}

/// An action with the page that carries it; `None` if it is on no page.
pub(crate) fn on_page(asked: &AskedActions<'_>, action: &Action) -> Option<OnPage> {
    let page = action.page()?;
    let index = |is: &dyn Fn(&Action) -> bool| asked.position(|of| of.is_some_and(is));
    Some(OnPage {
        action: index(&|of| of.uid == action.uid)?,
        page: index(&|of| of.id() == page)?,
    })
}

/// Whether an action is allowed in a state and the page that carries it is not.
pub(crate) fn is_out_of_reach(
    decisions: &ClassDecisions<'_>,
    state: StateId,
    on_page: OnPage,
    cell: CellId,
) -> bool {
    let may = |action| has_decision(decisions.outcome(state, action, cell), Decision::Allow);
    may(on_page.action) && !may(on_page.page)
}

/// Whether an outcome is this decision.
pub(crate) fn has_decision(outcome: Option<&Outcome>, decision: Decision) -> bool {
    outcome.is_some_and(|outcome| outcome.decision == decision)
}
