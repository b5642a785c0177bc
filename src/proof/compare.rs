//! Two sets of policies: who is allowed what by the one and not by the other, in any world.

use std::sync::Arc;

use serde::Serialize;

use super::claim::{Claim, Environment, Relation, Side, body};
use super::counterexample::Counterexample;
use super::pool;
use super::solver::{NoSolver, Solver, Unknown};
use super::verdict::Verdict;
use super::world::World;
use super::{InEnvironment, Progress, Prover};
use crate::bundle::Bundle;

/// How the decisions of two sets of policies compare in one request environment.
#[derive(Debug)]
pub struct Comparison {
    /// Whether the old policies allow nothing that the new ones refuse.
    pub less: InEnvironment,
    /// Whether the new policies allow nothing that the old ones refuse.
    pub more: InEnvironment,
}

/// How decisions change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Not at all.
    Equivalent,
    /// Some requests that were refused are allowed.
    MorePermissive,
    /// Some requests that were allowed are refused.
    LessPermissive,
    /// Both.
    Both,
    /// That is not known.
    Unknown,
}

impl Change {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Equivalent => "equivalent",
            Self::MorePermissive => "more permissive",
            Self::LessPermissive => "less permissive",
            Self::Both => "more and less permissive",
            Self::Unknown => "not known",
        }
    }
}

impl Comparison {
    /// How the decisions change here.
    pub fn change(&self) -> Change {
        match (&self.less.verdict, &self.more.verdict) {
            (Verdict::Proved, Verdict::Proved) => Change::Equivalent,
            (Verdict::Proved, Verdict::Refuted(_)) => Change::MorePermissive,
            (Verdict::Refuted(_), Verdict::Proved) => Change::LessPermissive,
            (Verdict::Refuted(_), Verdict::Refuted(_)) => Change::Both,
            _ => Change::Unknown,
        }
    }

    /// A request that was allowed and is refused.
    pub fn lost(&self) -> Option<&Counterexample> {
        refuted(&self.less)
    }

    /// A request that was refused and is allowed.
    pub fn gained(&self) -> Option<&Counterexample> {
        refuted(&self.more)
    }

    /// Why it is not known how they change.
    pub fn unknown(&self) -> impl Iterator<Item = &Unknown> {
        [&self.less, &self.more]
            .into_iter()
            .filter_map(|side| match &side.verdict {
                Verdict::NotProved(unknown) => Some(unknown),
                _ => None,
            })
    }
}

fn refuted(side: &InEnvironment) -> Option<&Counterexample> {
    match &side.verdict {
        Verdict::Refuted(counterexample) => Some(counterexample),
        _ => None,
    }
}

impl Prover<'_> {
    /// Compares the decisions of other policies, under readings of their own, with those of the
    /// bundle: each permission in each request environment of the bundle's schema. In a
    /// counterexample the outcome is that of the bundle, and the other one that of `old`.
    ///
    /// The old policies must be valid under the schema of the bundle.
    ///
    /// # Errors
    /// There is no solver.
    pub fn compare(
        &self,
        old: &Bundle,
        old_readings: &[String],
        progress: Progress<'_>,
    ) -> Result<Vec<Comparison>, NoSolver> {
        let environments: Vec<&Environment<'_>> = self
            .environments
            .iter()
            .filter(|environment| !environment.action.is_question())
            .collect();
        let surroundings = self.surroundings(old.policies().iter());
        pool::each(
            self.solving,
            &environments,
            (),
            progress,
            |solver, (), environment| {
                let side = |bundle: &Bundle, readings: &[String]| -> Arc<Side> {
                    let asked = bundle
                        .in_force(readings)
                        .filter(|policy| environment.asks(policy));
                    Side::new(asked.map(body).collect())
                };
                let (before, now) = (side(old, old_readings), side(self.bundle, self.readings));
                let outcome = |side: &Side, world: &World| side.outcome(world, environment.schema);
                let implies = |solver: &mut Solver<'_>, left, right| {
                    let claim = Claim::new(left, Relation::Implies, right);
                    environment.with(self.decide(
                        solver,
                        &claim,
                        environment,
                        &surroundings,
                        &|world| claim.is_refuted_by(world, environment.schema),
                        &|world| Some((outcome(&now, world)?, Some(outcome(&before, world)?))),
                    ))
                };
                Comparison {
                    less: implies(solver, &before, &now),
                    more: implies(solver, &now, &before),
                }
            },
        )
    }
}
