//! Why a condition is never true.

use std::collections::BTreeSet;

use cedar_policy_core::ast::{BinaryOp, Expr, ExprKind, Literal, UnaryOp};
use cedar_policy_core::validator::typecheck::PolicyCheck;
use cedar_policy_core::validator::types::Type;

use super::super::clause::text;
use super::search::Search;
use crate::lookup::did_you_mean;

/// Said where no better reason is known.
const BY_TYPES: &str = "false by the types of the schema";

impl Search<'_, '_> {
    /// Why a condition is false in these environments, and what may be meant.
    pub(super) fn reason(&self, part: &Expr, reached: &[usize]) -> (String, Option<String>) {
        match part.expr_kind() {
            ExprKind::HasAttr { expr, attr } => {
                let types = self.types(expr, reached);
                let names: BTreeSet<String> = types.iter().filter_map(entity_type).collect();
                let known: BTreeSet<String> = types
                    .iter()
                    .flat_map(|of| {
                        let known = of.all_attributes(self.schema);
                        known.keys().map(ToString::to_string).collect::<Vec<_>>()
                    })
                    .collect();
                let near = did_you_mean(attr, known.iter().map(String::as_str));
                let why = match names.is_empty() {
                    true => format!("`{}` never has `{attr}`", text(expr)),
                    false => format!("no {} has `{attr}`", one_of(&names)),
                };
                (why, near)
            }
            ExprKind::Is { expr, .. } => {
                let types = one_of(&self.entity_types(expr, reached));
                (format!("it is {}", with_article(&types)), None)
            }
            ExprKind::BinaryApp {
                op: op @ (BinaryOp::In | BinaryOp::Eq),
                arg1,
                arg2,
            } => {
                let is_in = match op {
                    BinaryOp::In => "is in",
                    _ => "is",
                };
                let inner = self.entity_types(arg1, reached);
                let outer = self.entity_types(arg2, reached);
                let why = match (inner.is_empty() || outer.is_empty(), inner == outer) {
                    (true, _) => BY_TYPES.to_owned(),
                    (false, false) => {
                        let outer = with_article(&one_of(&outer));
                        format!("no {} {is_in} {outer}", one_of(&inner))
                    }
                    (false, true) if inner.iter().all(|name| is_of_actions(name)) => {
                        format!("no action of this policy {is_in} `{}`", text(arg2))
                    }
                    (false, true) => BY_TYPES.to_owned(),
                };
                let near = self.near(part, reached);
                let is_named = matches!(arg2.expr_kind(), ExprKind::Lit(Literal::EntityUID(_)));
                (why, near.filter(|_| is_named))
            }
            ExprKind::UnaryApp {
                op: UnaryOp::Not,
                arg,
            } => match arg.expr_kind() {
                ExprKind::Is { .. } => self.reason(arg, reached),
                _ => ("true by the types of the schema".to_owned(), None),
            },
            _ => (BY_TYPES.to_owned(), None),
        }
    }

    /// The path of attributes by which a type always leads to an entity of these types.
    pub(super) fn leading_to(&self, of: &Type, types: &BTreeSet<String>) -> Option<String> {
        let mut seen = BTreeSet::from([of.clone()]);
        let mut open = vec![(of.clone(), String::new())];
        // The shortest path is the one that is meant.
        while !open.is_empty() {
            let mut further = Vec::new();
            for (of, path) in open {
                for (name, attribute) in of.all_attributes(self.schema).iter() {
                    let to = attribute.attr_type.as_ref();
                    if !attribute.is_required || !matches!(to, Type::Entity(_)) {
                        continue;
                    }
                    let path = match path.as_str() {
                        "" => name.to_string(),
                        path => format!("{path}.{name}"),
                    };
                    if types.contains(&to.to_string()) {
                        return Some(path);
                    }
                    if seen.insert(to.clone()) {
                        further.push((to.clone(), path));
                    }
                }
            }
            open = further;
        }
        None
    }

    /// The names of the entity types of an expression in these environments.
    pub(super) fn entity_types(&self, part: &Expr, reached: &[usize]) -> BTreeSet<String> {
        let types = self.types(part, reached);
        types.iter().filter_map(entity_type).collect()
    }

    /// The types of an expression in these environments, each once.
    pub(super) fn types(&self, part: &Expr, reached: &[usize]) -> Vec<Type> {
        // A set has any type; only what the typechecker says of it is of interest.
        let asked = Expr::contains(Expr::set([part.clone()]), part.clone());
        let asked = self.question(asked);
        let mut types: Vec<Type> = Vec::new();
        for environment in reached.iter().filter_map(|at| self.environments.get(*at)) {
            let (PolicyCheck::Success(typed) | PolicyCheck::Irrelevant(_, typed)) =
                asked.typed(environment)
            else {
                continue;
            };
            let found = typed.subexpressions().find_map(|typed| {
                let ExprKind::BinaryApp { op, arg2, .. } = typed.expr_kind() else {
                    return None;
                };
                arg2.data().clone().filter(|_| *op == BinaryOp::Contains)
            });
            types.extend(found.filter(|found| !types.contains(found)));
        }
        types
    }
}

/// The name of an entity type, or of the entities in a set.
fn entity_type(of: &Type) -> Option<String> {
    match of {
        Type::Entity(_) => Some(of.to_string()),
        Type::Set { element_type } => entity_type(element_type.as_deref()?),
        _ => None,
    }
}

/// Whether the entities of a type are actions.
fn is_of_actions(name: &str) -> bool {
    name == "Action" || name.ends_with("::Action")
}

/// Some names of types, as alternatives.
pub(super) fn one_of(types: &BTreeSet<String>) -> String {
    let types: Vec<String> = types.iter().map(|name| format!("`{name}`")).collect();
    types.join(" or ")
}

/// Names of types behind an article.
pub(super) fn with_article(types: &str) -> String {
    let name = types.trim_start_matches('`');
    match name.starts_with(['A', 'E', 'I', 'O']) {
        true => format!("an {types}"),
        false => format!("a {types}"),
    }
}
