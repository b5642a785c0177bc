//! The permits of a person's roles that apply, whatever is decided in the end.

use hashbrown::HashMap;

use super::entitlement::{ClassReviewer, NOW};
use crate::bulk::index::{ActionId, CellId};
use crate::bulk::survey::{CellKey, ClassDecisions};
use tarbac_host::bundle::{Action, Policy};
use tarbac_store::Row;

/// What the roles of somebody grant of an action: the permits that name a role and apply.
pub(super) struct Granted<'l, 's, 'e> {
    looking: &'l ClassReviewer<'s, 'e>,
    person: Row,
    number: ActionId,
    action: &'e Action,
    /// Those that grant it on every resource.
    always: Vec<&'e str>,
    /// Those that it depends on the resource of.
    sometimes: Vec<&'e Policy>,
    known: HashMap<CellKey, Vec<&'e str>>,
}

impl<'l, 's, 'e> Granted<'l, 's, 'e> {
    /// What these permits, which name a role of the person, grant of the action of a number.
    pub fn of(
        looking: &'l ClassReviewer<'s, 'e>,
        person: Row,
        (number, action): (ActionId, &'e Action),
        permits: &[&'e Policy],
    ) -> Self {
        let (principal, resource) = looking.survey.types();
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
            looking,
            person,
            number,
            action,
            always: always.into_iter().map(Policy::id).collect(),
            sometimes,
            known: HashMap::new(),
        }
    }

    /// The ids of those that apply to the resources of a cell, sorted.
    pub fn at(&mut self, seen: &ClassDecisions<'_>, cell: CellId) -> Vec<&'e str> {
        if self.sometimes.is_empty() {
            return self.always.clone();
        }
        let sight = self.looking.survey.sighted(seen, NOW, self.number, cell);
        if let Some(known) = self.known.get(&sight) {
            return known.clone();
        }
        let applying = self.applying(seen, cell);
        self.known.insert(sight, applying.clone());
        applying
    }

    fn applying(&self, seen: &ClassDecisions<'_>, cell: CellId) -> Vec<&'e str> {
        let mut granted = self.always.clone();
        let engine = self.looking.review.engine;
        let resource = seen.cells()[cell].first;
        let request = self.looking.request(self.person, self.action, resource);
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
