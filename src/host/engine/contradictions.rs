//! Contradictions between entities, found by policies.
//!
//! A tenant has a million devices, each in dozens of collections. The answer of a policy about two entities depends
//! only on the attributes that it reads of them, so it is evaluated once for each combination of their values.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cedar_policy::{Context, EntityTypeName};
use cedar_policy_core::ast;

use super::Engine;
use super::case::{Case, Parties};
use super::policy_finding::{policy_finding, undecided};
use crate::bundle::{Action, Policy};
use crate::decision::Request;
use tarbac_diagnostic::finding::Finding;
use tarbac_store::Row;

/// The most findings of one policy.
const SHOWN: usize = 100;

/// The policies that find a contradiction between two entities, by id, and the errors.
#[derive(Default)]
struct Verdict {
    policies: Vec<String>,
    errors: Vec<String>,
}

impl Engine {
    /// Findings about entities that contradict their parents or entities that they refer to, by the policies that
    /// answer the question `contradiction`.
    pub(super) fn contradictions(&self) -> Vec<Finding> {
        let Some(action) = self.question("contradiction") else {
            return Vec::new();
        };
        let answering: Vec<&Policy> = self
            .bundle
            .in_force(&self.readings)
            .filter(|policy| policy.action_scope().answers(action))
            .collect();
        let by = read(&answering, ast::Var::Principal);
        let about = read(&answering, ast::Var::Resource);
        let mut found = FindingsByPolicy::default();
        for type_name in &action.principals {
            let types = std::slice::from_ref(type_name);
            let may_answer = |of: &&EntityTypeName| {
                let of = std::slice::from_ref(*of);
                let mut policies = answering.iter();
                policies.any(|policy| policy.may_apply_among(action, types, of))
            };
            let of: Vec<EntityTypeName> = action
                .resources
                .iter()
                .filter(may_answer)
                .cloned()
                .collect();
            if of.is_empty() {
                continue;
            }
            let mut verdicts: HashMap<(EntityKey, &str, EntityKey), Verdict> = HashMap::new();
            self.directory
                .related(type_name, &of, by.as_deref(), |row, other| {
                    let key = (
                        self.key(row, by.as_deref()),
                        self.directory.type_name(other),
                        self.key(other, about.as_deref()),
                    );
                    let verdict = verdicts
                        .entry(key)
                        .or_insert_with(|| self.verdict(action, row, other));
                    for error in &verdict.errors {
                        found.add(error, || {
                            let place = self.directory.place(other);
                            Some(undecided("contradiction", error, place))
                        });
                    }
                    for id in &verdict.policies {
                        found.add(id, || self.contradiction(id, row, other));
                    }
                });
        }
        found.findings(&self.bundle)
    }

    /// The values of an entity that the policies read, or the entity itself if they read its identity.
    fn key(&self, row: Row, attributes: Option<&[String]>) -> EntityKey {
        match attributes {
            Some(attributes) => EntityKey::Alike(self.directory.values(row, attributes)),
            None => EntityKey::Row(row),
        }
    }

    fn verdict(&self, action: &Action, row: Row, other: Row) -> Verdict {
        let request = Request {
            principal: self.directory.uid(row),
            action: action.uid.clone(),
            resource: self.directory.uid(other),
            context: Context::empty(),
        };
        let parties = Parties {
            principal: row,
            resource: other,
        };
        let case = Case::of_directory(self, &request, Some(parties), vec![row]);
        let outcome = self.put(&request, &case);
        let policies = self.policies(&outcome).into_iter();
        Verdict {
            policies: policies.map(|policy| policy.id().to_owned()).collect(),
            errors: outcome.errors,
        }
    }

    fn contradiction(&self, id: &str, row: Row, other: Row) -> Option<Finding> {
        let policy = self.bundle.policy(id)?;
        let (uid, other_uid) = (self.directory.uid(row), self.directory.uid(other));
        let mut finding = policy_finding(policy, format_args!("`{uid}` and `{other_uid}`"));
        for (row, text) in [(row, "this one"), (other, "and this one")] {
            if let Some(place) = self.directory.place(row) {
                finding = finding.label(place, text);
            }
        }
        Some(finding)
    }
}

/// The facts about an entity that the answers of policies depend on.
#[derive(PartialEq, Eq, Hash)]
enum EntityKey {
    /// The values of the attributes that policies read.
    Alike(Vec<u32>),
    /// The entity itself.
    Row(Row),
}

/// The attributes of the principal or resource that policies read; `None` if they read its identity or memberships.
fn read(policies: &[&Policy], var: ast::Var) -> Option<Vec<String>> {
    let is_var = |expression: &ast::Expr| matches!(expression.expr_kind(), ast::ExprKind::Var(of) if *of == var);
    let mut attributes: BTreeSet<String> = BTreeSet::new();
    for policy in policies {
        let anchor = match var {
            ast::Var::Principal => policy.principal_anchor(),
            _ => policy.resource_anchor(),
        };
        if anchor.is_some() {
            return None;
        }
        let condition = policy.ast().non_scope_constraints();
        let parts = condition.into_iter().flat_map(ast::Expr::subexpressions);
        let (mut met, mut accounted_for) = (0, 0);
        for part in parts {
            match part.expr_kind() {
                ast::ExprKind::GetAttr { expr, attr } | ast::ExprKind::HasAttr { expr, attr }
                    if is_var(expr) =>
                {
                    attributes.insert(attr.to_string());
                    accounted_for += 1;
                }
                ast::ExprKind::Is { expr, .. } if is_var(expr) => accounted_for += 1,
                ast::ExprKind::Var(of) if *of == var => met += 1,
                _ => {}
            }
        }
        if met != accounted_for {
            return None;
        }
    }
    Some(attributes.into_iter().collect())
}

/// Findings by the policy or error that they come from, with a limit for each.
#[derive(Default)]
struct FindingsByPolicy(BTreeMap<String, (usize, Vec<Finding>)>);

impl FindingsByPolicy {
    fn add(&mut self, from: &str, finding: impl FnOnce() -> Option<Finding>) {
        let (count, findings) = self.0.entry(from.to_owned()).or_default();
        *count += 1;
        if *count <= SHOWN {
            findings.extend(finding());
        }
    }

    fn findings(self, bundle: &crate::bundle::Bundle) -> Vec<Finding> {
        let mut all = Vec::new();
        for (from, (count, mut findings)) in self.0 {
            if let Some(more) = count.checked_sub(SHOWN).filter(|more| *more > 0)
                && let Some(last) = findings.last_mut()
                && bundle.policy(&from).is_some()
            {
                last.message = format!("{}, and {more} more", last.message);
            }
            all.extend(findings);
        }
        all
    }
}
