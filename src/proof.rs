//! Proofs: what holds in every world that the schema allows, and not only in the one at hand.
//!
//! A [`Spec`] says what must be true of the policies, and is a policy itself. The symbolic compiler
//! of Cedar turns policies and specs into formulas, and a solver looks for a world that refutes a
//! spec. Where there is none, the spec is proved. Where there is one, it is made as small as it
//! gets and decided again by plain Cedar: a [`Counterexample`] does not rest on the solver's word.
//! And what the solver cannot tell is [`Verdict::NotProved`], with the reason; it is never proved.
//!
//! What nobody has to ask for is in [`Prover::prove`] too: no policy can raise an error, and none
//! is there for nothing.

mod case;
mod claim;
mod compare;
mod counterexample;
mod idle;
mod mutation;
mod pool;
mod shrink;
mod solver;
mod spec;
mod specialise;
mod world;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use cedar_policy::{EntityTypeName, EntityUid};
use cedar_policy_core::ast;

use crate::bundle::{Bundle, Policy};
use crate::finding::Finding;
use claim::{Claim, Environment, Relation, Side, body, forbid_the_rest, permit};
use counterexample::{Decided, Decides};
use shrink::{Refutes, Surroundings};
use solver::Solver;

pub use compare::{Change, Comparison};
pub use counterexample::{Counterexample, Fact};
pub use mutation::{Mutation, Survivor};
pub use pool::Progress;
pub use solver::{NoSolver, Solving, Unknown};
pub use spec::{Says, Spec, read};
pub use specialise::Attribute;
pub use world::{Element, World, as_entity as entity_of};

/// Proves things about a bundle.
#[derive(Debug)]
pub struct Prover<'a> {
    bundle: &'a Bundle,
    readings: &'a [String],
    solving: &'a Solving,
    environments: Vec<Environment<'a>>,
}

/// What was proved, and what was not.
#[derive(Debug)]
pub struct Proof<'s> {
    /// The specs, in their order.
    pub specs: Vec<Tried<'s>>,
    /// What is wrong with the policies, whatever the specs say.
    pub findings: Vec<Finding>,
    /// What of that could not be found out.
    pub unknown: Vec<Finding>,
    /// How many policies were looked at for it.
    pub policies: usize,
}

/// A spec, and what came of it.
#[derive(Debug)]
pub struct Tried<'s> {
    /// The spec.
    pub spec: &'s Spec,
    /// For each request environment that it is about, what came of it.
    pub environments: Vec<InEnvironment>,
    /// Whether it matches no request at all, so that it holds and says nothing.
    pub is_vacuous: bool,
}

/// What came of something in one request environment.
#[derive(Debug, Clone)]
pub struct InEnvironment {
    /// The type of the principal.
    pub principal: EntityTypeName,
    /// The action.
    pub action: EntityUid,
    /// The type of the resource.
    pub resource: EntityTypeName,
    /// What came of it.
    pub verdict: Verdict,
}

/// Whether something holds in every world.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// It does.
    Proved,
    /// It does not, and here is a world in which it does not.
    Refuted(Box<Counterexample>),
    /// That is not known.
    NotProved(Unknown),
}

impl Tried<'_> {
    /// Whether it is proved for every request.
    pub fn is_proved(&self) -> bool {
        self.environments
            .iter()
            .all(|environment| matches!(environment.verdict, Verdict::Proved))
    }

    /// The counterexamples, each with where it was found.
    pub fn refutations(&self) -> impl Iterator<Item = (&InEnvironment, &Counterexample)> {
        self.environments
            .iter()
            .filter_map(|environment| match &environment.verdict {
                Verdict::Refuted(counterexample) => Some((environment, &**counterexample)),
                _ => None,
            })
    }

    /// Why it is not proved, where that is not known.
    pub fn unknown(&self) -> impl Iterator<Item = (&InEnvironment, &Unknown)> {
        self.environments
            .iter()
            .filter_map(|environment| match &environment.verdict {
                Verdict::NotProved(unknown) => Some((environment, unknown)),
                _ => None,
            })
    }
}

