//! Conditions that are never true by the schema, where that allows more.
//!
//! An exception of a permit that can never be true excepts nobody, and a forbid that waits for such a condition holds
//! nobody back. Cedar's validator warns only if a whole policy can never apply, so its typechecker is asked here about
//! each condition, in every request environment: each type of principal and resource of each action. A condition is
//! never true if it is false in all environments in which it is reached; one that is open in a single environment is
//! not. A policy without the condition would be the same, so its author meant something else.

mod reason;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cedar_policy::EntityUid;
use cedar_policy_core::ast::{self, BinaryOp, Expr, ExprKind, Literal, UnaryOp, Var};
use cedar_policy_core::validator::typecheck::{PolicyCheck, Typechecker};
use cedar_policy_core::validator::types::{RequestEnv, Type};
use cedar_policy_core::validator::{ValidationMode, ValidatorSchema};
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use super::absence::{Side, of_test};
use super::policy::{Policy, is_constant};
use super::types::Against;
use tarbac_diagnostic::finding::Finding;

/// The value of a condition in a request environment; `None` if it can be either.
type Value = Option<bool>;

/// The findings about conditions that are never true where that allows more.
///
/// Without questions in the schema they are warnings, because Cedar decides such policies as they are written.
pub(super) fn check(policies: &[Policy], against: &Against<'_>) -> Vec<Finding> {
    let to_check: Vec<&Policy> = policies
        .iter()
        .filter(|policy| !(against.is_shipped && policy.is_shipped()))
        .filter(|policy| policy.has_conditions())
        .collect();
    if to_check.is_empty() {
        return Vec::new();
    }
    let schema: &ValidatorSchema = against.schema.as_ref();
    let environments: Vec<RequestEnv<'_>> = schema
        .unlinked_request_envs(ValidationMode::Strict)
        .collect();
    let found: Vec<Vec<Finding>> = to_check
        .into_par_iter()
        .map(|policy| of_policy(policy, schema, &environments, against))
        .collect();
    found.into_iter().flatten().collect()
}

fn of_policy(
    policy: &Policy,
    schema: &ValidatorSchema,
    environments: &[RequestEnv<'_>],
    against: &Against<'_>,
) -> Vec<Finding> {
    let Some(condition) = policy.written().non_scope_constraints() else {
        return Vec::new();
    };
    let scope = policy.action_scope();
    let actions = against.vocabulary.actions();
    let actions: BTreeSet<&EntityUid> = actions
        .filter(|action| scope.answers(action))
        .map(|action| &action.uid)
        .collect();
    let mut search = Search {
        policy,
        schema,
        typechecker: Typechecker::new(schema, ValidationMode::Strict),
        environments: Vec::new(),
        known: BTreeMap::new(),
        found: Vec::new(),
    };
    let whole = search.scope();
    for environment in environments {
        let RequestEnv::DeclaredAction { action, .. } = environment else {
            continue;
        };
        let is_asked = actions.contains(&EntityUid::from((*action).clone()));
        if is_asked && search.truth(&whole, environment) != TypedTruth::Is(false) {
            search.environments.push(environment.clone());
        }
    }
    let all: Vec<usize> = (0..search.environments.len()).collect();
    search.condition(condition, Side::With, &[], &all);
    let asks = against.vocabulary.asks();
    let found = std::mem::take(&mut search.found);
    let findings = found
        .iter()
        .map(|(part, reached)| search.finding(part, reached, asks));
    findings.collect()
}

/// What the typechecker says of an expression.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TypedTruth {
    /// It always has this value.
    Is(bool),
    /// It can have either value.
    Open,
    /// It has no type by itself.
    Untyped,
}

