//! The read set of an expression.
//!
//! It may be too large, but is never too small: an expression that cannot be followed counts as reading all it could.

use std::collections::BTreeSet;

use cedar_policy::EntityUid;
use cedar_policy_core::ast;

use crate::bundle::{Policy, Scope, Vocabulary};
use tarbac_store::{Directory, ReadSet};

/// The read set of expressions, of the principal and of the resource.
#[derive(Debug, Default, Clone)]
pub struct ReadSetBuilder {
    read_set: ReadSet,
    /// The entities that expressions name.
    literals: BTreeSet<EntityUid>,
}

impl ReadSetBuilder {
    /// Adds the read set of a policy.
    pub fn add_policy(&mut self, policy: &Policy, vocabulary: &Vocabulary) {
        self.literals.extend(policy.named_entities());
        if let Some(condition) = policy.ast().non_scope_constraints() {
            self.add(condition, &Scope::for_policy(policy, vocabulary));
        }
    }

    /// Adds an entity that is compared with, or asked for as a group.
    pub fn add_entity(&mut self, entity: EntityUid) {
        self.literals.insert(entity);
    }

    /// Adds an attribute whose whole value is used.
    pub fn add_attribute(&mut self, name: &str) {
        self.read_set.attributes.insert(name.to_owned());
        self.read_set.whole.insert(name.to_owned());
    }

    /// Whether an attribute of this name is read.
    pub fn reads_attribute(&self, name: &str) -> bool {
        self.read_set.attributes.contains(name)
    }

    /// Adds the groups that an expression can be.
    pub fn add_groups(&mut self, groups: &ast::Expr, scope: &Scope<'_>) {
        match scope.types(groups) {
            Some(types) => self.read_set.groups.extend(types),
            None => self.read_set.is_every_group = true,
        }
    }

    /// Adds the read set of an expression whose value is used.
    pub fn add(&mut self, expression: &ast::Expr, scope: &Scope<'_>) {
        match expression.expr_kind() {
            ast::ExprKind::Var(ast::Var::Action | ast::Var::Context) => {}
            ast::ExprKind::Var(_) => match scope.types(expression) {
                Some(types) => self.read_set.identities.extend(types),
                None => self.read_set.identities.extend(scope.everything()),
            },
            ast::ExprKind::GetAttr { attr, .. } => {
                self.read_set.whole.insert(attr.to_string());
                self.add_followed(expression, scope);
                if is_of_context(expression)
                    && let Some(types) = scope.types(expression)
                {
                    self.read_set.identities.extend(types);
                }
            }
            ast::ExprKind::HasAttr { expr, attr } => {
                self.read_set.attributes.insert(attr.to_string());
                self.add_followed(expr, scope);
            }
            ast::ExprKind::ExtHasAttr { expr, attrs } => {
                self.read_set
                    .attributes
                    .extend(attrs.iter().map(ToString::to_string));
                self.add_followed(expr, scope);
            }
            ast::ExprKind::Is { expr, .. } => self.add_followed(expr, scope),
            ast::ExprKind::BinaryApp { op, arg1, arg2 } => {
                self.add_left(*op, arg1, arg2, scope);
                self.add(arg2, scope);
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
                self.add(test_expr, scope);
                self.add(then_expr, scope);
                self.add(else_expr, scope);
            }
            ast::ExprKind::And { left, right } | ast::ExprKind::Or { left, right } => {
                self.add(left, scope);
                self.add(right, scope);
            }
            ast::ExprKind::UnaryApp { arg, .. } => self.add(arg, scope),
            ast::ExprKind::Like { expr, .. } => self.add(expr, scope),
            ast::ExprKind::ExtensionFunctionApp { args, .. } => {
                args.iter().for_each(|part| self.add(part, scope));
            }
            ast::ExprKind::Set(elements) => {
                elements.iter().for_each(|part| self.add(part, scope));
            }
            ast::ExprKind::Record(fields) => {
                fields.values().for_each(|part| self.add(part, scope));
            }
        }
    }

    /// Adds the read set of the left side of an operation.
    fn add_left(
        &mut self,
        op: ast::BinaryOp,
        left: &ast::Expr,
        right: &ast::Expr,
        scope: &Scope<'_>,
    ) {
        match op {
            ast::BinaryOp::In => {
                self.add_followed(left, scope);
                self.add_groups(right, scope);
            }
            ast::BinaryOp::GetTag | ast::BinaryOp::HasTag => {
                self.read_set.tags = true;
                self.add_followed(left, scope);
            }
            _ => self.add(left, scope),
        }
    }

    /// Adds the read set of an expression whose value is only followed further.
    fn add_followed(&mut self, expression: &ast::Expr, scope: &Scope<'_>) {
        match expression.expr_kind() {
            ast::ExprKind::Var(_) => {}
            ast::ExprKind::GetAttr { expr, attr } => {
                self.read_set.attributes.insert(attr.to_string());
                self.add_followed(expr, scope);
            }
            _ => self.add(expression, scope),
        }
    }

    /// The read set for the entities of a directory.
    pub fn build(&self, directory: &Directory) -> ReadSet {
        let mut read_set = self.read_set.clone();
        let literals = self.literals.iter();
        read_set.named = literals.filter_map(|uid| directory.row(uid)).collect();
        read_set
    }
}

/// The variables of an expression.
#[derive(Debug, Default, Clone, Copy)]
pub struct Variables {
    /// Whether it reads the principal.
    pub principal: bool,
    /// Whether it reads the resource.
    pub resource: bool,
    /// Whether it reads the action or the context, or has a part of which no value is known.
    pub other: bool,
}

impl Variables {
    /// The variables of an expression.
    pub fn new(expression: &ast::Expr) -> Self {
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

    /// Whether it reads the principal and nothing else.
    pub fn is_principal_alone(self) -> bool {
        self.principal && !self.resource && !self.other
    }

    /// Whether it reads the resource and nothing else.
    pub fn is_resource_alone(self) -> bool {
        self.resource && !self.principal && !self.other
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

#[cfg(test)]
mod tests;