impl Proof<'_> {
    /// Whether anything is refuted.
    pub fn is_refuted(&self) -> bool {
        self.specs
            .iter()
            .any(|tried| tried.refutations().next().is_some())
            || crate::finding::any_error(&self.findings)
    }

    /// Whether anything is not known.
    pub fn is_unknown(&self) -> bool {
        !self.unknown.is_empty()
            || self
                .specs
                .iter()
                .any(|tried| tried.unknown().next().is_some())
    }
}

/// Sides of permissions that several claims share, by environment and readings.
#[derive(Debug, Default)]
struct Sides(Mutex<HashMap<Under, Arc<Side>>>);

/// An environment, by its number, and the readings that are on.
type Under = (usize, Vec<String>);

impl Sides {
    /// The side of an environment, by its number, under these readings; made where it is not there.
    fn of(
        &self,
        number: usize,
        readings: &[String],
        make: impl FnOnce() -> Arc<Side>,
    ) -> Arc<Side> {
        let mut sides = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (number, readings.to_vec());
        Arc::clone(sides.entry(key).or_insert_with(make))
    }
}

/// A piece of work.
enum Task<'t> {
    /// A spec in one environment, both by their numbers.
    Spec(usize, usize),
    /// Whether a spec matches anything.
    Match(usize),
    /// A policy that nobody asked about.
    Policy(&'t Policy),
}

/// What came of it.
enum Done {
    Spec(Verdict),
    Match(bool),
    Policy(idle::Looked),
}

impl<'a> Prover<'a> {
    /// Prepares proofs about the policies of a bundle under these readings.
    ///
    /// # Errors
    /// The symbolic compiler does not support the schema.
    pub fn new(
        bundle: &'a Bundle,
        readings: &'a [String],
        solving: &'a Solving,
    ) -> Result<Self, Unknown> {
        Ok(Self {
            bundle,
            readings,
            solving,
            environments: Environment::all(bundle)?,
        })
    }

