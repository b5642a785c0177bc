//! The permits of a person's roles that apply to an action, whatever the decision.

use hashbrown::HashMap;

use super::entitlement::{ClassReviewer, NOW};
use crate::bulk::decision::{CellKey, ClassDecisions};
use crate::bulk::index::{ActionId, CellId};
use tarbac_host::bundle::{Action, Policy};
use tarbac_store::Row;

/// The permits that name a role of a person and may apply to an action.
pub(super) struct Granted<'l, 's, 'e> {
    reviewer: &'l ClassReviewer<'s, 'e>,
    person: Row,
    action_id: ActionId,
    action: &'e Action,
    /// The ids of those that apply to every resource.
    always: Vec<&'e str>,
    /// Those whose effect depends on the resource.
    sometimes: Vec<&'e Policy>,
    known: HashMap<CellKey, Vec<&'e str>>,
}

impl<'l, 's, 'e> Granted<'l, 's, 'e> {
    /// Chooses from permits that name a role of the person.
    pub(super) fn new(
        reviewer: &'l ClassReviewer<'s, 'e>,
        person: Row,
        (action_id, action): (ActionId, &'e Action),
        permits: &[&'e Policy],
    ) -> Self {
        let (principal, resource) = reviewer.bulk.types();
        let permits = permits.iter().copied();
        let permits = permits.filter(|permit| {
            let (principals, resources) = (
                std::slice::from_ref(principal),
                std::slice::from_ref(resource),
            );
            permit.may_apply_among(action, principals, resources)
        });
        let (sometimes, always): (Vec<&Policy>, Vec<&Policy>) = permits
            .partition(|permit| permit.has_conditions() || permit.resource_anchor().is_some());
        Self {
            reviewer,
            person,
            action_id,
            action,
            always: always.into_iter().map(Policy::id).collect(),
            sometimes,
            known: HashMap::new(),
        }
    }

    /// The ids of those that apply to the resources of a cell, sorted.
    pub(super) fn on(&mut self, decisions: &ClassDecisions<'_>, cell: CellId) -> Vec<&'e str> {
        if self.sometimes.is_empty() {
            return self.always.clone();
        }
        let bulk = self.reviewer.bulk;
        let key = bulk.cell_key(decisions, NOW, self.action_id, cell);
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let applying = self.applying(decisions, cell);
        self.known.insert(key, applying.clone());
        applying
    }

    fn applying(&self, decisions: &ClassDecisions<'_>, cell: CellId) -> Vec<&'e str> {
        let mut granted = self.always.clone();
        let engine = self.reviewer.review.engine;
        let resource = decisions.cells()[cell].first;
        let request = self.reviewer.request(self.person, self.action, resource);
        if let Some(Ok(trial)) = request.map(|request| engine.trial(&request)) {
            let applies = |permit: &&&Policy| trial.applies(permit.ast()) == Ok(true);
            granted.extend(
                self.sometimes
                    .iter()
                    .filter(applies)
                    .map(|permit| permit.id()),
            );
        }
        granted.sort_unstable();
        granted
    }
}
