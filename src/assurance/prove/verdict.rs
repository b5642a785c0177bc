//! The verdict on a spec in one request environment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use cedar_policy_core::ast;

use super::Prover;
use super::claim::{Claim, Environment, Relation, Side, body, forbid_the_rest, permit};
use super::counterexample::{Counterexample, Decided, Decides};
use super::literals::Literals;
use super::model::Model;
use super::shrink::Refutes;
use super::solver::{Solver, Unknown};
use super::spec::{Says, Spec};
use tarbac_host::bundle::Policy;

/// The result for a claim about all models.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// The claim holds in every model.
    Proved,
    /// The claim does not hold in this model.
    Refuted(Box<Counterexample>),
    /// The result is unknown.
    NotProved(Unknown),
}

/// Sides of permissions that several claims share, by environment and readings.
#[derive(Debug, Default)]
pub(super) struct Sides(Mutex<HashMap<Under, Arc<Side>>>);

/// An environment, by its number, and the readings that are on.
type Under = (usize, Vec<String>);

impl Sides {
    /// The side of an environment under these readings, made at its first use.
    pub(super) fn side(
        &self,
        environment: &Environment<'_>,
        readings: &[String],
        make: impl FnOnce() -> Arc<Side>,
    ) -> Arc<Side> {
        let mut sides = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (environment.number, readings.to_vec());
        Arc::clone(sides.entry(key).or_insert_with(make))
    }
}

impl Prover<'_> {
    /// The readings under which a spec is about the policies.
    pub(super) fn readings_of(&self, spec: &Spec) -> Vec<String> {
        match spec.reading() {
            Some((name, holds)) => switched(self.readings, name, holds),
            None => self.readings.to_vec(),
        }
    }

    /// The readings in force, and each of them switched: a policy that is not in force under one choice is in force
    /// under another.
    pub(super) fn choices(&self) -> Vec<Vec<String>> {
        let mut choices = vec![self.readings.to_vec()];
        for reading in self.bundle.readings() {
            for holds in [true, false] {
                let choice = switched(self.readings, &reading.name, holds);
                if !choices.contains(&choice) {
                    choices.push(choice);
                }
            }
        }
        choices
    }

    /// Every choice of readings under which a spec is about the policies.
    pub(super) fn choices_of(&self, spec: &Spec) -> Vec<Vec<String>> {
        let readings = self.readings_of(spec);
        let Says::SameUnderReading(name) = &spec.says else {
            return vec![readings];
        };
        [true, false]
            .map(|holds| switched(&readings, name, holds))
            .into()
    }

    /// The policies that a spec is about in an environment, under any choice of readings.
    pub(super) fn concerned<'p>(
        &'p self,
        spec: &'p Spec,
        environment: &'p Environment<'_>,
    ) -> impl Iterator<Item = &'p Policy> {
        let choices = self.choices_of(spec);
        self.bundle.policies().iter().filter(move |policy| {
            choices
                .iter()
                .any(|readings| is_asked(spec, environment, policy, readings))
        })
    }

    /// Whether a spec holds of the policies in an environment.
    pub(super) fn verdict(
        &self,
        solver: &mut Solver<'_>,
        spec: &Spec,
        environment: &Environment<'_>,
        literals: &Literals<'_>,
        sides: &Sides,
    ) -> Verdict {
        let policies: Vec<&Policy> = self.bundle.policies().iter().collect();
        let readings = self.readings_of(spec);
        let make = || Side::new(asked(spec, environment, &policies, &readings));
        // For a question, a spec is about the policies with one answer.
        let side = match environment.action.is_question() {
            true => make(),
            false => sides.side(environment, &readings, make),
        };
        let claim = match self.claim(spec, environment, &side, &policies) {
            Ok(claim) => claim,
            Err(unknown) => return Verdict::NotProved(unknown),
        };
        let schema = environment.schema;
        let decides = |model: &Model| -> Decided {
            let other = match &spec.says {
                Says::Allowed | Says::Refused => None,
                Says::SameWhatever(attribute) => {
                    Some(side.outcome(&attribute.put(model)?, schema)?)
                }
                Says::SameUnderReading(_) => return claim.decided(model, schema),
            };
            Some((side.outcome(model, schema)?, other))
        };
        let refutes = |model: &Model| {
            let is_refuted = claim.is_refuted_by(model, schema);
            match &spec.says {
                // The value of the specialisation is put into the model. The unspecialised policies decide both
                // models, and must not decide them alike.
                Says::SameWhatever(_) if is_refuted => {
                    decides(model).is_some_and(|(one, other)| {
                        other.is_some_and(|other| other.decision != one.decision)
                    })
                }
                _ => is_refuted,
            }
        };
        self.decide(solver, &claim, environment, literals, &refutes, &decides)
    }

    /// The claim of a spec about policies in an environment.
    pub(super) fn claim(
        &self,
        spec: &Spec,
        environment: &Environment<'_>,
        side: &Arc<Side>,
        policies: &[&Policy],
    ) -> Result<Claim, Unknown> {
        let spec_side = || Side::new(vec![permit(spec.policy())]);
        let within = |mut policies: Vec<ast::Policy>| {
            policies.push(forbid_the_rest(spec.policy()));
            Side::new(policies)
        };
        Ok(match &spec.says {
            Says::Allowed => Claim::new(&spec_side(), Relation::Implies, side),
            Says::Refused => Claim::new(&spec_side(), Relation::Disjoint, side),
            Says::SameWhatever(attribute) => {
                let readings = self.readings_of(spec);
                let specialised = policies
                    .iter()
                    .filter(|policy| is_asked(spec, environment, policy, &readings))
                    .map(|policy| attribute.specialised(policy))
                    .collect::<Result<Vec<ast::Policy>, _>>()?;
                Claim::new(
                    &within(side.policies.clone()),
                    Relation::Equivalent,
                    &within(specialised),
                )
            }
            Says::SameUnderReading(name) => {
                let under = |holds: bool| {
                    let readings = switched(&self.readings_of(spec), name, holds);
                    within(asked(spec, environment, policies, &readings))
                };
                Claim::new(&under(true), Relation::Equivalent, &under(false))
            }
        })
    }

    /// Asks the solver about a claim, and plain Cedar about the model that the solver finds.
    pub(super) fn decide(
        &self,
        solver: &mut Solver<'_>,
        claim: &Claim,
        environment: &Environment<'_>,
        literals: &Literals<'_>,
        refutes: Refutes<'_>,
        decides: Decides<'_>,
    ) -> Verdict {
        let asserts = match claim.asserts(environment) {
            Ok(asserts) => asserts,
            Err(unknown) => return Verdict::NotProved(unknown),
        };
        match solver.satisfy(&asserts) {
            Ok(None) => Verdict::Proved,
            Ok(Some(found)) => confirm(&found, literals, refutes, decides),
            Err(unknown) => Verdict::NotProved(unknown),
        }
    }

    /// Whether a spec is about no request at all.
    pub(super) fn matches_nothing(&self, solver: &mut Solver<'_>, spec: &Spec) -> bool {
        self.environments_of(spec.policy()).all(|environment| {
            let claim = Claim::new(
                &Side::new(vec![permit(spec.policy())]),
                Relation::Implies,
                &Side::new(Vec::new()),
            );
            self.holds(solver, environment, &claim) == Ok(true)
        })
    }
}

