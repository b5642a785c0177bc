//! The values that a condition reads.

use std::fmt;

use cedar_policy_core::ast;
use schemars::JsonSchema;
use serde::Serialize;

use super::probe::Probe;
use super::value::Value;

/// A value that a condition read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Observation {
    /// Where it was read, for example `resource.hierarchy.version`.
    pub path: String,
    /// The attributes that were read.
    #[serde(rename = "of")]
    pub read: Read,
    /// The value.
    pub value: Value,
    /// Whether the data do not have the value, and it is assumed.
    #[serde(rename = "assumed", skip_serializing_if = "std::ops::Not::not")]
    #[schemars(default)]
    pub is_assumed: bool,
}

impl fmt::Display for Observation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reads = match self.read {
            Read::Value => "=",
            Read::Ancestors => "is in",
        };
        write!(formatter, "{} {reads} {}", self.path, self.value)?;
        match self.is_assumed {
            true => formatter.write_str(", which is assumed"),
            false => Ok(()),
        }
    }
}

/// An observation of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Read {
    /// The value itself.
    Value,
    /// The groups of the entity, of the types that were asked about.
    Ancestors,
}

/// The values that a condition reads, each once, in the order of the condition.
pub(super) fn facts(expression: &ast::Expr, probe: &Probe<'_>) -> Vec<Observation> {
    let mut facts = Vec::new();
    collect(expression, probe, &mut facts);
    facts
}

fn collect(expression: &ast::Expr, probe: &Probe<'_>, facts: &mut Vec<Observation>) {
    if let Some(path) = path(expression) {
        collect_value(path, expression, probe, facts);
        return;
    }
    match expression.expr_kind() {
        ast::ExprKind::BinaryApp {
            op: ast::BinaryOp::In,
            arg1,
            arg2,
        } => {
            collect(arg1, probe, facts);
            memberships(arg1, arg2, probe, facts);
            collect(arg2, probe, facts);
        }
        ast::ExprKind::If {
            test_expr,
            then_expr,
            else_expr,
        } => {
            collect(test_expr, probe, facts);
            collect(then_expr, probe, facts);
            collect(else_expr, probe, facts);
        }
        ast::ExprKind::And { left, right } | ast::ExprKind::Or { left, right } => {
            collect(left, probe, facts);
            collect(right, probe, facts);
        }
        ast::ExprKind::BinaryApp { arg1, arg2, .. } => {
            collect(arg1, probe, facts);
            collect(arg2, probe, facts);
        }
        ast::ExprKind::UnaryApp { arg, .. } => collect(arg, probe, facts),
        ast::ExprKind::HasAttr { expr, attr } => {
            collect(expr, probe, facts);
            assumed_absence(expr, attr, expression, probe, facts);
        }
        ast::ExprKind::GetAttr { expr, .. }
        | ast::ExprKind::ExtHasAttr { expr, .. }
        | ast::ExprKind::Like { expr, .. }
        | ast::ExprKind::Is { expr, .. } => collect(expr, probe, facts),
        ast::ExprKind::ExtensionFunctionApp { args, .. } => {
            args.iter()
                .for_each(|argument| collect(argument, probe, facts));
        }
        ast::ExprKind::Set(elements) => {
            let elements = elements.iter();
            elements.for_each(|element| collect(element, probe, facts));
        }
        ast::ExprKind::Record(attributes) => {
            let values = attributes.values();
            values.for_each(|value| collect(value, probe, facts));
        }
        ast::ExprKind::Lit(_)
        | ast::ExprKind::Var(_)
        | ast::ExprKind::Slot(_)
        | ast::ExprKind::Unknown(_) => {}
    }
}

/// Collects the value of a path, unless the attribute is absent and was not read.
fn collect_value(
    path: String,
    expression: &ast::Expr,
    probe: &Probe<'_>,
    facts: &mut Vec<Observation>,
) {
    if let Ok(value) = probe.evaluate(expression) {
        let is_assumed = match expression.expr_kind() {
            ast::ExprKind::GetAttr { expr, attr } => is_assumed(expr, attr, probe),
            _ => false,
        };
        let observation = Observation {
            path,
            read: Read::Value,
            value: probe.names().value(&value),
            is_assumed,
        };
        add(facts, observation);
    }
}

/// Collects the absence of an attribute, if the data do not say that it is absent.
fn assumed_absence(
    owner: &ast::Expr,
    attribute: &str,
    test: &ast::Expr,
    probe: &Probe<'_>,
    facts: &mut Vec<Observation>,
) {
    let is_absent = probe.truth(test) == Ok(false);
    let path = path(owner).unwrap_or_else(|| owner.to_string());
    if is_absent && is_assumed(owner, attribute, probe) {
        let observation = Observation {
            path: format!("{path} has {attribute}"),
            read: Read::Value,
            value: Value::Bool(false),
            is_assumed: true,
        };
        add(facts, observation);
    }
}

/// Whether an entity lists an attribute among those whose values are assumed.
fn is_assumed(owner: &ast::Expr, attribute: &str, probe: &Probe<'_>) -> bool {
    let Some(entity) = probe.entity(owner) else {
        return false;
    };
    let owner_type = entity.type_name().to_string();
    let listing = probe.vocabulary().recording(&owner_type);
    let mut lists = listing.filter_map(|list| {
        let list = ast::Expr::get_attr(owner.clone(), list.into());
        probe.evaluate(&list).ok()
    });
    lists.any(|list| match list.value_kind() {
        ast::ValueKind::Set(names) => names
            .iter()
            .any(|name| matches!(name.value_kind(), ast::ValueKind::Lit(ast::Literal::String(text)) if text == attribute)),
        _ => false,
    })
}

/// The groups of the left side of an `in`, of the types that the right side asks about.
fn memberships(
    left: &ast::Expr,
    right: &ast::Expr,
    probe: &Probe<'_>,
    facts: &mut Vec<Observation>,
) {
    let Some(entity) = probe.entity(left) else {
        return;
    };
    let mut types: Vec<String> = probe
        .entities(right)
        .iter()
        .map(|uid| uid.type_name().to_string())
        .collect();
    if let Some(target) = probe.target(right) {
        types.extend(target.attribute.kind.entity_type().map(str::to_owned));
    }
    let names = probe.names();
    let mut held: Vec<Value> = probe
        .ancestors(&entity)
        .iter()
        .filter(|uid| types.contains(&uid.type_name().to_string()))
        .map(|uid| Value::Entity(names.named(uid)))
        .collect();
    held.sort();
    let path = path(left).or_else(|| match left.expr_kind() {
        ast::ExprKind::Var(var) => Some(var.to_string()),
        _ => None,
    });
    if let Some(path) = path {
        add(
            facts,
            Observation {
                path,
                read: Read::Ancestors,
                value: Value::Set(held),
                is_assumed: false,
            },
        );
    }
}

fn add(facts: &mut Vec<Observation>, fact: Observation) {
    if !facts.contains(&fact) {
        facts.push(fact);
    }
}

/// The text of a path of attributes that starts at a variable or an entity.
fn path(expression: &ast::Expr) -> Option<String> {
    let ast::ExprKind::GetAttr { expr, attr } = expression.expr_kind() else {
        return None;
    };
    let start = match expr.expr_kind() {
        ast::ExprKind::Var(var) => var.to_string(),
        ast::ExprKind::Lit(ast::Literal::EntityUID(uid)) => uid.to_string(),
        _ => path(expr)?,
    };
    Some(format!("{start}.{attr}"))
}
