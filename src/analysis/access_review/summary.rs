//! Entitlements, roles, obstacles and assignments, summed over all people.

use std::collections::BTreeMap;

use super::assignment::{Assignment, Assignments, EdgeId, Redundancy};
use super::redundancy::AssignmentEffects;
use super::{
    AccessReview, AccessTotals, Accounts, Entitlement, Obstacle, PersonAccess, Role, Status,
};
use crate::bulk::summary::named;
use crate::explain::Named;
use tarbac_host::engine::Engine;
use tarbac_store::Row;
use tarbac_store::index::IndexVec;

/// `@accounts`: a name for the people to whom this forbid refuses permissions of their roles.
pub(super) const ACCOUNTS: &str = "accounts";

/// The sums over the people so far.
pub(super) struct Summary<'e> {
    engine: &'e Engine,
    assignments: &'e Assignments<'e>,
    totals: AccessTotals,
    roles: BTreeMap<Row, RoleCounts>,
    by_assignment: IndexVec<EdgeId, AssignmentCounts>,
    /// The numbers of decisions and people, by policy.
    obstacles: BTreeMap<String, (u64, u64)>,
    /// The people by entitlements.
    holders: BTreeMap<Vec<Entitlement>, Vec<Named>>,
}

#[derive(Default)]
struct RoleCounts {
    people: u64,
    people_allowed: u64,
    allowed: u64,
    refused: u64,
}

#[derive(Default, Clone)]
struct AssignmentCounts {
    people: u64,
    reasons: BTreeMap<String, u64>,
    /// Whether an account in it is refused because of its state, or a person can activate a membership in it.
    has_suspended: bool,
}

impl<'e> Summary<'e> {
    /// The summary of no people.
    pub(super) fn new(engine: &'e Engine, assignments: &'e Assignments<'e>) -> Self {
        let roles = assignments.roles().keys();
        let activatable = engine.can_be_activated();
        let is_activatable = |row: Option<Row>| row.is_some_and(|row| activatable.contains(&row));
        let by_assignment = assignments.all().iter().map(|edge| AssignmentCounts {
            has_suspended: is_activatable(edge.from),
            ..AssignmentCounts::default()
        });
        Self {
            engine,
            assignments,
            totals: AccessTotals {
                assignments: assignments.all().len() as u64,
                ..AccessTotals::default()
            },
            roles: roles.map(|row| (*row, RoleCounts::default())).collect(),
            by_assignment: by_assignment.collect(),
            obstacles: BTreeMap::new(),
            holders: BTreeMap::new(),
        }
    }

    /// Adds people with the same entitlements; `decisions` is the number that can be asked for about each of them.
    pub(super) fn add(
        &mut self,
        rows: &[Row],
        decisions: u64,
        is_suspended: bool,
        entitlements: Vec<Entitlement>,
    ) {
        let Some(person) = rows.first().copied() else {
            return;
        };
        let count = rows.len() as u64;
        self.totals.people += count;
        self.totals.decisions += count * decisions;
        self.add_to_totals(count, &entitlements);
        self.add_to_roles(person, count, &entitlements);
        let refused = entitlements.iter();
        let refused = refused.filter(|of| of.status == Status::Refused);
        let refused: Vec<&Entitlement> = refused.collect();
        self.add_to_obstacles(count, &refused);
        // The people share the assignments of groups, but not their own.
        let of_person = self.assignments.of_person(person).into_iter();
        let all = self.assignments.all();
        let of_groups = of_person
            .filter(|id| all[*id].from != Some(person))
            .map(|id| (id, count));
        let own = rows.iter().flat_map(|row| self.assignments.own(*row));
        let own = own.map(|(_, id)| (id, 1));
        for (id, people) in of_groups.chain(own) {
            self.add_to_assignment(id, people, &refused);
            self.by_assignment[id].has_suspended |= is_suspended;
        }
        if !entitlements.is_empty() {
            let people = rows.iter().map(|row| named(self.engine, *row));
            self.holders.entry(entitlements).or_default().extend(people);
        }
    }

