//! The comparison of two policy sets over every directory the schema allows.

use cedar_policy::EntityUid;
use schemars::JsonSchema;
use serde::Serialize;

use super::claim::{Claim, Environment, Relation, Side, body};
use super::counterexample::Counterexample;
use super::literals::Literals;
use super::pool::{self, Steps};
use super::solver::{NoSolver, Solver, Unknown};
use super::spec::answer_alike;
use super::verdict::Verdict;
use super::{InEnvironment, ProofProgress, Prover};
use tarbac_host::bundle::{ActionScope, Bundle, Policy, Vocabulary};

/// The old policies of a comparison.
#[derive(Debug, Clone, Copy)]
pub struct Old<'o> {
    /// The policies, under the schema of the new ones.
    pub policies: &'o Bundle,
    /// The readings that are on.
    pub readings: &'o [String],
    /// The vocabulary of their own schema. A request that is not in it was refused.
    pub vocabulary: &'o Vocabulary,
}

/// The comparison of two sets of policies in one request environment.
#[derive(Debug)]
pub struct EnvironmentComparison {
    /// Whether the action is a question about decisions.
    pub is_question: bool,
    /// Whether the old policies allow nothing that the new ones refuse.
    pub less: InEnvironment,
    /// Whether the new policies allow nothing that the old ones refuse.
    pub more: InEnvironment,
}

/// How decisions change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecisionChange {
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

