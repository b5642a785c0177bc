//! Mutants of policies, each refuted by a spec or proved equivalent.

use std::sync::Arc;

use super::claim::{Claim, Environment, Relation, Side, body};
use super::literals::Literals;
use super::solver::{NoSolver, Solver, Unknown};
use super::spec::{Says, Spec, answer_alike};
use super::verdict::{Sides, Verdict, asked};
use super::{Counterexample, Progress, Prover, pool};
use crate::mutation::{self, Mutant};
use tarbac_host::bundle::Policy;

/// What became of the mutants.
#[derive(Debug)]
pub struct Mutation {
    /// How many there were.
    pub mutants: usize,
    /// How many refute a spec, or can raise an error.
    pub refuted: usize,
    /// How many `tarbac validate` refuses, so that they could not have landed.
    pub refused: usize,
    /// Those that decide nothing otherwise, proved under the readings at hand, under each of them
    /// switched, and under those of the specs.
    pub equivalent: Vec<Mutant>,
    /// Those that decide something otherwise and refute no spec.
    pub survivors: Vec<Survivor>,
    /// Those of which that is not known, and why.
    pub unknown: Vec<(Mutant, Unknown)>,
}

/// A mutant that refutes no spec.
#[derive(Debug)]
pub struct Survivor {
    /// The mutant.
    pub mutant: Mutant,
    /// The readings that are on.
    pub readings: Vec<String>,
    /// What it decides otherwise.
    pub counterexample: Counterexample,
}

/// What became of one.
enum Became {
    Refuted,
    Equivalent,
    Survivor(Vec<String>, Box<Counterexample>),
    Unknown(Unknown),
}

impl Prover<'_> {
    /// Changes the policies that `is_wanted` takes in every way there is, and asks for each change
    /// whether a spec is refuted. The specs must be proved as things are.
    ///
    /// # Errors
    /// There is no solver.
    pub fn mutate(
        &self,
        specs: &[Spec],
        is_wanted: &(dyn Fn(&Policy) -> bool + Sync),
        progress: Progress<'_>,
    ) -> Result<Mutation, NoSolver> {
        let (mutants, refused) = mutation::valid(self.bundle, is_wanted);
        let mut choices = self.choices();
        for choice in specs.iter().flat_map(|spec| self.choices_of(spec)) {
            if !choices.contains(&choice) {
                choices.push(choice);
            }
        }
        // A bound is the more likely to be refuted, and the sooner.
        let mut specs: Vec<&Spec> = specs.iter().collect();
        specs.sort_by_key(|spec| !matches!(spec.says, Says::Allowed | Says::Refused));
        let specs = specs.as_slice();
        let surroundings = self.surroundings(specs.iter().map(|spec| spec.policy()));
        let became = pool::each(
            self.solving,
            &mutants,
            Sides::default(),
            progress,
            |solver, sides, mutant| {
                self.became(solver, mutant, specs, &choices, &surroundings, sides)
                    .unwrap_or_else(Became::Unknown)
            },
        )?;
        let mut mutation = Mutation {
            mutants: mutants.len() + refused,
            refuted: 0,
            refused,
            equivalent: Vec::new(),
            survivors: Vec::new(),
            unknown: Vec::new(),
        };
        for (mutant, became) in mutants.into_iter().zip(became) {
            match became {
                Became::Refuted => mutation.refuted += 1,
                Became::Equivalent => mutation.equivalent.push(mutant),
                Became::Survivor(readings, counterexample) => mutation.survivors.push(Survivor {
                    mutant,
                    readings,
                    counterexample: *counterexample,
                }),
                Became::Unknown(unknown) => mutation.unknown.push((mutant, unknown)),
            }
        }
        Ok(mutation)
    }

    fn became(
        &self,
        solver: &mut Solver<'_>,
        mutant: &Mutant,
        specs: &[&Spec],
        choices: &[Vec<String>],
        surroundings: &Literals<'_>,
        sides: &Sides,
    ) -> Result<Became, Unknown> {
        let policies: Vec<&Policy> = self.bundle.policies().iter().collect();
        let changed: Vec<&Policy> = policies
            .iter()
            .filter_map(|policy| match policy.id() == mutant.original.id() {
                true => mutant.changed.as_ref(),
                false => Some(policy),
            })
            .collect();
        let mut survivor = None;
        for readings in choices {
            if !mutant.original.holds_under(readings) {
                continue;
            }
            for environment in &self.environments {
                let concerns = environment.asks(&mutant.original)
                    || mutant
                        .changed
                        .as_ref()
                        .is_some_and(|changed| environment.asks(changed));
                if !concerns {
                    continue;
                }
                // Of those that answer a question, the ones with another answer are another matter.
                let relevant = |policies: &[&Policy]| {
                    let is_question = environment.action.is_question();
                    let relevant = policies.iter().filter(|policy| {
                        environment.asks(policy)
                            && policy.holds_under(readings)
                            && (!is_question || answer_alike(policy, &mutant.original))
                    });
                    Side::new(relevant.map(|policy| body(policy)).collect())
                };
                let before = match environment.action.is_question() {
                    true => relevant(&policies),
                    false => sides.of(environment, readings, || relevant(&policies)),
                };
                let after = relevant(&changed);
                let claim = Claim::new(&before, Relation::Equivalent, &after);
                if self.holds(solver, environment, &claim)? {
                    continue;
                }
                if self.refutes_one(solver, specs, readings, environment, &changed, &after)? {
                    return Ok(Became::Refuted);
                }
                survivor.get_or_insert((readings, environment, claim));
            }
        }
        // That a policy can raise an error is found out without a spec.
        if let Some(changed) = &mutant.changed
            && self.can_fail(solver, changed, surroundings)?.is_some()
        {
            return Ok(Became::Refuted);
        }
        let Some((readings, environment, claim)) = survivor else {
            return Ok(Became::Equivalent);
        };
        let verdict = self.decide(
            solver,
            &claim,
            environment,
            surroundings,
            &|world| claim.is_refuted_by(world, environment.schema),
            &|world| claim.decided(world, environment.schema),
        );
        match verdict {
            Verdict::Refuted(counterexample) => {
                Ok(Became::Survivor(readings.clone(), counterexample))
            }
            Verdict::NotProved(unknown) => Err(unknown),
            Verdict::Proved => Ok(Became::Equivalent),
        }
    }

    /// Whether these policies refute a spec that is about them under these readings. `decides` are
    /// those that decide in the environment.
    fn refutes_one(
        &self,
        solver: &mut Solver<'_>,
        specs: &[&Spec],
        readings: &Vec<String>,
        environment: &Environment<'_>,
        policies: &[&Policy],
        decides: &Arc<Side>,
    ) -> Result<bool, Unknown> {
        // What one spec cannot tell, another may.
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
