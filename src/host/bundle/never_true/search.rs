//! The search for conditions that are never true.

use std::ops::Range;
use std::sync::Arc;

use cedar_policy::EntityUid;
use cedar_policy_core::ast::{self, BinaryOp, Expr, ExprKind, Literal, UnaryOp};
use cedar_policy_core::validator::typecheck::Typechecker;
use cedar_policy_core::validator::{ValidationMode, ValidatorSchema};

use super::super::absence::{Side, of_test};
use super::super::policy::{Effect, Policy, is_constant};
use super::environment::{Environment, Question, TypedTruth, lets_read};

/// The value of a condition in a request environment; `None` if it can be either.
pub(super) type Value = Option<bool>;

/// How a condition fails to do what it is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// It is false wherever it is reached.
    Never,
    /// It is, by a test of a type, and there is an alternative to it that can be true.
    Alternative,
    /// It is, as an exception of what the policy does not permit in any case. This is no mistake.
    Outside,
    /// It is false of everything of some types.
    OfSome,
    /// It asks whether the action is this group of actions, and no action is a group.
    Group,
}

/// A condition that was found, with the environments of which it holds.
pub(super) struct Found<'p> {
    pub part: &'p Expr,
    pub reached: Vec<usize>,
    pub how: How,
}

/// A condition that holds wherever another is reached.
#[derive(Clone, Copy)]
pub(super) struct Guard<'p> {
    pub condition: &'p Expr,
    /// Whether the policy requires it in any case.
    pub is_required: bool,
}

pub(super) struct Search<'a, 'p> {
    pub(super) policy: &'p Policy,
    pub(super) schema: &'a ValidatorSchema,
    pub(super) typechecker: Typechecker<'a>,
    /// Whether an action is a group only, which nobody asks for.
    pub(super) is_group: &'p dyn Fn(&EntityUid) -> bool,
    /// The environments of all actions.
    pub(super) all: &'p [Environment<'a>],
    /// The environments that the policy is asked in.
    pub(super) environments: Vec<&'p Environment<'a>>,
    /// Of these by index, those that what is required beside the present condition leaves open.
    pub(super) left_open: Vec<usize>,
    /// Whether the policy requires the present condition, or its negation, in any case.
    is_required: bool,
    /// The conditions that hold wherever the present one is reached, outermost first.
    pub(super) guards: Vec<Guard<'p>>,
    found: Vec<Found<'p>>,
}

