//! Policies specialised to one value of an attribute.
//!
//! A policy *specialised* to a value of an attribute has the value in place of the attribute, and does not read it.
//! Two steps prove that decisions are equal for all values:
//!
//! 1. The policies and their specialisation give equal decisions on every request that a spec matches. The solver
//!    proves that like any other equivalence.
//! 2. Neither the spec nor the specialisation reads the attribute: of two models that differ only in it, the spec
//!    matches both or none, and the specialisation decides both equally.
//!
//! The policies therefore decide both equally. [`AttributePath::is_read_by`] checks step 2 by the name of the
//! attribute, wherever it occurs. Conversely, if a decision depends on the attribute, a model that the spec matches is
//! decided differently with the value of the specialisation, and step 1 fails there.

use std::sync::Arc;

use cedar_policy::{EntityTypeName, EntityUid};
use cedar_policy_core::ast;
use serde_json::json;
use smol_str::SmolStr;

use super::model::{Model, as_entity};
use super::solver::Unknown;
use tarbac_host::bundle::{Action, Kind, Policy, Vocabulary, static_policy};

/// An attribute of an entity at a path from the principal or the resource.
#[derive(Debug, Clone)]
pub struct AttributePath {
    /// The path to the entity that has it.
    owner: ast::Expr,
    name: SmolStr,
    to: To,
}

/// The value of the specialisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    False,
    Zero,
    Empty,
    /// The attribute is absent.
    Absent,
}

impl AttributePath {
    /// The attribute that an expression reads in requests of a spec; `None` if it reads none, or a required one of a
    /// kind without constants.
    pub(super) fn read_by(
        expression: &ast::Expr,
        spec: &Policy,
        vocabulary: &Vocabulary,
    ) -> Option<Self> {
        let ast::ExprKind::GetAttr { expr, attr } = expression.expr_kind() else {
            return None;
        };
        let mut found: Option<To> = None;
        let actions = vocabulary.permissions();
        for action in actions.filter(|action| spec.may_apply_to(action)) {
            for start in starts(expression, action, spec)? {
                let to = match known(expression, &start, vocabulary)? {
                    (_, false) => To::Absent,
                    (Kind::Bool, true) => To::False,
                    (Kind::Long, true) => To::Zero,
                    (Kind::String, true) => To::Empty,
                    _ => return None,
                };
                if found.is_some_and(|found| found != to) {
                    return None;
                }
                found = Some(to);
            }
        }
        Some(Self {
            owner: expr.as_ref().clone(),
            name: attr.clone(),
            to: found?,
        })
    }

