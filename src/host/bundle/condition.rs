//! The single conditions of a policy.

use cedar_policy_core::ast;

use super::clause::{Keyword, text};
use super::policy::Policy;
use tarbac_diagnostic::source::Place;

/// The conditions of a policy, each of which can be true or false.
pub struct Conditions<'p> {
    /// The policy.
    pub policy: &'p Policy,
    /// The scopes and actions, then the conjuncts, in order.
    pub parts: Vec<Condition<'p>>,
    /// The clauses, each with the indices of its conjuncts in `parts`.
    pub clauses: Vec<(Keyword, Vec<usize>)>,
}

/// A scope, an entry of an action list, or a conjunct.
pub struct Condition<'p> {
    /// The text, after the keyword if it has one.
    pub text: String,
    /// The place.
    pub place: Place,
    /// The kind.
    pub what: ConditionKind<'p>,
}

/// The kind of a condition.
pub enum ConditionKind<'p> {
    /// The scope of the principal or the resource.
    Scope(ast::Expr),
    /// An entry of the action list.
    Action(&'p ast::EntityUID),
    /// A conjunct of a `when` or `unless`.
    Conjunct(&'p ast::Expr),
}

impl<'p> Conditions<'p> {
    /// The conditions of a policy.
    pub fn from_policy(policy: &'p Policy) -> Self {
        let mut parts = Vec::new();
        let mut scope = |word: &str, constraint: ast::PrincipalOrResourceConstraint, var| {
            if matches!(constraint, ast::PrincipalOrResourceConstraint::Any) {
                return;
            }
            let condition = constraint.as_expr(var);
            let at = constraint
                .get_euid()
                .and_then(|uid| uid.loc().cloned())
                .map(|loc| Place::new(&policy.place().source, loc.start()..loc.end()));
            parts.push(Condition {
                text: constraint.display(var),
                place: at.unwrap_or_else(|| policy.place_of_word(word)),
                what: ConditionKind::Scope(condition),
            });
        };
        scope(
            "principal",
            policy.ast().principal_constraint().into_inner(),
            ast::PrincipalOrResource::Principal,
        );
        scope(
            "resource",
            policy.ast().resource_constraint().into_inner(),
            ast::PrincipalOrResource::Resource,
        );
        for uid in policy.ast().action_constraint().iter_euids() {
            let place = match uid.loc() {
                Some(loc) => Place::new(&policy.place().source, loc.start()..loc.end()),
                None => policy.place_of_word(&uid.to_string()),
            };
            parts.push(Condition {
                text: uid.to_string(),
                place,
                what: ConditionKind::Action(uid),
            });
        }
        // Cedar gives the entries of an action list in another order.
        parts.sort_by_key(|part| part.place.start);
        let mut clauses = Vec::new();
        for clause in policy.clauses() {
            let first = parts.len();
            for conjunct in clause.conjuncts {
                parts.push(Condition {
                    text: format!("{} {}", clause.keyword.word(), text(conjunct)),
                    place: policy
                        .place_of(conjunct)
                        .unwrap_or_else(|| policy.place().clone()),
                    what: ConditionKind::Conjunct(conjunct),
                });
            }
            clauses.push((clause.keyword, (first..parts.len()).collect()));
        }
        Self {
            policy,
            parts,
            clauses,
        }
    }

    /// The texts of the conditions, which name them in exemptions from coverage.
    pub fn names(self) -> Vec<String> {
        self.parts.into_iter().map(|part| part.text).collect()
    }
}
