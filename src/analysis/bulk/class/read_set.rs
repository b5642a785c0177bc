//! The read set of an expression.
//!
//! It may be too large, but is never too small: an expression that cannot be followed counts as reading all it could.

use std::collections::BTreeSet;

use cedar_policy::EntityUid;
use cedar_policy_core::ast;

use tarbac_host::bundle::{Policy, Scope, Vocabulary};
use tarbac_store::{Directory, ReadSet};

/// The read set of expressions, of the principal and of the resource.
#[derive(Debug, Default, Clone)]
pub(super) struct ReadSetBuilder {
    glance: ReadSet,
    /// The entities that expressions name.
    literals: BTreeSet<EntityUid>,
}

impl ReadSetBuilder {
    /// Adds the read set of a policy.
    pub(super) fn look_through(&mut self, policy: &Policy, vocabulary: &Vocabulary) {
        self.literals.extend(policy.named_entities());
        if let Some(condition) = policy.ast().non_scope_constraints() {
            self.look(condition, &Scope::for_policy(policy, vocabulary));
        }
    }

    /// Adds an entity that is compared with, or asked for as a group.
    pub(super) fn look_for(&mut self, entity: EntityUid) {
        self.literals.insert(entity);
    }

    /// Adds an attribute whose whole value is used.
    pub(super) fn look_at_attribute(&mut self, name: &str) {
        self.glance.attributes.insert(name.to_owned());
        self.glance.whole.insert(name.to_owned());
    }

    /// Whether an attribute of this name is read.
    pub(super) fn looks_at_attribute(&self, name: &str) -> bool {
        self.glance.attributes.contains(name)
    }

    /// Adds the groups that an expression can be.
    pub(super) fn look_at_groups(&mut self, groups: &ast::Expr, scope: &Scope<'_>) {
        match scope.types(groups) {
            Some(types) => self.glance.groups.extend(types),
            None => self.glance.is_every_group = true,
        }
    }

    /// Adds the read set of an expression whose value is used.
    pub(super) fn look(&mut self, expression: &ast::Expr, scope: &Scope<'_>) {
        match expression.expr_kind() {
            ast::ExprKind::Var(ast::Var::Action | ast::Var::Context) => {}
            ast::ExprKind::Var(_) => match scope.types(expression) {
                Some(types) => self.glance.identities.extend(types),
                None => self.glance.identities.extend(scope.everything()),
            },
            ast::ExprKind::GetAttr { attr, .. } => {
                self.glance.whole.insert(attr.to_string());
                self.look_into(expression, scope);
                if is_of_context(expression)
                    && let Some(types) = scope.types(expression)
                {
                    self.glance.identities.extend(types);
                }
            }
            ast::ExprKind::HasAttr { expr, attr } => {
                self.glance.attributes.insert(attr.to_string());
                self.look_into(expr, scope);
            }
            ast::ExprKind::ExtHasAttr { expr, attrs } => {
                self.glance
                    .attributes
                    .extend(attrs.iter().map(ToString::to_string));
                self.look_into(expr, scope);
            }
            ast::ExprKind::Is { expr, .. } => self.look_into(expr, scope),
            ast::ExprKind::BinaryApp { op, arg1, arg2 } => {
                match op {
                    ast::BinaryOp::In => {
                        self.look_into(arg1, scope);
                        self.look_at_groups(arg2, scope);
                    }
                    ast::BinaryOp::GetTag | ast::BinaryOp::HasTag => {
                        self.glance.tags = true;
                        self.look_into(arg1, scope);
                    }
                    _ => self.look(arg1, scope),
                }
                self.look(arg2, scope);
            }
            ast::ExprKind::Lit(ast::Literal::EntityUID(uid)) => {
                self.literals.insert(uid.as_ref().clone().into());
            }
            ast::ExprKind::Lit(_) | ast::ExprKind::Slot(_) | ast::ExprKind::Unknown(_) => {}
            ast::ExprKind::If {
                test_expr,
                then_expr,
                else_expr,
            } => {
                self.look(test_expr, scope);
                self.look(then_expr, scope);
                self.look(else_expr, scope);
            }
            ast::ExprKind::And { left, right } | ast::ExprKind::Or { left, right } => {
                self.look(left, scope);
                self.look(right, scope);
            }
            ast::ExprKind::UnaryApp { arg, .. } => self.look(arg, scope),
            ast::ExprKind::Like { expr, .. } => self.look(expr, scope),
            ast::ExprKind::ExtensionFunctionApp { args, .. } => {
                args.iter().for_each(|part| self.look(part, scope));
            }
            ast::ExprKind::Set(elements) => {
                elements.iter().for_each(|part| self.look(part, scope));
            }
            ast::ExprKind::Record(fields) => {
                fields.values().for_each(|part| self.look(part, scope));
            }
        }
    }

    /// Adds the read set of an expression whose value is only followed further.
    fn look_into(&mut self, expression: &ast::Expr, scope: &Scope<'_>) {
        match expression.expr_kind() {
            ast::ExprKind::Var(_) => {}
            ast::ExprKind::GetAttr { expr, attr } => {
                self.glance.attributes.insert(attr.to_string());
                self.look_into(expr, scope);
            }
            _ => self.look(expression, scope),
        }
    }

    /// The read set for the entities of a directory.
    pub(super) fn glance(&self, directory: &Directory) -> ReadSet {
        let mut glance = self.glance.clone();
        let literals = self.literals.iter();
        glance.named = literals.filter_map(|uid| directory.row(uid)).collect();
        glance
    }
}

/// Whether an expression reads the context.
fn is_of_context(expression: &ast::Expr) -> bool {
    match expression.expr_kind() {
        ast::ExprKind::Var(ast::Var::Context) => true,
        ast::ExprKind::GetAttr { expr, .. } => is_of_context(expr),
        _ => false,
    }
}
