//! The path from a person to a permit.

use cedar_policy::{EntityTypeName, EntityUid};
use cedar_policy_core::ast;
use schemars::JsonSchema;
use serde::Serialize;

use super::probe::Probe;
use super::rule::Rule;
use super::value::{Labels, Named};
use tarbac_host::bundle::Policy;
use tarbac_host::decision::Request;
use tarbac_host::engine::{Engine, Undecidable};
use tarbac_host::roles::role_type;

/// A permit, with the chains of memberships by which the person has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Grant {
    /// The permit.
    pub rule: Rule,
    /// The chains from the person to the groups that the permit asks for; empty if it asks for no group.
    pub paths: Vec<Path>,
}

/// A chain of parents.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Path {
    /// The entities on it, both ends included.
    pub steps: Vec<Named>,
}

impl Grant {
    pub(super) fn new(policy: &Policy, probe: &Probe<'_>) -> Self {
        Self {
            rule: Rule::new(policy, probe),
            paths: ways_in(policy, probe),
        }
    }
}

/// The chains from the principal of a request to the groups that a permit asks for. A chain through a role assignment
/// ends at the role.
///
/// # Errors
/// The entities of the request cannot be found.
pub(crate) fn ways(
    engine: &Engine,
    policy: &Policy,
    request: &Request,
) -> Result<Vec<Path>, Vec<Undecidable>> {
    if let Some(anchor) = policy.principal_anchor() {
        let path = Path::between(engine, &request.principal, &anchor);
        return Ok(path.into_iter().collect());
    }
    let probe = Probe::new(engine, request, engine.slice(request)?);
    Ok(ways_in(policy, &probe))
}

fn ways_in(policy: &Policy, probe: &Probe<'_>) -> Vec<Path> {
    let ends = ends(policy, probe);
    let paths = ends.iter().filter_map(|end| Path::to(end, probe));
    let mut paths: Vec<Path> = paths.map(|path| path.ending_at_role(probe)).collect();
    paths.sort();
    paths.dedup();
    paths
}

/// The entities that a permit asks the principal of a request to be in.
///
/// # Errors
/// The entities of the request cannot be found.
pub(crate) fn asked_to_be_in(
    engine: &Engine,
    policy: &Policy,
    request: &Request,
) -> Result<Vec<EntityUid>, Vec<Undecidable>> {
    if let Some(anchor) = policy.principal_anchor() {
        return Ok(vec![anchor]);
    }
    let probe = Probe::new(engine, request, engine.slice(request)?);
    Ok(ends(policy, &probe))
}

fn ends(policy: &Policy, probe: &Probe<'_>) -> Vec<EntityUid> {
    if let Some(anchor) = policy.principal_anchor() {
        return vec![anchor];
    }
    let condition = policy.ast().non_scope_constraints().into_iter();
    let parts = condition.flat_map(|condition| condition.subexpressions());
    parts.flat_map(|part| membership(part, probe)).collect()
}

/// The entities that an expression asks the principal to be in.
fn membership(expression: &ast::Expr, probe: &Probe<'_>) -> Vec<EntityUid> {
    match expression.expr_kind() {
        ast::ExprKind::BinaryApp {
            op: ast::BinaryOp::In,
            arg1,
            arg2,
        } if matches!(arg1.expr_kind(), ast::ExprKind::Var(ast::Var::Principal)) => {
            probe.entities(arg2)
        }
        _ => Vec::new(),
    }
}

impl Path {
    /// A shortest chain from the principal to an entity.
    pub(super) fn to(end: &EntityUid, probe: &Probe<'_>) -> Option<Self> {
        Self::between(probe.engine(), &probe.request().principal, end)
    }

    /// The chain with its last entity replaced by the role, if the last but one is a role assignment and the last is
    /// no role: a person who is in a tenant through an assignment has its role there.
    fn ending_at_role(mut self, probe: &Probe<'_>) -> Self {
        let (Some(of_type), [.., giving, end]) =
            (role_type(probe.vocabulary()), self.steps.as_slice())
        else {
            return self;
        };
        let required = probe.vocabulary().required_parents();
        let required = required.get(giving.uid.type_name().to_string().as_str());
        let needs = |type_name: &EntityTypeName| {
            let type_name = type_name.to_string();
            required.is_some_and(|required| required.contains(&type_name))
        };
        if end.uid.type_name() == &of_type || !needs(&of_type) || !needs(end.uid.type_name()) {
            return self;
        }
        let directory = probe.engine().directory();
        let above = directory.row(&giving.uid).into_iter();
        let above = above.flat_map(|row| directory.ancestors(row));
        let above = above.map(|row| directory.uid(row));
        let role = above.filter(|uid| *uid.type_name() == of_type).min();
        if let (Some(role), Some(end)) = (role, self.steps.last_mut()) {
            *end = probe.names().named(&role);
        }
        self
    }

    /// A shortest chain from one entity to another that it is in.
    pub(crate) fn between(engine: &Engine, from: &EntityUid, to: &EntityUid) -> Option<Self> {
        let directory = engine.directory();
        let rows = directory.path(directory.row(from)?, directory.row(to)?)?;
        let names = Labels::new(engine);
        Some(Self {
            steps: rows
                .into_iter()
                .map(|row| names.named(&directory.uid(row)))
                .collect(),
        })
    }
}
