//! What the access review says of assignments, by plain Cedar without them.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;
use proptest::prelude::{prop_assert, prop_assert_eq};
use proptest::test_runner::TestCaseResult;
use tarbac::access_review::{AccessTotals, Assignment, Redundancy};
use tarbac::decision::Decision;

use super::{Both, Key, Step};

/// The assignments of a world, and those of them that are said to be redundant.
pub(super) struct Assignments<'b> {
    both: &'b Both,
    of_roles: BTreeMap<String, EntityUid>,
    before: BTreeMap<Key, Decision>,
    steps: BTreeSet<Step>,
    found: Vec<(Step, Redundancy)>,
}

impl<'b> Assignments<'b> {
    pub(super) fn new(both: &'b Both, said: &[Assignment]) -> Self {
        let found = said.iter().map(|of| {
            let from = of.from.as_ref().map(|from| from.uid.clone());
            ((from, of.to.uid.clone()), of.redundancy)
        });
        Self {
            both,
            of_roles: both.of_roles(),
            before: both.decisions(&both.json),
            steps: both.steps(),
            found: found.collect(),
        }
    }

    fn is_below(&self, person: &EntityUid, from: Option<&EntityUid>) -> bool {
        from.is_some_and(|from| self.both.is_in(person, from))
    }

    fn is_unchanged_without<'s>(&self, steps: impl IntoIterator<Item = &'s Step>) -> bool {
        self.both.decisions(&self.both.without(steps)) == self.before
    }

    fn said(&self, wanted: Redundancy) -> impl Iterator<Item = &Step> {
        let of = self
            .found
            .iter()
            .filter(move |(_, redundancy)| *redundancy == wanted);
        of.map(|(step, _)| step)
    }

    /// Each that changes nothing alone is said, but for those of somebody about whom something cannot be
    /// decided.
    pub(super) fn each_alone(&self, totals: &AccessTotals, seed: u64) -> TestCaseResult {
        let said: BTreeSet<&Step> = self.found.iter().map(|(step, _)| step).collect();
        prop_assert_eq!(said.len(), self.found.len());
        prop_assert_eq!(totals.assignments, self.steps.len() as u64, "seed {}", seed);

        let is_known = |(from, _): &Step| {
            let mut unknown = self
                .before
                .iter()
                .filter(|(_, decision)| **decision == Decision::Indeterminate);
            !unknown.any(|((person, _, _), _)| self.is_below(person, from.as_ref()))
        };
        let (known, unknown): (Vec<&Step>, Vec<&Step>) =
            self.steps.iter().partition(|step| is_known(step));
        prop_assert_eq!(totals.assignments_unknown, unknown.len() as u64);
        let removable = known
            .into_iter()
            .filter(|step| self.is_unchanged_without([*step]));
        let differing: Vec<String> = said
            .symmetric_difference(&removable.collect())
            .map(|(from, to)| format!("{:?} in {to}", from.as_ref().map(ToString::to_string)))
            .collect();
        prop_assert!(differing.is_empty(), "{:?} seed {}", differing, seed);
        Ok(())
    }

    /// Whether somebody is allowed something through a step.
    fn is_used(&self, (from, to): &Step) -> bool {
        self.both.requests().iter().any(|request| {
            let (decision, policies, _) = self.both.plain(request);
            let is_behind = |policy: &String| {
                let role = self.of_roles.get(policy);
                role.is_some_and(|role| self.both.is_in(to, role))
            };
            self.is_below(&request.principal, from.as_ref())
                && decision == Decision::Allow
                && policies.iter().any(is_behind)
        })
    }

    /// They allow nothing, and can go together.
    pub(super) fn those_that_give_nothing(&self, seed: u64) -> TestCaseResult {
        let is_some_used = self
            .said(Redundancy::Nothing)
            .any(|step| self.is_used(step));
        prop_assert!(!is_some_used, "seed {}", seed);
        let can_go = self.is_unchanged_without(self.said(Redundancy::Nothing));
        prop_assert!(can_go, "seed {}", seed);
        Ok(())
    }

    /// What they give is given by something that may go as well: together they make a difference.
    pub(super) fn those_that_repeat(&self, seed: u64) -> TestCaseResult {
        let others: Vec<&Step> = self.found.iter().map(|(step, _)| step).collect();
        let mut sets: Vec<u32> = (1..1 << others.len()).collect();
        sets.sort_by_key(|set| set.count_ones());
        let differs = |set: u32| {
            let gone = (0..).zip(&others).filter(|(bit, _)| set >> bit & 1 == 1);
            !self.is_unchanged_without(gone.map(|(_, step)| *step))
        };
        for step in self
            .said(Redundancy::Repeats)
            .filter(|step| !self.is_used(step))
        {
            let bit = 1 << others.iter().position(|other| *other == step).unwrap();
            let mut with = sets.iter().filter(|set| **set & bit != 0);
            let makes_a_difference = with.any(|set| differs(*set) && !differs(set & !bit));
            prop_assert!(makes_a_difference, "seed {}", seed);
        }
        Ok(())
    }

    /// Each stands beside the number of people below it.
    pub(super) fn people(&self, said: &[Assignment], seed: u64) -> TestCaseResult {
        let everybody: BTreeSet<_> = self.before.keys().map(|(person, _, _)| person).collect();
        for assignment in said {
            let from = assignment.from.as_ref().map(|from| &from.uid);
            let people = everybody
                .iter()
                .filter(|person| self.is_below(person, from));
            prop_assert_eq!(people.count() as u64, assignment.people, "seed {}", seed);
        }
        Ok(())
    }
}
