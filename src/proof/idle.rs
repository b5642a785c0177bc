//! What should hold of any policies, and nobody has to ask for: none can raise an error, and none
//! is there for nothing.

use std::sync::Arc;

use super::claim::{Claim, Environment, Relation, Side, Single, body, errors, permit};
use super::shrink::Surroundings;
use super::solver::{Solver, Unknown};
use super::world::World;
use super::{Prover, Verdict, confirm};
use crate::bundle::{Effect, Policy};
use crate::finding::Finding;

/// What was found of a policy.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub findings: Vec<Finding>,
    /// What could not be found out.
    pub unknown: Vec<Finding>,
}

impl Prover<'_> {
    /// Looks at one of the policies in force.
    pub(super) fn look_at(
        &self,
        solver: &mut Solver<'_>,
        policy: &Policy,
        policies: &[&Policy],
        surroundings: &Surroundings<'_>,
    ) -> Looked {
        let mut looked = Looked::default();
        let environments: Vec<&Environment<'_>> = self
            .environments
            .iter()
            .filter(|environment| environment.asks(policy))
            .collect();
        // One that cannot be put to the solver is said so once, and asked no more.
        let compiled = environments
            .iter()
            .find_map(|environment| Single::new(body(policy)).compiled(environment).err());
        let found = match compiled {
            Some(unsupported) => Err(unsupported),
            None => self
                .can_fail(solver, policy, &environments, surroundings)
                .and_then(|failing| match failing {
                    Some(finding) => Ok(Some(finding)),
                    None => self.is_idle(solver, policy, policies, &environments),
                }),
        };
        match found {
            Ok(finding) => looked.findings.extend(finding),
            Err(unknown) => looked.unknown.push(not_known(policy, &unknown)),
        }
        looked
    }

    /// Whether a policy can raise an error.
    fn can_fail(
        &self,
        solver: &mut Solver<'_>,
        policy: &Policy,
        environments: &[&Environment<'_>],
        surroundings: &Surroundings<'_>,
    ) -> Result<Option<Finding>, Unknown> {
        let side = Side::new(vec![body(policy)]);
        for environment in environments {
            let compiled = Single::new(body(policy)).compiled(environment)?;
            let Some(found) = solver.satisfy(&errors(&compiled))? else {
                continue;
            };
            let fails = |world: &World| {
                side.outcome(world, environment.schema)
                    .is_ok_and(|outcome| !outcome.errors.is_empty())
            };
            let decided =
                |world: &World| Some((side.outcome(world, environment.schema).ok()?, None));
            return match confirm(&found, surroundings, &fails, &decided) {
                Verdict::Refuted(counterexample) => {
                    let error = counterexample.outcome.errors.join("; ");
                    Ok(Some(
                        Finding::error(
                            "policy::can_fail",
                            format!(
                                "the policy `{}` can raise an error, as for {}: {error}",
                                policy.id(),
                                environment.action.short_name()
                            ),
                        )
                        .label(policy.place().clone(), "this policy")
                        .help("Cedar skips a policy that fails, and tarbac then decides nothing: ask with `has` first, and keep numbers within their range"),
                    ))
                }
                Verdict::NotProved(unknown) => Err(unknown),
                Verdict::Proved => Ok(None),
            };
        }
        Ok(None)
    }

    /// Whether a policy is there for nothing: it can never apply, a forbid always overrides it, or
    /// the others decide alike without it.
    fn is_idle(
        &self,
        solver: &mut Solver<'_>,
        policy: &Policy,
        policies: &[&Policy],
        environments: &[&Environment<'_>],
    ) -> Result<Option<Finding>, Unknown> {
        let mut never_applies = true;
        for environment in environments {
            never_applies = self.is_covered(solver, environment, policy, &[], None)?;
            if !never_applies {
                break;
            }
        }
        let warning = |code: &str, message: String, help: &str| {
            Finding::warning(code, message)
                .label(policy.place().clone(), "this policy")
                .help(help)
        };
        if never_applies {
            return Ok(Some(warning(
                "policy::never_applies",
                format!(
                    "no request there can be is one that `{}` applies to",
                    policy.id()
                ),
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
        let asked = |environment: &Environment<'_>| -> Vec<&Policy> {
            policies
                .iter()
                .copied()
                .filter(|other| environment.asks(other))
                .collect()
        };
        if policy.effect() == Effect::Permit {
            let forbids = |environment: &Environment<'_>| -> Vec<&Policy> {
                asked(environment)
                    .into_iter()
                    .filter(|other| other.effect() == Effect::Forbid)
                    .collect()
            };
            let mut is_overridden = true;
            for environment in &decides {
                let forbids = forbids(environment);
                is_overridden = !forbids.is_empty()
                    && self.is_covered(solver, environment, policy, &forbids, None)?;
                if !is_overridden {
                    break;
                }
            }
            if is_overridden {
                let by = self.one_that_does(solver, policy, &decides, &forbids)?;
                return Ok(Some(by.map_or_else(
                    || {
                        warning(
                            "policy::always_overridden",
                            format!("forbids override `{}` wherever it applies", policy.id()),
                            "take it away, or narrow the forbids",
                        )
                    },
                    |by| {
                        warning(
                            "policy::always_overridden",
                            format!(
                                "`{}` overrides `{}` wherever it applies",
                                by.id(),
                                policy.id()
                            ),
                            "take it away, or narrow the forbid",
                        )
                        .label(by.place().clone(), "this one overrides it")
                    },
                )));
            }
        }
        for environment in &decides {
            let all = asked(environment);
            let others: Vec<&Policy> = all
                .iter()
                .copied()
                .filter(|other| other.id() != policy.id())
                .collect();
            if !self.are_equivalent(solver, environment, &all, &others)? {
                return Ok(None);
            }
        }
        let alike = |environment: &Environment<'_>| -> Vec<&Policy> {
            asked(environment)
                .into_iter()
                .filter(|other| other.effect() == policy.effect() && other.id() != policy.id())
                .collect()
        };
        let by = self.one_that_does(solver, policy, &decides, &alike)?;
        Ok(Some(match by {
            Some(by) => warning(
                "policy::redundant",
                format!("`{}` makes `{}` redundant", by.id(), policy.id()),
                "nothing is decided otherwise without it: take it away",
            )
            .label(by.place().clone(), "this one applies wherever it does"),
            None => warning(
                "policy::redundant",
                format!("the others together make `{}` redundant", policy.id()),
                "nothing is decided otherwise without it: take it away",
            ),
        }))
    }

    /// The first of the policies that applies wherever another does.
    fn one_that_does<'p>(
        &self,
        solver: &mut Solver<'_>,
        policy: &Policy,
        environments: &[&Environment<'_>],
        candidates: &dyn Fn(&Environment<'_>) -> Vec<&'p Policy>,
    ) -> Result<Option<&'p Policy>, Unknown> {
        let Some((first, _)) = environments.split_first() else {
            return Ok(None);
        };
        'candidates: for candidate in candidates(first) {
            for environment in environments {
                if !self.is_covered(solver, environment, policy, &[], Some(candidate))? {
                    continue 'candidates;
                }
            }
            return Ok(Some(candidate));
        }
        Ok(None)
    }

    /// Whether everything that a policy matches and none of the forbids does is matched by another;
    /// without another, whether there is nothing of the kind.
    fn is_covered(
        &self,
        solver: &mut Solver<'_>,
        environment: &Environment<'_>,
        policy: &Policy,
        forbids: &[&Policy],
        by: Option<&Policy>,
    ) -> Result<bool, Unknown> {
        let left = forbids.iter().map(|forbid| body(forbid));
        let left = left.chain([permit(policy)]).collect();
        let right = by.into_iter().filter(|by| environment.asks(by));
        let right = right.map(permit).collect();
        self.holds(
            solver,
            environment,
            &Claim::new(&Side::new(left), Relation::Implies, &Side::new(right)),
        )
    }

    fn are_equivalent(
        &self,
        solver: &mut Solver<'_>,
        environment: &Environment<'_>,
        one: &[&Policy],
        other: &[&Policy],
    ) -> Result<bool, Unknown> {
        let side = |policies: &[&Policy]| -> Arc<Side> {
            Side::new(policies.iter().map(|policy| body(policy)).collect())
        };
        self.holds(
            solver,
            environment,
            &Claim::new(&side(one), Relation::Equivalent, &side(other)),
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
        Ok(solver.satisfy(&asserts)?.is_none())
    }
}

fn not_known(policy: &Policy, unknown: &Unknown) -> Finding {
    Finding::warning(
        "policy::not_proved",
        format!("nothing is known of `{}`: {unknown}", policy.id()),
    )
    .label(policy.place().clone(), "this policy")
}
