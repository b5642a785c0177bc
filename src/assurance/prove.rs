//! Proofs that a claim about the policies holds for every directory the schema allows.
//!
//! A [`Spec`] is a statement about the policies, written as a policy. The symbolic compiler of Cedar turns policies
//! and specs into formulas, and a solver looks for a model that refutes a spec. Without one, the spec is proved. A
//! model is made as small as possible and decided again by plain Cedar, so that a [`Counterexample`] does not rely on
//! the solver. If the solver cannot tell, the verdict is [`Verdict::NotProved`] with the reason, and never proved.
//!
//! [`Prover::prove`] also checks that no policy can raise an error or is redundant.

mod as_case;
mod claim;
mod compare;
mod counterexample;
mod errors;
mod feasible;
mod independence;
mod label;
mod literals;
mod model;
mod mutation;
mod path;
mod pool;
mod redundancy;
mod relevance;
mod shrink;
mod solver;
mod spec;
mod verdict;

use std::sync::Arc;

use cedar_policy::{EntityTypeName, EntityUid};

use claim::Environment;
use literals::Literals;
use pool::Steps;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::bundle::{Bundle, Policy};
use verdict::Sides;

pub use as_case::{CaseError, CounterexampleSuite};
pub use compare::{DecisionChange, EnvironmentComparison, Old};
pub use counterexample::Counterexample;
pub use independence::AttributePath;
pub use label::spaced;
pub use model::{Model, ModelEntity, ModelError, as_entity as entity_of};
pub use mutation::{SpecMutation, SpecSurvivor};
pub use path::Holder;
pub use pool::ProofProgress;
pub use relevance::RelevantFact;
pub use solver::{NoSolver, Solving, Unknown};
pub use spec::{Says, Spec, read};
pub use verdict::Verdict;

/// A prover of claims about a bundle.
#[derive(Debug)]
pub struct Prover<'a> {
    bundle: &'a Arc<Bundle>,
    readings: &'a [String],
    solving: &'a Solving,
    environments: Vec<Environment<'a>>,
}

/// The results of proofs.
#[derive(Debug)]
pub struct Proof<'s> {
    /// The specs, in their order.
    pub specs: Vec<SpecResult<'s>>,
    /// Findings for the policies themselves.
    pub findings: Vec<Finding>,
    /// Findings for unknown properties of policies.
    pub unknown: Vec<Finding>,
    /// The number of policies that were examined.
    pub policies: usize,
}

/// A spec and its results.
#[derive(Debug)]
pub struct SpecResult<'s> {
    /// The spec.
    pub spec: &'s Spec,
    /// The verdict in each request environment that the spec is about.
    pub environments: Vec<InEnvironment>,
    /// Whether it matches no request at all, so that it holds trivially.
    pub is_vacuous: bool,
}

/// A verdict in one request environment.
#[derive(Debug, Clone)]
pub struct InEnvironment {
    /// The type of the principal.
    pub principal: EntityTypeName,
    /// The action.
    pub action: EntityUid,
    /// The type of the resource.
    pub resource: EntityTypeName,
    /// The verdict.
    pub verdict: Verdict,
}

impl SpecResult<'_> {
    /// Whether it is proved for every request.
    pub fn is_proved(&self) -> bool {
        self.environments
            .iter()
            .all(|environment| matches!(environment.verdict, Verdict::Proved))
    }

    /// The counterexamples, each with its environment.
    pub fn refutations(&self) -> impl Iterator<Item = (&InEnvironment, &Counterexample)> {
        self.environments
            .iter()
            .filter_map(|environment| match &environment.verdict {
                Verdict::Refuted(counterexample) => Some((environment, &**counterexample)),
                _ => None,
            })
    }

    /// The reasons why the result is unknown, each with its environment.
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
    /// Whether a spec is refuted or a finding is an error.
    pub fn is_refuted(&self) -> bool {
        self.specs
            .iter()
            .any(|tried| tried.refutations().next().is_some())
            || tarbac_diagnostic::finding::any_error(&self.findings)
    }

    /// Whether a result is unknown.
    pub fn is_unknown(&self) -> bool {
        !self.unknown.is_empty()
            || self
                .specs
                .iter()
                .any(|tried| tried.unknown().next().is_some())
    }
}

