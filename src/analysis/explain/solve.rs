//! A solver for conditions: changes after which one is true, or false.
//!
//! What comes out is a candidate and no more; [`super::remedies`] decides again before it offers
//! one. Conditions are taken apart at `&&`, `||`, `!` and `if`; what is left are attributes that
//! are true or false, comparisons, `in`, `contains` and `has`. Anything else cannot be solved.

use std::collections::BTreeSet;

use cedar_policy::EntityUid;
use cedar_policy_core::ast;

use super::change::{self, Change, ChangeKind};
use super::probe::{Probe, Target};
use super::role;
use super::value::Value;
use tarbac_host::bundle::Policy;

/// Of the entities that could be added to a set, how many are tried. They are the closest ones.
const CLOSEST: usize = 3;

/// Of the entities that have an attribute, how many are asked which numbers are in use.
const ASKED: usize = 1_000;

/// Changes, and the probe in which they are made.
#[derive(Clone)]
pub(super) struct Candidate<'a> {
    pub changes: BTreeSet<Change>,
    pub scene: Probe<'a>,
}

impl<'a> Candidate<'a> {
    /// The state in which nothing is changed yet.
    pub fn start(scene: &Probe<'a>) -> Self {
        Self {
            changes: BTreeSet::new(),
            scene: scene.clone(),
        }
    }

    /// The state in which these changes are made, and nothing else.
    pub fn after(scene: &Probe<'a>, changes: &BTreeSet<Change>) -> Option<Self> {
        Self::in_order(scene, changes).map(|(state, _)| state)
    }

    /// The state in which these changes are made, and an order in which they can be made: a role
    /// assignment is there before it is given a scope tag.
    pub fn in_order(scene: &Probe<'a>, changes: &BTreeSet<Change>) -> Option<(Self, Vec<Change>)> {
        let mut state = Self::start(scene);
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

    fn with(&self, change: Change) -> Option<Self> {
        let world = change.applied(&self.scene)?;
        let mut changes = self.changes.clone();
        changes.insert(change);
        Some(Self {
            changes,
            scene: self.scene.within(world),
        })
    }
}

/// The states in which a forbid no longer holds.
pub(super) fn lift<'a>(policy: &Policy, state: &Candidate<'a>) -> Vec<Candidate<'a>> {
    // Nobody is taken out of what the scope names, so only the clauses can be solved.
    match policy.ast().non_scope_constraints() {
        Some(condition) => solve(condition, false, state),
        None => Vec::new(),
    }
}

/// The states in which a permit holds.
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

