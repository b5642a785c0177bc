//! A solver for conditions: changes that make a condition true or false.
//!
//! The results are candidates only; [`super::remedies`] decides again before it offers one. Conditions are divided at
//! `&&`, `||`, `!` and `if` into Boolean attributes, comparisons, `in`, `contains` and `has`. Other expressions cannot
//! be solved.

mod membership;
mod value;

use std::collections::BTreeSet;

use cedar_policy_core::ast;

use super::change::RemedyChange;
use super::probe::Probe;
use super::value::Value;
use membership::{holding, joining};
use tarbac_host::bundle::Policy;
use value::{add, compare, elements, having, set};

/// Changes, and the probe in which they are made.
#[derive(Clone)]
pub(super) struct Candidate<'a> {
    pub changes: BTreeSet<RemedyChange>,
    pub probe: Probe<'a>,
}

impl<'a> Candidate<'a> {
    /// The candidate without changes.
    pub(super) fn start(probe: &Probe<'a>) -> Self {
        Self {
            changes: BTreeSet::new(),
            probe: probe.clone(),
        }
    }

    /// The candidate after exactly these changes.
    pub(super) fn after(probe: &Probe<'a>, changes: &BTreeSet<RemedyChange>) -> Option<Self> {
        Self::in_order(probe, changes).map(|(state, _)| state)
    }

    /// The candidate after these changes, and an order in which they can be made: a role assignment comes before its
    /// scope tag.
    pub(super) fn in_order(
        probe: &Probe<'a>,
        changes: &BTreeSet<RemedyChange>,
    ) -> Option<(Self, Vec<RemedyChange>)> {
        let mut state = Self::start(probe);
        let mut order = Vec::new();
        while state.changes.len() < changes.len() {
            let (change, next) = changes
                .iter()
                .filter(|change| !state.changes.contains(*change))
                .find_map(|change| Some((change, state.with(change.clone())?)))?;
            order.push(change.clone());
            state = next;
        }
        Some((state, order))
    }

    fn with(&self, change: RemedyChange) -> Option<Self> {
        let slice = change.applied(&self.probe)?;
        let mut changes = self.changes.clone();
        changes.insert(change);
        Some(Self {
            changes,
            probe: self.probe.within(slice),
        })
    }
}

/// The candidates after which a forbid no longer holds.
pub(super) fn lift<'a>(policy: &Policy, state: &Candidate<'a>) -> Vec<Candidate<'a>> {
    // No change takes an entity out of a group of the scope, so only the clauses can be solved.
    match policy.ast().non_scope_constraints() {
        Some(condition) => solve(condition, false, state),
        None => Vec::new(),
    }
}

/// The candidates after which a permit holds.
pub(super) fn obtain<'a>(policy: &Policy, state: &Candidate<'a>) -> Vec<Candidate<'a>> {
    let policy = policy.ast();
    let scope = [
        policy.principal_constraint().as_expr(),
        policy.resource_constraint().as_expr(),
    ];
    scope.iter().chain(policy.non_scope_constraints()).fold(
        vec![state.clone()],
        |states, condition| {
            states
                .iter()
                .flat_map(|state| solve(condition, true, state))
                .collect()
        },
    )
}

/// The candidates in which an expression has the value `wanted`; the given candidate if it has that value already.
fn solve<'a>(expression: &ast::Expr, wanted: bool, state: &Candidate<'a>) -> Vec<Candidate<'a>> {
    if state.probe.truth(expression) == Ok(wanted) {
        return vec![state.clone()];
    }
    let both = |one: &ast::Expr, other: &ast::Expr| -> Vec<Candidate<'a>> {
        solve(one, wanted, state)
            .iter()
            .flat_map(|state| solve(other, wanted, state))
            .collect()
    };
    let either = |one: &ast::Expr, other: &ast::Expr| -> Vec<Candidate<'a>> {
        let mut states = solve(one, wanted, state);
        // The second operand is evaluated only if the first does not decide.
        if state.probe.truth(one) == Ok(!wanted) {
            states.extend(solve(other, wanted, state));
        }
        states
    };
    match expression.expr_kind() {
        ast::ExprKind::And { left, right } if wanted => both(left, right),
        ast::ExprKind::And { left, right } => either(left, right),
        ast::ExprKind::Or { left, right } if wanted => either(left, right),
        ast::ExprKind::Or { left, right } => both(left, right),
        ast::ExprKind::UnaryApp {
            op: ast::UnaryOp::Not,
            arg,
        } => solve(arg, !wanted, state),
        ast::ExprKind::If {
            test_expr,
            then_expr,
            else_expr,
        } => [(true, then_expr), (false, else_expr)]
            .into_iter()
            .flat_map(|(test, branch)| {
                solve(test_expr, test, state)
                    .iter()
                    .flat_map(|state| solve(branch, wanted, state))
                    .collect::<Vec<_>>()
            })
            .collect(),
        _ => leaf(expression, wanted, state)
            .into_iter()
            .filter(|state| state.probe.truth(expression) == Ok(wanted))
            .collect(),
    }
}

fn leaf<'a>(expression: &ast::Expr, wanted: bool, state: &Candidate<'a>) -> Vec<Candidate<'a>> {
    match expression.expr_kind() {
        ast::ExprKind::GetAttr { .. } => set(expression, Some(Value::Bool(wanted)), state),
        ast::ExprKind::HasAttr { expr, attr } if wanted => having(expr, &[attr.to_string()], state),
        ast::ExprKind::ExtHasAttr { expr, attrs } if wanted => {
            let path: Vec<String> = attrs.iter().map(ToString::to_string).collect();
            having(expr, &path, state)
        }
        ast::ExprKind::BinaryApp { op, arg1, arg2 } => match op {
            ast::BinaryOp::In if wanted => {
                let mut states = holding(arg1, arg2, state);
                states.extend(joining(arg1, arg2, state));
                states
            }
            ast::BinaryOp::Contains if wanted => match state.probe.evaluate(arg2) {
                Ok(element) => add(arg1, &[state.probe.names().value(&element)], state),
                Err(_) => Vec::new(),
            },
            ast::BinaryOp::ContainsAny if wanted => add(arg1, &elements(arg2, state), state),
            ast::BinaryOp::ContainsAll if wanted => {
                elements(arg2, state)
                    .iter()
                    .fold(vec![state.clone()], |states, element| {
                        states
                            .iter()
                            .flat_map(|state| match elements(arg1, state).contains(element) {
                                true => vec![state.clone()],
                                false => add(arg1, std::slice::from_ref(element), state),
                            })
                            .collect()
                    })
            }
            ast::BinaryOp::Eq | ast::BinaryOp::Less | ast::BinaryOp::LessEq => {
                compare(*op, arg1, arg2, wanted, state)
            }
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}