impl<'a> Prover<'a> {
    /// Prepares proofs about the policies of a bundle under these readings.
    ///
    /// # Errors
    /// The symbolic compiler does not support the schema.
    pub fn new(
        bundle: &'a Arc<Bundle>,
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

    /// Proves specs, and properties that all policies should have: that they raise no errors and are not redundant.
    /// `progress` is called with the steps done.
    ///
    /// # Errors
    /// There is no solver.
    pub fn prove<'s>(
        &self,
        specs: &'s [Spec],
        progress: ProofProgress<'_>,
    ) -> Result<Proof<'s>, NoSolver> {
        let literals = self.literals(specs.iter().map(Spec::policy));
        // Policies of every reading are checked, as a spec may be about readings that are not in force.
        let policies: Vec<&Policy> = self.bundle.policies().iter().collect();
        let spec_policies: Vec<&Policy> = specs.iter().map(Spec::policy).collect();
        let asked = self.pairs(specs);
        let steps = Steps::new(progress, 2 * (policies.len() + specs.len()) + asked.len());
        let failing = steps.next(policies.len(), |progress| {
            self.failing(&policies, &literals, progress)
        })?;
        let failing_specs = steps.next(specs.len(), |progress| {
            self.failing(&spec_policies, &literals, progress)
        })?;
        let verdicts = steps.next(asked.len(), |progress| {
            pool::each(
                self.solving,
                &asked,
                Sides::default(),
                progress,
                |solver, sides, (spec, environment)| {
                    let verdict = self.verdict(solver, spec, environment, &literals, sides);
                    let verdict = failing_specs.unless_by([spec.policy()], verdict);
                    failing.unless_by(self.concerned(spec, environment), verdict)
                },
            )
        })?;
        let vacuous = steps.next(specs.len(), |progress| {
            pool::each(self.solving, specs, (), progress, |solver, (), spec| {
                self.matches_nothing(solver, spec)
            })
        })?;
        let redundancies = steps.next(policies.len(), |progress| {
            pool::each(
                self.solving,
                &policies,
                (),
                progress,
                |solver, (), policy| match failing.because_of(policy) {
                    Some(_) => Ok(None),
                    None => self.redundancy(solver, policy),
                },
            )
        })?;
        let mut findings = failing.findings;
        findings.extend(failing_specs.findings);
        let mut unknown = failing.unknown;
        unknown.extend(failing_specs.unknown);
        for (policy, redundancy) in policies.iter().zip(redundancies) {
            match redundancy {
                Ok(finding) => findings.extend(finding),
                Err(reason) => unknown.push(((*policy).clone(), reason)),
            }
        }
        tarbac_diagnostic::finding::sort(&mut findings);
        Ok(Proof {
            specs: self.spec_results(specs, vacuous, verdicts),
            findings,
            unknown: not_known(&unknown),
            policies: policies.len(),
        })
    }

    /// Each spec with each of its environments.
    fn pairs<'s>(&'s self, specs: &'s [Spec]) -> Vec<(&'s Spec, &'s Environment<'a>)> {
        let pairs = specs.iter().flat_map(|spec| {
            let environments = self.environments_of(spec.policy());
            environments.map(move |environment| (spec, environment))
        });
        pairs.collect()
    }

    /// The results of specs; `verdicts` has one for each spec and environment, in order.
    fn spec_results<'s>(
        &self,
        specs: &'s [Spec],
        vacuous: Vec<bool>,
        verdicts: Vec<Verdict>,
    ) -> Vec<SpecResult<'s>> {
        let mut verdicts = verdicts.into_iter();
        let results = specs.iter().zip(vacuous).map(|(spec, is_vacuous)| {
            let environments = self.environments_of(spec.policy());
            SpecResult {
                spec,
                environments: environments
                    .zip(verdicts.by_ref())
                    .map(|(environment, verdict)| environment.with(verdict))
                    .collect(),
                is_vacuous,
            }
        });
        results.collect()
    }

    /// The request environments that a policy or spec applies to.
    fn environments_of<'p>(
        &'p self,
        policy: &'p Policy,
    ) -> impl Iterator<Item = &'p Environment<'a>> {
        let environments = self.environments.iter();
        environments.filter(|environment| environment.asks(policy))
    }

    /// The literals of the bundle and of other policies, as values for counterexamples.
    fn literals<'s>(&'s self, beside: impl Iterator<Item = &'s Policy>) -> Literals<'s> {
        Literals::new(self.bundle, beside)
    }
}

/// Findings for policies with unknown properties, those with the same reason together.
fn not_known(unknown: &[(Policy, Unknown)]) -> Vec<Finding> {
    let mut reasons: Vec<(String, Vec<&Policy>)> = Vec::new();
    for (policy, unknown) in unknown {
        let text = unknown.to_string();
        match reasons.iter_mut().find(|(reason, _)| *reason == text) {
            Some((_, policies)) => policies.push(policy),
            None => reasons.push((text, vec![policy])),
        }
    }
    let mut findings: Vec<Finding> = reasons
        .into_iter()
        .filter_map(|(reason, policies)| {
            let (first, rest) = policies.split_first()?;
            let others = match rest.len() {
                0 => String::new(),
                count => format!(" and of {count} more"),
            };
            let message = format!("nothing is known of `{}`{others}: {reason}", first.id());
            let finding = Finding::warning(code::prove::NOT_KNOWN, message);
            Some(finding.label(first.place().clone(), "here"))
        })
        .collect();
    tarbac_diagnostic::finding::sort(&mut findings);
    findings
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