/// The states in which an expression is `wanted`: this one, if it is already.
fn solve<'a>(expression: &ast::Expr, wanted: bool, state: &Candidate<'a>) -> Vec<Candidate<'a>> {
    if state.scene.truth(expression) == Ok(wanted) {
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
        // The second one is only reached past the first.
        if state.scene.truth(one) == Ok(!wanted) {
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
            .filter(|state| state.scene.truth(expression) == Ok(wanted))
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
            ast::BinaryOp::Contains if wanted => match state.scene.evaluate(arg2) {
                Ok(element) => add(arg1, &[state.scene.names().value(&element)], state),
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

/// Gives the attribute that an expression leads to a value.
fn set<'a>(
    expression: &ast::Expr,
    value: Option<Value>,
    state: &Candidate<'a>,
) -> Vec<Candidate<'a>> {
    let Some((target, value)) = state.scene.target(expression).zip(value) else {
        return Vec::new();
    };
    let Some(change) = Change::set(&state.scene, &target, value) else {
        return Vec::new();
    };
    let mut state = state.clone();
    let earlier = state
        .changes
        .iter()
        .find(|change| change.kind == ChangeKind::Set && change.is_about(&target))
        .cloned();
    if let Some(earlier) = earlier {
        // A number can be raised further; a switch that was turned is not turned back.
        if !matches!(change.value, Value::Long(_)) {
            return Vec::new();
        }
        state.changes.remove(&earlier);
    }
    state.with(change).into_iter().collect()
}

/// Makes a comparison of an attribute with something else true or false.
fn compare<'a>(
    op: ast::BinaryOp,
    left: &ast::Expr,
    right: &ast::Expr,
    wanted: bool,
    state: &Candidate<'a>,
) -> Vec<Candidate<'a>> {
    let number = |expression: &ast::Expr| match state.scene.evaluate(expression).ok()?.value_kind()
    {
        ast::ValueKind::Lit(ast::Literal::Long(long)) => Some(*long),
        _ => None,
    };
    let as_is = |expression: &ast::Expr| {
        Some(
            state
                .scene
                .names()
                .value(&state.scene.evaluate(expression).ok()?),
        )
    };
    let above = |attribute: &ast::Expr, bound: &ast::Expr| {
        let target = state.scene.target(attribute)?;
        next_above(&state.scene, &target, number(bound)?).map(Value::Long)
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

/// A value for an attribute that is not to equal a bound.
fn other_than(attribute: &ast::Expr, bound: &ast::Expr, state: &Candidate<'_>) -> Option<Value> {
    let target = state.scene.target(attribute)?;
    match state
        .scene
        .names()
        .value(&state.scene.evaluate(bound).ok()?)
    {
        Value::Bool(bool) => Some(Value::Bool(!bool)),
        Value::Long(long) => next_above(&state.scene, &target, long).map(Value::Long),
        _ => None,
    }
}

/// The next number above a bound that an entity of the same type has, since not every number means
/// something; where there is none, the next number.
fn next_above(scene: &Probe<'_>, target: &Target<'_>, bound: i64) -> Option<i64> {
    let directory = scene.engine().directory();
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

/// Makes an optional record be there. That alone is no change anybody can make, and is forgotten
/// unless something is then added to it.
fn having<'a>(
    expression: &ast::Expr,
    path: &[String],
    state: &Candidate<'a>,
) -> Vec<Candidate<'a>> {
    let (entity, before) = match state.scene.entity(expression) {
        Some(entity) => (entity, Vec::new()),
        None => match state.scene.target(expression) {
            Some(target) => (target.entity, target.path),
            None => return Vec::new(),
        },
    };
    let path: Vec<String> = before.iter().chain(path).cloned().collect();
    let world = (1..=path.len())
        .find_map(|length| change::with_record(&state.scene, &entity, path.get(..length)?));
    world
        .into_iter()
        .map(|world| Candidate {
            changes: state.changes.clone(),
            scene: state.scene.within(world),
        })
        .collect()
}

/// Adds one of these to the set that an expression leads to.
fn add<'a>(
    expression: &ast::Expr,
    elements: &[Value],
    state: &Candidate<'a>,
) -> Vec<Candidate<'a>> {
    let Some(target) = state.scene.target(expression) else {
        return Vec::new();
    };
    elements
        .iter()
        .filter_map(|element| state.with(Change::add(&state.scene, &target, element.clone())?))
        .collect()
}

fn elements(expression: &ast::Expr, state: &Candidate<'_>) -> Vec<Value> {
    let value = state
        .scene
        .evaluate(expression)
        .map(|value| state.scene.names().value(&value));
    match value {
        Ok(Value::Set(elements)) => elements,
        _ => Vec::new(),
    }
}

/// Makes `left in right` true by adding to the set on the right something that `left` is in.
///
/// Where something of the kind was added before, that is taken again: one grants several
/// permissions on one collection, not each on another.
fn holding<'a>(left: &ast::Expr, right: &ast::Expr, state: &Candidate<'a>) -> Vec<Candidate<'a>> {
    let Some((entity, target)) = state.scene.entity(left).zip(state.scene.target(right)) else {
        return Vec::new();
    };
    let Some(type_name) = target.attribute.kind.entity_type() else {
        return Vec::new();
    };
    let holders: Vec<(usize, Value)> = by_distance(&entity, &state.scene)
        .into_iter()
        .filter(|(_, holder)| holder.type_name().to_string() == type_name)
        .map(|(distance, holder)| (distance, Value::Entity(state.scene.names().named(&holder))))
        .collect();
    let chosen: Vec<(usize, Value)> = holders
        .iter()
        .filter(|(_, holder)| {
            state
                .changes
                .iter()
                .any(|change| change.kind == ChangeKind::Add && change.value == *holder)
        })
        .cloned()
        .collect();
    let tried = if chosen.is_empty() { holders } else { chosen };
    tried
        .into_iter()
        .take(CLOSEST)
        .filter_map(|(distance, holder)| {
            let change = Change::add(&state.scene, &target, holder)?;
            state.with(Change { distance, ..change })
        })
        .collect()
}

