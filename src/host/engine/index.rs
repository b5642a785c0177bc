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
use std::sync::{Arc, LazyLock};

use cedar_policy::{EntityTypeName, EntityUid};
use cedar_policy_core::ast;
use fnv::FnvHashMap;

use super::Undecidable;
use super::case::Case;
use super::clause::Clauses;
use super::condition::{ConditionTree, Conditional};
use crate::bundle::{Bundle, Policy, static_policy};
use crate::decision::Request;
use tarbac_store::{Directory, Row};

/// Policies that are evaluated together.
#[derive(Debug)]
pub(super) struct Bucket {
    /// The policies; with a guard, without their first clause.
    policies: Policies,
    /// The first clause of all policies, if it is evaluated only once.
    guard: Option<ConditionTree>,
    /// The entities in the conditions whose attributes or memberships are read.
    pub looked_into: Vec<Row>,
}

/// Policies in the form for evaluation, made at their first use: most custom roles never come up.
type Policies = LazyLock<Vec<Conditional>, Box<dyn FnOnce() -> Vec<Conditional> + Send>>;

impl Bucket {
    /// The policies, each with whether it applies; without those that a guard holds off.
    pub(crate) fn asked<'b>(
        &'b self,
        case: &'b Case<'_>,
    ) -> impl Iterator<Item = (&'b Conditional, Result<bool, Undecidable>)> {
        let guard = self.guard.as_ref().map(|guard| guard.truth(case));
        let policies: &[Conditional] = match guard {
            Some(Ok(false)) => &[],
            _ => &self.policies,
        };
        let is_guard_broken = matches!(guard, Some(Err(_)));
        policies.iter().map(move |policy| {
            let applies = match is_guard_broken {
                // Each policy must report the error.
                true => policy.applies_whole(case),
                false => policy.applies(case),
            };
            (policy, applies)
        })
    }
}

/// The policies in force, by the way in which a request finds them.
#[derive(Debug)]
pub(super) struct Index {
    /// The policies whose scope names neither principal nor resource, by action.
    by_action: HashMap<EntityUid, Vec<Bucket>>,
    /// The other policies, by the entity that the scope names and then by their actions.
    by_entity: FnvHashMap<Row, Vec<(Vec<EntityUid>, Bucket)>>,
    /// The policies that answer questions, by question and then by the type of the entity that it is about.
    questions: HashMap<EntityUid, Vec<(EntityTypeName, Bucket)>>,
    /// The clauses of the policies that came up.
    clauses: Arc<Clauses>,
}

impl Index {
    /// The number of truth values of clauses that are kept.
    pub(crate) fn kept(&self) -> usize {
        self.clauses.kept()
    }

    pub(crate) fn new(bundle: &Bundle, readings: &[String], directory: &Directory) -> Self {
        let clauses = Arc::new(Clauses::default());
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
                .map(|(action, policies)| (action, guarded(&policies, directory, &clauses)))
                .collect(),
            by_entity: by_entity
                .into_iter()
                .map(|(row, by_actions)| {
                    let buckets = by_actions
                        .into_iter()
                        .map(|(actions, policies)| (actions, plain(&policies, directory, &clauses)))
                        .collect();
                    (row, buckets)
                })
                .collect(),
            questions: by_question(bundle, readings, directory, &clauses),
            clauses,
        }
    }

    /// The buckets that can match a request of an action, given the rows of the principal, the resource and their
    /// ancestors. For a question, the policies that answer it.
    pub(crate) fn matching<'i>(
        &'i self,
        request: &Request,
        is_question: bool,
        entities: impl Iterator<Item = Row>,
    ) -> impl Iterator<Item = &'i Bucket> {
        let action = &request.action;
        let asked = is_question
            .then(|| self.question(action, &request.resource))
            .flatten();
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
            .chain(asked)
    }

    /// The entities that any policy in force looks into.
    pub(crate) fn looked_into(&self) -> impl Iterator<Item = Row> + '_ {
        let by_entity = self.by_entity.values().flatten().map(|(_, bucket)| bucket);
        self.by_action
            .values()
            .flatten()
            .chain(by_entity)
            .chain(self.questions.values().flatten().map(|(_, bucket)| bucket))
            .flat_map(|bucket| bucket.looked_into.iter().copied())
    }

    /// The policies that can answer a question about an entity.
    pub(crate) fn question(&self, question: &EntityUid, about: &EntityUid) -> Option<&Bucket> {
        answering(self.answers(question), about)
    }

    /// The policies that answer a question, by the types that it can be about.
    pub(crate) fn answers(&self, question: &EntityUid) -> &[(EntityTypeName, Bucket)] {
        self.questions.get(question).map_or(&[], Vec::as_slice)
    }
}

