//! Redundant role assignments: decisions made once more without each of them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use hashbrown::HashSet;

use super::assignment::{Assignments, EdgeId, Redundancy};
use super::entitlement::{ClassReviewer, Made, NOW};
use super::{KindId, Review};
use crate::bulk::class::Partition;
use crate::bulk::index::{ActionId, AskerId, PersonId, ResourceId, SurveyId};
use crate::bulk::survey::{BulkDecision, ClassDecisions};
use tarbac_host::bundle::Action;
use tarbac_host::decision::{Decision, Outcome};
use tarbac_store::Row;
use tarbac_store::index::IndexVec;

/// What is known of assignments.
pub(super) struct AssignmentEffects {
    /// The one that was looked at for it: its own, or that of somebody else for whom the same holds.
    looked_at: IndexVec<EdgeId, EdgeId>,
    /// Whether a decision is another one without it.
    gives: IndexVec<EdgeId, AtomicBool>,
    /// Whether something is allowed by a role behind it.
    is_used: IndexVec<EdgeId, AtomicBool>,
    /// Whether a decision about somebody in it cannot be made.
    is_unknown: IndexVec<EdgeId, AtomicBool>,
    /// Whether more people may come by it than are known.
    is_unlisted: IndexVec<EdgeId, bool>,
    /// Whether a decision is another one without it and others that give nothing otherwise.
    is_needed: IndexVec<EdgeId, AtomicBool>,
}

impl AssignmentEffects {
    /// Nothing is known yet, but of those that policies look at. Which is looked at for each is given.
    pub fn of(edges: &Assignments<'_>, looked_at: IndexVec<EdgeId, EdgeId>) -> Self {
        let none = || edges.all().iter().map(|_| AtomicBool::new(false)).collect();
        let gives = edges.all().iter();
        Self {
            looked_at,
            gives: gives
                .map(|edge| AtomicBool::new(edge.is_looked_at))
                .collect(),
            is_used: none(),
            is_unknown: none(),
            is_unlisted: edges.all().iter().map(|edge| edge.is_unlisted).collect(),
            is_needed: none(),
        }
    }

    /// What an assignment does not give; none of one that does, or that cannot be judged.
    fn idle(&self, number: EdgeId) -> Option<Redundancy> {
        let looked_at = self.looked_at[number];
        let is = |of| is(of, looked_at);
        if self.is_unlisted[number] {
            return None;
        }
        if self.is_unknown(number) || self::is(&self.gives, number) || is(&self.gives) {
            return None;
        }
        match is(&self.is_used) || is(&self.is_needed) {
            true => Some(Redundancy::Repeats),
            false => Some(Redundancy::Nothing),
        }
    }

    fn is_unknown(&self, number: EdgeId) -> bool {
        is(&self.is_unknown, self.looked_at[number])
    }

    /// How many cannot be judged.
    pub fn unknown(&self) -> usize {
        let numbers = self.gives.indices();
        numbers.filter(|number| self.is_unknown(*number)).count()
    }

    /// How many more people may come by than are known.
    pub fn unlisted(&self) -> usize {
        self.is_unlisted.iter().filter(|is| **is).count()
    }

    /// Those that give nothing, or nothing that others do not.
    pub fn found(&self) -> impl Iterator<Item = (EdgeId, Redundancy)> {
        let numbers = self.gives.indices();
        numbers.filter_map(|number| Some((number, self.idle(number)?)))
    }
}

fn is(of: &IndexVec<EdgeId, AtomicBool>, number: EdgeId) -> bool {
    of[number].load(Ordering::Relaxed)
}

fn note(of: &IndexVec<EdgeId, AtomicBool>, number: EdgeId) {
    of[number].store(true, Ordering::Relaxed);
}

impl ClassReviewer<'_, '_> {
    /// Notes what becomes of somebody of a class of people without each of the assignments.
    pub fn without_each(
        &self,
        seen: &ClassDecisions<'_>,
        person: Row,
        gives: &AssignmentEffects,
        made: &Made,
    ) {
        let edges = &self.review.edges;
        let of_person = edges.of_person(person);
        if of_person.is_empty() {
            return;
        }
        if made.has_unknown() {
            of_person
                .iter()
                .for_each(|number| note(&gives.is_unknown, *number));
            return;
        }
        let used = made.used();
        for number in of_person {
            let edge = edges.all()[number];
            if edges.behind(edge.to).any(|row| used.contains(&row)) {
                note(&gives.is_used, number);
            }
            if !is(&gives.gives, number) && self.changes_without(seen, person, &[number]) {
                note(&gives.gives, number);
            }
        }
    }

