//! The conditions of policies, split by principal, resource or both.
//!
//! Some parts of a condition read only the principal, some only the resource, and some both. Of the first two only the
//! truth matters, so that a pattern for the names of devices makes two classes and not a million. One kind of part that
//! reads both is common in Configuration Manager: whether the device is in one of the principal's collections. Such a
//! [`MembershipTest`] splits the devices for each principal alone. Other parts that read both count by the values that they
//! read.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy_core::ast;

use super::read_set::ReadSetBuilder;
use crate::bulk::index::DecidingId;
use tarbac_host::bundle::{Policy, Scope, Vocabulary};
use tarbac_store::index::IndexVec;

/// The conditions of some policies.
#[derive(Debug, Default)]
pub(super) struct SplitConditions {
    /// The parts about the principal.
    pub principal: Side,
    /// Of what is asked about.
    pub resource: Side,
    /// The sets of a principal's that the resource may be in; by their text.
    reaches: BTreeMap<(String, bool), MembershipTest>,
}

/// The parts about the principal, or about the resource.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// Conditions of which the truth matters; by their text.
    conditions: BTreeMap<String, ast::Expr>,
    /// The read set outside of the conditions, whose values matter.
    pub values: ReadSetBuilder,
    /// Everything that is read.
    pub everything: ReadSetBuilder,
}

/// A set of a principal's entities, and the question whether the resource is one or in one of them.
#[derive(Debug)]
pub(super) struct MembershipTest {
    /// The expression of the set, or of one entity.
    pub set: ast::Expr,
    /// Whether only the resource itself counts, and not what it is in.
    pub is_itself: bool,
    /// The policies that ask.
    pub askers: BTreeSet<DecidingId>,
}

/// Which variables an expression has.
#[derive(Debug, Default, Clone, Copy)]
struct Variables {
    principal: bool,
    resource: bool,
    /// The action or the context, which are no one's.
    other: bool,
}

impl Variables {
    fn new(expression: &ast::Expr) -> Self {
        let mut found = Self::default();
        for part in expression.subexpressions() {
            match part.expr_kind() {
                ast::ExprKind::Var(ast::Var::Principal) => found.principal = true,
                ast::ExprKind::Var(ast::Var::Resource) => found.resource = true,
                ast::ExprKind::Var(_) | ast::ExprKind::Slot(_) | ast::ExprKind::Unknown(_) => {
                    found.other = true;
                }
                _ => {}
            }
        }
        found
    }

    fn is_principal_alone(self) -> bool {
        self.principal && !self.resource && !self.other
    }

    fn is_resource_alone(self) -> bool {
        self.resource && !self.principal && !self.other
    }
}

impl SplitConditions {
    /// Takes policies apart.
    pub(super) fn new(policies: &IndexVec<DecidingId, &Policy>, vocabulary: &Vocabulary) -> Self {
        let mut parts = Self::default();
        for (asker, policy) in policies.iter_enumerated() {
            if let Some(anchor) = policy.principal_anchor() {
                parts.principal.look_for(&anchor);
            }
            if let Some(anchor) = policy.resource_anchor() {
                parts.resource.look_for(&anchor);
            }
            if let Some(condition) = policy.ast().non_scope_constraints() {
                parts.take_apart(condition, &Scope::for_policy(policy, vocabulary), asker);
            }
        }
        parts
    }

    /// The sets that a resource may be in.
    pub(super) fn reaches(&self) -> impl Iterator<Item = &MembershipTest> {
        self.reaches.values()
    }

    fn take_apart(&mut self, condition: &ast::Expr, scope: &Scope<'_>, asker: DecidingId) {
        let variables = Variables::new(condition);
        if variables.is_principal_alone() {
            return self.principal.add(condition, scope);
        }
        if variables.is_resource_alone() {
            return self.resource.add(condition, scope);
        }
        match condition.expr_kind() {
            ast::ExprKind::And { left, right } | ast::ExprKind::Or { left, right } => {
                self.take_apart(left, scope, asker);
                self.take_apart(right, scope, asker);
            }
            ast::ExprKind::UnaryApp {
                op: ast::UnaryOp::Not,
                arg,
            } => self.take_apart(arg, scope, asker),
            ast::ExprKind::If {
                test_expr,
                then_expr,
                else_expr,
            } => {
                for part in [test_expr, then_expr, else_expr] {
                    self.take_apart(part, scope, asker);
                }
            }
            _ => match reach(condition) {
                Some((set, is_itself)) => {
                    self.principal.read(|sight| sight.look(set, scope));
                    let key = (set.to_string(), is_itself);
                    let reach = self.reaches.entry(key).or_insert_with(|| MembershipTest {
                        set: set.clone(),
                        is_itself,
                        askers: BTreeSet::new(),
                    });
                    reach.askers.insert(asker);
                }
                None => {
                    self.principal.read(|sight| sight.look(condition, scope));
                    self.resource.read(|sight| sight.look(condition, scope));
                }
            },
        }
    }
}

impl Side {
    /// The conditions of which the truth matters.
    pub(super) fn conditions(&self) -> impl Iterator<Item = &ast::Expr> {
        self.conditions.values()
    }

    fn add(&mut self, condition: &ast::Expr, scope: &Scope<'_>) {
        self.everything.look(condition, scope);
        self.conditions
            .entry(condition.to_string())
            .or_insert_with(|| condition.clone());
    }

    fn look_for(&mut self, anchor: &cedar_policy::EntityUid) {
        self.read(|sight| sight.look_for(anchor.clone()));
    }

    /// Notes what is read of which the value matters.
    pub(super) fn read(&mut self, look: impl Fn(&mut ReadSetBuilder)) {
        look(&mut self.values);
        look(&mut self.everything);
    }
}

/// The set that an expression asks the resource to be in, where that is a matter of the principal
/// alone, and whether only the resource itself counts.
fn reach(condition: &ast::Expr) -> Option<(&ast::Expr, bool)> {
    let ast::ExprKind::BinaryApp { op, arg1, arg2 } = condition.expr_kind() else {
        return None;
    };
    let is_resource =
        |part: &ast::Expr| matches!(part.expr_kind(), ast::ExprKind::Var(ast::Var::Resource));
    let (set, is_itself) = match op {
        ast::BinaryOp::In if is_resource(arg1) => (arg2, false),
        ast::BinaryOp::Eq if is_resource(arg1) => (arg2, true),
        ast::BinaryOp::Eq | ast::BinaryOp::Contains if is_resource(arg2) => (arg1, true),
        _ => return None,
    };
    Variables::new(set)
        .is_principal_alone()
        .then_some((set.as_ref(), is_itself))
}
