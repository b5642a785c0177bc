//! Redundant policies.

use super::Prover;
use super::claim::{Claim, Environment, Relation, Side, body, permit};
use super::solver::{Solver, Unknown};
use tarbac_diagnostic::code::{self, Code};
use tarbac_diagnostic::finding::Finding;
use tarbac_host::bundle::{Effect, Policy};

impl Prover<'_> {
    /// Whether a policy is there for nothing wherever it is in force: under the readings at hand, and
    /// under each of them switched.
    pub(super) fn idle(
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
            match self.is_idle(solver, policy, &in_force)? {
                None => return Ok(None),
                Some(finding) => drop(first.get_or_insert(finding)),
            }
        }
        Ok(first)
    }

    /// Whether a policy is there for nothing beside others: it can never apply, a forbid always
    /// overrides it, or the others decide alike without it.
    fn is_idle<'p>(
        &self,
        solver: &mut Solver<'_>,
        policy: &Policy,
        policies: &[&'p Policy],
    ) -> Result<Option<Finding>, Unknown> {
        let environments: Vec<&Environment<'_>> = self.environments_of(policy).collect();
        let warning = |code: Code, message: String, help: &str| {
            Finding::warning(code, message)
                .label(policy.place().clone(), "this policy")
                .help(help)
        };
        let id = policy.id();
        if self.in_all(&environments, |environment| {
            self.is_covered(solver, environment, policy, &[], &[])
        })? {
            return Ok(Some(warning(
                code::prove::NEVER_APPLIES,
                format!("no request there can be is one that `{id}` applies to"),
                "take it away, or correct its conditions",
            )));
        }
        // What answers questions is not weighed against others.
        let decides: Vec<&Environment<'_>> = environments
            .iter()
            .copied()
            .filter(|environment| !environment.action.is_question())
            .collect();
        if decides.is_empty() {
            return Ok(None);
        }
        let others = |environment: &Environment<'_>, effect: Effect| -> Vec<&'p Policy> {
            let is_other = |other: &&&'p Policy| other.id() != id && other.effect() == effect;
            let others = policies.iter().filter(is_other);
            others
                .filter(|other| environment.asks(other))
                .copied()
                .collect()
        };
        let forbids = |environment: &Environment<'_>| others(environment, Effect::Forbid);
        if policy.effect() == Effect::Forbid {
            // It is needed where it matches what the others allow.
            let is_redundant = self.in_all(&decides, |environment| {
                let mut rest = others(environment, Effect::Permit);
                rest.extend(forbids(environment));
                let rest = Side::new(rest.into_iter().map(body).collect());
                let claim = Claim::new(&Side::new(vec![permit(policy)]), Relation::Disjoint, &rest);
                self.holds(solver, environment, &claim)
            })?;
            return match is_redundant {
                true => self.redundant(solver, policy, &decides, &forbids),
                false => Ok(None),
            };
        }
        if self.in_all(&decides, |environment| {
            self.is_covered(solver, environment, policy, &forbids(environment), &[])
        })? {
            let overridden = |by: &str| {
                warning(
                    code::prove::ALWAYS_OVERRIDDEN,
                    format!("{by} `{id}` wherever it applies"),
                    "take it away, or narrow what overrides it",
                )
            };
            let by = self.one_that_does(solver, policy, &decides, &forbids)?;
            return Ok(Some(match by {
                Some(by) => overridden(&format!("`{}` overrides", by.id()))
                    .label(by.place().clone(), "this one overrides it"),
                None => overridden("forbids override"),
            }));
        }
        // Of a person nothing follows about a role that the policy does not name: policies about
        // others need not be asked. Enumerated entities can be all there are.
        let named: Vec<_> = policy.named_entities().collect();
        let permits = |environment: &Environment<'_>| -> Vec<&'p Policy> {
            let is_near = |other: &&Policy| {
                let anchor = other.principal_anchor();
                anchor.is_none_or(|anchor| {
                    let type_name = anchor.type_name().to_string();
                    let is_chosen = self.bundle.vocabulary().choices(&type_name).is_some();
                    is_chosen || named.contains(&anchor)
                })
            };
            let permits = others(environment, Effect::Permit);
            permits.into_iter().filter(is_near).collect()
        };
        match self.in_all(&decides, |environment| {
            let (forbids, permits) = (forbids(environment), permits(environment));
            self.is_covered(solver, environment, policy, &forbids, &permits)
        })? {
            true => self.redundant(solver, policy, &decides, &permits),
            false => Ok(None),
        }
    }

    /// Says that a policy is redundant, and which other makes it so. Of two that make each other so, it
    /// is the later one.
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

    /// The first of the others that applies wherever a policy does.
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

    /// Whether everything that a policy matches and none of the forbids does is matched by one of
    /// others; without others, whether there is nothing of the kind.
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