    /// Whether any decision about somebody of a class of people is another one without some assignments.
    fn changes_without(&self, seen: &ClassDecisions<'_>, person: Row, gone: &[EdgeId]) -> bool {
        let changed = self.review.edges.without(person, gone);
        let actions = self.actions.iter_enumerated();
        let actions = actions.filter_map(|(number, action)| Some((number, (*action)?)));
        let mut cases: Vec<(&Action, ResourceId, &Outcome)> = actions
            .flat_map(|(number, action)| {
                let resources = self.representatives(seen, number).into_iter();
                resources.filter_map(move |resource| {
                    let outcome = seen.outcome(NOW, number, seen.cell(resource))?;
                    Some((action, resource, outcome))
                })
            })
            .collect();
        // What is allowed is most likely to go.
        cases.sort_by_key(|(_, _, outcome)| outcome.decision != Decision::Allow);
        cases.into_iter().any(|(action, resource, outcome)| {
            let engine = self.review.engine;
            let Some(request) = self.request(person, action, resource) else {
                return false;
            };
            let Ok(mut world) = engine.world(&request) else {
                return false;
            };
            world.put(changed.clone());
            engine.decide_in(&request, &world).decision != outcome.decision
        })
    }

    /// Resources of which one stands for all about which an action is decided alike, whatever somebody of
    /// this class is in.
    fn representatives(&self, seen: &ClassDecisions<'_>, action: ActionId) -> Vec<ResourceId> {
        if self.review.edges.is_entangled {
            return self.survey.resources().collect();
        }
        let mut sights = HashSet::new();
        let cells = seen.cells().iter_enumerated();
        let cells =
            cells.filter(|(cell, _)| sights.insert(self.survey.sighted(seen, NOW, action, *cell)));
        cells.map(|(_, cell)| cell.first).collect()
    }
}

impl<'e> Review<'e> {
    /// For each assignment the one that is looked at for it. Of people who are alike one is looked at; what is
    /// found of her own assignments is so of those of the others.
    pub(super) fn looked_at(
        &self,
        alike: &[Partition<PersonId, KindId>],
    ) -> IndexVec<EdgeId, EdgeId> {
        let mut looked_at: IndexVec<EdgeId, EdgeId> = self.edges.all().indices().collect();
        for (surveys, people) in self.surveys.iter().zip(alike) {
            let Some(any) = surveys.first() else { continue };
            for members in people.members() {
                let mut rows = members.iter().filter_map(|of| any.person(NOW, *of));
                let first: Vec<(Row, EdgeId)> = rows
                    .next()
                    .into_iter()
                    .flat_map(|row| self.edges.own(row))
                    .collect();
                for (to, number) in rows.flat_map(|row| self.edges.own(row)) {
                    let same = first.iter().find(|(of_first, _)| *of_first == to);
                    if let Some((_, same)) = same {
                        looked_at[number] = *same;
                    }
                }
            }
        }
        looked_at
    }

    /// The assignments that give nothing, and those that give nothing that others do not: without the former,
    /// all at once, everything is decided as it is. For each type that asks there are people by their
    /// classes and assignments.
    pub(super) fn idle(
        &self,
        alike: &[Partition<PersonId, KindId>],
        gives: &AssignmentEffects,
    ) -> Vec<(EdgeId, Redundancy)> {
        let mut tried: BTreeSet<(Row, Vec<EdgeId>)> = BTreeSet::new();
        loop {
            let mut is_settled = true;
            for (surveys, people) in self.surveys.iter().zip(alike) {
                let Some(any) = surveys.first() else { continue };
                for first in people.firsts() {
                    let Some(person) = any.person(NOW, first) else {
                        continue;
                    };
                    let idle = self.edges.of_person(person).into_iter();
                    let idle: Vec<EdgeId> = idle
                        .filter(|number| gives.idle(*number) == Some(Redundancy::Nothing))
                        .collect();
                    // Each alone was tried.
                    if idle.len() < 2 || !tried.insert((person, idle.clone())) {
                        continue;
                    }
                    if self.changes(surveys, first, person, &idle) {
                        is_settled = false;
                        self.needed(surveys, first, person, &idle)
                            .into_iter()
                            .for_each(|number| note(&gives.is_needed, number));
                    }
                }
            }
            if is_settled {
                return gives.found().collect();
            }
        }
    }

    /// Of assignments without which, all at once, a decision is another one, those that make the difference:
    /// without the others only everything is decided as it is. All of them where none does by itself.
    fn needed(
        &self,
        surveys: &IndexVec<SurveyId, BulkDecision<'e>>,
        first: PersonId,
        person: Row,
        idle: &[EdgeId],
    ) -> Vec<EdgeId> {
        let makes_the_difference = |number: &&EdgeId| {
            let others: Vec<EdgeId> = idle.iter().filter(|of| of != number).copied().collect();
            !self.changes(surveys, first, person, &others)
        };
        let needed: Vec<EdgeId> = idle.iter().filter(makes_the_difference).copied().collect();
        match needed.is_empty() {
            true => idle.to_vec(),
            false => needed,
        }
    }

    /// Whether any decision about somebody is another one without some assignments.
    fn changes(
        &self,
        surveys: &IndexVec<SurveyId, BulkDecision<'e>>,
        number: PersonId,
        person: Row,
        gone: &[EdgeId],
    ) -> bool {
        surveys.iter().any(|survey| {
            let anywhere = (AskerId::new(0), SurveyId::new(0));
            let looking = ClassReviewer::new(self, survey, anywhere);
            survey.one(survey.class(number), |seen| {
                looking.changes_without(seen, person, gone)
            })
        })
    }
}
