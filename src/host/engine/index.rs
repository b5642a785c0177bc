//! The policy index: the policies that can match a request.
//!
//! A policy whose scope names a principal or a resource is looked up through that entity; the
//! others through the action. So the policies asked about a request are the few of its action and
//! those of the roles that its principal holds, however many there are.
//!
//! What the look-up has settled is not asked again: the conditions given to Cedar no longer name the actions. And where
//! several policies begin with the same clause, as the requirements of Configuration Manager do, Cedar is asked about
//! the clause first and about the policies only if it holds.

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

/// Policies that are asked together.
#[derive(Debug)]
pub(super) struct Bucket {
    /// The policies; under a guard, without the clause they begin with.
    policies: Policies,
    /// The clause they all begin with, where it is asked first.
    guard: Option<Box<Guard>>,
    /// The entities that the conditions name and look into.
    pub looked_into: Vec<Row>,
}

/// Policies as they are evaluated, made when they are asked about: most custom roles are held by nobody in sight.
type Policies = LazyLock<Vec<Conditional>, Box<dyn FnOnce() -> Vec<Conditional> + Send>>;

/// A policy with its scope and its clauses as one condition.
#[derive(Debug)]
pub(super) struct Conditional {
    policy: ast::Policy,
    condition: ast::Expr,
}

/// A clause that stands before several policies.
#[derive(Debug)]
struct Guard {
    clause: ast::Expr,
    /// The policies with the clause, asked where it cannot be evaluated: each must say so.
    whole: Policies,
}

impl Bucket {
    /// The policies that are left to be asked once the guard has been.
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

/// The policies in force, by how a request reaches them.
#[derive(Debug)]
pub(super) struct Index {
    /// By action, those whose scope names neither principal nor resource.
    by_action: HashMap<EntityUid, Vec<Bucket>>,
    /// By the entity that the scope names, and then by action.
    by_entity: HashMap<Row, Vec<(Vec<EntityUid>, Bucket)>>,
    /// By the question they answer, and then by the type of what it is about.
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
                // An entity that stands nowhere is nobody, and nobody is in it.
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

    /// The buckets that can match a request, of which these are the principal, the resource and what they are in; for
    /// a question, the policies that answer it.
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

/// For each question the policies in force that answer it, by the types that it is asked about.
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

/// The policies with all of their conditions.
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

/// One bucket for each clause that several policies begin with, and one for the rest.
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

/// A policy without its actions, which the look-up has settled, and with another condition.
fn for_any_action(policy: &ast::Policy, condition: Option<ast::Expr>) -> ast::Policy {
    static_policy(
        policy.id().clone(),
        policy.effect(),
        policy.principal_constraint(),
        ast::ActionConstraint::any(),
        policy.resource_constraint(),
        condition,
    )
    // The policy as it stands says the same, at greater length.
    .unwrap_or_else(|| policy.clone())
}

/// The first clause of a condition, and what is left of the condition without it.
///
/// Cedar evaluates `a && b && c` from the left and stops at the first that does not hold, so a
/// condition equals its first clause followed by the rest.
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

/// The entities an expression names where Cedar looks them up: left of a dot, of `has`, of `in`.
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
