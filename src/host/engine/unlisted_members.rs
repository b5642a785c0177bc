//! Findings about policies that reach an entity with unknown members by an expression.
//!
//! A policy that names such an entity is found by its text ([`crate::bundle::policies_against_directory`]). Here are the
//! others: `principal in resource.owners` asks for the members of whatever the attribute refers to. By an attribute, the
//! entities are those that it has in the directory; by anything else, they can be all of a type.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::EntityTypeName;
use cedar_policy_core::ast::{BinaryOp, Expr, ExprKind, Literal};

use super::Engine;
use crate::bundle::absence::{leaves_with, unknown_members};
use crate::bundle::{Policy, Scope, text};
use tarbac_diagnostic::finding::Finding;
use tarbac_store::Row;

/// The search for what the expressions of a policy may lead to.
struct Search<'e> {
    engine: &'e Engine,
    scope: Scope<'e>,
    unlisted: &'e BTreeSet<Row>,
    /// One of these entities for each attribute that was looked at, after its type.
    known: &'e RefCell<BTreeMap<(String, String), Option<Row>>>,
}

impl Engine {
    /// The errors about policies of the workspace that could allow more because the members of an entity, which they
    /// reach by an expression, are not known.
    pub(crate) fn unlisted_members(&self) -> Vec<Finding> {
        let policies = self.bundle.policies().iter();
        let policies: Vec<&Policy> = policies
            .filter(|policy| !policy.is_shipped() && reaches(policy))
            .collect();
        if policies.is_empty() {
            return Vec::new();
        }
        let unlisted = self.unlisted();
        if unlisted.is_empty() {
            return Vec::new();
        }
        let known = RefCell::default();
        let findings = policies.into_iter().filter_map(|policy| {
            let search = Search {
                engine: self,
                scope: Scope::for_policy(policy, self.bundle.vocabulary()),
                unlisted: &unlisted,
                known: &known,
            };
            search.finding(policy)
        });
        findings.collect()
    }
}

/// Whether a policy tests a membership in something that it does not name.
fn reaches(policy: &Policy) -> bool {
    let condition = policy.written().non_scope_constraints();
    let mut parts = condition.into_iter().flat_map(Expr::subexpressions);
    parts.any(|part| container(part).is_some_and(|container| !is_named(container)))
}

/// What an expression tests a membership in.
fn container(expression: &Expr) -> Option<&Expr> {
    match expression.expr_kind() {
        ExprKind::BinaryApp {
            op: BinaryOp::In,
            arg2,
            ..
        } => Some(arg2),
        _ => None,
    }
}

/// Whether an expression is an entity, or a set of entities, by name.
fn is_named(expression: &Expr) -> bool {
    match expression.expr_kind() {
        ExprKind::Lit(Literal::EntityUID(_)) => true,
        ExprKind::Set(elements) => elements.iter().all(is_named),
        _ => false,
    }
}

impl Search<'_> {
    fn finding(&self, policy: &Policy) -> Option<Finding> {
        let is_it = |part: &Expr| container(part).is_some_and(|of| self.unlisted_in(of).is_some());
        let leaves = leaves_with(policy, self.engine.bundle.vocabulary(), &is_it);
        let (leaf, mention) = leaves.iter().find(|(_, mention)| mention.allows_more)?;
        let mut containers = leaf.subexpressions().filter_map(container);
        let (of, row) = containers.find_map(|of| Some((of, self.unlisted_in(of)?)))?;
        let uid = self.engine.directory.uid(row);
        let entity = format!("`{}`, which may be `{uid}`", text(of));
        Some(unknown_members(policy, &entity, mention))
    }

    /// An entity with unknown members that an expression may have for its value, or in it. Entities by name are left
    /// out.
    fn unlisted_in(&self, expression: &Expr) -> Option<Row> {
        match expression.expr_kind() {
            ExprKind::Lit(_) => None,
            ExprKind::Set(elements) => elements
                .iter()
                .find_map(|element| self.unlisted_in(element)),
            ExprKind::If {
                then_expr,
                else_expr,
                ..
            } => self
                .unlisted_in(then_expr)
                .or_else(|| self.unlisted_in(else_expr)),
            ExprKind::GetAttr { expr, attr } => self.by_attribute(expr, attr, expression),
            _ => self.by_type(expression),
        }
    }

    fn by_attribute(&self, of: &Expr, attribute: &str, whole: &Expr) -> Option<Row> {
        let vocabulary = self.engine.bundle.vocabulary();
        let types: BTreeSet<&str> = vocabulary.type_names().collect();
        let owners = self.scope.possible_owners(of, attribute);
        // The value of a record, and of the context, is not looked for.
        if owners.is_empty() || owners.iter().any(|owner| !types.contains(owner.as_str())) {
            return self.by_type(whole);
        }
        owners.into_iter().find_map(|owner| {
            let key = (owner, attribute.to_owned());
            let mut known = self.known.borrow_mut();
            let row = known.entry(key.clone());
            *row.or_insert_with(|| self.unlisted_of(&key.0, attribute))
        })
    }

    /// An entity with unknown members that an entity of a type has for the value of an attribute.
    fn unlisted_of(&self, owner: &str, attribute: &str) -> Option<Row> {
        let directory = &self.engine.directory;
        let owner: EntityTypeName = owner.parse().ok()?;
        directory.rows_of(&owner).find_map(|row| {
            let mut values = directory.attribute_entities(row, attribute).into_iter();
            values.find(|value| self.unlisted.contains(value))
        })
    }

    /// An entity with unknown members of the types that an expression may have.
    fn by_type(&self, expression: &Expr) -> Option<Row> {
        let types = self.scope.types(expression);
        let is_possible = |row: &Row| {
            let of_type = || self.engine.directory.uid(*row).type_name().to_string();
            types
                .as_ref()
                .is_none_or(|types| types.contains(&of_type()))
        };
        self.unlisted.iter().copied().find(is_possible)
    }
}
