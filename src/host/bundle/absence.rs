//! The effect of a missing entity on a policy that names it.
//!
//! No entity equals a missing one or is in it, so each comparison with it is false. The position of the comparison
//! decides whether the policy then allows more or less: an exception of a permit that names nobody excludes nobody,
//! and a forbid that names nobody holds nobody back. A comparison with a value of the context is different, because
//! the request brings the value and the directory need not have the entity. The same rules hold for a name that no
//! entity has.

use cedar_policy::EntityUid;
use cedar_policy_core::ast::{
    self, BinaryOp, Expr, ExprKind, Literal, PrincipalOrResourceConstraint, UnaryOp, Var,
};

use super::policy::{Effect, Policy};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::Place;

/// A place where a policy names a missing entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    /// The place; the whole policy for a mention in its scope.
    pub place: Place,
    /// Whether the policy could allow more than it would if the entity existed.
    pub allows_more: bool,
    /// Whether the policy could allow more if the mentioning condition were true.
    pub allows_more_if_true: bool,
    /// Whether the missing entity makes the policy apply to fewer requests.
    pub narrows: bool,
    /// Whether the entity is compared with a value of the context.
    pub is_of_context: bool,
}

/// The error about a policy that could allow more because not every member of an entity is known.
pub(crate) fn unknown_members(policy: &Policy, entity: &str, mention: &Mention) -> Finding {
    let message = format!(
        "the policy `{}` depends on who is in {entity}, of which not every member is known",
        policy.id()
    );
    let help = match policy.effect() {
        Effect::Permit => "it may permit what it excepts",
        Effect::Forbid => "it may hold nobody back",
    };
    Finding::error(code::policy::UNKNOWN_MEMBERS, message)
        .label(mention.place.clone(), "asked here")
        .help(format!(
            "{help}: export the members, or decide by something else"
        ))
}

/// The effect of a part on the condition around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// If the part is false, the condition is true less often.
    With,
    /// If the part is false, the condition is true more often.
    Against,
    /// Both effects are possible.
    Both,
    /// The part compares a value of the context, so it can be true.
    Context,
}

impl Side {
    /// The effect of the part on the negation of the condition.
    pub(super) fn other(self) -> Self {
        match self {
            Self::With => Self::Against,
            Self::Against => Self::With,
            Self::Both => Self::Both,
            Self::Context => Self::Context,
        }
    }

    /// Whether a policy could allow more because the part is false.
    pub(super) fn allows_more(self, effect: Effect) -> bool {
        match effect {
            Effect::Permit => !matches!(self, Self::With | Self::Context),
            Effect::Forbid => !matches!(self, Self::Against | Self::Context),
        }
    }
}

/// The places where a policy names an entity, with the effect of its absence there.
pub(super) fn mentions(policy: &Policy, uid: &EntityUid) -> Vec<Mention> {
    let mut found = Vec::new();
    let scopes = [policy.principal_anchor(), policy.resource_anchor()];
    for _ in scopes.iter().flatten().filter(|anchor| *anchor == uid) {
        found.push((policy.place().clone(), Side::With));
    }
    let mut in_conditions = Vec::new();
    collect(policy, &|part| is_named(part, uid), &mut in_conditions);
    found.extend(
        in_conditions
            .into_iter()
            .map(|(_, place, side)| (place, side)),
    );
    of_sides(policy, found)
}

/// The places where a policy asks what is in an entity, with the effect if nothing is. A comparison with the entity
/// itself does not depend on that.
pub(super) fn memberships(policy: &Policy, uid: &EntityUid) -> Vec<Mention> {
    let written = policy.written();
    let (principal, resource) = (
        written.principal_constraint(),
        written.resource_constraint(),
    );
    let scopes = [principal.as_inner(), resource.as_inner()].into_iter();
    let scopes = scopes.filter(|scope| {
        let is_in = matches!(
            scope,
            PrincipalOrResourceConstraint::In(_) | PrincipalOrResourceConstraint::IsIn(..)
        );
        is_in
            && scope
                .get_euid()
                .is_some_and(|named| EntityUid::from(named.as_ref().clone()) == *uid)
    });
    let of_scopes = of_sides(policy, scopes.map(|_| (policy.place().clone(), Side::With)));
    let in_conditions = mentions_of(policy, &|part| {
        matches!(part.expr_kind(), ExprKind::BinaryApp { op: BinaryOp::In, arg2, .. }
            if arg2.subexpressions().any(|part| is_named(part, uid)))
    });
    of_scopes.into_iter().chain(in_conditions).collect()
}

fn is_named(part: &Expr, uid: &EntityUid) -> bool {
    let uid: &ast::EntityUID = uid.as_ref();
    matches!(part.expr_kind(), ExprKind::Lit(Literal::EntityUID(named)) if named.as_ref() == uid)
}

/// The places of the matching expressions in a policy, with the effect if they are false.
pub(crate) fn mentions_of(policy: &Policy, is_it: &dyn Fn(&Expr) -> bool) -> Vec<Mention> {
    leaves_with(policy, is_it)
        .into_iter()
        .map(|(_, mention)| mention)
        .collect()
}

