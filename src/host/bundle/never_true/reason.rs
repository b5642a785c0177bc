//! The finding about a condition that is never true, with the reason.

use std::collections::BTreeSet;

use cedar_policy_core::ast::{BinaryOp, Expr, ExprKind};
use cedar_policy_core::validator::typecheck::PolicyCheck;
use cedar_policy_core::validator::types::Type;

use super::super::clause::text;
use super::super::policy::Effect;
use super::Search;
use crate::lookup::did_you_mean;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;

/// Said where no better reason is known.
const BY_TYPES: &str = "false by the types of the schema";

impl Search<'_, '_> {
    /// The finding about a condition, an error if the schema asks questions.
    pub(super) fn finding(&self, part: &Expr, reached: &[usize], asks: bool) -> Finding {
        let policy = self.policy;
        let message = format!(
            "the policy `{}` depends on `{}`, which can never be true",
            policy.id(),
            text(part)
        );
        let finding = match asks {
            true => Finding::error(code::policy::NEVER_TRUE, message),
            false => Finding::warning(code::policy::NEVER_TRUE, message),
        };
        let place = policy.place_of(part);
        let place = place.unwrap_or_else(|| policy.place().clone());
        let (why, near) = self.reason(part, reached);
        let effect = match policy.effect() {
            Effect::Permit => {
                "an exception that is never true excepts nobody: correct or remove it"
            }
            Effect::Forbid => {
                "a forbid that waits for it holds nobody back: correct the condition, or remove it"
            }
        };
        let help = near.map_or_else(|| effect.to_owned(), |near| format!("{effect}; {near}"));
        finding.label(place, why).help(help)
    }

    /// Why a condition is never true, and what may be meant.
    fn reason(&self, part: &Expr, reached: &[usize]) -> (String, Option<String>) {
        let one_of = |types: &BTreeSet<String>| {
            let types: Vec<String> = types.iter().map(|name| format!("`{name}`")).collect();
            types.join(" or ")
        };
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
                let types = self.types(expr, reached);
                let types = types.iter().filter_map(entity_type).collect();
                (format!("it is a {}", one_of(&types)), None)
            }
            ExprKind::BinaryApp {
                op: op @ (BinaryOp::In | BinaryOp::Eq),
                arg1,
                arg2,
            } => {
                let types = self.types(arg1, reached);
                let inner: BTreeSet<String> = types.iter().filter_map(entity_type).collect();
                let outer = self.types(arg2, reached);
                let outer: BTreeSet<String> = outer.iter().filter_map(entity_type).collect();
                if inner.is_empty() || outer.is_empty() {
                    return (BY_TYPES.to_owned(), None);
                }
                let (one, other) = (one_of(&inner), one_of(&outer));
                let why = match op {
                    BinaryOp::In => format!("no {one} is in a {other}"),
                    _ => format!("no {one} is a {other}"),
                };
                let attribute = types.iter().find_map(|of| self.leading_to(of, &outer));
                let near = attribute.map(|attribute| {
                    let (of, with) = (text(arg1), text(arg2));
                    format!("did you mean `{of}.{attribute} == {with}`?")
                });
                (
                    why,
                    near.filter(|_| matches!(arg2.expr_kind(), ExprKind::Lit(_))),
                )
            }
            _ => (BY_TYPES.to_owned(), None),
        }
    }

    /// The attribute of a type that always is an entity of these types.
    fn leading_to(&self, of: &Type, types: &BTreeSet<String>) -> Option<String> {
        let attributes = of.all_attributes(self.schema);
        let mut attributes = attributes.iter().filter(|(_, attribute)| {
            let is_entity = matches!(*attribute.attr_type, Type::Entity(_));
            is_entity && attribute.is_required && types.contains(&attribute.attr_type.to_string())
        });
        attributes.next().map(|(name, _)| name.to_string())
    }

    /// The types of an expression in these environments, each once.
    fn types(&self, part: &Expr, reached: &[usize]) -> Vec<Type> {
        // A set has any type; only what the typechecker says of it is of interest.
        let asked = Expr::contains(Expr::set([part.clone()]), part.clone());
        let template = self.asking(Some(asked));
        let mut types: Vec<Type> = Vec::new();
        for environment in reached.iter().filter_map(|at| self.environments.get(*at)) {
            let check = self
                .typechecker
                .typecheck_by_single_request_env(&template, environment);
            let (PolicyCheck::Success(typed) | PolicyCheck::Irrelevant(_, typed)) = check else {
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
