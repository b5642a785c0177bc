//! Redundant role assignments, found by deciding again without each assignment.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use cedar_policy_core::ast;
use hashbrown::HashSet;

use super::assignment::{Assignments, EdgeId, Redundancy};
use super::entitlement::{ClassEntitlements, ClassReviewer, NOW};
use super::{KindId, Review};
use crate::bulk::class::Partition;
use crate::bulk::decision::ClassDecisions;
use crate::bulk::decisions::OfPrincipalType;
use crate::bulk::index::{ActionId, BulkId, PersonId, PrincipalTypeId, ResourceId};
use tarbac_host::bundle::Action;
use tarbac_host::decision::{Decision, Outcome, Request};
use tarbac_host::engine::Engine;
use tarbac_store::Row;
use tarbac_store::index::IndexVec;

/// The known effects of assignments. Only representatives are examined.
pub(super) struct AssignmentEffects {
    /// For each assignment, its representative: itself, or the same assignment of a person of the same kind.
    representatives: IndexVec<EdgeId, EdgeId>,
    /// Whether a decision differs without it.
    gives: IndexVec<EdgeId, AtomicBool>,
    /// Whether a role behind it allows a decision.
    is_used: IndexVec<EdgeId, AtomicBool>,
    /// Whether a decision about a person in it is indeterminate.
    is_unknown: IndexVec<EdgeId, AtomicBool>,
    /// Whether its members are not all known.
    is_unlisted: IndexVec<EdgeId, bool>,
    /// Whether a decision differs without it and other assignments that give nothing by themselves.
    is_needed: IndexVec<EdgeId, AtomicBool>,
}

impl AssignmentEffects {
    /// The effects before any examination. An assignment whose member a policy names counts as one with an effect.
    pub(super) fn new(
        assignments: &Assignments<'_>,
        representatives: IndexVec<EdgeId, EdgeId>,
    ) -> Self {
        let none = || {
            assignments
                .all()
                .iter()
                .map(|_| AtomicBool::new(false))
                .collect()
        };
        let gives = assignments.all().iter();
        Self {
            representatives,
            gives: gives.map(|edge| AtomicBool::new(edge.is_named)).collect(),
            is_used: none(),
            is_unknown: none(),
            is_unlisted: assignments
                .all()
                .iter()
                .map(|edge| edge.is_unlisted)
                .collect(),
            is_needed: none(),
        }
    }

    /// The redundancy of an assignment; `None` if it has an effect or cannot be judged.
    fn redundancy(&self, id: EdgeId) -> Option<Redundancy> {
        let representative = self.representatives[id];
        let is = |flags| is_set(flags, representative);
        if self.is_unlisted[id] {
            return None;
        }
        if self.is_unknown(id) || is_set(&self.gives, id) || is(&self.gives) {
            return None;
        }
        match is(&self.is_used) || is(&self.is_needed) {
            true => Some(Redundancy::Repeats),
            false => Some(Redundancy::Nothing),
        }
    }

    fn is_unknown(&self, id: EdgeId) -> bool {
        is_set(&self.is_unknown, self.representatives[id])
    }

    /// The number of assignments with indeterminate decisions.
    pub(super) fn unknown(&self) -> usize {
        let ids = self.gives.indices();
        ids.filter(|id| self.is_unknown(*id)).count()
    }

    /// The number of assignments whose members are not all known.
    pub(super) fn unlisted(&self) -> usize {
        self.is_unlisted.iter().filter(|is| **is).count()
    }

    /// The redundant assignments.
    fn redundant(&self) -> impl Iterator<Item = (EdgeId, Redundancy)> {
        let ids = self.gives.indices();
        ids.filter_map(|id| Some((id, self.redundancy(id)?)))
    }
}

fn is_set(flags: &IndexVec<EdgeId, AtomicBool>, id: EdgeId) -> bool {
    flags[id].load(Ordering::Relaxed)
}

fn set(flags: &IndexVec<EdgeId, AtomicBool>, id: EdgeId) {
    flags[id].store(true, Ordering::Relaxed);
}

impl ClassReviewer<'_, '_> {
    /// Records the effect of each assignment of a person of a class.
    pub(super) fn without_each(
        &self,
        decisions: &ClassDecisions<'_>,
        person: Row,
        effects: &AssignmentEffects,
        entitlements: &ClassEntitlements,
    ) {
        let assignments = &self.review.assignments;
        let of_person = assignments.of_person(person);
        if of_person.is_empty() {
            return;
        }
        if entitlements.has_unknown() {
            let ids = of_person.iter();
            ids.for_each(|id| set(&effects.is_unknown, *id));
            return;
        }
        let used = entitlements.used();
        for id in of_person {
            let to = assignments.all()[id].to;
            if assignments.behind(to).any(|row| used.contains(&row)) {
                set(&effects.is_used, id);
            }
            if !is_set(&effects.gives, id) && self.changes_without(decisions, person, &[id]) {
                set(&effects.gives, id);
            }
        }
    }

    /// Whether any decision about a person of a class differs without some assignments.
    fn changes_without(
        &self,
        decisions: &ClassDecisions<'_>,
        person: Row,
        gone: &[EdgeId],
    ) -> bool {
        let changed = self.review.assignments.without(person, gone);
        let actions = self.actions.iter_enumerated();
        let actions = actions.filter_map(|(id, action)| Some((id, (*action)?)));
        let mut cases: Vec<(&Action, ResourceId, &Outcome)> = actions
            .flat_map(|(id, action)| {
                let resources = self.resources(decisions, id).into_iter();
                resources.filter_map(move |resource| {
                    let outcome = decisions.outcome(NOW, id, decisions.cell(resource))?;
                    Some((action, resource, outcome))
                })
            })
            .collect();
        // An allowed decision is the most likely to differ.
        cases.sort_by_key(|(_, _, outcome)| outcome.decision != Decision::Allow);
        cases.into_iter().any(|(action, resource, outcome)| {
            let request = self.request(person, action, resource);
            let decided =
                request.and_then(|request| with_entity(self.review.engine, &request, &changed));
            differs(decided, outcome.decision)
        })
    }

