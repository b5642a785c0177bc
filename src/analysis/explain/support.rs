//! Supports of an allow beside its permits: facts that keep forbids from applying.
//!
//! A fact counts if an `unless` that reads it is the only clause that keeps a forbid from applying. The schema has the
//! words for it: `@operation` names a permission, `@told` and `@told_not` are sentences.

use cedar_policy::EntityUid;
use cedar_policy_core::ast;

use super::grant::Path;
use super::probe::{Probe, Target};
use super::value::{Named, Value};
use tarbac_host::bundle::{Action, Keyword, Policy};
use tarbac_host::decision::Request;
use tarbac_host::engine::Engine;

/// A fact of the person without which a forbid would refuse what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Support {
    /// The forbids that would refuse, by id.
    pub policies: Vec<String>,
    /// The attributes from the person on, for example `configMgr.read`.
    pub attribute: Vec<String>,
    /// The value of the attribute; for a set, the element that counts.
    pub value: Value,
    /// The fact in one sentence.
    pub sentence: String,
    /// The permission and its object: `Collection: Read` and ` on All Systems`. `None` if the attribute is no
    /// permission.
    pub operation: Option<(String, String)>,
    /// The chain from the resource to the element of the set that contains it, if the fact is such an element.
    pub path: Option<Path>,
}

/// The facts behind an allowed request besides its permits, in the order of the ids of policies.
pub(crate) fn supports_of(engine: &Engine, request: &Request) -> Vec<Support> {
    let action = engine.bundle().vocabulary().action(&request.action);
    match (action, engine.slice(request)) {
        (Some(action), Ok(slice)) => supports(&Probe::new(engine, request, slice), action),
        _ => Vec::new(),
    }
}

/// The facts behind an allowed request in a probe.
pub(super) fn supports(probe: &Probe<'_>, action: &Action) -> Vec<Support> {
    let mut supports: Vec<Support> = Vec::new();
    for policy in probe.engine().forbids_about(action) {
        let mut found = Vec::new();
        if let Some(clause) = exception(policy, probe) {
            collect(clause, true, probe, &mut found);
        }
        for support in found {
            let is_known = |known: &&mut Support| {
                known.attribute == support.attribute && known.value == support.value
            };
            match supports.iter_mut().find(is_known) {
                Some(known) => known.policies.push(policy.id().to_owned()),
                None => supports.push(Support {
                    policies: vec![policy.id().to_owned()],
                    ..support
                }),
            }
        }
    }
    supports
}

/// The body of the `unless` that alone keeps a policy from applying.
fn exception<'p>(policy: &'p Policy, probe: &Probe<'_>) -> Option<&'p ast::Expr> {
    let of_scope = [
        policy
            .ast()
            .principal_constraint()
            .into_inner()
            .as_expr(ast::PrincipalOrResource::Principal),
        policy
            .ast()
            .resource_constraint()
            .into_inner()
            .as_expr(ast::PrincipalOrResource::Resource),
    ];
    if !of_scope.iter().all(|scope| probe.truth(scope) == Ok(true)) {
        return None;
    }
    let clauses = policy.clauses().into_iter();
    let mut keeping = clauses.filter(|clause| {
        let holds = probe.truth(clause.body);
        holds != Ok(clause.keyword == Keyword::When)
    });
    let only = keeping.next()?;
    let is_only = keeping.next().is_none() && only.keyword == Keyword::Unless;
    is_only.then_some(only.body)
}

