//! Entitlements, roles, obstacles and assignments, summed over all people.

use std::collections::BTreeMap;

use super::assignment::{Assignment, Assignments, EdgeId, Redundancy};
use super::redundancy::AssignmentEffects;
use super::{AccessReview, Accounts, Entitlement, Obstacle, PersonAccess, Role, Status, Totals};
use crate::bulk::summary::named;
use crate::explain::Named;
use tarbac_host::engine::Engine;
use tarbac_store::Row;
use tarbac_store::index::IndexVec;

/// The annotation of a forbid with what the people are called to whom it refuses what roles grant.
pub(super) const ACCOUNTS: &str = "accounts";

/// What is known so far.
pub(super) struct Summary<'e> {
    engine: &'e Engine,
    edges: &'e Assignments<'e>,
    totals: Totals,
    roles: BTreeMap<Row, Counts>,
    assignments: IndexVec<EdgeId, OfAssignment>,
    /// By policy, decisions and people.
    obstacles: BTreeMap<String, (u64, u64)>,
    /// People by what holds for them.
    holders: BTreeMap<Vec<Entitlement>, Vec<Named>>,
}

#[derive(Default)]
struct Counts {
    people: u64,
    people_allowed: u64,
    allowed: u64,
    refused: u64,
}

#[derive(Default, Clone)]
struct OfAssignment {
    people: u64,
    reasons: BTreeMap<String, u64>,
    /// Whether somebody in it may do nothing because of what the account is, or can come to be in it.
    has_suspended: bool,
}

impl<'e> Summary<'e> {
    /// Nobody was looked at yet.
    pub fn of(engine: &'e Engine, edges: &'e Assignments<'e>) -> Self {
        let roles = edges.roles().keys();
        let activatable = engine.can_be_activated();
        let is_activatable = |row: Option<Row>| row.is_some_and(|row| activatable.contains(&row));
        let assignments = edges.all().iter().map(|edge| OfAssignment {
            has_suspended: is_activatable(edge.from),
            ..OfAssignment::default()
        });
        Self {
            engine,
            edges,
            totals: Totals {
                assignments: edges.all().len() as u64,
                ..Totals::default()
            },
            roles: roles.map(|row| (*row, Counts::default())).collect(),
            assignments: assignments.collect(),
            obstacles: BTreeMap::new(),
            holders: BTreeMap::new(),
        }
    }

    /// Adds people for whom the same holds: so many decisions can be asked for about each.
    pub fn add(
        &mut self,
        rows: &[Row],
        decisions: u64,
        is_suspended: bool,
        holds: Vec<Entitlement>,
    ) {
        let Some(person) = rows.first().copied() else {
            return;
        };
        let count = rows.len() as u64;
        let any = |is: &dyn Fn(&Entitlement) -> bool| count * u64::from(holds.iter().any(is));
        let sum = |is: &dyn Fn(&Entitlement) -> bool| {
            let of: u64 = holds
                .iter()
                .filter(|hold| is(hold))
                .map(|hold| hold.count)
                .sum();
            count * of
        };
        let is = |status: Status| move |hold: &Entitlement| hold.status == status;
        let is_allowed = |hold: &Entitlement| hold.status.is_allowed();
        self.totals.people += count;
        self.totals.people_allowed += any(&is_allowed);
        self.totals.people_refused += any(&is(Status::Refused));
        self.totals.decisions += count * decisions;
        self.totals.allowed += sum(&is_allowed);
        self.totals.out_of_reach += sum(&is(Status::OutOfReach));
        self.totals.refused += sum(&is(Status::Refused));
        self.totals.unknown += sum(&is(Status::Unknown));
        for (row, policies) in self.edges.roles_at(person) {
            let is_through = |hold: &Entitlement| {
                let mut roles = hold.through.iter().filter(|through| through.is_role);
                roles.any(|through| policies.iter().any(|policy| policy.id() == through.policy))
            };
            let is_allowed = |hold: &Entitlement| hold.status.is_allowed() && is_through(hold);
            let is_refused =
                |hold: &Entitlement| hold.status == Status::Refused && is_through(hold);
            let role = self.roles.entry(row).or_default();
            role.people += count;
            role.people_allowed += any(&is_allowed);
            role.allowed += sum(&is_allowed);
            role.refused += sum(&is_refused);
        }
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        let refused = || holds.iter().filter(|hold| hold.status == Status::Refused);
        for (policy, of) in refused().flat_map(|hold| &hold.reasons) {
            *reasons.entry(policy).or_default() += of;
        }
        for (policy, of) in reasons {
            let (decisions, people) = self.obstacles.entry(policy.to_owned()).or_default();
            *decisions += count * of;
            *people += count;
        }
        // Groups are the same for all of them, their own assignments are not.
        let of_person = self.edges.of_person(person).into_iter();
        let all = self.edges.all();
        let of_groups = of_person
            .filter(|number| all[*number].from != Some(person))
            .map(|number| (number, count));
        let own = rows.iter().flat_map(|row| self.edges.own(*row));
        let own = own.map(|(_, number)| (number, 1));
        let refused: Vec<&Entitlement> = refused().collect();
        for (number, people) in of_groups.chain(own) {
            self.add_to(number, people, &refused);
            self.assignments[number].has_suspended |= is_suspended;
        }
        if !holds.is_empty() {
            let people = rows.iter().map(|row| named(self.engine, *row));
            self.holders.entry(holds).or_default().extend(people);
        }
    }

