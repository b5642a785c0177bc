//! The policy index: the policies that can match a request.
//!
//! A policy whose scope names a principal or a resource is found through that entity, all others through the action.
//! So the policies that are evaluated for a request are those of its action and of the roles that its principal holds,
//! however many there are.
//!
//! The conditions that Cedar evaluates no longer test the action, because the look-up has. If several policies begin
//! with the same clause, as the requirements of Configuration Manager do, Cedar evaluates this clause first, and the
//! policies only if it holds.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use cedar_policy::{EntityTypeName, EntityUid};
use cedar_policy_core::ast;
use cedar_policy_core::evaluator::Evaluator;

use super::Undecidable;
use super::evaluation::truth;
use crate::bundle::{Bundle, Policy, static_policy};
use crate::decision::Request;
use tarbac_store::{Directory, Row};

/// Policies that are evaluated together.
#[derive(Debug)]
pub(super) struct Bucket {
    /// The policies; with a guard, without their first clause.
    policies: Policies,
    /// The first clause of all policies, if it is evaluated only once.
    guard: Option<Box<Guard>>,
    /// The entities in the conditions whose attributes or memberships are read.
    pub looked_into: Vec<Row>,
}

/// Policies in the form for evaluation, made at their first use: most custom roles never come up.
type Policies = LazyLock<Vec<Conditional>, Box<dyn FnOnce() -> Vec<Conditional> + Send>>;

/// A policy with its scope and clauses as one condition.
#[derive(Debug)]
pub(super) struct Conditional {
    policy: ast::Policy,
    condition: ast::Expr,
}

/// A clause that several policies begin with.
#[derive(Debug)]
struct Guard {
    clause: ast::Expr,
    /// The whole policies, for the case that the clause cannot be evaluated: each must report the error.
    whole: Policies,
}

impl Bucket {
    /// The policies that remain to be evaluated after the guard.
    pub(crate) fn asked(&self, evaluator: &Evaluator<'_>) -> &[Conditional] {
        let Some(guard) = &self.guard else {
            return &self.policies;
        };
        match truth(evaluator, &guard.clause, &ast::SlotEnv::new()) {
            Ok(true) => &self.policies,
            Ok(false) => &[],
            Err(_) => &guard.whole,
        }
    }
}

impl Conditional {
    fn new(policy: ast::Policy) -> Self {
        Self {
            condition: policy.condition(),
            policy,
        }
    }

    pub(crate) fn id(&self) -> &ast::PolicyID {
        self.policy.id()
    }

    pub(crate) fn effect(&self) -> ast::Effect {
        self.policy.effect()
    }

    /// Whether the policy applies.
    pub(crate) fn applies(&self, evaluator: &Evaluator<'_>) -> Result<bool, Undecidable> {
        truth(evaluator, &self.condition, self.policy.env())
    }
}

/// The policies in force, by the way in which a request finds them.
#[derive(Debug)]
pub(super) struct Index {
    /// The policies whose scope names neither principal nor resource, by action.
    by_action: HashMap<EntityUid, Vec<Bucket>>,
    /// The other policies, by the entity that the scope names and then by their actions.
    by_entity: HashMap<Row, Vec<(Vec<EntityUid>, Bucket)>>,
    /// The policies that answer questions, by question and then by the type of the entity that it is about.
    questions: HashMap<EntityUid, HashMap<EntityTypeName, Bucket>>,
}

