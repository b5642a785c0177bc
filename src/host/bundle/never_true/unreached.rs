//! Actions that a forbid names and can never apply to.

use std::collections::BTreeSet;

use cedar_policy::EntityUid;
use cedar_policy_core::ast::Expr;

use super::super::policy::{ActionScope, Effect};
use super::environment::TypedTruth;
use super::search::{Search, scope};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;

impl Search<'_, '_> {
    /// The actions and groups that a forbid lists, and to which it can never apply. If it can apply to nothing, its scope
    /// or its conditions are at fault, and not the list. An action that the conditions tell from others on the same types
    /// is left out on purpose.
    pub(super) fn unreached(&self) -> Vec<EntityUid> {
        let policy = self.policy;
        let ActionScope::In(named) = policy.action_scope() else {
            return Vec::new();
        };
        if policy.effect() != Effect::Forbid || named.len() < 2 {
            return Vec::new();
        }
        let [principal, resource] = scope(policy);
        let mut whole = Expr::and(principal, resource);
        if let Some(condition) = policy.written().non_scope_constraints() {
            whole = Expr::and(whole, condition.clone());
        }
        let mut whole = self.question(whole);
        let environments = self.environments.iter();
        let reached = environments.filter(|at| whole.truth(at) != TypedTruth::Is(false));
        let types: BTreeSet<[usize; 2]> = reached.map(|environment| environment.types()).collect();
        let is_reached = |uid: &EntityUid| {
            let among = ActionScope::In(vec![uid.clone()]);
            let environments = self.environments.iter();
            let mut asked = environments.filter(|at| among.covers(at.action)).peekable();
            asked.peek().is_none() || asked.any(|environment| types.contains(&environment.types()))
        };
        let (reached, unreached): (Vec<EntityUid>, Vec<EntityUid>) =
            named.into_iter().partition(is_reached);
        match reached.is_empty() {
            true => Vec::new(),
            false => unreached,
        }
    }

    /// The finding about such an action.
    pub(super) fn names_unreached(&self, named: &EntityUid, near: Option<String>) -> Finding {
        let message = format!(
            "the forbid `{}` names `{named}`, which it can never apply to",
            self.policy.id()
        );
        let help =
            "it holds nobody back there: take it out of the list, or correct what excludes it";
        let help = near.map_or_else(|| help.to_owned(), |near| format!("{help}; {near}"));
        let place = self.policy.place_of_word(&named.to_string());
        Finding::error(code::policy::IDLE_FORBID, message)
            .label(place, "named here")
            .help(help)
    }
}