    /// Adds so many people to an assignment, and what refuses them what it grants.
    fn add_to(&mut self, number: EdgeId, people: u64, refused: &[&Entitlement]) {
        let edge = self.edges.all()[number];
        let of = &mut self.assignments[number];
        of.people += people;
        let policies = self.edges.roles_at(edge.to);
        let policies = policies
            .flat_map(|(_, policies)| policies)
            .map(|policy| policy.id());
        let policies: Vec<&str> = policies.collect();
        for hold in refused {
            let mut through = hold.through.iter();
            if !through.any(|through| policies.contains(&through.policy.as_str())) {
                continue;
            }
            for (policy, count) in &hold.reasons {
                *of.reasons.entry(policy.clone()).or_default() += people * count;
            }
        }
    }

    /// Everything together, with the assignments that do not give anything, and how many cannot be judged.
    pub fn into_standing(
        mut self,
        idle: &[(EdgeId, Redundancy)],
        gives: &AssignmentEffects,
    ) -> AccessReview {
        self.totals.assignments_unknown = gives.unknown() as u64;
        self.totals.assignments_unlisted = gives.unlisted() as u64;
        let idle = idle.iter();
        let assignments = idle.map(|(number, idle)| self.assignment(*number, *idle));
        let mut assignments: Vec<Assignment> = assignments.collect();
        assignments.sort_by(|one, other| {
            let order = |of: &Assignment| (of.idle, std::cmp::Reverse(of.people));
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
        let mut people: Vec<PersonAccess> = holders.map(holder).collect();
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

    fn role(&self, row: Row, counts: &Counts) -> Role {
        let policies = self.edges.roles().get(&row).into_iter().flatten();
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

    fn assignment(&self, number: EdgeId, idle: Redundancy) -> Assignment {
        let edge = self.edges.all()[number];
        let of = &self.assignments[number];
        let named = |row| named(self.engine, row);
        let withheld = self.edges.withheld(edge.to);
        let told = withheld.first().map(|(role, told)| {
            told.replace("{entity}", &named(edge.to).name)
                .replace("{value}", &named(*role).name)
        });
        // What it gives elsewhere is no reason to let it go.
        let idle = match withheld.is_empty() {
            true if of.has_suspended => Redundancy::Suspended,
            true => idle,
            false => Redundancy::Withheld,
        };
        let withheld = withheld.iter().map(|(role, _)| *role);
        let roles = self.edges.roles_behind(edge.to).chain(withheld);
        let policies = self
            .edges
            .roles_at(edge.to)
            .flat_map(|(_, policies)| policies);
        let mut reasons: Vec<(String, u64)> = of.reasons.clone().into_iter().collect();
        reasons.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
        Assignment {
            from: edge.from.map(named),
            to: named(edge.to),
            roles: roles.map(named).collect(),
            people: of.people,
            idle,
            told,
            policies: policies.map(|policy| policy.id().to_owned()).collect(),
            reasons,
        }
    }
}

fn holder((holds, mut people): (Vec<Entitlement>, Vec<Named>)) -> PersonAccess {
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
