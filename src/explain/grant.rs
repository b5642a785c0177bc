//! How a person comes by a permit.

use cedar_policy::EntityUid;
use cedar_policy_core::ast;

use super::rule::Rule;
use super::scene::Scene;
use super::value::{Named, Names};
use crate::bundle::Policy;
use crate::decision::Request;
use crate::engine::Engine;

/// A permit and how the person comes by it.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// The permit.
    pub rule: Rule,
    /// From the person to what the permit asks to be in; empty for one that asks for nothing.
    pub paths: Vec<Path>,
}

/// A chain of parents.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    /// The entities on it, both ends included.
    pub steps: Vec<Named>,
}

impl Grant {
    pub(super) fn of(policy: &Policy, scene: &Scene<'_>) -> Self {
        let ends = ends(policy, scene);
        let mut paths: Vec<Path> = ends.iter().filter_map(|end| Path::to(end, scene)).collect();
        paths.sort();
        paths.dedup();
        Self {
            rule: Rule::of(policy, scene),
            paths,
        }
    }
}

/// What a permit asks the principal of a request to be in.
pub(crate) fn asked_to_be_in(
    engine: &Engine,
    policy: &Policy,
    request: &Request,
) -> Vec<EntityUid> {
    let scene = || Some(Scene::new(engine, request, engine.world(request).ok()?));
    match policy.principal_anchor() {
        Some(anchor) => vec![anchor],
        None => scene().map_or_else(Vec::new, |scene| ends(policy, &scene)),
    }
}

fn ends(policy: &Policy, scene: &Scene<'_>) -> Vec<EntityUid> {
    if let Some(anchor) = policy.principal_anchor() {
        return vec![anchor];
    }
    let condition = policy.ast().non_scope_constraints().into_iter();
    let parts = condition.flat_map(|condition| condition.subexpressions());
    parts.flat_map(|part| membership(part, scene)).collect()
}

/// What an expression asks the principal to be in.
fn membership(expression: &ast::Expr, scene: &Scene<'_>) -> Vec<EntityUid> {
    match expression.expr_kind() {
        ast::ExprKind::BinaryApp {
            op: ast::BinaryOp::In,
            arg1,
            arg2,
        } if matches!(arg1.expr_kind(), ast::ExprKind::Var(ast::Var::Principal)) => {
            scene.entities(arg2)
        }
        _ => Vec::new(),
    }
}

impl Path {
    /// A shortest chain from the principal to an entity.
    pub(super) fn to(end: &EntityUid, scene: &Scene<'_>) -> Option<Self> {
        Self::between(scene.engine(), &scene.request().principal, end)
    }

    /// A shortest chain from one entity to another that it is in.
    pub(crate) fn between(engine: &Engine, from: &EntityUid, to: &EntityUid) -> Option<Self> {
        let directory = engine.directory();
        let rows = directory.path(directory.row(from)?, directory.row(to)?)?;
        let names = Names::new(engine);
        Some(Self {
            steps: rows
                .into_iter()
                .map(|row| names.named(&directory.uid(row)))
                .collect(),
        })
    }
}