impl Index {
    pub(crate) fn new(bundle: &Bundle, readings: &[String], directory: &Directory) -> Self {
        let mut by_action: BTreeMap<EntityUid, Vec<&Policy>> = BTreeMap::new();
        let mut by_entity: BTreeMap<Row, BTreeMap<Vec<EntityUid>, Vec<&Policy>>> = BTreeMap::new();
        for policy in bundle.in_force(readings) {
            let permissions: Vec<EntityUid> = bundle
                .permissions_of(policy)
                .map(|action| action.uid.clone())
                .collect();
            if permissions.is_empty() {
                continue;
            }
            match policy
                .principal_anchor()
                .or_else(|| policy.resource_anchor())
            {
                // No principal or resource can be, or be in, an entity without a row.
                Some(anchor) => {
                    if let Some(row) = directory.row(&anchor) {
                        by_entity
                            .entry(row)
                            .or_default()
                            .entry(permissions)
                            .or_default()
                            .push(policy);
                    }
                }
                None => {
                    for action in permissions {
                        by_action.entry(action).or_default().push(policy);
                    }
                }
            }
        }
        Self {
            by_action: by_action
                .into_iter()
                .map(|(action, policies)| (action, guarded(&policies, directory)))
                .collect(),
            by_entity: by_entity
                .into_iter()
                .map(|(row, by_actions)| {
                    let buckets = by_actions
                        .into_iter()
                        .map(|(actions, policies)| (actions, plain(&policies, directory)))
                        .collect();
                    (row, buckets)
                })
                .collect(),
            questions: by_question(bundle, readings, directory),
        }
    }

    /// The buckets that can match a request, given the rows of the principal, the resource and their ancestors. For a
    /// question, the policies that answer it.
    pub(crate) fn matching<'i>(
        &'i self,
        request: &Request,
        entities: impl Iterator<Item = Row>,
    ) -> impl Iterator<Item = &'i Bucket> {
        let action = &request.action;
        let of_entities = entities
            .filter_map(|row| self.by_entity.get(&row))
            .flatten()
            .filter(move |(actions, _)| actions.contains(action))
            .map(|(_, bucket)| bucket);
        self.by_action
            .get(action)
            .into_iter()
            .flatten()
            .chain(of_entities)
            .chain(self.question(action, &request.resource))
    }

    /// The entities that any policy in force looks into.
    pub(crate) fn looked_into(&self) -> impl Iterator<Item = Row> + '_ {
        let by_entity = self.by_entity.values().flatten().map(|(_, bucket)| bucket);
        self.by_action
            .values()
            .flatten()
            .chain(by_entity)
            .chain(self.questions.values().flat_map(HashMap::values))
            .flat_map(|bucket| bucket.looked_into.iter().copied())
    }

    /// The policies that can answer a question about an entity.
    pub(crate) fn question(&self, question: &EntityUid, about: &EntityUid) -> Option<&Bucket> {
        self.questions.get(question)?.get(about.type_name())
    }
}

/// For each question, the policies in force that answer it, by the types that it can be about.
fn by_question(
    bundle: &Bundle,
    readings: &[String],
    directory: &Directory,
) -> HashMap<EntityUid, HashMap<EntityTypeName, Bucket>> {
    let mut answering: BTreeMap<&EntityUid, Vec<&Policy>> = BTreeMap::new();
    for policy in bundle.in_force(readings) {
        for question in bundle.questions_of(policy) {
            answering.entry(&question.uid).or_default().push(policy);
        }
    }
    let questions = bundle.vocabulary().questions().map(|question| {
        let answering = answering.remove(&question.uid).unwrap_or_default();
        let buckets = question.resources.iter().filter_map(|about| {
            let types = (&question.principals, std::slice::from_ref(about));
            let applies = |policy: &&Policy| policy.may_apply_among(question, types.0, types.1);
            let policies: Vec<&Policy> = answering.iter().copied().filter(applies).collect();
            (!policies.is_empty()).then(|| (about.clone(), plain(&policies, directory)))
        });
        (question.uid.clone(), buckets.collect())
    });
    questions.collect()
}

fn plain(policies: &[&Policy], directory: &Directory) -> Bucket {
    Bucket {
        policies: whole(policies),
        guard: None,
        looked_into: looked_into(policies, directory),
    }
}

/// Policies with all of their conditions.
fn whole(policies: &[&Policy]) -> Policies {
    let policies: Vec<ast::Policy> = policies.iter().map(|policy| policy.ast().clone()).collect();
    Policies::new(Box::new(move || {
        let whole = policies.iter().map(|policy| {
            let condition = policy.non_scope_constraints().cloned();
            Conditional::new(for_any_action(policy, condition))
        });
        whole.collect()
    }))
}