    /// One resource for each key of cells. Decisions about an action are equal for all resources of a key, whatever
    /// the memberships of a person of this class.
    fn resources(&self, decisions: &ClassDecisions<'_>, action: ActionId) -> Vec<ResourceId> {
        if self.review.assignments.is_entangled {
            return self.bulk.resources().collect();
        }
        let mut keys = HashSet::new();
        let cells = decisions.cells().iter_enumerated();
        let cells = cells
            .filter(|(cell, _)| keys.insert(self.bulk.cell_key(decisions, NOW, action, *cell)));
        cells.map(|(_, cell)| cell.first).collect()
    }
}

/// The decision of a request with one entity changed; `None` if its entities cannot be found.
fn with_entity(engine: &Engine, request: &Request, changed: &ast::Entity) -> Option<Decision> {
    let mut slice = engine.slice(request).ok()?;
    slice.put(changed.clone());
    Some(engine.decide_in(request, &slice).decision)
}

/// Whether a decision is another than before. One that could not be made again counts as another: what it depends on
/// must not be called redundant.
fn differs(decided: Option<Decision>, before: Decision) -> bool {
    decided != Some(before)
}

impl<'e> Review<'e> {
    /// For each assignment, its representative: people of one kind share the effects of their own assignments, and the
    /// first of them is examined.
    pub(super) fn representatives(
        &self,
        kinds: &[Partition<PersonId, KindId>],
    ) -> IndexVec<EdgeId, EdgeId> {
        let mut representatives: IndexVec<EdgeId, EdgeId> =
            self.assignments.all().indices().collect();
        for (of_type, people) in self.bulk_decisions.by_principal_type().iter().zip(kinds) {
            let Some(bulk) = of_type.first() else {
                continue;
            };
            for members in people.members() {
                let mut rows = members.iter().filter_map(|of| bulk.person(NOW, *of));
                let first: Vec<(Row, EdgeId)> = rows
                    .next()
                    .into_iter()
                    .flat_map(|row| self.assignments.own(row))
                    .collect();
                for (to, id) in rows.flat_map(|row| self.assignments.own(row)) {
                    let same = first.iter().find(|(of_first, _)| *of_first == to);
                    if let Some((_, same)) = same {
                        representatives[id] = *same;
                    }
                }
            }
        }
        representatives
    }

    /// The redundant assignments. Those that give nothing are removed together, and fewer of them until every decision
    /// stays the same; `kinds` has the people of each type.
    pub(super) fn redundant(
        &self,
        kinds: &[Partition<PersonId, KindId>],
        effects: &AssignmentEffects,
    ) -> Vec<(EdgeId, Redundancy)> {
        let mut tried: BTreeSet<(Row, Vec<EdgeId>)> = BTreeSet::new();
        loop {
            let mut is_settled = true;
            for (of_type, people) in self.bulk_decisions.by_principal_type().iter().zip(kinds) {
                let Some(bulk) = of_type.first() else {
                    continue;
                };
                for first in people.firsts() {
                    let Some(person) = bulk.person(NOW, first) else {
                        continue;
                    };
                    let gone = self.assignments.of_person(person).into_iter();
                    let gone: Vec<EdgeId> = gone
                        .filter(|id| effects.redundancy(*id) == Some(Redundancy::Nothing))
                        .collect();
                    // The removal of each alone was tried before.
                    if gone.len() < 2 || !tried.insert((person, gone.clone())) {
                        continue;
                    }
                    if self.changes(of_type, first, person, &gone) {
                        is_settled = false;
                        let needed = self.needed(of_type, first, person, &gone).into_iter();
                        needed.for_each(|id| set(&effects.is_needed, id));
                    }
                }
            }
            if is_settled {
                return effects.redundant().collect();
            }
        }
    }

    /// The needed ones of some assignments whose joint removal changes a decision: those without which the removal of
    /// the others changes none. All of them if there are no such assignments.
    fn needed(
        &self,
        of_type: &OfPrincipalType<'e>,
        first: PersonId,
        person: Row,
        gone: &[EdgeId],
    ) -> Vec<EdgeId> {
        let makes_the_difference = |id: &&EdgeId| {
            let others: Vec<EdgeId> = gone.iter().filter(|of| of != id).copied().collect();
            !self.changes(of_type, first, person, &others)
        };
        let needed: Vec<EdgeId> = gone.iter().filter(makes_the_difference).copied().collect();
        match needed.is_empty() {
            true => gone.to_vec(),
            false => needed,
        }
    }

    /// Whether any decision about a person differs without some assignments.
    fn changes(
        &self,
        of_type: &OfPrincipalType<'e>,
        person: PersonId,
        row: Row,
        gone: &[EdgeId],
    ) -> bool {
        of_type.iter().any(|bulk| {
            // Only entitlements need the index, and none are collected here.
            let index = (PrincipalTypeId::new(0), BulkId::new(0));
            let reviewer = ClassReviewer::new(self, bulk, index);
            bulk.visit_class(bulk.class(person), |decisions| {
                reviewer.changes_without(decisions, row, gone)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Decision, differs};

    #[test]
    fn a_decision_that_cannot_be_made_again_makes_nothing_redundant() {
        assert!(!differs(Some(Decision::Allow), Decision::Allow));
        assert!(differs(Some(Decision::Deny), Decision::Allow));
        assert!(differs(None, Decision::Allow) && differs(None, Decision::Deny));
    }
}
