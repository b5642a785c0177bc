//! The condition of a policy, made of clauses.

use std::sync::Arc;

use cedar_policy_core::ast;

use super::Undecidable;
use super::case::Case;
use super::clause::{Clauses, KeptClause};
use super::read_set::Variables;

/// A policy in the form for evaluation.
#[derive(Debug)]
pub(super) struct Conditional {
    policy: ast::Policy,
    /// The scope and all clauses.
    whole: ast::Expr,
    /// What remains to be asked; `None` for a policy that is always evaluated as a whole.
    condition: Option<ConditionTree>,
}

/// Clauses joined by Cedar's operators, which are evaluated in the same order.
#[derive(Debug)]
pub(super) enum ConditionTree {
    Clause(Arc<KeptClause>),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

impl Conditional {
    /// A policy whose actions have been tested, with a condition that remains: all of it, or what follows a clause
    /// that has been tested too.
    pub(super) fn new(policy: ast::Policy, rest: Option<&ast::Expr>, clauses: &Clauses) -> Self {
        let condition = policy.env().is_empty().then(|| {
            let principal = policy.principal_constraint().as_expr();
            let resource = policy.resource_constraint().as_expr();
            let parts = [&principal, &resource].into_iter().chain(rest);
            ConditionTree::all(parts.flat_map(|part| operands(part, Joint::And)), clauses)
        });
        Self {
            whole: policy.condition(),
            policy,
            condition,
        }
    }

    pub(super) fn id(&self) -> &ast::PolicyID {
        self.policy.id()
    }

    pub(super) fn effect(&self) -> ast::Effect {
        self.policy.effect()
    }

    /// Whether the policy applies. If a clause cannot be evaluated, the policy as a whole says why.
    pub(super) fn applies(&self, case: &Case<'_>) -> Result<bool, Undecidable> {
        match self.condition.as_ref().map(|of| of.truth(case)) {
            Some(Ok(truth)) => Ok(truth),
            Some(Err(_)) | None => self.applies_whole(case),
        }
    }

    /// Whether the policy applies, evaluated as a whole.
    pub(super) fn applies_whole(&self, case: &Case<'_>) -> Result<bool, Undecidable> {
        case.truth(&self.whole, self.policy.env())
    }
}

impl ConditionTree {
    /// The condition that an expression is.
    pub(super) fn new(expression: &ast::Expr, clauses: &Clauses) -> Self {
        let variables = Variables::new(expression);
        // What reads only one party has few different values.
        if variables.is_principal_alone() || variables.is_resource_alone() {
            return Self::Clause(clauses.clause(expression));
        }
        match expression.expr_kind() {
            ast::ExprKind::And { .. } => Self::all(operands(expression, Joint::And), clauses),
            ast::ExprKind::Or { .. } => {
                let parts = operands(expression, Joint::Or).into_iter();
                Self::Any(parts.map(|part| Self::new(part, clauses)).collect())
            }
            ast::ExprKind::UnaryApp {
                op: ast::UnaryOp::Not,
                arg,
            } => Self::Not(Box::new(Self::new(arg, clauses))),
            _ => Self::Clause(clauses.clause(expression)),
        }
    }

    fn all<'e>(parts: impl IntoIterator<Item = &'e ast::Expr>, clauses: &Clauses) -> Self {
        let parts = parts.into_iter().filter(|part| !is_true(part));
        Self::All(parts.map(|part| Self::new(part, clauses)).collect())
    }

    /// Whether it is true.
    ///
    /// # Errors
    /// Cedar cannot evaluate a clause.
    pub(super) fn truth(&self, case: &Case<'_>) -> Result<bool, Undecidable> {
        match self {
            Self::Clause(clause) => clause.truth(case),
            Self::Not(condition) => condition.truth(case).map(|truth| !truth),
            Self::All(parts) => Self::first(parts, false, case),
            Self::Any(parts) => Self::first(parts, true, case),
        }
    }

    /// This value, if a part has it before one fails; else the other.
    fn first(parts: &[Self], value: bool, case: &Case<'_>) -> Result<bool, Undecidable> {
        for part in parts {
            if part.truth(case)? == value {
                return Ok(value);
            }
        }
        Ok(!value)
    }
}

/// An operator between clauses.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    And,
    Or,
}

/// The operands of one operator, in order.
fn operands(expression: &ast::Expr, joint: Joint) -> Vec<&ast::Expr> {
    match (expression.expr_kind(), joint) {
        (ast::ExprKind::And { left, right }, Joint::And)
        | (ast::ExprKind::Or { left, right }, Joint::Or) => {
            let mut all = operands(left, joint);
            all.extend(operands(right, joint));
            all
        }
        _ => vec![expression],
    }
}

fn is_true(expression: &ast::Expr) -> bool {
    matches!(
        expression.expr_kind(),
        ast::ExprKind::Lit(ast::Literal::Bool(true))
    )
}