/// An entity and what it is in, the closest first.
fn by_distance(entity: &EntityUid, scene: &Probe<'_>) -> Vec<(usize, EntityUid)> {
    let directory = scene.engine().directory();
    let from = directory.row(entity);
    let distance = |to: &EntityUid| {
        let path = from
            .zip(directory.row(to))
            .and_then(|(from, to)| directory.path(from, to));
        path.map_or(usize::MAX, |path| path.len())
    };
    let mut all: Vec<(usize, EntityUid)> = std::iter::once(entity.clone())
        .chain(scene.ancestors(entity))
        .map(|uid| (distance(&uid), uid))
        .collect();
    all.sort();
    all
}

/// Makes `principal in right` true by bringing the principal into what the right side names, or
/// into something that brings it along.
fn joining<'a>(left: &ast::Expr, right: &ast::Expr, state: &Candidate<'a>) -> Vec<Candidate<'a>> {
    if state.scene.entity(left).as_ref() != Some(&state.scene.request().principal) {
        return Vec::new();
    }
    let mut joined: Vec<EntityUid> = Vec::new();
    for wanted in state.scene.entities(right) {
        let type_name = wanted.type_name().to_string();
        let along: Vec<EntityUid> = change::brought_along(&state.scene)
            .into_iter()
            .filter(|(_, other)| *other == type_name)
            .flat_map(|(joined, _)| known(&state.scene, &joined))
            .collect();
        joined.push(wanted);
        joined.extend(along);
    }
    let mut states = granted(&state.scene.entities(right), state);
    states.extend(joined.iter().flat_map(|group| brought_into(group, state)));
    states
}

/// Makes the principal be in one of these by activating a membership, or by restoring what is withheld.
fn granted<'a>(wanted: &[EntityUid], state: &Candidate<'a>) -> Vec<Candidate<'a>> {
    let scene = &state.scene;
    let directory = scene.engine().directory();
    let leads = |uid: &EntityUid| {
        let row = directory.row(uid);
        let mut wanted = wanted.iter().map(|wanted| (wanted, directory.row(wanted)));
        wanted.any(|(wanted, to)| {
            uid == wanted
                || row
                    .zip(to)
                    .is_some_and(|(from, to)| directory.ancestors(from).any(|above| above == to))
        })
    };
    let activations = scene
        .engine()
        .activations(&scene.request().principal, scene.world());
    let activations = activations
        .iter()
        .filter(|activation| leads(&activation.entity))
        .filter_map(|activation| Change::activate(scene, activation));
    let withheld = role::withheld(scene);
    let restored = withheld
        .iter()
        .filter(|withheld| leads(&withheld.parent))
        .filter_map(|withheld| Change::restore(scene, withheld));
    let changes: Vec<Change> = activations.chain(restored).collect();
    let states = changes.into_iter();
    states.filter_map(|change| state.with(change)).collect()
}

fn brought_into<'a>(group: &EntityUid, state: &Candidate<'a>) -> Vec<Candidate<'a>> {
    let Some(change) = Change::join(&state.scene, group) else {
        return Vec::new();
    };
    if let Some(state) = state.with(change.clone()) {
        return vec![state];
    }
    change::needed_first(&state.scene, group)
        .iter()
        .flat_map(|type_name| known(&state.scene, type_name))
        .filter_map(|first| {
            state
                .with(Change::join(&state.scene, &first)?)?
                .with(change.clone())
        })
        .collect()
}

/// The entities of a type that permits name in their scope: those that have the action of the
/// request, or all where none has it.
fn known(scene: &Probe<'_>, type_name: &str) -> Vec<EntityUid> {
    let anchors = |policies: &mut dyn Iterator<Item = &Policy>| -> BTreeSet<EntityUid> {
        policies
            .filter_map(Policy::principal_anchor)
            .filter(|anchor| anchor.type_name().to_string() == type_name)
            .collect()
    };
    let mut found = anchors(&mut role::permits_of(scene));
    if found.is_empty() {
        found = anchors(&mut role::permits(scene));
    }
    found.into_iter().collect()
}