/// Of the policies that answer a question, those that can answer it about an entity.
pub(super) fn answering<'i>(
    answers: &'i [(EntityTypeName, Bucket)],
    about: &EntityUid,
) -> Option<&'i Bucket> {
    let of_type = answers.iter().find(|(of, _)| of == about.type_name());
    of_type.map(|(_, bucket)| bucket)
}

/// For each question, the policies in force that answer it, by the types that it can be about.
fn by_question(
    bundle: &Bundle,
    readings: &[String],
    directory: &Directory,
    clauses: &Arc<Clauses>,
) -> HashMap<EntityUid, Vec<(EntityTypeName, Bucket)>> {
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
            (!policies.is_empty()).then(|| (about.clone(), plain(&policies, directory, clauses)))
        });
        (question.uid.clone(), buckets.collect())
    });
    questions.collect()
}

fn plain(policies: &[&Policy], directory: &Directory, clauses: &Arc<Clauses>) -> Bucket {
    Bucket {
        policies: conditional(policies, clauses, |policy| {
            policy.non_scope_constraints().cloned()
        }),
        guard: None,
        looked_into: looked_into(policies, directory),
    }
}

/// Policies in the form for evaluation, with what remains of their conditions.
fn conditional(
    policies: &[&Policy],
    clauses: &Arc<Clauses>,
    rest: fn(&ast::Policy) -> Option<ast::Expr>,
) -> Policies {
    let policies: Vec<ast::Policy> = policies.iter().map(|policy| policy.ast().clone()).collect();
    let clauses = Arc::clone(clauses);
    Policies::new(Box::new(move || {
        let made = policies.iter().map(|policy| {
            let rest = rest(policy);
            Conditional::new(for_any_action(policy), rest.as_ref(), &clauses)
        });
        made.collect()
    }))
}

/// A bucket for each clause that several policies begin with, and one for the other policies.
fn guarded(policies: &[&Policy], directory: &Directory, clauses: &Arc<Clauses>) -> Vec<Bucket> {
    let mut by_clause: BTreeMap<Option<String>, Vec<&Policy>> = BTreeMap::new();
    for policy in policies {
        let first = first_clause(policy.ast()).map(|(first, _)| first.to_string());
        by_clause.entry(first).or_default().push(policy);
    }
    let mut buckets = Vec::new();
    let mut unguarded = by_clause.remove(&None).unwrap_or_default();
    for of_clause in by_clause.into_values() {
        let first = of_clause.first().map(|policy| policy.ast());
        match (of_clause.as_slice(), first.and_then(first_clause)) {
            ([_, _, ..], Some((clause, _))) => buckets.push(Bucket {
                policies: conditional(&of_clause, clauses, |policy| first_clause(policy)?.1),
                guard: Some(ConditionTree::new(clause, clauses)),
                looked_into: looked_into(&of_clause, directory),
            }),
            _ => unguarded.extend(of_clause),
        }
    }
    if !unguarded.is_empty() {
        buckets.push(plain(&unguarded, directory, clauses));
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

/// A policy without its actions, which the look-up has tested.
fn for_any_action(policy: &ast::Policy) -> ast::Policy {
    static_policy(
        policy.id().clone(),
        policy.effect(),
        policy.principal_constraint(),
        ast::ActionConstraint::any(),
        policy.resource_constraint(),
        policy.non_scope_constraints().cloned(),
    )
    // The original policy decides the same, only slower.
    .unwrap_or_else(|| policy.clone())
}

/// The first clause of a condition, and the rest of the condition.
///
/// Cedar evaluates `a && b && c` from the left and stops at the first clause that is false, so the condition equals
/// its first clause followed by the rest.
fn first_clause(policy: &ast::Policy) -> Option<(&ast::Expr, Option<ast::Expr>)> {
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
    policy.non_scope_constraints().map(split)
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

#[cfg(test)]
mod tests;
