//! Policies specialised to one value of an attribute.
//!
//! A policy *specialised* to a value of an attribute has the value wherever it reads the attribute,
//! and so it does not read it. Two steps make a proof about every value of it:
//!
//! 1. The policies and their specialisation decide alike everything that a spec matches. The solver
//!    proves that like any other equivalence.
//! 2. The spec does not look at the attribute, nor does the specialisation: two worlds that differ
//!    in nothing else match alike, and the specialisation decides them alike.
//!
//! So the policies decide both alike, which is what was to be proved. Step 2 is checked by
//! [`Attribute::is_read_by`], by the name of the attribute, wherever it stands. Conversely, where a
//! decision depends on the attribute, some world that the spec matches is decided otherwise than
//! the same world with the value of the specialisation, and step 1 fails there.

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
pub struct Attribute {
    /// The path to what has it.
    owner: ast::Expr,
    name: SmolStr,
    to: To,
}

/// What it is specialised to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    False,
    Zero,
    Empty,
    /// It is not there.
    Absent,
}

impl Attribute {
    /// The attribute that an expression reads, in requests that a spec is about; `None` where it reads
    /// none, or one that is always there and has no constants.
    pub(super) fn of(
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

    /// What it is specialised to, in a word.
    pub fn value(&self) -> &'static str {
        match self.to {
            To::False => "false",
            To::Zero => "0",
            To::Empty => "empty",
            To::Absent => "absent",
        }
    }

    /// Whether an expression reads an attribute of this name, of whatever it is.
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

    /// An expression with the value in place of the attribute. What a constant decides is left out,
    /// as evaluation leaves it out.
    fn within(&self, expression: &ast::Expr) -> ast::Expr {
        let is_own =
            |owner: &ast::Expr, attr: &SmolStr| *attr == self.name && owner.eq_shape(&self.owner);
        let constant = |expression: &ast::Expr| match expression.expr_kind() {
            ast::ExprKind::Lit(ast::Literal::Bool(bool)) => Some(*bool),
            _ => None,
        };
        match expression.expr_kind() {
            ast::ExprKind::GetAttr { expr, attr } => match self.to {
                To::False if is_own(expr, attr) => ast::Expr::val(false),
                To::Zero if is_own(expr, attr) => ast::Expr::val(0),
                To::Empty if is_own(expr, attr) => ast::Expr::val(""),
                _ => ast::Expr::get_attr(self.within(expr), attr.clone()),
            },
            ast::ExprKind::HasAttr { expr, attr } => match is_own(expr, attr) {
                true => ast::Expr::val(self.to != To::Absent),
                false => ast::Expr::has_attr(self.within(expr), attr.clone()),
            },
            // `E has a.b` is `E has a && E.a has b`.
            ast::ExprKind::ExtHasAttr { expr, attrs } => {
                let mut owner = expr.as_ref().clone();
                let mut whole = ast::Expr::val(true);
                for attr in attrs {
                    let has = ast::Expr::has_attr(owner.clone(), attr.clone());
                    whole = ast::Expr::and(whole, has);
                    owner = ast::Expr::get_attr(owner, attr.clone());
                }
                match self.is_read_by(expression) {
                    true => self.within(&whole),
                    false => expression.clone(),
                }
            }
            ast::ExprKind::And { left, right } => {
                let left = self.within(left);
                match constant(&left) {
                    Some(true) => self.within(right),
                    Some(false) => left,
                    None => match self.within(right) {
                        // Whatever the left side is: it raises no error, or nothing is proved.
                        right if constant(&right) == Some(false) => right,
                        right => ast::Expr::and(left, right),
                    },
                }
            }
            ast::ExprKind::Or { left, right } => {
                let left = self.within(left);
                match constant(&left) {
                    Some(false) => self.within(right),
                    Some(true) => left,
                    None => match self.within(right) {
                        right if constant(&right) == Some(true) => right,
                        right => ast::Expr::or(left, right),
                    },
                }
            }
            ast::ExprKind::If {
                test_expr,
                then_expr,
                else_expr,
            } => {
                let test = self.within(test_expr);
                match constant(&test) {
                    Some(true) => self.within(then_expr),
                    Some(false) => self.within(else_expr),
                    None => ast::Expr::ite(test, self.within(then_expr), self.within(else_expr)),
                }
            }
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

    /// The same world in which the attribute is what the policies are specialised to.
    pub(super) fn put(&self, world: &Model) -> Option<Model> {
        let owner = entity(&self.owner, world)?;
        let mut changed = world.clone();
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

/// The entity at the end of a path.
fn entity(path: &ast::Expr, world: &Model) -> Option<EntityUid> {
    match path.expr_kind() {
        ast::ExprKind::Var(ast::Var::Principal) => Some(world.principal.clone()),
        ast::ExprKind::Var(ast::Var::Resource) => Some(world.resource.clone()),
        ast::ExprKind::GetAttr { expr, attr } => {
            let owner = world.entities.get(&entity(expr, world)?)?;
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

/// What the schema says of the attribute at the end of a path of entities: its kind, and whether it
/// is always there.
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
            // A record can be read as a whole, without a word about what is in it.
            _ => return None,
        },
    };
    let attribute = vocabulary.attributes(&owner)?.get(attr.as_str())?;
    Some((&attribute.kind, attribute.required))
}
