//! Forbids that never apply.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy_core::validator::ValidationWarning;

use super::policy::{ActionScope, Effect, Policy};
use super::types::policy_of;
use super::vocabulary::Vocabulary;

/// The ids of forbids that can never apply by their scope, so that they do not hold back the people that they should.
/// Without questions in the schema, Cedar's warning is enough.
pub(super) struct IdleForbids<'p>(BTreeSet<&'p str>);

impl<'p> IdleForbids<'p> {
    /// The idle ones among some policies, by the warnings of Cedar's validator.
    pub(super) fn new(
        policies: &'p [Policy],
        warnings: &[ValidationWarning],
        vocabulary: &Vocabulary,
    ) -> Self {
        let types = vocabulary
            .permissions()
            .map(|action| action.uid.type_name());
        let types = types.collect::<BTreeSet<_>>().len();
        // A forbid for every action is checked once for each type of actions, and may apply to some of them.
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for warning in warnings {
            if let Some(policy) = policy_of(policies, warning).filter(|_| is_of_scope(warning)) {
                *times.entry(policy.id()).or_default() += 1;
            }
        }
        let is_idle = |policy: &&Policy| {
            let needed = match policy.action_scope() {
                ActionScope::Any => types,
                _ => 1,
            };
            policy.effect() == Effect::Forbid
                && times.get(policy.id()).is_some_and(|times| *times >= needed)
        };
        let asking = policies.iter().filter(|_| vocabulary.asks());
        Self(asking.filter(is_idle).map(Policy::id).collect())
    }

    /// Whether a warning says that a policy is one of them.
    pub(super) fn is_meant(&self, policy: &Policy, warning: &ValidationWarning) -> bool {
        is_of_scope(warning) && self.0.contains(policy.id())
    }
}

/// Whether a warning says that the scope of a policy fits no action.
fn is_of_scope(warning: &ValidationWarning) -> bool {
    matches!(warning, ValidationWarning::InvalidActionApplication(_))
}
