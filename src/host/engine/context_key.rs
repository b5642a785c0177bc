//! The parts of a context by which the truth of a clause can be kept.

use cedar_policy_core::ast;

use super::case::Case;
use tarbac_store::Row;

/// A key of the context, as a clause reads it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// Whether it is there.
    Is(String),
    /// Attributes of the entity that is its value.
    Entity(String),
}

impl Key {
    /// Collects the keys that an expression reads. Returns whether there is nothing else that it reads besides them, the
    /// principal and the resource.
    pub(super) fn collect(expression: &ast::Expr, keys: &mut Vec<Self>) -> bool {
        match expression.expr_kind() {
            ast::ExprKind::Var(ast::Var::Principal | ast::Var::Resource) => true,
            ast::ExprKind::Var(_) | ast::ExprKind::Slot(_) | ast::ExprKind::Unknown(_) => false,
            ast::ExprKind::HasAttr { expr, attr } => {
                if is_context(expr) {
                    keys.push(Self::Is(attr.to_string()));
                    return true;
                }
                Self::collect_owner(expr, keys)
            }
            ast::ExprKind::ExtHasAttr { expr, .. } | ast::ExprKind::GetAttr { expr, .. } => {
                Self::collect_owner(expr, keys)
            }
            ast::ExprKind::Lit(_) => true,
            ast::ExprKind::If {
                test_expr,
                then_expr,
                else_expr,
            } => [test_expr, then_expr, else_expr]
                .iter()
                .all(|part| Self::collect(part, keys)),
            ast::ExprKind::And { left, right } | ast::ExprKind::Or { left, right } => {
                Self::collect(left, keys) && Self::collect(right, keys)
            }
            ast::ExprKind::BinaryApp { arg1, arg2, .. } => {
                Self::collect(arg1, keys) && Self::collect(arg2, keys)
            }
            ast::ExprKind::UnaryApp { arg: part, .. }
            | ast::ExprKind::Like { expr: part, .. }
            | ast::ExprKind::Is { expr: part, .. } => Self::collect(part, keys),
            ast::ExprKind::ExtensionFunctionApp { args, .. } => {
                args.iter().all(|part| Self::collect(part, keys))
            }
            ast::ExprKind::Set(elements) => elements.iter().all(|part| Self::collect(part, keys)),
            ast::ExprKind::Record(fields) => fields.values().all(|part| Self::collect(part, keys)),
        }
    }

    /// Collects the keys of an expression of which an attribute is read.
    fn collect_owner(owner: &ast::Expr, keys: &mut Vec<Self>) -> bool {
        match owner.expr_kind() {
            ast::ExprKind::GetAttr { expr, attr } if is_context(expr) => {
                keys.push(Self::Entity(attr.to_string()));
                true
            }
            _ => Self::collect(owner, keys),
        }
    }

    /// Adds to a key of kept values whether the context of a case has it, and returns the entity whose attributes are
    /// read. `None` if the value is none of the directory's entities.
    pub(super) fn read(&self, case: &Case<'_>, key: &mut Vec<u32>) -> Option<Option<Row>> {
        let context: &ast::Context = case.request().context.as_ref();
        let ast::Context::Value(values) = context else {
            return None;
        };
        let (Self::Is(name) | Self::Entity(name)) = self;
        let value = values.get(name.as_str());
        key.push(u32::from(value.is_some()));
        match (self, value.map(ast::Value::value_kind)) {
            (Self::Is(_), _) | (Self::Entity(_), None) => Some(None),
            (Self::Entity(_), Some(ast::ValueKind::Lit(ast::Literal::EntityUID(uid)))) => {
                case.row(uid).map(Some)
            }
            (Self::Entity(_), Some(_)) => None,
        }
    }
}

fn is_context(expression: &ast::Expr) -> bool {
    matches!(
        expression.expr_kind(),
        ast::ExprKind::Var(ast::Var::Context)
    )
}
