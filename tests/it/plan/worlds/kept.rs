//! A plan that keeps what is lost in a random world.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;
use proptest::prelude::{prop_assert, prop_assert_eq};
use proptest::test_runner::TestCaseResult;
use tarbac::plan::{Plan, RoleChange};

use super::super::facts::{Facts, Key};
use super::random::{changed, world};
use super::{Both, Dice, Done, allowed, planned, reached, with, without};

/// The plan, and what plain Cedar allows before, after, and after the plan.
pub(super) struct Kept {
    seed: u64,
    after: Both,
    pub(super) plan: Plan,
    was: BTreeSet<Key>,
    is: BTreeSet<Key>,
    kept: BTreeSet<Key>,
    facts: Facts,
}

impl Kept {
    pub(super) fn new(dice: &mut Dice, seed: u64) -> Self {
        let before = world(dice);
        let after = changed(&before, dice);
        let plan = planned(&before, &after);
        let [was, is] = [&before, &after].map(allowed);
        let changes: Vec<&RoleChange> = plan.against_losses.changes.iter().collect();
        Self {
            seed,
            kept: allowed(&with(&after, &changes, Done::All)),
            facts: Facts::of(&after, &was, &is),
            after,
            plan,
            was,
            is,
        }
    }

    /// What is lost all the same is what the plan says.
    pub(super) fn what_is_lost_is_said(&self) -> TestCaseResult {
        let mut said: BTreeMap<EntityUid, (BTreeSet<EntityUid>, u64)> = BTreeMap::new();
        for of in &self.plan.lost {
            for person in &of.people {
                let actions = of
                    .permissions
                    .iter()
                    .map(|permission| permission.action.clone());
                let lost = (actions.collect(), of.decisions);
                prop_assert!(said.insert(person.uid.clone(), lost).is_none());
            }
        }
        let mut found: BTreeMap<EntityUid, (BTreeSet<EntityUid>, u64)> = BTreeMap::new();
        for (person, action, _) in self.was.difference(&self.kept) {
            let (actions, decisions) = found.entry(person.clone()).or_default();
            actions.insert(action.clone());
            *decisions += 1;
        }
        prop_assert_eq!(&found, &said, "seed {}", self.seed);
        Ok(())
    }

    /// Not even one that gives everything.
    pub(super) fn no_role_keeps_it(&self) -> TestCaseResult {
        for key in self.was.difference(&self.kept) {
            let is_kept = self.facts.all.contains(key) || self.facts.mere.contains(key);
            prop_assert!(!is_kept, "seed {}: {:?}", self.seed, key);
        }
        Ok(())
    }

    /// Unless it lets them do nothing more.
    pub(super) fn nobody_is_given_what_they_did_not_lose(&self) -> TestCaseResult {
        let changes: Vec<&RoleChange> = self.plan.against_losses.changes.iter().collect();
        let mere = allowed(&with(&self.after, &changes, Done::WithoutPermissions));
        for change in &changes {
            for person in reached(&self.after, change) {
                for permission in &change.permissions {
                    let is_it = |key: &&Key| key.0 == person && key.1 == permission.action;
                    let of = |all: &BTreeSet<Key>| -> BTreeSet<Key> {
                        all.iter().filter(is_it).cloned().collect()
                    };
                    let has_lost = !of(&self.was).is_subset(&of(&self.is));
                    let is_more = of(&self.kept) != of(&mere);
                    let seed = self.seed;
                    prop_assert!(
                        has_lost || !is_more,
                        "seed {}: {} {:?}",
                        seed,
                        person,
                        permission
                    );
                }
            }
        }
        Ok(())
    }

    pub(super) fn what_people_gain_is_said(&self) -> TestCaseResult {
        let gains = self
            .plan
            .against_losses
            .changes
            .iter()
            .flat_map(|change| &change.gains);
        let said: u64 = gains.map(|gain| gain.decisions).sum();
        let more = self.kept.difference(&self.was);
        let gained = more.filter(|key| !self.is.contains(*key)).count() as u64;
        prop_assert_eq!(said, gained, "seed {}", self.seed);
        Ok(())
    }

    pub(super) fn each_change_is_needed(&self) -> TestCaseResult {
        for (number, change) in self.plan.against_losses.changes.iter().enumerate() {
            let Some(others) = without(&self.plan.against_losses, number) else {
                continue;
            };
            let left = allowed(&with(&self.after, &others, Done::All));
            let lost = self.was.difference(&left);
            let back: Vec<&Key> = lost.filter(|key| self.kept.contains(*key)).collect();
            prop_assert!(
                !back.is_empty(),
                "seed {}: {:#?}",
                self.seed,
                self.plan.against_losses
            );
            if let Some(proof) = &change.proof {
                let action = proof.permission.action.clone();
                let key = (proof.person.uid.clone(), action, proof.resource.uid.clone());
                prop_assert!(back.contains(&&key), "seed {}: {:?}", self.seed, proof);
            }
        }
        Ok(())
    }

    pub(super) fn no_fewer_changes_do(&self) -> TestCaseResult {
        let proposal = &self.plan.against_losses;
        let count = proposal.changes.len();
        if proposal.is_smallest && count > 0 {
            let by = |changes| self.facts.can_be_covered(changes);
            prop_assert!(
                by(count - 1) != Some(true),
                "seed {}: {:#?}",
                self.seed,
                proposal
            );
            prop_assert!(
                by(count) != Some(false),
                "seed {}: {:#?}",
                self.seed,
                proposal
            );
        }
        Ok(())
    }
}
