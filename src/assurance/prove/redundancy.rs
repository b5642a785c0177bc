//! Redundant policies: never applicable, always overridden, or implied by others.

use super::Prover;
use super::claim::{Claim, Environment, Relation, Side, body, permit};
use super::solver::{Solver, Unknown};
use tarbac_diagnostic::code::{self, Code};
use tarbac_diagnostic::finding::Finding;
use tarbac_host::bundle::{Effect, Policy};

impl Prover<'_> {
    /// The finding for a policy that is redundant wherever it is in force: under the readings in force, and with each
    /// of them switched.
    pub(super) fn redundancy(
        &self,
        solver: &mut Solver<'_>,
        policy: &Policy,
    ) -> Result<Option<Finding>, Unknown> {
        let mut first = None;
        for readings in self.choices() {
            if !policy.holds_under(&readings) {
                continue;
            }
            let in_force: Vec<&Policy> = self.bundle.in_force(&readings).collect();
            match self.redundancy_among(solver, policy, &in_force)? {
                None => return Ok(None),
                Some(finding) => drop(first.get_or_insert(finding)),
            }
        }
        Ok(first)
    }

    /// The finding for a policy that is redundant among others: it can never apply, a forbid always overrides it, or
    /// the others give equal decisions without it.
    fn redundancy_among(
        &self,
        solver: &mut Solver<'_>,
        policy: &Policy,
        policies: &[&Policy],
    ) -> Result<Option<Finding>, Unknown> {
        let environments: Vec<&Environment<'_>> = self.environments_of(policy).collect();
        if self.in_all(&environments, |environment| {
            self.is_covered(solver, environment, policy, &[], &[])
        })? {
            return Ok(Some(warning(
                policy,
                code::prove::NEVER_APPLIES,
                format!("`{}` applies to no possible request", policy.id()),
                "take it away, or correct its conditions",
            )));
        }
        // Answers to questions are not compared with each other.
        let decides: Vec<&Environment<'_>> = environments
            .iter()
            .copied()
            .filter(|environment| !environment.action.is_question())
            .collect();
        if decides.is_empty() {
            return Ok(None);
        }
        match policy.effect() {
            Effect::Forbid => self.redundancy_of_forbid(solver, policy, policies, &decides),
            Effect::Permit => self.redundancy_of_permit(solver, policy, policies, &decides),
        }
    }

    /// The finding for a redundant forbid: one that matches no request that the others allow.
    fn redundancy_of_forbid(
        &self,
        solver: &mut Solver<'_>,
        policy: &Policy,
        policies: &[&Policy],
        environments: &[&Environment<'_>],
    ) -> Result<Option<Finding>, Unknown> {
        let others =
            |environment: &Environment<'_>, effect| others(policy, policies, environment, effect);
        let forbids = |environment: &Environment<'_>| others(environment, Effect::Forbid);
        let is_redundant = self.in_all(environments, |environment| {
            let mut rest = others(environment, Effect::Permit);
            rest.extend(forbids(environment));
            let rest = Side::new(rest.into_iter().map(body).collect());
            let claim = Claim::new(&Side::new(vec![permit(policy)]), Relation::Disjoint, &rest);
            self.holds(solver, environment, &claim)
        })?;
        match is_redundant {
            true => self.redundant(solver, policy, environments, &forbids),
            false => Ok(None),
        }
    }

    /// The finding for a redundant permit: one that matches only requests that a forbid or another permit matches.
    fn redundancy_of_permit(
        &self,
        solver: &mut Solver<'_>,
        policy: &Policy,
        policies: &[&Policy],
        environments: &[&Environment<'_>],
    ) -> Result<Option<Finding>, Unknown> {
        let others =
            |environment: &Environment<'_>, effect| others(policy, policies, environment, effect);
        let forbids = |environment: &Environment<'_>| others(environment, Effect::Forbid);
        if self.in_all(environments, |environment| {
            self.is_covered(solver, environment, policy, &forbids(environment), &[])
        })? {
            let by = self.one_that_does(solver, policy, environments, &forbids)?;
            return Ok(Some(overridden(policy, by)));
        }
        // Membership in one role implies nothing about a role that the policy does not name, so permits for other
        // roles need not be asked about. Enumerated entities can be all that exist.
        let named: Vec<_> = policy.named_entities().collect();
        let permits = |environment: &Environment<'_>| {
            let is_near = |other: &&Policy| {
                let anchor = other.principal_anchor();
                anchor.is_none_or(|anchor| {
                    let type_name = anchor.type_name().to_string();
                    let is_chosen = self.bundle.vocabulary().choices(&type_name).is_some();
                    is_chosen || named.contains(&anchor)
                })
            };
            let permits = others(environment, Effect::Permit);
            permits
                .into_iter()
                .filter(is_near)
                .collect::<Vec<&Policy>>()
        };
        match self.in_all(environments, |environment| {
            let (forbids, permits) = (forbids(environment), permits(environment));
            self.is_covered(solver, environment, policy, &forbids, &permits)
        })? {
            true => self.redundant(solver, policy, environments, &permits),
            false => Ok(None),
        }
    }

    /// The finding for a redundant policy, with the other policy that makes it so. Of two that make each other
    /// redundant, only the later gets one.
    fn redundant<'p>(
        &self,
        solver: &mut Solver<'_>,
        policy: &Policy,
        environments: &[&Environment<'_>],
        others: &dyn Fn(&Environment<'_>) -> Vec<&'p Policy>,
    ) -> Result<Option<Finding>, Unknown> {
        let redundant = |by: &str| {
            Finding::warning(
                code::prove::REDUNDANT,
                format!("{by} `{}` redundant", policy.id()),
            )
            .label(policy.place().clone(), "this policy")
            .help("nothing is decided otherwise without it: take it away")
        };
        let Some(by) = self.one_that_does(solver, policy, environments, others)? else {
            return Ok(Some(redundant("the others together make")));
        };
        let about: Vec<&Environment<'_>> = self.environments_of(by).collect();
        let is_mutual = self.in_all(&about, |environment| {
            self.is_covered(solver, environment, by, &[], &[policy])
        })?;
        if is_mutual && by.id() > policy.id() {
            return Ok(None);
        }
        let redundant = redundant(&format!("`{}` makes", by.id()));
        Ok(Some(redundant.label(
            by.place().clone(),
            "this one applies wherever it does",
        )))
    }

    /// The first other policy that applies to every request to which a policy applies.
    fn one_that_does<'p>(
        &self,
        solver: &mut Solver<'_>,
        policy: &Policy,
        environments: &[&Environment<'_>],
        others: &dyn Fn(&Environment<'_>) -> Vec<&'p Policy>,
    ) -> Result<Option<&'p Policy>, Unknown> {
        let Some(first) = environments.first() else {
            return Ok(None);
        };
        for other in others(first) {
            if self.in_all(environments, |environment| {
                self.is_covered(solver, environment, policy, &[], &[other])
            })? {
                return Ok(Some(other));
            }
        }
        Ok(None)
    }

    fn in_all(
        &self,
        environments: &[&Environment<'_>],
        mut holds: impl FnMut(&Environment<'_>) -> Result<bool, Unknown>,
    ) -> Result<bool, Unknown> {
        for environment in environments {
            if !holds(environment)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether every request that a policy matches is matched by a forbid or one of the others.
    fn is_covered(
        &self,
        solver: &mut Solver<'_>,
        environment: &Environment<'_>,
        policy: &Policy,
        forbids: &[&Policy],
        others: &[&Policy],
    ) -> Result<bool, Unknown> {
        let left = forbids.iter().map(|forbid| body(forbid));
        let left = left.chain([permit(policy)]).collect();
        let right = others.iter().filter(|other| environment.asks(other));
        let right = right.map(|other| permit(other)).collect();
        self.holds(
            solver,
            environment,
            &Claim::new(&Side::new(left), Relation::Implies, &Side::new(right)),
        )
    }

    /// Whether a claim holds.
    pub(super) fn holds(
        &self,
        solver: &mut Solver<'_>,
        environment: &Environment<'_>,
        claim: &Claim,
    ) -> Result<bool, Unknown> {
        let asserts = claim.asserts(environment)?;
        solver.is_unsatisfiable(&asserts)
    }
}

fn warning(policy: &Policy, code: Code, message: String, help: &str) -> Finding {
    Finding::warning(code, message)
        .label(policy.place().clone(), "this policy")
        .help(help)
}

/// The finding for a permit that forbids always override; `by` is the forbid if one alone does.
fn overridden(policy: &Policy, by: Option<&Policy>) -> Finding {
    let overridden = |by: &str| {
        warning(
            policy,
            code::prove::ALWAYS_OVERRIDDEN,
            format!("{by} `{}` wherever it applies", policy.id()),
            "take it away, or narrow what overrides it",
        )
    };
    match by {
        Some(by) => overridden(&format!("`{}` overrides", by.id()))
            .label(by.place().clone(), "this one overrides it"),
        None => overridden("forbids override"),
    }
}

/// The other policies of an effect that are about the requests of an environment.
fn others<'p>(
    policy: &Policy,
    policies: &[&'p Policy],
    environment: &Environment<'_>,
    effect: Effect,
) -> Vec<&'p Policy> {
    let is_other = |other: &&&'p Policy| other.id() != policy.id() && other.effect() == effect;
    let others = policies.iter().filter(is_other);
    others
        .filter(|other| environment.asks(other))
        .copied()
        .collect()
}