/// The facts of the person that make an expression `wanted`.
fn collect(expression: &ast::Expr, wanted: bool, probe: &Probe<'_>, found: &mut Vec<Support>) {
    if probe.truth(expression) != Ok(wanted) {
        return;
    }
    match expression.expr_kind() {
        ast::ExprKind::And { left, right } | ast::ExprKind::Or { left, right } => {
            collect(left, wanted, probe, found);
            collect(right, wanted, probe, found);
        }
        ast::ExprKind::UnaryApp {
            op: ast::UnaryOp::Not,
            arg,
        } => collect(arg, !wanted, probe, found),
        ast::ExprKind::If {
            test_expr,
            then_expr,
            else_expr,
        } => match probe.truth(test_expr) {
            Ok(true) => collect(then_expr, wanted, probe, found),
            Ok(false) => collect(else_expr, wanted, probe, found),
            Err(_) => {}
        },
        ast::ExprKind::GetAttr { .. } => {
            found.extend(
                of_target(expression, probe)
                    .map(|target| Support::new(probe, &target, Value::Bool(wanted), None)),
            );
        }
        ast::ExprKind::BinaryApp { op, arg1, arg2 } if wanted => match op {
            ast::BinaryOp::In => found.extend(holding(arg1, arg2, probe)),
            ast::BinaryOp::Contains => {
                let element = probe.evaluate(arg2).ok();
                found.extend(
                    of_target(arg1, probe)
                        .zip(element)
                        .map(|(target, element)| {
                            Support::new(probe, &target, probe.names().value(&element), None)
                        }),
                );
            }
            _ => {}
        },
        _ => {}
    }
}

/// The closest element of a set of the person that an entity is in.
fn holding(entity: &ast::Expr, set: &ast::Expr, probe: &Probe<'_>) -> Option<Support> {
    let target = of_target(set, probe)?;
    let entity = probe.entity(entity)?;
    let names = probe.names();
    let elements = probe.entities(set).into_iter();
    let ways = elements.filter_map(|element| {
        let path = Path::between(probe.engine(), &entity, &element)?;
        Some((path.steps.len(), names.named(&element), path))
    });
    let (_, element, path) = ways.min_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)))?;
    Some(Support::new(
        probe,
        &target,
        Value::Entity(element),
        Some(path),
    ))
}

/// The end of a path of attributes from the principal.
fn of_target<'a>(expression: &ast::Expr, probe: &Probe<'a>) -> Option<Target<'a>> {
    let mut start = expression;
    while let ast::ExprKind::GetAttr { expr, .. } = start.expr_kind() {
        start = expr;
    }
    let is_of_principal = matches!(start.expr_kind(), ast::ExprKind::Var(ast::Var::Principal));
    let target = probe.target(expression).filter(|_| is_of_principal)?;
    let principal: &EntityUid = &probe.request().principal;
    (target.entity == *principal).then_some(target)
}

impl Support {
    fn new(probe: &Probe<'_>, target: &Target<'_>, value: Value, path: Option<Path>) -> Self {
        let annotations = &target.attribute.annotations;
        let entity = probe.names().named(&target.entity).name;
        let attribute = target.path.join(".");
        let told = match value {
            Value::Bool(false) => annotations.get("told_not"),
            _ => annotations.get("told"),
        };
        let filled = |text: &str| {
            text.replace("{value}", &value.to_string())
                .replace("{entity}", &entity)
        };
        let sentence = match told {
            Some(told) => filled(told),
            None => format!("{attribute} of {entity} is {value}"),
        };
        let operation = annotations.get("operation").map(|operation| {
            // The part of the sentence after the permission.
            let behind = told.and_then(|told| told.split_once(operation.as_str()));
            let on = behind.map_or_else(|| format!(" {value}"), |(_, on)| filled(on));
            (operation.clone(), on)
        });
        Self {
            policies: Vec::new(),
            attribute: target.path.clone(),
            value,
            sentence,
            operation,
            path,
        }
    }

    /// Whether it is the same fact of a person, perhaps about another resource.
    pub fn is_of_same_fact(&self, other: &Self) -> bool {
        self.attribute == other.attribute && self.value == other.value
    }

    /// The entities between the resource and the object of the permission.
    pub fn between(&self) -> &[Named] {
        match self.path.as_ref().map(|path| path.steps.as_slice()) {
            Some([_, between @ .., _]) => between,
            _ => &[],
        }
    }
}
