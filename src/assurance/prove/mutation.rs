//! Mutants of policies, each refuted by a spec or proved equivalent.

use std::sync::Arc;

use super::claim::{Claim, Environment, Relation, Side, body};
use super::literals::Literals;
use super::solver::{NoSolver, Solver, Unknown};
use super::spec::{Says, Spec, answer_alike};
use super::verdict::{Sides, Verdict, asked};
use super::{Counterexample, ProofProgress, Prover, pool};
use crate::mutation::{self, Mutant};
use tarbac_host::bundle::Policy;

/// The results for the mutants.
#[derive(Debug)]
pub struct SpecMutation {
    /// The number of mutants.
    pub mutants: usize,
    /// The number of those that refute a spec or can raise an error.
    pub refuted: usize,
    /// The number of those that `tarbac validate` refuses.
    pub refused: usize,
    /// Those that are proved to change no decision: under the readings in force, with each of them switched, and under
    /// those of the specs.
    pub equivalent: Vec<Mutant>,
    /// Those that change a decision and refute no spec.
    pub survivors: Vec<SpecSurvivor>,
    /// Those with an unknown result, and the reason.
    pub unknown: Vec<(Mutant, Unknown)>,
}

/// A mutant that refutes no spec.
#[derive(Debug)]
pub struct SpecSurvivor {
    /// The mutant.
    pub mutant: Mutant,
    /// The readings that are on.
    pub readings: Vec<String>,
    /// A request with another decision.
    pub counterexample: Counterexample,
}

/// The result for a mutant.
enum Fate {
    Refuted,
    Equivalent,
    Survivor(Vec<String>, Box<Counterexample>),
    Unknown(Unknown),
}