    /// The value of the specialisation, in a word.
    pub fn value(&self) -> &'static str {
        match self.to {
            To::False => "false",
            To::Zero => "0",
            To::Empty => "empty",
            To::Absent => "absent",
        }
    }

    /// Whether an expression reads an attribute of this name, of any entity or record.
    pub(super) fn is_read_by(&self, expression: &ast::Expr) -> bool {
        expression
            .subexpressions()
            .any(|part| match part.expr_kind() {
                ast::ExprKind::GetAttr { attr, .. } | ast::ExprKind::HasAttr { attr, .. } => {
                    *attr == self.name
                }
                ast::ExprKind::ExtHasAttr { attrs, .. } => attrs.contains(&self.name),
                _ => false,
            })
    }

    /// A policy specialised to the value.
    pub(super) fn specialised(&self, policy: &Policy) -> Result<ast::Policy, Unknown> {
        let body = super::claim::body(policy);
        let specialised = static_policy(
            body.id().clone(),
            body.effect(),
            body.principal_constraint(),
            body.action_constraint().clone(),
            body.resource_constraint(),
            body.non_scope_constraints()
                .map(|condition| self.within(condition)),
        );
        specialised
            .filter(|policy| !self.is_read_by(&policy.condition()))
            .ok_or_else(|| Unknown::ReadsOtherwise {
                policy: policy.id().to_owned(),
            })
    }

    /// An expression with the value in place of the attribute. Parts that a constant short-circuits are left out, as
    /// in evaluation.
    fn within(&self, expression: &ast::Expr) -> ast::Expr {
        match expression.expr_kind() {
            ast::ExprKind::GetAttr { expr, attr } => match self.to {
                To::False if self.is_at(expr, attr) => ast::Expr::val(false),
                To::Zero if self.is_at(expr, attr) => ast::Expr::val(0),
                To::Empty if self.is_at(expr, attr) => ast::Expr::val(""),
                _ => ast::Expr::get_attr(self.within(expr), attr.clone()),
            },
            ast::ExprKind::HasAttr { expr, attr } => match self.is_at(expr, attr) {
                true => ast::Expr::val(self.to != To::Absent),
                false => ast::Expr::has_attr(self.within(expr), attr.clone()),
            },
            ast::ExprKind::ExtHasAttr { expr, attrs } => match self.is_read_by(expression) {
                true => self.within(&has_one_by_one(expr, attrs.iter())),
                false => expression.clone(),
            },
            ast::ExprKind::And { left, right } => self.within_junction(left, right, true),
            ast::ExprKind::Or { left, right } => self.within_junction(left, right, false),
            ast::ExprKind::If {
                test_expr,
                then_expr,
                else_expr,
            } => self.within_if(test_expr, then_expr, else_expr),
            ast::ExprKind::UnaryApp { op, arg } => {
                let arg = self.within(arg);
                match (op, constant(&arg)) {
                    (ast::UnaryOp::Not, Some(bool)) => ast::Expr::val(!bool),
                    _ => ast::Expr::unary_app(*op, arg),
                }
            }
            ast::ExprKind::BinaryApp { op, arg1, arg2 } => {
                ast::Expr::binary_app(*op, self.within(arg1), self.within(arg2))
            }
            ast::ExprKind::ExtensionFunctionApp { fn_name, args } => ast::Expr::call_extension_fn(
                fn_name.clone(),
                args.iter().map(|argument| self.within(argument)).collect(),
            ),
            ast::ExprKind::Like { expr, pattern } => {
                ast::Expr::like(self.within(expr), pattern.clone())
            }
            ast::ExprKind::Is { expr, entity_type } => {
                ast::Expr::is_entity_type(self.within(expr), entity_type.clone())
            }
            ast::ExprKind::Set(elements) => {
                ast::Expr::set(elements.iter().map(|element| self.within(element)))
            }
            ast::ExprKind::Record(fields) => ast::Expr::record_arc(Arc::new(
                fields
                    .iter()
                    .map(|(name, value)| (name.clone(), self.within(value)))
                    .collect(),
            )),
            ast::ExprKind::Lit(_)
            | ast::ExprKind::Var(_)
            | ast::ExprKind::Slot(_)
            | ast::ExprKind::Unknown(_) => expression.clone(),
        }
    }

    fn within_if(&self, test: &ast::Expr, then: &ast::Expr, otherwise: &ast::Expr) -> ast::Expr {
        let test = self.within(test);
        match constant(&test) {
            Some(true) => self.within(then),
            Some(false) => self.within(otherwise),
            None => ast::Expr::ite(test, self.within(then), self.within(otherwise)),
        }
    }

    /// Whether this attribute of an owner is the one that is specialised.
    fn is_at(&self, owner: &ast::Expr, attr: &SmolStr) -> bool {
        *attr == self.name && owner.eq_shape(&self.owner)
    }

    /// A conjunction, whose neutral constant is true, or a disjunction, whose neutral constant is false.
    fn within_junction(&self, left: &ast::Expr, right: &ast::Expr, neutral: bool) -> ast::Expr {
        let left = self.within(left);
        match constant(&left) {
            Some(value) if value == neutral => self.within(right),
            Some(_) => left,
            None => match self.within(right) {
                // The left side does not matter: it raises no error, or nothing is proved.
                right if constant(&right) == Some(!neutral) => right,
                right if neutral => ast::Expr::and(left, right),
                right => ast::Expr::or(left, right),
            },
        }
    }

    /// The model with the value of the specialisation in place of the attribute.
    pub(super) fn put(&self, model: &Model) -> Option<Model> {
        let owner = entity(&self.owner, model)?;
        let mut changed = model.clone();
        let attributes = &mut changed.entities.get_mut(&owner)?.attributes;
        let value = match self.to {
            To::False => json!(false),
            To::Zero => json!(0),
            To::Empty => json!(""),
            To::Absent => {
                attributes.remove(self.name.as_str());
                return Some(changed);
            }
        };
        attributes.insert(self.name.to_string(), value);
        Some(changed)
    }
}