    fn add_to_totals(&mut self, people: u64, entitlements: &[Entitlement]) {
        let is = |status: Status| move |of: &Entitlement| of.status == status;
        let is_allowed = |of: &Entitlement| of.status.is_allowed();
        self.totals.people_allowed += people_with(people, entitlements, is_allowed);
        self.totals.people_refused += people_with(people, entitlements, is(Status::Refused));
        self.totals.allowed += decisions(people, entitlements, is_allowed);
        self.totals.out_of_reach += decisions(people, entitlements, is(Status::OutOfReach));
        self.totals.refused += decisions(people, entitlements, is(Status::Refused));
        self.totals.unknown += decisions(people, entitlements, is(Status::Unknown));
    }

    fn add_to_roles(&mut self, person: Row, people: u64, entitlements: &[Entitlement]) {
        for (row, policies) in self.assignments.roles_at(person) {
            let is_through = |of: &Entitlement| {
                let mut roles = of.through.iter().filter(|through| through.is_role);
                roles.any(|through| policies.iter().any(|policy| policy.id() == through.policy))
            };
            let is_allowed = |of: &Entitlement| of.status.is_allowed() && is_through(of);
            let is_refused = |of: &Entitlement| of.status == Status::Refused && is_through(of);
            let role = self.roles.entry(row).or_default();
            role.people += people;
            role.people_allowed += people_with(people, entitlements, is_allowed);
            role.allowed += decisions(people, entitlements, is_allowed);
            role.refused += decisions(people, entitlements, is_refused);
        }
    }

    fn add_to_obstacles(&mut self, people: u64, refused: &[&Entitlement]) {
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        for (policy, count) in refused.iter().flat_map(|of| &of.reasons) {
            *reasons.entry(policy).or_default() += count;
        }
        for (policy, count) in reasons {
            let (decisions, all) = self.obstacles.entry(policy.to_owned()).or_default();
            *decisions += people * count;
            *all += people;
        }
    }

    /// Adds people to an assignment, with the policies that refuse them permissions of it.
    fn add_to_assignment(&mut self, id: EdgeId, people: u64, refused: &[&Entitlement]) {
        let edge = self.assignments.all()[id];
        let counts = &mut self.by_assignment[id];
        counts.people += people;
        let policies = self.assignments.roles_at(edge.to);
        let policies = policies
            .flat_map(|(_, policies)| policies)
            .map(|policy| policy.id());
        let policies: Vec<&str> = policies.collect();
        for entitlement in refused {
            let mut through = entitlement.through.iter();
            if !through.any(|through| policies.contains(&through.policy.as_str())) {
                continue;
            }
            for (policy, count) in &entitlement.reasons {
                *counts.reasons.entry(policy.clone()).or_default() += people * count;
            }
        }
    }

    /// The review, with the redundant assignments.
    pub(super) fn into_review(
        mut self,
        redundant: &[(EdgeId, Redundancy)],
        effects: &AssignmentEffects,
    ) -> AccessReview {
        self.totals.assignments_unknown = effects.unknown() as u64;
        self.totals.assignments_unlisted = effects.unlisted() as u64;
        let assignments = redundant.iter();
        let assignments = assignments.map(|(id, redundancy)| self.assignment(*id, *redundancy));
        let mut assignments: Vec<Assignment> = assignments.collect();
        assignments.sort_by(|one, other| {
            let order = |of: &Assignment| (of.redundancy, std::cmp::Reverse(of.people));
            let names = |of: &Assignment| (of.to.clone(), of.from.clone());
            order(one)
                .cmp(&order(other))
                .then_with(|| names(one).cmp(&names(other)))
        });
        let roles = std::mem::take(&mut self.roles).into_iter();
        let mut roles: Vec<Role> = roles.map(|(row, counts)| self.role(row, &counts)).collect();
        roles.sort_by_cached_key(|role| {
            let order = (role.allowed, role.refused, role.people);
            (std::cmp::Reverse(order), role.entity.clone())
        });
        let holders = std::mem::take(&mut self.holders).into_iter();
        let mut people: Vec<PersonAccess> = holders.map(person_access).collect();
        let obstacles = std::mem::take(&mut self.obstacles).into_iter();
        let mut obstacles: Vec<Obstacle> = obstacles
            .map(|(policy, counts)| self.obstacle(policy, counts, &people))
            .collect();
        obstacles.sort_by_cached_key(|of| (std::cmp::Reverse(of.decisions), of.policy.clone()));
        people.sort_by_cached_key(|holder| {
            let order = (holder.allowed, holder.refused, holder.unknown);
            (std::cmp::Reverse(order), holder.people.first().cloned())
        });
        AccessReview {
            totals: self.totals,
            roles,
            obstacles,
            assignments,
            people,
        }
    }

