//! The effect of a missing entity on a policy that names it.
//!
//! No entity equals a missing one or is in it, so each comparison with it is false. The position of the comparison
//! decides whether the policy then allows more or less: an exception of a permit that names nobody excludes nobody,
//! and a forbid that names nobody holds nobody back. A comparison with a value of the context is different, because
//! the request brings the value and the directory need not have the entity. The same rules hold for a name that no
//! entity has.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityUid;
use cedar_policy_core::ast::{
    self, BinaryOp, Expr, ExprKind, Literal, PrincipalOrResourceConstraint, UnaryOp, Var,
};

use super::policy::{Effect, Policy};
use super::vocabulary::Vocabulary;
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

/// The places where a policy names each entity, with the effect of its absence there.
pub(super) fn mentions(
    policy: &Policy,
    vocabulary: &Vocabulary,
) -> BTreeMap<EntityUid, Vec<Mention>> {
    let anchors = [policy.principal_anchor(), policy.resource_anchor()];
    let of_scope = anchors.into_iter().flatten().map(|uid| {
        let place = policy.place().clone();
        (uid.clone(), place, Side::With)
    });
    let of_conditions = collect(policy, vocabulary, &|part, named| {
        named.extend(uid_of(part))
    });
    by_entity(policy, of_scope, of_conditions)
}

/// The places where a policy asks what is in each entity, with the effect if nothing is. A comparison with the entity
/// itself does not depend on that.
pub(super) fn memberships(
    policy: &Policy,
    vocabulary: &Vocabulary,
) -> BTreeMap<EntityUid, Vec<Mention>> {
    use PrincipalOrResourceConstraint::{In, IsIn};
    let written = policy.written();
    let scopes = [
        written.principal_constraint().into_inner(),
        written.resource_constraint().into_inner(),
    ];
    let scopes = scopes
        .iter()
        .filter(|scope| matches!(scope, In(_) | IsIn(..)));
    let of_scope = scopes.filter_map(|scope| {
        let uid = EntityUid::from(scope.get_euid()?.as_ref().clone());
        Some((uid, policy.place().clone(), Side::With))
    });
    let of_conditions = collect(policy, vocabulary, &|part, named| {
        if let ExprKind::BinaryApp {
            op: BinaryOp::In,
            arg2,
            ..
        } = part.expr_kind()
        {
            named.extend(arg2.subexpressions().filter_map(uid_of));
        }
    });
    by_entity(policy, of_scope, of_conditions)
}

/// The entity that an expression is.
fn uid_of(part: &Expr) -> Option<&ast::EntityUID> {
    match part.expr_kind() {
        ExprKind::Lit(Literal::EntityUID(uid)) => Some(uid),
        _ => None,
    }
}

fn by_entity(
    policy: &Policy,
    of_scope: impl Iterator<Item = (EntityUid, Place, Side)>,
    of_conditions: Vec<Match<'_, &ast::EntityUID>>,
) -> BTreeMap<EntityUid, Vec<Mention>> {
    let of_conditions = of_conditions.into_iter().map(|of| {
        let uid = EntityUid::from(of.what.clone());
        (uid, of.place, of.side)
    });
    let mut mentions: BTreeMap<EntityUid, Vec<Mention>> = BTreeMap::new();
    for (uid, place, side) in of_scope.chain(of_conditions) {
        let mention = mention(policy, place, side);
        mentions.entry(uid).or_default().push(mention);
    }
    mentions
}

/// The places of the matching expressions in a policy, with the effect if they are false.
pub(crate) fn mentions_of(
    policy: &Policy,
    vocabulary: &Vocabulary,
    is_it: &dyn Fn(&Expr) -> bool,
) -> Vec<Mention> {
    leaves_with(policy, vocabulary, is_it)
        .into_iter()
        .map(|(_, mention)| mention)
        .collect()
}

/// The smallest conditions that contain a matching expression, each with the effect if it is false.
pub(crate) fn leaves_with<'p>(
    policy: &'p Policy,
    vocabulary: &Vocabulary,
    is_it: &dyn Fn(&Expr) -> bool,
) -> Vec<(&'p Expr, Mention)> {
    let found = collect(policy, vocabulary, &|part, found| {
        found.extend(is_it(part).then_some(()))
    });
    let found = found.into_iter();
    found
        .map(|of| (of.leaf, mention(policy, of.place, of.side)))
        .collect()
}

/// The matches in the conditions of a policy, for a function that adds what an expression matches.
fn collect<'p, T: Ord + Clone>(
    policy: &'p Policy,
    vocabulary: &Vocabulary,
    matching: &dyn Fn(&'p Expr, &mut BTreeSet<T>),
) -> Vec<Match<'p, T>> {
    let mut collector = Collector {
        policy,
        vocabulary,
        matching,
        found: Vec::new(),
    };
    if let Some(condition) = policy.written().non_scope_constraints() {
        collector.condition(condition, Side::With);
    }
    collector.found
}

