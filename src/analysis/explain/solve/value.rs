//! Changes of attributes that make a comparison or a test for presence true.

use cedar_policy_core::ast;

use super::Candidate;
use crate::explain::change::{self, ChangeKind, RemedyChange};
use crate::explain::probe::{Probe, Target};
use crate::explain::value::Value;

/// The number of entities of a type that are searched for numbers in use.
const ASKED: usize = 1_000;

/// Gives a value to the attribute that an expression reads.
pub(super) fn set<'a>(
    expression: &ast::Expr,
    value: Option<Value>,
    state: &Candidate<'a>,
) -> Vec<Candidate<'a>> {
    let Some((target, value)) = state.probe.target(expression).zip(value) else {
        return Vec::new();
    };
    let Some(change) = RemedyChange::set(&state.probe, &target, value) else {
        return Vec::new();
    };
    let mut state = state.clone();
    let earlier = state
        .changes
        .iter()
        .find(|change| change.kind == ChangeKind::Set && change.is_about(&target))
        .cloned();
    if let Some(earlier) = earlier {
        // A number can be raised again, but a switch is not turned back.
        if !matches!(change.value, Value::Long(_)) {
            return Vec::new();
        }
        state.changes.remove(&earlier);
    }
    state.with(change).into_iter().collect()
}

/// Makes a comparison with an attribute true or false.
pub(super) fn compare<'a>(
    op: ast::BinaryOp,
    left: &ast::Expr,
    right: &ast::Expr,
    wanted: bool,
    state: &Candidate<'a>,
) -> Vec<Candidate<'a>> {
    let number = |expression: &ast::Expr| match state.probe.evaluate(expression).ok()?.value_kind()
    {
        ast::ValueKind::Lit(ast::Literal::Long(long)) => Some(*long),
        _ => None,
    };
    let as_is = |expression: &ast::Expr| {
        Some(
            state
                .probe
                .names()
                .value(&state.probe.evaluate(expression).ok()?),
        )
    };
    let above = |attribute: &ast::Expr, bound: &ast::Expr| {
        let target = state.probe.target(attribute)?;
        next_above(&state.probe, &target, number(bound)?).map(Value::Long)
    };
    let below = |bound: &ast::Expr| number(bound)?.checked_sub(1).map(Value::Long);
    let (for_left, for_right) = match (op, wanted) {
        (ast::BinaryOp::Less, true) => (below(right), above(right, left)),
        (ast::BinaryOp::LessEq, false) => (above(left, right), below(left)),
        (ast::BinaryOp::Eq, false) => (
            other_than(left, right, state),
            other_than(right, left, state),
        ),
        _ => (as_is(right), as_is(left)),
    };
    let mut states = set(left, for_left, state);
    states.extend(set(right, for_right, state));
    states
}

/// A value of an attribute that differs from a bound.
fn other_than(attribute: &ast::Expr, bound: &ast::Expr, state: &Candidate<'_>) -> Option<Value> {
    let target = state.probe.target(attribute)?;
    match state
        .probe
        .names()
        .value(&state.probe.evaluate(bound).ok()?)
    {
        Value::Bool(bool) => Some(Value::Bool(!bool)),
        Value::Long(long) => next_above(&state.probe, &target, long).map(Value::Long),
        _ => None,
    }
}

/// The next number above a bound that an entity of the same type has, since not every number has a meaning; the bound
/// plus one if there is none.
fn next_above(probe: &Probe<'_>, target: &Target<'_>, bound: i64) -> Option<i64> {
    let directory = probe.engine().directory();
    let [attribute] = target.path.as_slice() else {
        return bound.checked_add(1);
    };
    directory
        .rows_of(target.entity.type_name())
        .take(ASKED)
        .filter_map(|row| match directory.entity(row).get(attribute) {
            Some(ast::PartialValue::Value(value)) => match value.value_kind() {
                ast::ValueKind::Lit(ast::Literal::Long(long)) => Some(*long),
                _ => None,
            },
            _ => None,
        })
        .filter(|long| *long > bound)
        .min()
        .or_else(|| bound.checked_add(1))
}

/// Adds an empty record. That alone is no change that an administrator can make: it counts only with an element that
/// is added to it.
pub(super) fn having<'a>(
    expression: &ast::Expr,
    path: &[String],
    state: &Candidate<'a>,
) -> Vec<Candidate<'a>> {
    let (entity, before) = match state.probe.entity(expression) {
        Some(entity) => (entity, Vec::new()),
        None => match state.probe.target(expression) {
            Some(target) => (target.entity, target.path),
            None => return Vec::new(),
        },
    };
    let path: Vec<String> = before.iter().chain(path).cloned().collect();
    let slice = (1..=path.len())
        .find_map(|length| change::with_record(&state.probe, &entity, path.get(..length)?));
    slice
        .into_iter()
        .map(|slice| Candidate {
            changes: state.changes.clone(),
            probe: state.probe.within(slice),
        })
        .collect()
}

/// Adds one of these elements to the set that an expression reads.
pub(super) fn add<'a>(
    expression: &ast::Expr,
    elements: &[Value],
    state: &Candidate<'a>,
) -> Vec<Candidate<'a>> {
    let Some(target) = state.probe.target(expression) else {
        return Vec::new();
    };
    elements
        .iter()
        .filter_map(|element| {
            state.with(RemedyChange::add(&state.probe, &target, element.clone())?)
        })
        .collect()
}

pub(super) fn elements(expression: &ast::Expr, state: &Candidate<'_>) -> Vec<Value> {
    let value = state
        .probe
        .evaluate(expression)
        .map(|value| state.probe.names().value(&value));
    match value {
        Ok(Value::Set(elements)) => elements,
        _ => Vec::new(),
    }
}