/// The smallest conditions that contain a matching expression, each with the effect if it is false.
pub(crate) fn leaves_with<'p>(
    policy: &'p Policy,
    is_it: &dyn Fn(&Expr) -> bool,
) -> Vec<(&'p Expr, Mention)> {
    let mut found = Vec::new();
    collect(policy, is_it, &mut found);
    let leaves: Vec<&Expr> = found.iter().map(|(leaf, ..)| *leaf).collect();
    let sides = found.into_iter().map(|(_, place, side)| (place, side));
    let mentions = of_sides(policy, sides);
    leaves.into_iter().zip(mentions).collect()
}

fn collect<'p>(
    policy: &'p Policy,
    is_it: &dyn Fn(&Expr) -> bool,
    found: &mut Vec<MatchingCondition<'p>>,
) {
    if let Some(condition) = policy.written().non_scope_constraints() {
        let mut collector = Collector {
            policy,
            is_it,
            found,
        };
        collector.condition(condition, Side::With);
    }
}

fn of_sides(policy: &Policy, found: impl IntoIterator<Item = (Place, Side)>) -> Vec<Mention> {
    found
        .into_iter()
        .map(|(place, side)| Mention {
            place,
            allows_more: side.allows_more(policy.effect()),
            allows_more_if_true: match policy.effect() {
                Effect::Permit => !matches!(side, Side::Against | Side::Context),
                Effect::Forbid => !matches!(side, Side::With | Side::Context),
            },
            narrows: side == Side::With,
            is_of_context: side == Side::Context,
        })
        .collect()
}

/// A condition that contains a match, with its place and side.
type MatchingCondition<'p> = (&'p Expr, Place, Side);

struct Collector<'a, 'p> {
    policy: &'p Policy,
    /// Whether an expression matches.
    is_it: &'a dyn Fn(&Expr) -> bool,
    found: &'a mut Vec<MatchingCondition<'p>>,
}

impl<'p> Collector<'_, 'p> {
    /// Searches an expression that is a condition. Each part of it is visited once, however long it is.
    fn condition(&mut self, expression: &'p Expr, side: Side) {
        match expression.expr_kind() {
            ExprKind::UnaryApp {
                op: UnaryOp::Not,
                arg,
            } => self.condition(arg, side.other()),
            ExprKind::And { left, right } | ExprKind::Or { left, right } => {
                self.condition(left, side);
                self.condition(right, side);
            }
            ExprKind::If {
                test_expr,
                then_expr,
                else_expr,
            } => {
                self.condition(test_expr, of_test(then_expr, else_expr, side));
                self.condition(then_expr, side);
                self.condition(else_expr, side);
            }
            _ if self.names(expression) => {
                // An operand of a comparison is no condition, unless it contains one.
                let side = match parts(expression).any(|part| self.decides(part)) {
                    true => Side::Both,
                    false if self.is_of_context(expression) => Side::Context,
                    false => side,
                };
                let place = self.policy.place_of(expression);
                let place = place.unwrap_or_else(|| self.policy.place().clone());
                self.found.push((expression, place, side));
            }
            _ => {}
        }
    }

    /// Whether an expression contains a match.
    fn names(&self, expression: &Expr) -> bool {
        expression.subexpressions().any(self.is_it)
    }

    /// Whether the entity, or a set with it, is compared with a value of the context. A test whether the value is in
    /// the entity does not count: no entity is in a missing one.
    fn is_of_context(&self, expression: &Expr) -> bool {
        let ExprKind::BinaryApp { op, arg1, arg2 } = expression.expr_kind() else {
            return false;
        };
        let compares = matches!(
            op,
            BinaryOp::Eq | BinaryOp::Contains | BinaryOp::ContainsAll | BinaryOp::ContainsAny
        );
        let other = match (self.names(arg1), self.names(arg2)) {
            (true, false) => arg2,
            (false, true) => arg1,
            _ => return false,
        };
        let is_context = |part: &Expr| matches!(part.expr_kind(), ExprKind::Var(Var::Context));
        compares && other.subexpressions().any(is_context)
    }

    /// Whether the existence of the entity can change the value of an expression that is neither the entity itself nor
    /// a set of entities.
    fn decides(&self, expression: &Expr) -> bool {
        let tests = match expression.expr_kind() {
            ExprKind::BinaryApp { op, .. } => matches!(
                op,
                BinaryOp::Eq
                    | BinaryOp::In
                    | BinaryOp::Contains
                    | BinaryOp::ContainsAll
                    | BinaryOp::ContainsAny
            ),
            ExprKind::If { test_expr, .. } => return self.names(test_expr),
            ExprKind::HasAttr { .. } | ExprKind::ExtHasAttr { .. } | ExprKind::Like { .. } => true,
            ExprKind::And { .. } | ExprKind::Or { .. } | ExprKind::UnaryApp { .. } => true,
            _ => false,
        };
        tests && self.names(expression)
    }
}

/// The proper subexpressions of an expression.
fn parts(expression: &Expr) -> impl Iterator<Item = &Expr> {
    expression
        .subexpressions()
        .filter(move |part| !std::ptr::eq(*part, expression))
}

/// The side of the test of a conditional. If a branch is `true` or `false`, the conditional is equivalent to `&&` or
/// `||`.
pub(super) fn of_test(then: &Expr, otherwise: &Expr, side: Side) -> Side {
    let constant = |expression: &Expr| match expression.expr_kind() {
        ExprKind::Lit(Literal::Bool(value)) => Some(*value),
        _ => None,
    };
    match (constant(then), constant(otherwise)) {
        (Some(true), _) | (_, Some(false)) => side,
        (Some(false), _) | (_, Some(true)) => side.other(),
        (None, None) => Side::Both,
    }
}