/// The verdict for a model that a solver found: a refutation if plain Cedar confirms it.
pub(super) fn confirm(
    found: &cedar_policy_symcc::Env,
    literals: &Literals<'_>,
    refutes: Refutes<'_>,
    decides: Decides<'_>,
) -> Verdict {
    let model = match Model::new(found) {
        Ok(model) => model,
        Err(error) => return Verdict::NotProved(Unknown::Unconfirmed(error.to_string())),
    };
    match Counterexample::new(model, literals, refutes, decides) {
        Some(counterexample) => Verdict::Refuted(Box::new(counterexample)),
        None => Verdict::NotProved(Unknown::Unconfirmed(
            "plain Cedar does not confirm it".to_owned(),
        )),
    }
}

/// The policies that a spec is about in an environment under these readings, in the form for the solver.
pub(super) fn asked(
    spec: &Spec,
    environment: &Environment<'_>,
    policies: &[&Policy],
    readings: &[String],
) -> Vec<ast::Policy> {
    policies
        .iter()
        .filter(|policy| is_asked(spec, environment, policy, readings))
        .map(|policy| body(policy))
        .collect()
}

fn is_asked(
    spec: &Spec,
    environment: &Environment<'_>,
    policy: &Policy,
    readings: &[String],
) -> bool {
    let is_about = !environment.action.is_question() || spec.is_about_answer(policy);
    is_asked_under(environment, policy, readings) && is_about
}

/// Whether a policy is asked in an environment under these readings.
pub(super) fn is_asked_under(
    environment: &Environment<'_>,
    policy: &Policy,
    readings: &[String],
) -> bool {
    environment.asks(policy) && policy.holds_under(readings)
}

/// Readings with one of them switched on or off.
pub(super) fn switched(readings: &[String], name: &str, holds: bool) -> Vec<String> {
    let others = readings.iter().filter(|reading| *reading != name);
    let mut on: Vec<String> = others.cloned().collect();
    if holds {
        on.push(name.to_owned());
        on.sort();
    }
    on
}
