//! Exceptions of what a permit does not give in any case.

use cedar_policy_core::ast::{BinaryOp, Expr, ExprKind, UnaryOp, Var};

use super::super::policy::Effect;
use super::environment::{Environment, TypedTruth};
use super::search::Search;

impl Search<'_, '_> {
    /// Whether a condition of a permit is about actions or types of resources that the permit does not give anyway.
    pub(super) fn is_outside(&self, part: &Expr) -> bool {
        if self.policy.effect() != Effect::Permit || !is_about_request(part) {
            return false;
        }
        let mut given = self.question(part.clone());
        let left_open = self.left_open.iter();
        let mut left_open = left_open.filter_map(|at| self.environments.get(*at));
        !left_open.any(|environment| given.truth(environment) != TypedTruth::Is(false))
            && self.is_possible(part)
    }

    /// Whether a condition can be true of some permission, along with those that its author wrote around it. What the
    /// policy requires in any case is left out: it is a part of what the permit gives.
    pub(super) fn is_possible(&self, part: &Expr) -> bool {
        let guards = self.guards.iter().filter(|guard| !guard.is_required);
        let whole = guards.rev().fold(part.clone(), |whole, guard| {
            Expr::and(guard.condition.clone(), whole)
        });
        let mut whole = self.question(whole);
        let mut permissions = self.all.iter().filter(|of| !of.action.is_question());
        permissions
            .any(|environment: &Environment<'_>| whole.truth(environment) != TypedTruth::Is(false))
    }
}

/// Whether an expression asks for the action or the type of the resource, and nothing else.
fn is_about_request(part: &Expr) -> bool {
    let is = |part: &Expr, var: Var| matches!(part.expr_kind(), ExprKind::Var(of) if *of == var);
    match part.expr_kind() {
        ExprKind::UnaryApp {
            op: UnaryOp::Not,
            arg,
        } => is_about_request(arg),
        ExprKind::Is { expr, .. } => is(expr, Var::Resource),
        ExprKind::BinaryApp {
            op: BinaryOp::Eq | BinaryOp::In,
            arg1,
            arg2,
        } => is(arg1, Var::Action) || is(arg2, Var::Action),
        _ => false,
    }
}