fn constant(expression: &ast::Expr) -> Option<bool> {
    match expression.expr_kind() {
        ast::ExprKind::Lit(ast::Literal::Bool(bool)) => Some(*bool),
        _ => None,
    }
}

/// `E has a.b` as `E has a && E.a has b`.
fn has_one_by_one<'a>(owner: &ast::Expr, attrs: impl Iterator<Item = &'a SmolStr>) -> ast::Expr {
    let mut owner = owner.clone();
    let mut whole = ast::Expr::val(true);
    for attr in attrs {
        let has = ast::Expr::has_attr(owner.clone(), attr.clone());
        whole = ast::Expr::and(whole, has);
        owner = ast::Expr::get_attr(owner, attr.clone());
    }
    whole
}

/// The entity at the end of a path.
fn entity(path: &ast::Expr, model: &Model) -> Option<EntityUid> {
    match path.expr_kind() {
        ast::ExprKind::Var(ast::Var::Principal) => Some(model.principal.clone()),
        ast::ExprKind::Var(ast::Var::Resource) => Some(model.resource.clone()),
        ast::ExprKind::GetAttr { expr, attr } => {
            let owner = model.entities.get(&entity(expr, model)?)?;
            as_entity(owner.attributes.get(attr.as_str())?)
        }
        _ => None,
    }
}

/// The types that a path can start at, in requests of an action that a spec is about.
fn starts(path: &ast::Expr, action: &Action, spec: &Policy) -> Option<Vec<String>> {
    let (principals, resources) = (&action.principals, &action.resources);
    let is_about = |principals: &[EntityTypeName], resources: &[EntityTypeName]| {
        spec.may_apply_among(action, principals, resources)
    };
    let types: Vec<_> = match path.expr_kind() {
        ast::ExprKind::GetAttr { expr, .. } => return starts(expr, action, spec),
        ast::ExprKind::Var(ast::Var::Principal) => principals
            .iter()
            .filter(|principal| is_about(std::slice::from_ref(principal), resources))
            .collect(),
        ast::ExprKind::Var(ast::Var::Resource) => resources
            .iter()
            .filter(|resource| is_about(principals, std::slice::from_ref(resource)))
            .collect(),
        _ => return None,
    };
    Some(types.into_iter().map(ToString::to_string).collect())
}

/// The kind of the attribute at the end of a path of entities, and whether it is required.
fn known<'v>(
    expression: &ast::Expr,
    start: &str,
    vocabulary: &'v Vocabulary,
) -> Option<(&'v Kind, bool)> {
    let ast::ExprKind::GetAttr { expr, attr } = expression.expr_kind() else {
        return None;
    };
    let owner = match expr.expr_kind() {
        ast::ExprKind::Var(_) => start.to_owned(),
        _ => match known(expr, start, vocabulary)? {
            (Kind::Entity(type_name), _) => type_name.clone(),
            // A record can be read as a whole, without the names of its attributes.
            _ => return None,
        },
    };
    let attribute = vocabulary.attributes(&owner)?.get(attr.as_str())?;
    Some((&attribute.kind, attribute.required))
}