struct Search<'a, 'p> {
    policy: &'p Policy,
    schema: &'a ValidatorSchema,
    typechecker: Typechecker<'a>,
    /// The environments that the policy applies to, by its scope.
    environments: Vec<RequestEnv<'a>>,
    /// The values of leaves by the address of the leaf, and the parts of an environment that matter.
    known: BTreeMap<(usize, [String; 3]), Value>,
    /// The conditions that are never true, with the environments that reach them.
    found: Vec<(&'p Expr, Vec<usize>)>,
}

impl<'p> Search<'_, 'p> {
    /// The values of a condition in the environments that reach it. What it finds is added to the conditions found.
    ///
    /// `guards` are true wherever the condition is reached.
    fn condition(
        &mut self,
        part: &'p Expr,
        side: Side,
        guards: &[&'p Expr],
        reached: &[usize],
    ) -> Vec<Value> {
        let before = self.found.len();
        let values = match part.expr_kind() {
            ExprKind::Lit(Literal::Bool(value)) => return vec![Some(*value); reached.len()],
            ExprKind::UnaryApp {
                op: UnaryOp::Not,
                arg,
            } => not(self.condition(arg, side.other(), guards, reached)),
            ExprKind::BinaryApp {
                op: BinaryOp::Eq,
                arg1,
                arg2,
            } if let Some((arg, value)) = compared(arg1, arg2) => match value {
                true => self.condition(arg, side, guards, reached),
                false => not(self.condition(arg, side.other(), guards, reached)),
            },
            ExprKind::And { left, right } => {
                self.connected(left, right, false, side, guards, reached)
            }
            ExprKind::Or { left, right } => {
                self.connected(left, right, true, side, guards, reached)
            }
            ExprKind::If {
                test_expr,
                then_expr,
                else_expr,
            } => self.chosen([test_expr, then_expr, else_expr], side, guards, reached),
            _ => self.leaf(part, guards, reached),
        };
        // What is false in any schema is meant to be.
        let is_never = !values.is_empty()
            && values.iter().all(|value| *value == Some(false))
            && is_constant(part) != Some(false);
        if is_never && side.allows_more(self.policy.effect()) && self.found.len() == before {
            self.found.push((part, reached.to_vec()));
        }
        values
    }

    /// The values of two conditions that are joined by `&&`, or by `||`, which is decided by its left side if that is
    /// `decisive`.
    fn connected(
        &mut self,
        left: &'p Expr,
        right: &'p Expr,
        decisive: bool,
        side: Side,
        guards: &[&'p Expr],
        reached: &[usize],
    ) -> Vec<Value> {
        let lefts = self.condition(left, side, guards, reached);
        let mut guarded = guards.to_vec();
        if !decisive {
            guarded.push(left);
        }
        let further = with(reached, &lefts, decisive);
        let rights = self.condition(right, side, &guarded, &further);
        let mut rights = rights.into_iter();
        let values = lefts.into_iter().map(|left| {
            if left == Some(decisive) {
                return left;
            }
            let right = rights.next().flatten();
            match (left, right) {
                (_, Some(right)) if right == decisive => Some(decisive),
                (Some(_), Some(_)) => Some(!decisive),
                _ => None,
            }
        });
        values.collect()
    }

    /// The values of a conditional: of its test and its branches.
    fn chosen(
        &mut self,
        [test, then, other]: [&'p Expr; 3],
        side: Side,
        guards: &[&'p Expr],
        reached: &[usize],
    ) -> Vec<Value> {
        let tests = self.condition(test, of_test(then, other, side), guards, reached);
        let mut guarded = guards.to_vec();
        guarded.push(test);
        let (if_true, if_false) = (with(reached, &tests, false), with(reached, &tests, true));
        let then_values = self.condition(then, side, &guarded, &if_true);
        let other_values = self.condition(other, side, guards, &if_false);
        let value = |at: &usize, among: &[usize], values: &[Value]| -> Value {
            let position = among.iter().position(|other| other == at)?;
            values.get(position).copied().flatten()
        };
        let values = reached.iter().zip(&tests).map(|(at, test)| {
            let then = value(at, &if_true, &then_values);
            let other = value(at, &if_false, &other_values);
            match test {
                Some(true) => then,
                Some(false) => other,
                None => then.filter(|_| then == other),
            }
        });
        values.collect()
    }

    /// The values of a condition without conditions around it. Tests within it have no direction.
    fn leaf(&mut self, part: &'p Expr, guards: &[&'p Expr], reached: &[usize]) -> Vec<Value> {
        let tests: Vec<&'p Expr> = part
            .subexpressions()
            .filter(|test| !std::ptr::eq(*test, part) && is_test(test))
            .collect();
        for test in tests {
            let values = self.values(test, guards, reached);
            if !values.is_empty() && values.iter().all(|value| *value == Some(false)) {
                self.found.push((test, reached.to_vec()));
            }
        }
        self.values(part, guards, reached)
    }

    fn values(&mut self, part: &Expr, guards: &[&Expr], reached: &[usize]) -> Vec<Value> {
        let template = self.asking(Some(part.clone()));
        let all = guards
            .iter()
            .rev()
            .fold(part.clone(), |all, guard| Expr::and((*guard).clone(), all));
        let with_guards = self.asking(Some(all));
        let parts = || guards.iter().copied().chain([part]);
        let reads = |var: Var| {
            let mut parts = parts().flat_map(Expr::subexpressions);
            parts.any(|part| matches!(part.expr_kind(), ExprKind::Var(other) if *other == var))
        };
        let reads = [
            reads(Var::Principal),
            reads(Var::Resource),
            reads(Var::Action) || reads(Var::Context),
        ];
        let address = std::ptr::from_ref(part).addr();
        let mut values = Vec::new();
        for at in reached {
            let Some(environment) = self.environments.get(*at) else {
                continue;
            };
            let key = (address, key(environment, reads));
            let value = match self.known.get(&key) {
                Some(known) => *known,
                None => match self.truth(&template, environment) {
                    TypedTruth::Is(value) => Some(value),
                    TypedTruth::Open => None,
                    // It is guarded by `has`, perhaps. If the guards are true or open, it is the part that is false.
                    TypedTruth::Untyped => match self.truth(&with_guards, environment) {
                        TypedTruth::Is(false) => Some(false),
                        _ => None,
                    },
                },
            };
            self.known.insert(key, value);
            values.push(value);
        }
        values
    }

    /// What the typechecker says of the whole of a policy in an environment.
    fn truth(&self, policy: &ast::Template, environment: &RequestEnv<'_>) -> TypedTruth {
        let typechecker = &self.typechecker;
        match typechecker.typecheck_by_single_request_env(policy, environment) {
            PolicyCheck::Irrelevant(errors, _) if errors.is_empty() => TypedTruth::Is(false),
            PolicyCheck::Success(typed) if *typed.data() == Some(Type::singleton_boolean(true)) => {
                TypedTruth::Is(true)
            }
            PolicyCheck::Success(_) => TypedTruth::Open,
            PolicyCheck::Irrelevant(..) | PolicyCheck::Fail(_) => TypedTruth::Untyped,
        }
    }

    /// A policy with this condition for every request.
    fn asking(&self, condition: Option<Expr>) -> ast::Template {
        ast::Template::new(
            self.policy.written().id().clone(),
            None,
            ast::Annotations::new(),
            self.policy.effect(),
            ast::PrincipalConstraint::any(),
            ast::ActionConstraint::any(),
            ast::ResourceConstraint::any(),
            condition,
        )
    }

    /// The scope of the policy, without its conditions.
    fn scope(&self) -> ast::Template {
        let written = self.policy.written();
        ast::Template::new(
            written.id().clone(),
            None,
            ast::Annotations::new(),
            self.policy.effect(),
            written.principal_constraint(),
            written.action_constraint().clone(),
            written.resource_constraint(),
            None,
        )
    }
}

fn not(values: Vec<Value>) -> Vec<Value> {
    let negated = values.into_iter().map(|value| value.map(|value| !value));
    negated.collect()
}

/// The environments in which a condition does not have a value.
fn with(reached: &[usize], values: &[Value], excluded: bool) -> Vec<usize> {
    let all = reached.iter().zip(values);
    all.filter(|(_, value)| **value != Some(excluded))
        .map(|(at, _)| *at)
        .collect()
}

/// The condition that is compared with `true` or `false`, and which of the two.
fn compared<'p>(one: &'p Arc<Expr>, other: &'p Arc<Expr>) -> Option<(&'p Expr, bool)> {
    match (one.expr_kind(), other.expr_kind()) {
        (ExprKind::Lit(Literal::Bool(value)), _) => Some((other, *value)),
        (_, ExprKind::Lit(Literal::Bool(value))) => Some((one, *value)),
        _ => None,
    }
}

/// Whether an expression asks something that the types can answer.
fn is_test(part: &Expr) -> bool {
    match part.expr_kind() {
        ExprKind::HasAttr { .. } | ExprKind::ExtHasAttr { .. } | ExprKind::Is { .. } => true,
        ExprKind::BinaryApp { op, .. } => matches!(op, BinaryOp::Eq | BinaryOp::In),
        _ => false,
    }
}

/// The parts of an environment that matter: principal, resource, and action with context.
fn key(environment: &RequestEnv<'_>, reads: [bool; 3]) -> [String; 3] {
    let RequestEnv::DeclaredAction {
        principal,
        action,
        resource,
        ..
    } = environment
    else {
        return Default::default();
    };
    let [of_principal, of_resource, of_action] = reads;
    let text = |reads: bool, text: &dyn ToString| match reads {
        true => text.to_string(),
        false => String::new(),
    };
    [
        text(of_principal, principal),
        text(of_resource, resource),
        text(of_action, action),
    ]
}
