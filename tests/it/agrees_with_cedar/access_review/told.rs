//! What the access review tells of everybody, by plain Cedar.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use cedar_policy::{Authorizer, EntityUid, PolicySet};
use proptest::prelude::{prop_assert, prop_assert_eq};
use proptest::test_runner::{TestCaseError, TestCaseResult};
use tarbac::access_review::{
    AccessTotals, Entitlement, Obstacle, PersonAccess, Role, Status, Through,
};
use tarbac::decision::{Decision, Request};

use super::super::PEOPLE;
use super::{Both, Key, key, plain};

/// What a request comes to, through which permits, for which reasons.
pub(super) struct Told {
    pub(super) status: Status,
    pub(super) through: BTreeSet<String>,
    reasons: Vec<String>,
}

impl Told {
    fn is_allowed(&self) -> bool {
        self.status.is_allowed()
    }

    fn is_refused(&self) -> bool {
        self.status == Status::Refused
    }
}

/// What is to be told of a world.
pub(super) struct Expected<'b> {
    both: &'b Both,
    of_roles: BTreeMap<String, EntityUid>,
    plain: BTreeMap<Key, (Decision, Vec<String>, Vec<String>)>,
    pub(super) told: BTreeMap<Key, Told>,
}

impl<'b> Expected<'b> {
    pub(super) fn new(both: &'b Both) -> Self {
        let requests = both.requests();
        let plain = requests
            .iter()
            .map(|request| (key(request), both.plain(request)));
        let mut expected = Self {
            both,
            of_roles: both.of_roles(),
            plain: plain.collect(),
            told: BTreeMap::new(),
        };
        let role_permits = expected.role_permits();
        for request in &requests {
            if let Some(told) = expected.of(request, &role_permits) {
                expected.told.insert(key(request), told);
            }
        }
        expected
    }

    /// The permits that name a role.
    fn role_permits(&self) -> PolicySet {
        // Links come with their templates; the forbids are left out, and the permits that name no role.
        let mut permits = self.both.policies.clone();
        for policy in self.both.policies.policies() {
            if self.of_roles.contains_key(&policy.id().to_string()) {
                continue;
            }
            let id = policy.id().clone();
            let removed = match policy.is_static() {
                true => permits.remove_static(id),
                false => permits.unlink(id),
            };
            removed.unwrap();
        }
        permits
    }

    fn of(&self, request: &Request, role_permits: &PolicySet) -> Option<Told> {
        let (decision, policies, errors) = self.plain[&key(request)].clone();
        let (status, through, reasons) = match decision {
            Decision::Allow => {
                let status = match self.is_stuck(request) {
                    true => Status::OutOfReach,
                    false => Status::Allowed,
                };
                (status, self.through(policies), Vec::new())
            }
            // Of the devices of another tenant nothing is granted.
            Decision::Deny
                if policies
                    .iter()
                    .any(|id| id.starts_with("guardrails.tenant.")) =>
            {
                return None;
            }
            Decision::Deny => {
                let granted = self.applying(request, role_permits);
                (Status::Refused, granted, policies)
            }
            Decision::Indeterminate => (Status::Unknown, BTreeSet::new(), errors),
        };
        let is_told = status != Status::Refused || !through.is_empty();
        is_told.then_some(Told {
            status,
            through,
            reasons,
        })
    }

    /// Whether the page that carries the action is refused.
    fn is_stuck(&self, request: &Request) -> bool {
        let vocabulary = self.both.engine.bundle().vocabulary();
        let page = vocabulary.action(&request.action).unwrap().page();
        page.is_some_and(|page| {
            let page = EntityUid::from_str(&format!("Intune::Action::\"{page}\"")).unwrap();
            let on_page = (request.principal.clone(), page, request.resource.clone());
            self.plain[&on_page].0 != Decision::Allow
        })
    }

    /// The permits of roles among these, or all where no role is named.
    fn through(&self, policies: Vec<String>) -> BTreeSet<String> {
        let all: BTreeSet<String> = policies.into_iter().collect();
        let of_roles = all.iter().filter(|id| self.of_roles.contains_key(*id));
        let of_roles: BTreeSet<String> = of_roles.cloned().collect();
        if of_roles.is_empty() { all } else { of_roles }
    }

    /// Which of these policies apply.
    fn applying(&self, request: &Request, policies: &PolicySet) -> BTreeSet<String> {
        let entities = &self.both.entities;
        let response = Authorizer::new().is_authorized(&plain(request), policies, entities);
        let reasons = response.diagnostics().reason();
        reasons.map(ToString::to_string).collect()
    }