    /// Proves specs, and what should hold of any policies. `progress` is told how far it is.
    ///
    /// # Errors
    /// There is no solver.
    pub fn prove<'s>(
        &self,
        specs: &'s [Spec],
        progress: Progress<'_>,
    ) -> Result<Proof<'s>, NoSolver> {
        let policies: Vec<&Policy> = self.bundle.in_force(self.readings).collect();
        let all: Vec<&Policy> = self.bundle.policies().iter().collect();
        let mut tasks = Vec::new();
        for (at, spec) in specs.iter().enumerate() {
            let about = self.environments.iter().enumerate();
            let about = about.filter(|(_, environment)| environment.asks(spec.policy()));
            tasks.extend(about.map(|(number, _)| Task::Spec(at, number)));
            tasks.push(Task::Match(at));
        }
        tasks.extend(policies.iter().map(|policy| Task::Policy(policy)));
        let surroundings = self.surroundings(specs.iter());
        let done = pool::each(
            self.solving,
            &tasks,
            Sides::default(),
            progress,
            |solver, sides, task| match task {
                Task::Spec(at, number) => {
                    let (Some(spec), Some(environment)) =
                        (specs.get(*at), self.environments.get(*number))
                    else {
                        return Done::Spec(Verdict::Proved);
                    };
                    let side = self.side_of(spec, *number, environment, &all, sides);
                    Done::Spec(self.verdict(solver, spec, environment, &side, &all, &surroundings))
                }
                Task::Match(at) => Done::Match(
                    specs
                        .get(*at)
                        .is_none_or(|spec| !self.matches_nothing(solver, spec)),
                ),
                Task::Policy(policy) => {
                    Done::Policy(self.look_at(solver, policy, &policies, &surroundings))
                }
            },
        )?;
        let mut tried: Vec<Tried<'s>> = specs
            .iter()
            .map(|spec| Tried {
                spec,
                environments: Vec::new(),
                is_vacuous: false,
            })
            .collect();
        let mut findings = Vec::new();
        let mut unknown = Vec::new();
        for (task, done) in tasks.iter().zip(done) {
            match (task, done) {
                (Task::Spec(at, number), Done::Spec(verdict)) => {
                    if let (Some(tried), Some(environment)) =
                        (tried.get_mut(*at), self.environments.get(*number))
                    {
                        tried.environments.push(environment.with(verdict));
                    }
                }
                (Task::Match(at), Done::Match(matches)) => {
                    if let Some(tried) = tried.get_mut(*at) {
                        tried.is_vacuous = !matches;
                    }
                }
                (_, Done::Policy(looked)) => {
                    findings.extend(looked.findings);
                    unknown.extend(looked.unknown);
                }
                _ => {}
            }
        }
        crate::finding::sort(&mut findings);
        crate::finding::sort(&mut unknown);
        Ok(Proof {
            specs: tried,
            findings,
            unknown,
            policies: policies.len(),
        })
    }

    fn surroundings<'s>(&self, specs: impl Iterator<Item = &'s Spec>) -> Surroundings<'a>
    where
        'a: 's,
    {
        let mut policies: Vec<&Policy> = self.bundle.policies().iter().collect();
        policies.extend(specs.map(Spec::policy));
        let numbers: BTreeSet<i64> = policies
            .iter()
            .filter_map(|policy| policy.ast().non_scope_constraints())
            .flat_map(ast::Expr::subexpressions)
            .filter_map(|part| match part.expr_kind() {
                ast::ExprKind::Lit(ast::Literal::Long(long)) => Some(*long),
                _ => None,
            })
            .collect();
        // A number that is written somewhere says more than one beside it.
        let beside = numbers.iter().rev().flat_map(|number| {
            [number.checked_sub(1), number.checked_add(1)]
                .into_iter()
                .flatten()
        });
        let mut numbers: Vec<i64> = numbers.iter().rev().copied().chain(beside).collect();
        let mut seen = BTreeSet::new();
        numbers.retain(|number| seen.insert(*number));
        Surroundings {
            vocabulary: self.bundle.vocabulary(),
            named: policies
                .iter()
                .flat_map(|policy| policy.named_entities())
                .collect(),
            numbers,
        }
    }

    /// The readings under which a spec is about the policies.
    fn readings_of(&self, spec: &Spec) -> Vec<String> {
        let mut on = self.readings.to_vec();
        if let Some((name, holds)) = spec.reading() {
            switch(&mut on, name, holds);
        }
        on
    }

    /// Every choice of readings under which a spec is about the policies.
    fn choices_of(&self, spec: &Spec) -> Vec<Vec<String>> {
        let readings = self.readings_of(spec);
        let Says::SameUnderReading(name) = &spec.says else {
            return vec![readings];
        };
        [true, false]
            .map(|holds| {
                let mut readings = readings.clone();
                switch(&mut readings, name, holds);
                readings
            })
            .into()
    }

    /// The policies that a spec is about in an environment, under its readings.
    fn side_of(
        &self,
        spec: &Spec,
        number: usize,
        environment: &Environment<'_>,
        policies: &[&Policy],
        sides: &Sides,
    ) -> Arc<Side> {
        let readings = self.readings_of(spec);
        let make = |readings: &[String]| Side::new(asked(spec, environment, policies, readings));
        if environment.action.is_question() {
            return make(&readings);
        }
        sides.of(number, &readings, || make(&readings))
    }

    /// Whether a spec holds of policies in an environment.
    fn verdict(
        &self,
        solver: &mut Solver<'_>,
        spec: &Spec,
        environment: &Environment<'_>,
        side: &Arc<Side>,
        policies: &[&Policy],
        surroundings: &Surroundings<'_>,
    ) -> Verdict {
        let claim = match self.claim(spec, environment, side, policies) {
            Ok(claim) => claim,
            Err(unknown) => return Verdict::NotProved(unknown),
        };
        let schema = environment.schema;
        let outcome = |side: &Side, world: &World| side.outcome(world, schema).ok();
        match &spec.says {
            Says::Allowed | Says::Refused => self.decide(
                solver,
                &claim,
                environment,
                surroundings,
                &|world| claim.is_refuted_by(world, schema),
                &|world| Some((outcome(side, world)?, None)),
            ),
            // What was specialised in the policies is put into the world: the policies as they are
            // decide both worlds, and must not decide them alike.
            Says::SameWhatever(attribute) => {
                let both = |world: &World| -> Decided {
                    let changed = attribute.put(world)?;
                    Some((outcome(side, world)?, Some(outcome(side, &changed)?)))
                };
                self.decide(
                    solver,
                    &claim,
                    environment,
                    surroundings,
                    &|world| {
                        claim.is_refuted_by(world, schema)
                            && both(world).is_some_and(|(one, other)| {
                                other.is_some_and(|other| other.decision != one.decision)
                            })
                    },
                    &both,
                )
            }
            Says::SameUnderReading(_) => self.decide(
                solver,
                &claim,
                environment,
                surroundings,
                &|world| claim.is_refuted_by(world, schema),
                &|world| {
                    let other = outcome(&claim.right, world)?;
                    Some((outcome(&claim.left, world)?, Some(other)))
                },
            ),
        }
    }

    /// What a spec claims of policies in an environment.
    fn claim(
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
                    let mut readings = self.readings_of(spec);
                    switch(&mut readings, name, holds);
                    within(asked(spec, environment, policies, &readings))
                };
                Claim::new(&under(true), Relation::Equivalent, &under(false))
            }
        })
    }

    /// Puts a claim to the solver, and what it finds to plain Cedar.
    fn decide(
        &self,
        solver: &mut Solver<'_>,
        claim: &Claim,
        environment: &Environment<'_>,
        surroundings: &Surroundings<'_>,
        refutes: Refutes<'_>,
        decides: Decides<'_>,
    ) -> Verdict {
        let asserts = match claim.asserts(environment) {
            Ok(asserts) => asserts,
            Err(unknown) => return Verdict::NotProved(unknown),
        };
        match solver.satisfy(&asserts) {
            Ok(None) => Verdict::Proved,
            Ok(Some(found)) => confirm(&found, surroundings, refutes, decides),
            Err(unknown) => Verdict::NotProved(unknown),
        }
    }

    /// Whether a spec is about no request at all.
    fn matches_nothing(&self, solver: &mut Solver<'_>, spec: &Spec) -> bool {
        self.environments
            .iter()
            .filter(|environment| environment.asks(spec.policy()))
            .all(|environment| {
                let claim = Claim::new(
                    &Side::new(vec![permit(spec.policy())]),
                    Relation::Implies,
                    &Side::new(Vec::new()),
                );
                self.holds(solver, environment, &claim) == Ok(true)
            })
    }
}