    fn role(&self, row: Row, counts: &RoleCounts) -> Role {
        let policies = self.assignments.roles().get(&row).into_iter().flatten();
        Role {
            entity: named(self.engine, row),
            policies: policies.map(|policy| policy.id().to_owned()).collect(),
            people: counts.people,
            people_allowed: counts.people_allowed,
            allowed: counts.allowed,
            refused: counts.refused,
        }
    }

    fn obstacle(
        &self,
        policy: String,
        (decisions, people): (u64, u64),
        holders: &[PersonAccess],
    ) -> Obstacle {
        let known = self.engine.bundle().policy(&policy);
        let called = known.and_then(|known| known.annotation(ACCOUNTS));
        let refused = holders.iter().filter(|holder| {
            let mut reasons = holder
                .of_status(Status::Refused)
                .flat_map(|hold| &hold.reasons);
            reasons.any(|(id, _)| *id == policy)
        });
        let accounts = called.map(|called| {
            let mut people: Vec<Named> =
                refused.flat_map(|holder| &holder.people).cloned().collect();
            people.sort();
            Accounts {
                called: called.to_owned(),
                people,
            }
        });
        let says = known.and_then(|policy| policy.doc());
        Obstacle {
            says: says.unwrap_or(&policy).to_owned(),
            message: known.and_then(|policy| policy.message()).map(str::to_owned),
            advice: known.and_then(|policy| policy.advice()).map(str::to_owned),
            policy,
            decisions,
            people,
            accounts,
        }
    }

    fn assignment(&self, id: EdgeId, redundancy: Redundancy) -> Assignment {
        let edge = self.assignments.all()[id];
        let counts = &self.by_assignment[id];
        let named = |row| named(self.engine, row);
        let withheld = self.assignments.withheld(edge.to);
        let told = withheld.first().map(|(role, told)| {
            told.replace("{entity}", &named(edge.to).name)
                .replace("{value}", &named(*role).name)
        });
        // A withheld role may have an effect elsewhere.
        let redundancy = match withheld.is_empty() {
            true if counts.has_suspended => Redundancy::Suspended,
            true => redundancy,
            false => Redundancy::Withheld,
        };
        let withheld = withheld.iter().map(|(role, _)| *role);
        let roles = self.assignments.roles_behind(edge.to).chain(withheld);
        let policies = self
            .assignments
            .roles_at(edge.to)
            .flat_map(|(_, policies)| policies);
        let mut reasons: Vec<(String, u64)> = counts.reasons.clone().into_iter().collect();
        reasons.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        Assignment {
            from: edge.from.map(named),
            to: named(edge.to),
            roles: roles.map(named).collect(),
            people: counts.people,
            redundancy,
            told,
            policies: policies.map(|policy| policy.id().to_owned()).collect(),
            reasons,
        }
    }
}

/// The number of people if they have such an entitlement, otherwise 0.
fn people_with(
    people: u64,
    entitlements: &[Entitlement],
    is: impl Fn(&Entitlement) -> bool,
) -> u64 {
    people * u64::from(entitlements.iter().any(is))
}

/// The number of decisions about people by such entitlements.
fn decisions(people: u64, entitlements: &[Entitlement], is: impl Fn(&Entitlement) -> bool) -> u64 {
    let counts = entitlements.iter().filter(|of| is(of)).map(|of| of.count);
    people * counts.sum::<u64>()
}

fn person_access((holds, mut people): (Vec<Entitlement>, Vec<Named>)) -> PersonAccess {
    people.sort();
    let count = |is: &dyn Fn(Status) -> bool| {
        let counts = holds.iter().filter(|hold| is(hold.status));
        counts.map(|hold| hold.count).sum()
    };
    PersonAccess {
        people,
        allowed: count(&Status::is_allowed),
        refused: count(&|status| status == Status::Refused),
        unknown: count(&|status| status == Status::Unknown),
        holds,
    }
}