    /// What is told of each person, action and resource; nothing is told twice.
    pub(super) fn found(
        &self,
        everybody: &[PersonAccess],
        seed: u64,
    ) -> Result<BTreeMap<Key, (Status, BTreeSet<String>)>, TestCaseError> {
        let mut found = BTreeMap::new();
        for holder in everybody {
            for hold in &holder.holds {
                prop_assert_eq!(hold.resources.len() as u64, hold.count);
                let through = hold.through.iter().map(|through| through.policy.clone());
                let through: BTreeSet<String> = through.collect();
                for person in &holder.people {
                    for through in &hold.through {
                        self.leads(&person.uid, through, seed)?;
                    }
                    self.reasons(&person.uid, hold, seed)?;
                    for resource in &hold.resources {
                        let action = hold.action.clone();
                        let key = (person.uid.clone(), action, resource.uid.clone());
                        prop_assert!(found.insert(key, (hold.status, through.clone())).is_none());
                    }
                }
            }
        }
        Ok(found)
    }

    /// The steps from a person are those of the directory, and lead to the role of the permit.
    fn leads(&self, person: &EntityUid, through: &Through, seed: u64) -> TestCaseResult {
        prop_assert_eq!(through.is_role, self.of_roles.contains_key(&through.policy));
        let directory = self.both.engine.directory();
        let mut at = person.clone();
        for step in &through.steps {
            let mut parents = directory.parents(self.both.row(&at));
            prop_assert!(
                parents.any(|row| directory.uid(row) == step.uid),
                "seed {}",
                seed
            );
            at = step.uid.clone();
        }
        if let Some(role) = self.of_roles.get(&through.policy) {
            prop_assert_eq!(&at, role, "seed {}", seed);
        }
        Ok(())
    }

    /// Each reason stands beside the number of resources for which it is one.
    fn reasons(&self, person: &EntityUid, hold: &Entitlement, seed: u64) -> TestCaseResult {
        let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
        for resource in &hold.resources {
            let key = (person.clone(), hold.action.clone(), resource.uid.clone());
            for reason in self
                .told
                .get(&key)
                .into_iter()
                .flat_map(|told| &told.reasons)
            {
                *reasons.entry(reason.clone()).or_default() += 1;
            }
        }
        let told: BTreeMap<String, u64> = hold.reasons.iter().cloned().collect();
        prop_assert_eq!(told, reasons, "seed {}", seed);
        Ok(())
    }

    fn count(&self, is: impl Fn(&Told) -> bool) -> u64 {
        self.told.values().filter(|told| is(told)).count() as u64
    }

    fn people(&self, is: impl Fn(&Told) -> bool) -> u64 {
        let of = self.told.iter().filter(|(_, told)| is(told));
        let people: BTreeSet<_> = of.map(|((person, _, _), _)| person).collect();
        people.len() as u64
    }

    pub(super) fn totals(&self, totals: &AccessTotals) -> TestCaseResult {
        let of = |status: Status| self.count(|told| told.status == status);
        prop_assert_eq!(totals.people, PEOPLE.len() as u64);
        prop_assert_eq!(totals.decisions, self.plain.len() as u64);
        prop_assert_eq!(totals.allowed, self.count(Told::is_allowed));
        prop_assert_eq!(totals.out_of_reach, of(Status::OutOfReach));
        prop_assert_eq!(totals.refused, self.count(Told::is_refused));
        prop_assert_eq!(totals.unknown, of(Status::Unknown));
        prop_assert_eq!(totals.people_allowed, self.people(Told::is_allowed));
        prop_assert_eq!(totals.people_refused, self.people(Told::is_refused));
        Ok(())
    }

    pub(super) fn roles(&self, roles: &[Role]) -> TestCaseResult {
        let everybody: BTreeSet<_> = self.plain.keys().map(|(person, _, _)| person).collect();
        for role in roles {
            let uid = &role.entity.uid;
            let is_through = |told: &Told| {
                let mut through = told.through.iter();
                through.any(|policy| self.of_roles.get(policy) == Some(uid))
            };
            let is_allowed = |told: &Told| told.is_allowed() && is_through(told);
            let is_refused = |told: &Told| told.is_refused() && is_through(told);
            let people = everybody
                .iter()
                .filter(|person| self.both.is_in(person, uid));
            prop_assert_eq!(role.people, people.count() as u64);
            prop_assert_eq!(role.allowed, self.count(is_allowed));
            prop_assert_eq!(role.refused, self.count(is_refused));
            prop_assert_eq!(role.people_allowed, self.people(is_allowed));
        }
        Ok(())
    }

    pub(super) fn obstacles(&self, obstacles: &[Obstacle]) -> TestCaseResult {
        for obstacle in obstacles {
            let refuses =
                |told: &Told| told.is_refused() && told.reasons.contains(&obstacle.policy);
            prop_assert_eq!(obstacle.decisions, self.count(refuses));
            prop_assert_eq!(obstacle.people, self.people(refuses));
        }
        Ok(())
    }
}
