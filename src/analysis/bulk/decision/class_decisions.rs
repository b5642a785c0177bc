//! Decisions about one class of people, cell by cell.

use hashbrown::HashMap;

use super::split::{Cell, CellSplit};
use crate::bulk::index::{ActionId, CellId, ClassId, ResourceClassId, ResourceId, StateId};
use tarbac_host::decision::Outcome;
use tarbac_store::index::IndexVec;
use tarbac_store::index_type;

/// For each cell, whether it is marked.
pub(crate) type CellMarks = IndexVec<CellId, bool>;

/// The properties of a cell that an action's policies read in a state. Cells with equal keys get equal decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CellKey {
    pub(super) class: ResourceClassId,
    /// Whether the resources exist in the state.
    pub(super) exists: bool,
    /// The sets of the person that they are in, of those that the policies read; a bit each.
    pub(super) sets: u64,
}

/// The decisions about a class of people.
pub(crate) struct ClassDecisions<'s> {
    /// The class.
    pub(crate) class: ClassId,
    pub(super) split: &'s CellSplit<'s>,
    /// `None` if the action cannot be asked about.
    outcome_ids: IndexVec<StateId, IndexVec<ActionId, IndexVec<CellId, Option<OutcomeId>>>>,
    outcomes: Outcomes,
}

index_type! {
    /// A distinct outcome.
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

impl<'s> ClassDecisions<'s> {
    /// Decides in each state about each action, once for each key of cells; `decide` takes the first resource of a
    /// cell.
    pub(super) fn new(
        class: ClassId,
        split: &'s CellSplit<'s>,
        (states, actions): (
            impl Iterator<Item = StateId>,
            impl Iterator<Item = ActionId> + Clone,
        ),
        key: impl Fn(StateId, ActionId, CellId) -> CellKey,
        decide: impl Fn(StateId, ActionId, ResourceId) -> Option<Outcome>,
    ) -> Self {
        let mut outcomes = Outcomes::default();
        let mut outcome_ids = IndexVec::new();
        for state in states {
            let mut by_action = IndexVec::new();
            for action in actions.clone() {
                let mut known: HashMap<CellKey, Option<OutcomeId>> = HashMap::new();
                let cells = split.cells().iter_enumerated();
                let by_cell = cells.map(|(cell, Cell { first, .. })| {
                    let known = known.entry(key(state, action, cell));
                    *known.or_insert_with(|| {
                        let outcome = decide(state, action, *first);
                        outcome.map(|outcome| outcomes.put(outcome))
                    })
                });
                by_action.push(by_cell.collect());
            }
            outcome_ids.push(by_action);
        }
        Self {
            class,
            split,
            outcome_ids,
            outcomes,
        }
    }

    /// The cells; every resource is in one.
    pub(crate) fn cells(&self) -> &IndexVec<CellId, Cell> {
        self.split.cells()
    }

    /// Whether the cells are those of all classes that have no sets of resources.
    pub(crate) fn is_whole(&self) -> bool {
        self.split.is_whole()
    }

    /// The cell of a resource.
    pub(crate) fn cell(&self, resource: ResourceId) -> CellId {
        self.split.cell(resource)
    }

    /// The outcome of an action on each resource of a cell; `None` if the person or the resources do not exist in
    /// that state, or the action is not asked about.
    pub(crate) fn outcome(
        &self,
        state: StateId,
        action: ActionId,
        cell: CellId,
    ) -> Option<&Outcome> {
        let outcome = self.outcome_ids[state][action][cell];
        outcome.map(|outcome| &self.outcomes.0[outcome])
    }
}