impl DecisionChange {
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

impl EnvironmentComparison {
    /// The change of the decisions in this environment.
    pub fn change(&self) -> DecisionChange {
        match (&self.less.verdict, &self.more.verdict) {
            (Verdict::Proved, Verdict::Proved) => DecisionChange::Equivalent,
            (Verdict::Proved, Verdict::Refuted(_)) => DecisionChange::MorePermissive,
            (Verdict::Refuted(_), Verdict::Proved) => DecisionChange::LessPermissive,
            (Verdict::Refuted(_), Verdict::Refuted(_)) => DecisionChange::Both,
            _ => DecisionChange::Unknown,
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

    /// The reasons why the change is unknown.
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
    /// Compares the decisions and answers of old policies with those of the bundle: for each permission and each
    /// question in each request environment of the bundle's schema. In a counterexample, the outcome is that of the
    /// bundle, and the other one that of `old`.
    ///
    /// # Errors
    /// There is no solver.
    pub fn compare(
        &self,
        old: &Old<'_>,
        progress: ProofProgress<'_>,
    ) -> Result<Vec<EnvironmentComparison>, NoSolver> {
        let literals = self.literals(old.policies.policies().iter());
        let before: Vec<&Policy> = old.policies.in_force(old.readings).collect();
        let now: Vec<&Policy> = self.bundle.in_force(self.readings).collect();
        let pieces = before.len() + now.len() + self.environments.len();
        let steps = Steps::new(progress, pieces);
        let failing_before = steps.next(before.len(), |progress| {
            self.failing(&before, &literals, progress)
        })?;
        let failing_now = steps.next(now.len(), |progress| {
            self.failing(&now, &literals, progress)
        })?;
        let compared = |solver: &mut Solver<'_>, environment: &Environment<'_>| {
            // A request that is not in the old schema was refused.
            let before = match environment.is_known_to(old.vocabulary) {
                true => asked(&before, environment),
                false => Vec::new(),
            };
            let now = asked(&now, environment);
            let changed = self.changed_words(environment, old);
            let verdict = |solver: &mut Solver<'_>, is_gain: bool| {
                if let Some(changed) = &changed {
                    return environment.with(Verdict::NotProved(changed.clone()));
                }
                let verdict = self.implied(solver, environment, &before, &now, is_gain, &literals);
                let verdict = failing_before.unless_by(before.iter().copied(), verdict);
                environment.with(failing_now.unless_by(now.iter().copied(), verdict))
            };
            EnvironmentComparison {
                is_question: environment.action.is_question(),
                less: verdict(solver, false),
                more: verdict(solver, true),
            }
        };
        steps.next(self.environments.len(), |progress| {
            pool::each(
                self.solving,
                &self.environments,
                (),
                progress,
                |solver, (), environment| compared(solver, environment),
            )
        })
    }

    /// The reason why the old policies cannot be decided as before in an environment: they name a group of actions
    /// that the action has joined or left, or requests may have entities that the old schema did not enumerate.
    fn changed_words(&self, environment: &Environment<'_>, old: &Old<'_>) -> Option<Unknown> {
        let action = environment.action;
        let was = old.vocabulary.action(&action.uid)?;
        let moved =
            |group: &&EntityUid| was.groups.contains(group) != action.groups.contains(group);
        let mut groups = was.groups.iter().chain(&action.groups).filter(moved);
        let is_named = |group: &&EntityUid| {
            let policies = old.policies.in_force(old.readings);
            policies.into_iter().any(|policy| names(policy, group))
        };
        if let Some(group) = groups.find(is_named) {
            return Some(Unknown::Schema(format!(
                "{} is in other groups than before, and earlier policies name {group}",
                action.uid
            )));
        }
        let types = [environment.types.principal(), environment.types.resource()];
        let more = types.into_iter().find(|of| {
            let name = of.to_string();
            let now = self.bundle.vocabulary().choices(&name);
            let before = old.vocabulary.choices(&name);
            now.is_some_and(|now| before.is_some_and(|before| !now.is_subset(before)))
        })?;
        Some(Unknown::Schema(format!(
            "there are more entities of the type {more} than before"
        )))
    }

    /// Whether one set of policies allows nothing that the other refuses; for a question, whether it gives no other
    /// answer.
    fn implied(
        &self,
        solver: &mut Solver<'_>,
        environment: &Environment<'_>,
        before: &[&Policy],
        now: &[&Policy],
        is_gain: bool,
        literals: &Literals<'_>,
    ) -> Verdict {
        let mut open = Verdict::Proved;
        for answer in answers(environment, before, now) {
            let side = |policies: &[&Policy]| {
                let alike = policies
                    .iter()
                    .filter(|policy| answer.is_none_or(|answer| answer_alike(policy, answer)));
                Side::new(alike.map(|policy| body(policy)).collect())
            };
            let (before, now) = (side(before), side(now));
            let claim = match is_gain {
                true => Claim::new(&now, Relation::Implies, &before),
                false => Claim::new(&before, Relation::Implies, &now),
            };
            let schema = environment.schema;
            let verdict = self.decide(
                solver,
                &claim,
                environment,
                literals,
                &|model| claim.is_refuted_by(model, schema),
                &|model| {
                    Some((
                        now.outcome(model, schema)?,
                        Some(before.outcome(model, schema)?),
                    ))
                },
            );
            match verdict {
                Verdict::Proved => {}
                Verdict::Refuted(_) => return verdict,
                Verdict::NotProved(_) => open = verdict,
            }
        }
        open
    }
}

/// Whether a policy names a group of actions, in its scope or in a condition.
fn names(policy: &Policy, group: &EntityUid) -> bool {
    let is_in_scope = match policy.action_scope() {
        ActionScope::In(named) => named.contains(group),
        ActionScope::Is(_) | ActionScope::Any => false,
    };
    is_in_scope || policy.named_entities().any(|named| named == *group)
}

/// The policies that can apply to a request of an environment.
fn asked<'p>(policies: &[&'p Policy], environment: &Environment<'_>) -> Vec<&'p Policy> {
    let policies = policies.iter().copied();
    policies.filter(|policy| environment.asks(policy)).collect()
}

/// A policy for each distinct answer to a question; for a permission, all policies are one answer.
fn answers<'p>(
    environment: &Environment<'_>,
    before: &[&'p Policy],
    now: &[&'p Policy],
) -> Vec<Option<&'p Policy>> {
    if !environment.action.is_question() {
        return vec![None];
    }
    let mut answers: Vec<Option<&Policy>> = Vec::new();
    for policy in before.iter().chain(now) {
        if !answers
            .iter()
            .flatten()
            .any(|known| answer_alike(known, policy))
        {
            answers.push(Some(policy));
        }
    }
    answers
}