impl<'a, 'p> Search<'a, 'p> {
    pub(super) fn new(
        policy: &'p Policy,
        schema: &'a ValidatorSchema,
        is_group: &'p dyn Fn(&EntityUid) -> bool,
        all: &'p [Environment<'a>],
    ) -> Self {
        let scope = policy.action_scope();
        let asked = all.iter();
        let asked = asked.filter(|environment| scope.answers(environment.action));
        Self {
            policy,
            schema,
            typechecker: Typechecker::new(schema, ValidationMode::Strict),
            is_group,
            all,
            environments: asked.collect(),
            left_open: Vec::new(),
            is_required: true,
            guards: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Searches the scope, as conditions, and the conditions of the policy.
    pub(super) fn run(&mut self, scope: &'p [Expr]) -> Vec<Found<'p>> {
        let mut reached: Vec<usize> = (0..self.environments.len()).collect();
        for part in scope {
            let values = self.values(part, &reached);
            self.of_some(part, Side::With, &values, &reached);
            reached = with(&reached, &values, false);
        }
        self.left_open.clone_from(&reached);
        if let Some(condition) = self.policy.written().non_scope_constraints() {
            self.condition(condition, Side::With, &reached);
        }
        std::mem::take(&mut self.found)
    }

    /// The values of a condition in the environments that reach it. What it finds is added to the conditions found.
    fn condition(&mut self, part: &'p Expr, side: Side, reached: &[usize]) -> Vec<Value> {
        let start = self.found.len();
        let values = match part.expr_kind() {
            ExprKind::Lit(Literal::Bool(value)) => return vec![Some(*value); reached.len()],
            ExprKind::UnaryApp {
                op: UnaryOp::Not,
                arg,
            } => not(self.condition(arg, side.other(), reached)),
            ExprKind::BinaryApp {
                op: BinaryOp::Eq,
                arg1,
                arg2,
            } if let Some((arg, value)) = compared(arg1, arg2) => match value {
                true => self.condition(arg, side, reached),
                false => not(self.condition(arg, side.other(), reached)),
            },
            ExprKind::And { left, right } => self.connected(left, right, false, side, reached),
            ExprKind::Or { left, right } => self.connected(left, right, true, side, reached),
            ExprKind::If {
                test_expr,
                then_expr,
                else_expr,
            } => self.chosen([test_expr, then_expr, else_expr], side, reached),
            _ => self.leaf(part, side, reached),
        };
        // What is false in any schema is meant to be.
        let is_never =
            !values.is_empty() && are(&values, false) && is_constant(part) != Some(false);
        if is_never && side.allows_more(self.policy.effect()) {
            let inner = self.found.iter().skip(start);
            let are = |how: How| inner.clone().any(|found| found.how == how);
            let how = match (are(How::Never), are(How::Outside)) {
                (true, _) => None,
                (false, true) if self.is_possible(part) => None,
                (false, false) if self.is_outside(part) => Some(How::Outside),
                (false, _) => Some(How::Never),
            };
            if let Some(how) = how {
                self.add(part, how, reached.to_vec());
            }
        }
        values
    }

    /// The values of two conditions that are joined by `&&`, or by `||`, which is decided by its left side if that is
    /// `decisive`.
    fn connected(
        &mut self,
        left: &'p Expr,
        right: &'p Expr,
        decisive: bool,
        side: Side,
        reached: &[usize],
    ) -> Vec<Value> {
        let start = self.found.len();
        let (left_open, was_required) = (self.left_open.clone(), self.is_required);
        self.is_required &= matches!(
            (decisive, side),
            (false, Side::With) | (true, Side::Against)
        );
        let lefts = self.condition(left, side, reached);
        let middle = self.found.len();
        let outer = self.guards.len();
        if !decisive {
            self.guard(left);
        }
        let further = with(reached, &lefts, decisive);
        if self.is_required {
            self.left_open.clone_from(&further);
        }
        let rights = self.condition(right, side, &further);
        (self.left_open, self.is_required) = (left_open, was_required);
        self.guards.truncate(outer);
        // The conjuncts of a permit are no alternatives to each other: each restricts it.
        if decisive || self.policy.effect() == Effect::Forbid {
            if are(&lefts, !decisive) && !are(&rights, !decisive) {
                self.excuse(start..middle);
            }
            if are(&rights, !decisive) && !are(&lefts, !decisive) {
                self.excuse(middle..self.found.len());
            }
        }
        let mut rights = rights.into_iter();
        let values = lefts.into_iter().map(|left| {
            if left == Some(decisive) {
                return left;
            }
            let right = rights.next().flatten();
            match (left, right) {
                (_, Some(right)) if right == decisive => Some(decisive),
                (Some(_), Some(_)) => Some(!decisive),
                _ => None,
            }
        });
        values.collect()
    }

    /// The values of a conditional: of its test and its branches.
    fn chosen(
        &mut self,
        [test, then, other]: [&'p Expr; 3],
        side: Side,
        reached: &[usize],
    ) -> Vec<Value> {
        let start = self.found.len();
        let was_required = std::mem::replace(&mut self.is_required, false);
        let tests = self.condition(test, of_test(then, other, side), reached);
        let (if_true, if_false) = (with(reached, &tests, false), with(reached, &tests, true));
        let of_then = self.found.len();
        let outer = self.guards.len();
        self.guard(test);
        let then_values = self.condition(then, side, &if_true);
        self.guards.truncate(outer);
        let of_other = self.found.len();
        let other_values = self.condition(other, side, &if_false);
        self.is_required = was_required;
        let value = |at: &usize, among: &[usize], values: &[Value]| -> Value {
            let position = among.binary_search(at).ok()?;
            values.get(position).copied().flatten()
        };
        let values = reached.iter().zip(&tests).map(|(at, test)| {
            let then = value(at, &if_true, &then_values);
            let other = value(at, &if_false, &other_values);
            match test {
                Some(true) => then,
                Some(false) => other,
                None => then.filter(|_| then == other),
            }
        });
        let values: Vec<Value> = values.collect();
        // A branch is an alternative to the other, and to the test.
        let branches = [then_values.as_slice(), &other_values].concat();
        for (found, of_it, of_all) in [
            (start..of_then, &tests, &values),
            (of_then..of_other, &then_values, &branches),
            (of_other..self.found.len(), &other_values, &branches),
        ] {
            if is_same(of_it) && !is_same(of_all) {
                self.excuse(found);
            }
        }
        values
    }

    /// Adds a condition to those that hold from here on.
    fn guard(&mut self, condition: &'p Expr) {
        let is_required = self.is_required;
        let guards = conjuncts(condition).into_iter();
        self.guards.extend(guards.map(|condition| Guard {
            condition,
            is_required,
        }));
    }

    pub(super) fn add(&mut self, part: &'p Expr, how: How, reached: Vec<usize>) {
        self.found.push(Found { part, reached, how });
    }

    /// Makes less of tests of a type to which there are alternatives.
    fn excuse(&mut self, found: Range<usize>) {
        let found = self.found.get_mut(found).into_iter().flatten();
        for found in found.filter(|found| found.how == How::Never && is_about_type(found.part)) {
            found.how = How::Alternative;
        }
    }

    pub(super) fn values(&self, part: &Expr, reached: &[usize]) -> Vec<Value> {
        let mut alone = self.question(part.clone());
        let mut guarded: Option<Question<'_, 'a>> = None;
        let environments = reached.iter().filter_map(|at| self.environments.get(*at));
        let values = environments.map(|environment| match alone.truth(environment) {
            TypedTruth::Is(value) => Some(value),
            TypedTruth::Open => None,
            // It is guarded by `has`, perhaps. If the guards are true or open, it is the part that is false.
            TypedTruth::Untyped => {
                let guarded = guarded.get_or_insert_with(|| self.question(self.guarded(part)));
                (guarded.truth(environment) == TypedTruth::Is(false)).then_some(false)
            }
        });
        values.collect()
    }

    /// A condition behind those of its guards that it, or one of these, needs to have a type.
    fn guarded(&self, part: &Expr) -> Expr {
        let mut needed: Vec<&Expr> = Vec::new();
        let mut all = part.clone();
        for guard in self.guards.iter().rev().map(|guard| guard.condition) {
            if lets_read(guard, &all) && !needed.iter().any(|known| known.eq_shape(guard)) {
                needed.push(guard);
                all = Expr::and(guard.clone(), all);
            }
        }
        all
    }

    /// The question whether a condition is true of a request.
    pub(super) fn question(&self, condition: Expr) -> Question<'_, 'a> {
        let policy = ast::Template::new(
            self.policy.written().id().clone(),
            None,
            ast::Annotations::new(),
            self.policy.effect(),
            ast::PrincipalConstraint::any(),
            ast::ActionConstraint::any(),
            ast::ResourceConstraint::any(),
            Some(condition),
        );
        Question::new(&self.typechecker, policy)
    }
}

/// What the scope of a policy says of principal and resource.
pub(super) fn scope(policy: &Policy) -> [Expr; 2] {
    let policy = policy.written();
    [
        policy.principal_constraint().as_expr(),
        policy.resource_constraint().as_expr(),
    ]
}

fn not(values: Vec<Value>) -> Vec<Value> {
    let negated = values.into_iter().map(|value| value.map(|value| !value));
    negated.collect()
}

/// Whether a condition has this value everywhere.
pub(super) fn are(values: &[Value], same: bool) -> bool {
    values.iter().all(|value| *value == Some(same))
}

/// Whether a condition has one value everywhere.
fn is_same(values: &[Value]) -> bool {
    are(values, true) || are(values, false)
}

/// The environments in which a condition does not have a value.
fn with(reached: &[usize], values: &[Value], excluded: bool) -> Vec<usize> {
    let all = reached.iter().zip(values);
    all.filter(|(_, value)| **value != Some(excluded))
        .map(|(at, _)| *at)
        .collect()
}

/// The operands of `&&` in a condition, in order.
fn conjuncts(condition: &Expr) -> Vec<&Expr> {
    let mut all = Vec::new();
    let mut open = vec![condition];
    while let Some(part) = open.pop() {
        match part.expr_kind() {
            ExprKind::And { left, right } => open.extend([&**right, &**left]),
            _ => all.push(part),
        }
    }
    all
}

/// The condition that is compared with `true` or `false`, and which of the two.
fn compared<'p>(one: &'p Arc<Expr>, other: &'p Arc<Expr>) -> Option<(&'p Expr, bool)> {
    match (one.expr_kind(), other.expr_kind()) {
        (ExprKind::Lit(Literal::Bool(value)), _) => Some((other, *value)),
        (_, ExprKind::Lit(Literal::Bool(value))) => Some((one, *value)),
        _ => None,
    }
}

/// Whether an expression asks for a type, and nothing else.
fn is_about_type(part: &Expr) -> bool {
    match part.expr_kind() {
        ExprKind::UnaryApp {
            op: UnaryOp::Not,
            arg,
        } => is_about_type(arg),
        ExprKind::Is { .. } => true,
        _ => false,
    }
}