impl Environment<'_> {
    fn with(&self, verdict: Verdict) -> InEnvironment {
        InEnvironment {
            principal: self.types.principal().clone(),
            action: self.types.action().clone(),
            resource: self.types.resource().clone(),
            verdict,
        }
    }
}

/// What a solver found, as a counterexample that plain Cedar confirms.
fn confirm(
    found: &cedar_policy_symcc::Env,
    surroundings: &Surroundings<'_>,
    refutes: Refutes<'_>,
    decides: Decides<'_>,
) -> Verdict {
    let world = match World::of(found) {
        Ok(world) => world,
        Err(error) => return Verdict::NotProved(Unknown::Unconfirmed(error)),
    };
    match Counterexample::of(world, surroundings, refutes, decides) {
        Some(counterexample) => Verdict::Refuted(Box::new(counterexample)),
        None => Verdict::NotProved(Unknown::Unconfirmed(
            "plain Cedar does not confirm it".to_owned(),
        )),
    }
}

/// The policies that a spec is about in an environment under these readings, as they are put to the
/// solver.
fn asked(
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
    environment.asks(policy) && policy.holds_under(readings) && spec.is_about(policy)
}

/// Switches a reading on or off.
fn switch(on: &mut Vec<String>, name: &str, holds: bool) {
    on.retain(|reading| reading != name);
    if holds {
        on.push(name.to_owned());
        on.sort();
    }
}

impl From<specialise::ReadsOtherwise> for Unknown {
    fn from(error: specialise::ReadsOtherwise) -> Self {
        Self::Unsupported {
            policy: error.policy,
            reason: "it reads the attribute in another way than by the path that the spec names"
                .to_owned(),
        }
    }
}