impl Prover<'_> {
    /// Mutates the policies that `is_wanted` selects, and asks for each mutant whether it refutes a spec. The specs
    /// must be proved for the policies without a mutation.
    ///
    /// # Errors
    /// There is no solver.
    pub fn mutate(
        &self,
        specs: &[Spec],
        is_wanted: &(dyn Fn(&Policy) -> bool + Sync),
        progress: ProofProgress<'_>,
    ) -> Result<SpecMutation, NoSolver> {
        let (mutants, refused) = mutation::valid(self.bundle, is_wanted);
        let mut choices = self.choices();
        for choice in specs.iter().flat_map(|spec| self.choices_of(spec)) {
            if !choices.contains(&choice) {
                choices.push(choice);
            }
        }
        // A bound is more likely to be refuted, and sooner.
        let mut specs: Vec<&Spec> = specs.iter().collect();
        specs.sort_by_key(|spec| !matches!(spec.says, Says::Allowed | Says::Refused));
        let specs = specs.as_slice();
        let literals = self.literals(specs.iter().map(|spec| spec.policy()));
        let fates = pool::each(
            self.solving,
            &mutants,
            Sides::default(),
            progress,
            |solver, sides, mutant| {
                self.fate(solver, mutant, specs, &choices, &literals, sides)
                    .unwrap_or_else(Fate::Unknown)
            },
        )?;
        let mut mutation = SpecMutation {
            mutants: mutants.len() + refused,
            refuted: 0,
            refused,
            equivalent: Vec::new(),
            survivors: Vec::new(),
            unknown: Vec::new(),
        };
        for (mutant, fate) in mutants.into_iter().zip(fates) {
            match fate {
                Fate::Refuted => mutation.refuted += 1,
                Fate::Equivalent => mutation.equivalent.push(mutant),
                Fate::Survivor(readings, counterexample) => mutation.survivors.push(SpecSurvivor {
                    mutant,
                    readings,
                    counterexample: *counterexample,
                }),
                Fate::Unknown(unknown) => mutation.unknown.push((mutant, unknown)),
            }
        }
        Ok(mutation)
    }

    fn fate(
        &self,
        solver: &mut Solver<'_>,
        mutant: &Mutant,
        specs: &[&Spec],
        choices: &[Vec<String>],
        literals: &Literals<'_>,
        sides: &Sides,
    ) -> Result<Fate, Unknown> {
        let policies: Vec<&Policy> = self.bundle.policies().iter().collect();
        let changed: Vec<&Policy> = policies
            .iter()
            .filter_map(|policy| match policy.id() == mutant.original.id() {
                true => mutant.changed.as_ref(),
                false => Some(policy),
            })
            .collect();
        let mut survivor = None;
        let choices = choices.iter();
        for readings in choices.filter(|readings| mutant.original.holds_under(readings)) {
            for environment in self.environments.iter().filter(|of| concerns(of, mutant)) {
                let relevant = |policies: &[&Policy]| {
                    relevant(policies, environment, readings, &mutant.original)
                };
                let before = match environment.action.is_question() {
                    true => relevant(&policies),
                    false => sides.side(environment, readings, || relevant(&policies)),
                };
                let after = relevant(&changed);
                let claim = Claim::new(&before, Relation::Equivalent, &after);
                if self.holds(solver, environment, &claim)? {
                    continue;
                }
                if self.refutes_one(solver, specs, readings, environment, &changed, &after)? {
                    return Ok(Fate::Refuted);
                }
                survivor.get_or_insert((readings, environment, claim));
            }
        }
        // A policy that can raise an error is found without a spec.
        if let Some(changed) = &mutant.changed
            && self.can_fail(solver, changed, literals)?.is_some()
        {
            return Ok(Fate::Refuted);
        }
        let Some((readings, environment, claim)) = survivor else {
            return Ok(Fate::Equivalent);
        };
        let verdict = self.decide(
            solver,
            &claim,
            environment,
            literals,
            &|model| claim.is_refuted_by(model, environment.schema),
            &|model| claim.decided(model, environment.schema),
        );
        match verdict {
            Verdict::Refuted(counterexample) => {
                Ok(Fate::Survivor(readings.clone(), counterexample))
            }
            Verdict::NotProved(unknown) => Err(unknown),
            Verdict::Proved => Ok(Fate::Equivalent),
        }
    }

    /// Whether these policies refute a spec under these readings. `decides` has those that decide in the environment.
    fn refutes_one(
        &self,
        solver: &mut Solver<'_>,
        specs: &[&Spec],
        readings: &Vec<String>,
        environment: &Environment<'_>,
        policies: &[&Policy],
        decides: &Arc<Side>,
    ) -> Result<bool, Unknown> {
        // If one spec cannot tell, another may.
        let mut unknown = Ok(false);
        for spec in specs {
            let is_about = |readings| {
                self.choices_of(spec)
                    .iter()
                    .any(|choice| choice == readings)
            };
            if !environment.asks(spec.policy()) || !is_about(readings) {
                continue;
            }
            let of_spec = self.readings_of(spec);
            let side = match environment.action.is_question() || of_spec != *readings {
                true => Side::new(asked(spec, environment, policies, &of_spec)),
                false => Arc::clone(decides),
            };
            let claim = self.claim(spec, environment, &side, policies);
            match claim.and_then(|claim| self.holds(solver, environment, &claim)) {
                Ok(true) => {}
                Ok(false) => return Ok(true),
                Err(why) => unknown = Err(why),
            }
        }
        unknown
    }
}

/// Whether a mutant or its original is about the requests of an environment.
fn concerns(environment: &Environment<'_>, mutant: &Mutant) -> bool {
    let changed = mutant.changed.as_ref();
    environment.asks(&mutant.original) || changed.is_some_and(|changed| environment.asks(changed))
}

/// The policies that decide in an environment with the original of a mutant: for a question, those with its answer.
fn relevant(
    policies: &[&Policy],
    environment: &Environment<'_>,
    readings: &[String],
    original: &Policy,
) -> Arc<Side> {
    let is_question = environment.action.is_question();
    let relevant = policies.iter().filter(|policy| {
        environment.asks(policy)
            && policy.holds_under(readings)
            && (!is_question || answer_alike(policy, original))
    });
    Side::new(relevant.map(|policy| body(policy)).collect())
}
