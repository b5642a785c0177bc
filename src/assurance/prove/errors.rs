//! Policies that can raise an error.
//!
//! Cedar skips a policy that raises an error, and so do the proofs; tarbac's decision is then indeterminate. A proof
//! holds for tarbac only if no policy can fail.

use std::collections::HashMap;

use super::claim::{Environment, Side, body, errors};
use super::literals::Literals;
use super::model::Model;
use super::solver::{NoSolver, Solver, Unknown};
use super::verdict::{Verdict, confirm};
use super::{ProofProgress, Prover, pool};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_host::bundle::Policy;

/// The policies that can raise an error, or for which that is unknown.
#[derive(Debug, Default)]
pub(super) struct Failing {
    why: HashMap<String, Unknown>,
    /// Findings for those that can, each with an example.
    pub findings: Vec<Finding>,
    /// Those for which it is unknown, with the reason.
    pub unknown: Vec<(Policy, Unknown)>,
}

impl Failing {
    /// The reason why nothing is proved with a policy; `None` if it cannot fail.
    pub(super) fn because_of(&self, policy: &Policy) -> Option<&Unknown> {
        self.why.get(policy.id())
    }

    /// The verdict, or an unknown one if one of the policies can fail.
    pub(super) fn unless_by<'p>(
        &self,
        policies: impl IntoIterator<Item = &'p Policy>,
        verdict: Verdict,
    ) -> Verdict {
        let mut policies = policies.into_iter();
        match (
            &verdict,
            policies.find_map(|policy| self.because_of(policy)),
        ) {
            (Verdict::Proved, Some(why)) => Verdict::NotProved(why.clone()),
            _ => verdict,
        }
    }
}

impl Prover<'_> {
    /// Finds the policies that can raise an error. Their ids must be distinct.
    pub(super) fn failing(
        &self,
        policies: &[&Policy],
        literals: &Literals<'_>,
        progress: ProofProgress<'_>,
    ) -> Result<Failing, NoSolver> {
        let found = pool::each(
            self.solving,
            policies,
            (),
            progress,
            |solver, (), policy| self.can_fail(solver, policy, literals),
        )?;
        let mut failing = Failing::default();
        for (policy, found) in policies.iter().zip(found) {
            let why = match found {
                Ok(None) => continue,
                Ok(Some(finding)) => {
                    failing.findings.push(finding);
                    Unknown::CanFail {
                        policy: policy.id().to_owned(),
                        place: policy.place().to_string(),
                    }
                }
                Err(unknown) => {
                    failing.unknown.push(((*policy).clone(), unknown.clone()));
                    unknown
                }
            };
            failing.why.insert(policy.id().to_owned(), why);
        }
        Ok(failing)
    }

    /// Whether a policy can raise an error, as a finding.
    pub(super) fn can_fail(
        &self,
        solver: &mut Solver<'_>,
        policy: &Policy,
        literals: &Literals<'_>,
    ) -> Result<Option<Finding>, Unknown> {
        let side = Side::new(vec![body(policy)]);
        for environment in self.environments_of(policy) {
            let compiled = environment.compiled(&body(policy))?;
            let Some(found) = solver.satisfy(&errors(&compiled))? else {
                continue;
            };
            let decided = |model: &Model| Some((side.outcome(model, environment.schema)?, None));
            let fails = |model: &Model| {
                decided(model).is_some_and(|(outcome, _)| !outcome.errors.is_empty())
            };
            return match confirm(&found, literals, &fails, &decided) {
                Verdict::Refuted(counterexample) => {
                    let error = counterexample.outcome.errors.join("; ");
                    Ok(Some(can_fail(policy, environment, &error)))
                }
                Verdict::NotProved(unknown) => Err(unknown),
                Verdict::Proved => Ok(None),
            };
        }
        Ok(None)
    }
}

fn can_fail(policy: &Policy, environment: &Environment<'_>, error: &str) -> Finding {
    Finding::error(
        code::prove::CAN_FAIL,
        format!(
            "`{}` can raise an error, as for {}: {error}",
            policy.id(),
            environment.action.short_name()
        ),
    )
    .label(policy.place().clone(), "here")
    .help("Cedar skips what fails, and tarbac then decides nothing: ask with `has` first, and keep numbers within their range")
}
