//! Policies that never apply.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy_core::validator::ValidationWarning;

use super::policy::{ActionScope, Effect, Policy};
use super::types::policy_of;
use super::vocabulary::Vocabulary;

/// The warnings of Cedar's validator that hold for every action of their policies. A policy for every action is checked
/// once for each type of actions, and may apply to some of them.
pub(super) fn lasting(
    policies: &[Policy],
    mut warnings: Vec<ValidationWarning>,
    vocabulary: &Vocabulary,
) -> Vec<ValidationWarning> {
    if !vocabulary.asks() {
        return warnings;
    }
    let types = vocabulary
        .permissions()
        .map(|action| action.uid.type_name());
    let types = types.collect::<BTreeSet<_>>().len();
    let of_any = |warning: &ValidationWarning| {
        let policy = policy_of(policies, warning)?;
        let is_partial = policy.action_scope() == ActionScope::Any && is_of_actions(warning);
        is_partial.then(|| (policy.id().to_owned(), std::mem::discriminant(warning)))
    };
    let mut times = BTreeMap::<String, Vec<_>>::new();
    for (id, kind) in warnings.iter().filter_map(of_any) {
        times.entry(id).or_default().push(kind);
    }
    warnings.retain(|warning| {
        of_any(warning).is_none_or(|(id, kind)| {
            let times = times.get(&id).into_iter().flatten();
            times.filter(|of| **of == kind).count() >= types
        })
    });
    warnings
}

/// Whether a lasting warning says that a forbid can never apply by its scope, so that it does not hold back the people
/// that it should. Without questions in the schema, Cedar's warning is enough.
pub(super) fn is_idle_forbid(
    policy: &Policy,
    warning: &ValidationWarning,
    vocabulary: &Vocabulary,
) -> bool {
    vocabulary.asks() && policy.effect() == Effect::Forbid && is_of_scope(warning)
}

/// Whether a warning says that the scope of a policy fits no action.
fn is_of_scope(warning: &ValidationWarning) -> bool {
    matches!(warning, ValidationWarning::InvalidActionApplication(_))
}

/// Whether a warning depends on the actions that a policy was checked for.
fn is_of_actions(warning: &ValidationWarning) -> bool {
    is_of_scope(warning) || matches!(warning, ValidationWarning::ImpossiblePolicy(_))
}