/// A bucket for each clause that several policies begin with, and one for the other policies.
fn guarded(policies: &[&Policy], directory: &Directory) -> Vec<Bucket> {
    let mut by_clause: BTreeMap<Option<String>, Vec<&Policy>> = BTreeMap::new();
    for policy in policies {
        let first = first_clause(policy).map(|(first, _)| first.to_string());
        by_clause.entry(first).or_default().push(policy);
    }
    let mut buckets = Vec::new();
    let mut unguarded = by_clause.remove(&None).unwrap_or_default();
    for of_clause in by_clause.into_values() {
        let clause = of_clause.first().copied().and_then(first_clause);
        match (of_clause.as_slice(), clause) {
            ([_, _, ..], Some((clause, _))) => {
                let rest = of_clause.iter().map(|policy| {
                    let rest = first_clause(policy).and_then(|(_, rest)| rest);
                    for_any_action(policy.ast(), rest)
                });
                let rest: Vec<ast::Policy> = rest.collect();
                buckets.push(Bucket {
                    policies: Policies::new(Box::new(move || {
                        rest.into_iter().map(Conditional::new).collect()
                    })),
                    guard: Some(Box::new(Guard {
                        clause: clause.clone(),
                        whole: whole(&of_clause),
                    })),
                    looked_into: looked_into(&of_clause, directory),
                });
            }
            _ => unguarded.extend(of_clause),
        }
    }
    if !unguarded.is_empty() {
        buckets.push(plain(&unguarded, directory));
    }
    buckets
}

fn looked_into(policies: &[&Policy], directory: &Directory) -> Vec<Row> {
    let mut rows: Vec<Row> = policies
        .iter()
        .filter_map(|policy| policy.ast().non_scope_constraints())
        .flat_map(literals_looked_into)
        .filter_map(|uid| directory.row(&EntityUid::from(uid)))
        .collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// A policy without its actions, which the look-up has tested, and with another condition.
fn for_any_action(policy: &ast::Policy, condition: Option<ast::Expr>) -> ast::Policy {
    static_policy(
        policy.id().clone(),
        policy.effect(),
        policy.principal_constraint(),
        ast::ActionConstraint::any(),
        policy.resource_constraint(),
        condition,
    )
    // The original policy decides the same, only slower.
    .unwrap_or_else(|| policy.clone())
}

/// The first clause of a condition, and the rest of the condition.
///
/// Cedar evaluates `a && b && c` from the left and stops at the first clause that is false, so the condition equals
/// its first clause followed by the rest.
fn first_clause(policy: &Policy) -> Option<(&ast::Expr, Option<ast::Expr>)> {
    fn split(expression: &ast::Expr) -> (&ast::Expr, Option<ast::Expr>) {
        match expression.expr_kind() {
            ast::ExprKind::And { left, right } => {
                let (first, rest) = split(left);
                let right = right.as_ref().clone();
                let rest = match rest {
                    Some(rest) => ast::Expr::and(rest, right),
                    None => right,
                };
                (first, Some(rest))
            }
            _ => (expression, None),
        }
    }
    policy.ast().non_scope_constraints().map(split)
}

/// The entities that an expression names where Cedar looks them up: left of a dot, of `has`, and of `in`.
fn literals_looked_into(expression: &ast::Expr) -> Vec<ast::EntityUID> {
    let mut found = Vec::new();
    for part in expression.subexpressions() {
        let looked_into = match part.expr_kind() {
            ast::ExprKind::GetAttr { expr, .. }
            | ast::ExprKind::HasAttr { expr, .. }
            | ast::ExprKind::ExtHasAttr { expr, .. } => expr,
            ast::ExprKind::BinaryApp {
                op: ast::BinaryOp::In | ast::BinaryOp::GetTag | ast::BinaryOp::HasTag,
                arg1,
                ..
            } => arg1,
            _ => continue,
        };
        for leaf in looked_into.subexpressions() {
            if let ast::ExprKind::Lit(ast::Literal::EntityUID(uid)) = leaf.expr_kind() {
                found.push(uid.as_ref().clone());
            }
        }
    }
    found
}