fn mention(policy: &Policy, place: Place, side: Side) -> Mention {
    Mention {
        place,
        allows_more: side.allows_more(policy.effect()),
        allows_more_if_true: match policy.effect() {
            Effect::Permit => !matches!(side, Side::Against | Side::Context),
            Effect::Forbid => !matches!(side, Side::With | Side::Context),
        },
        narrows: side == Side::With,
        is_of_context: side == Side::Context,
    }
}

/// A match in a condition.
struct Match<'p, T> {
    what: T,
    /// The smallest condition that contains it.
    leaf: &'p Expr,
    place: Place,
    side: Side,
}

struct Collector<'a, 'p, T> {
    policy: &'p Policy,
    vocabulary: &'a Vocabulary,
    /// Adds what an expression matches.
    matching: &'a dyn Fn(&'p Expr, &mut BTreeSet<T>),
    found: Vec<Match<'p, T>>,
}

impl<'p, T: Ord + Clone> Collector<'_, 'p, T> {
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
            _ => self.leaf(expression, side),
        }
    }

    /// Searches an expression that has no condition as a part, whatever it matches, at once.
    fn leaf(&mut self, leaf: &'p Expr, side: Side) {
        let matches = self.matches(leaf);
        if matches.is_empty() {
            return;
        }
        let place = self.policy.place_of(leaf);
        let place = place.unwrap_or_else(|| self.policy.place().clone());
        let decided: BTreeSet<T> = parts(leaf).flat_map(|part| self.decided_by(part)).collect();
        let of_context = self.of_context(leaf);
        self.found.extend(matches.into_iter().map(|what| Match {
            // An operand of a comparison is no condition, unless it contains one.
            side: match decided.contains(&what) {
                true => Side::Both,
                false if of_context.contains(&what) => Side::Context,
                false => side,
            },
            what,
            leaf,
            place: place.clone(),
        }));
    }

    /// What an expression and its parts match.
    fn matches(&self, expression: &'p Expr) -> BTreeSet<T> {
        let mut matches = BTreeSet::new();
        for part in expression.subexpressions() {
            (self.matching)(part, &mut matches);
        }
        matches
    }

    /// The matches that, alone or in a set, are compared with a value of the context. A test whether the value is in
    /// the entity does not count: no entity is in a missing one.
    fn of_context(&self, expression: &'p Expr) -> BTreeSet<T> {
        use BinaryOp::{Contains, ContainsAll, ContainsAny, Eq};
        let (arg1, arg2) = match expression.expr_kind() {
            ExprKind::BinaryApp {
                op: Eq | Contains | ContainsAll | ContainsAny,
                arg1,
                arg2,
            } => (arg1, arg2),
            _ => return BTreeSet::new(),
        };
        let (first, second) = (self.matches(arg1), self.matches(arg2));
        let first_alone = first
            .difference(&second)
            .filter(|_| self.is_from_context(arg2));
        let second_alone = second
            .difference(&first)
            .filter(|_| self.is_from_context(arg1));
        first_alone.chain(second_alone).cloned().collect()
    }

    /// Whether each value that an expression can have comes with the request. What is behind a value of the context is
    /// data if an entity can have an attribute of that name.
    fn is_from_context(&self, expression: &Expr) -> bool {
        match expression.expr_kind() {
            ExprKind::Var(Var::Context) => true,
            ExprKind::GetAttr { expr, attr } => {
                let is_field = matches!(expr.expr_kind(), ExprKind::Var(Var::Context));
                let is_data = || self.vocabulary.has_attribute(attr);
                self.is_from_context(expr) && (is_field || !is_data())
            }
            ExprKind::If {
                then_expr,
                else_expr,
                ..
            } => self.is_from_context(then_expr) && self.is_from_context(else_expr),
            ExprKind::Set(elements) => elements.iter().all(|of| self.is_from_context(of)),
            _ => false,
        }
    }

    /// The matches whose existence can change the value of an expression that is neither the entity itself nor a set
    /// of entities.
    fn decided_by(&self, expression: &'p Expr) -> BTreeSet<T> {
        use BinaryOp::{Contains, ContainsAll, ContainsAny, Eq, HasTag, In};
        match expression.expr_kind() {
            ExprKind::BinaryApp {
                op: Eq | In | Contains | ContainsAll | ContainsAny | HasTag,
                ..
            }
            | ExprKind::HasAttr { .. }
            | ExprKind::ExtHasAttr { .. }
            | ExprKind::Like { .. }
            | ExprKind::And { .. }
            | ExprKind::Or { .. }
            | ExprKind::UnaryApp { .. } => self.matches(expression),
            ExprKind::If { test_expr, .. } => self.matches(test_expr),
            _ => BTreeSet::new(),
        }
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
