//! Conditions that are never true by the schema, where that allows more.
//!
//! An exception of a permit that can never be true excepts nobody, and a forbid that waits for such a condition holds
//! nobody back. Cedar's validator warns only if a whole policy can never apply, so its typechecker is asked here about
//! each condition, in every request environment: each type of principal and resource of each action. A condition is
//! never true if it is false in all environments in which it is reached. A policy without the condition would be the
//! same, so its author meant something else.
//!
//! A condition that is open in some environments only is in doubt, too: a forbid that names an action which it can
//! never apply to is an error ([`unreached`]), and a comparison that is false of all resources of one type is a warning
//! where another comparison with them is likely to be meant.

mod environment;
mod leaf;
mod outside;
mod reason;
mod search;
mod told;
mod unreached;

use std::collections::BTreeSet;

use cedar_policy::EntityUid;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use self::environment::{Environment, environments};
use self::search::{How, Search};
use super::policy::{Effect, Policy};
use super::types::Against;
use tarbac_diagnostic::finding::{Finding, Severity};

/// The findings about conditions that are never true where that allows more.
#[derive(Default)]
pub(super) struct NeverTrue<'p> {
    /// The findings.
    pub findings: Vec<Finding>,
    /// The ids of the forbids of which they are errors, or would be if the schema asked questions.
    pub forbids: BTreeSet<&'p str>,
}

/// Searches policies for conditions that are never true.
///
/// Without questions in the schema the findings are warnings, because Cedar decides such policies as they are written.
pub(super) fn check<'p>(policies: &'p [Policy], against: &Against<'_>) -> NeverTrue<'p> {
    let to_check: Vec<&Policy> = policies
        .iter()
        .filter(|policy| !(against.is_shipped && policy.is_shipped()))
        .filter(|policy| policy.has_conditions() || policy.effect() == Effect::Forbid)
        .collect();
    if to_check.is_empty() {
        return NeverTrue::default();
    }
    let environments = environments(against.schema.as_ref(), against.vocabulary);
    let found: Vec<(&Policy, Vec<Finding>)> = to_check
        .into_par_iter()
        .map(|policy| (policy, of_policy(policy, &environments, against)))
        .collect();
    let mut never_true = NeverTrue::default();
    // Many links share the text of a template, and a mistake in it is one.
    let mut seen = BTreeSet::new();
    for (policy, findings) in found {
        for mut finding in findings {
            if finding.severity == Severity::Error && policy.effect() == Effect::Forbid {
                never_true.forbids.insert(policy.id());
            }
            if !against.vocabulary.asks() {
                finding.severity = Severity::Warning;
            }
            let label = finding.labels.first();
            let label = label.map(|label| (label.place.clone(), label.text.clone()));
            if seen.insert((finding.severity, finding.code.clone(), label)) {
                never_true.findings.push(finding);
            }
        }
    }
    never_true
}

fn of_policy(
    policy: &Policy,
    environments: &[Environment<'_>],
    against: &Against<'_>,
) -> Vec<Finding> {
    let is_group = |uid: &EntityUid| {
        let mut environments = environments.iter();
        !environments.any(|environment| environment.action.uid == *uid)
    };
    let scope = search::scope(policy);
    let mut search = Search::new(policy, against.schema.as_ref(), &is_group, environments);
    let found = search.run(&scope);
    let unreached = search.unreached();
    // Why an action is not reached is told with it.
    let of_some = || found.iter().filter(|found| found.how == How::OfSome);
    let mut findings: Vec<Finding> = Vec::new();
    for named in &unreached {
        let near = of_some().find_map(|found| search.near(found.part, &found.reached));
        findings.push(search.names_unreached(named, near));
    }
    let others = found.iter();
    let others = others.filter(|found| unreached.is_empty() || found.how != How::OfSome);
    findings.extend(others.filter_map(|found| search.finding(found)));
    findings
}
