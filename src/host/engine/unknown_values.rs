//! Policies that do not decide by values that are not known.
//!
//! An entity can record which of its attributes have an assumed value (`@assumed` in the schema). Where a policy of the
//! workspace would allow more by such a value, each of its reads becomes
//! `if E has assumed && E.assumed.contains("attribute") then UNKNOWN else E.attribute`, with Cedar's own expression for
//! an unknown value. So the policy is as it was about all other entities, and cannot be evaluated about these.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cedar_policy_core::ast::{self, Expr, ExprKind, Unknown};

use super::Engine;
use super::assumed::{Assumptions, looks_at};
use crate::bundle::{Bundle, Scope, Switches, UnknownReading, text};
use tarbac_store::Directory;

impl Engine {
    /// The engine that does not decide by values which the directory only assumes: where a policy of the workspace would
    /// allow more by one, it is not known whether the policy applies.
    ///
    /// # Errors
    /// A switch names no reading of the bundle.
    pub(crate) fn without_assumptions(self, switches: &Switches) -> Result<Self, UnknownReading> {
        let bundle = without_assumptions(&self.bundle, &self.directory);
        match bundle {
            None => Ok(self),
            Some(bundle) => Self::new(Arc::new(bundle), self.directory, switches),
        }
    }
}

/// The bundle with policies that do not decide by what is assumed in this directory; `None` where none would.
fn without_assumptions(bundle: &Bundle, directory: &Directory) -> Option<Bundle> {
    let assumptions = Assumptions::new(bundle, directory);
    let mut by_policy: BTreeMap<&str, BTreeSet<(String, String)>> = BTreeMap::new();
    for dependency in assumptions.dependencies() {
        if dependency.is_decisive() {
            let of_policy = by_policy.entry(dependency.policy.id()).or_default();
            of_policy.insert(dependency.attribute);
        }
    }
    if by_policy.is_empty() {
        return None;
    }
    let bodies = by_policy.into_iter().filter_map(|(id, attributes)| {
        let policy = bundle.policy(id)?;
        let rewriter = Rewriter {
            scope: Scope::for_policy(policy, bundle.vocabulary()),
            recording: bundle.vocabulary().assumed().collect(),
            attributes,
        };
        Some((id.to_owned(), rewriter.policy(policy.written())?))
    });
    let bodies = bodies.collect();
    Some(bundle.evaluated_as(&bodies))
}

struct Rewriter<'b> {
    scope: Scope<'b>,
    /// The attribute that records the assumed ones, by entity type.
    recording: BTreeMap<&'b str, &'b str>,
    /// The attributes, each after its entity type.
    attributes: BTreeSet<(String, String)>,
}

impl Rewriter<'_> {
    /// The policy with the reads of these attributes replaced.
    fn policy(&self, policy: &ast::Policy) -> Option<ast::Policy> {
        let annotations = policy.annotations();
        let annotations = annotations.map(|(key, value)| (key.clone(), value.clone()));
        let template = ast::Template::new(
            policy.id().clone(),
            policy.loc().cloned(),
            annotations.collect(),
            policy.effect(),
            policy.principal_constraint(),
            policy.action_constraint().clone(),
            policy.resource_constraint(),
            Some(self.rewritten(policy.non_scope_constraints()?)),
        );
        ast::Template::try_as_policy(Arc::new(template)).ok()
    }

    /// An expression in which the reads are replaced. Each part keeps its place in the text.
    fn rewritten(&self, expression: &Expr) -> Expr {
        let part = |part: &Arc<Expr>| self.rewritten(part);
        let parts = |parts: &Arc<Vec<Expr>>| -> Vec<Expr> {
            parts.iter().map(|part| self.rewritten(part)).collect()
        };
        let rewritten = match expression.expr_kind() {
            ExprKind::If {
                test_expr,
                then_expr,
                else_expr,
            } => Expr::ite(part(test_expr), part(then_expr), part(else_expr)),
            ExprKind::And { left, right } => Expr::and(part(left), part(right)),
            ExprKind::Or { left, right } => Expr::or(part(left), part(right)),
            ExprKind::UnaryApp { op, arg } => Expr::unary_app(*op, part(arg)),
            ExprKind::BinaryApp { op, arg1, arg2 } => Expr::binary_app(*op, part(arg1), part(arg2)),
            ExprKind::ExtensionFunctionApp { fn_name, args } => {
                Expr::call_extension_fn(fn_name.clone(), parts(args))
            }
            ExprKind::GetAttr { expr, attr } => Expr::get_attr(part(expr), attr.clone()),
            ExprKind::HasAttr { expr, attr } => Expr::has_attr(part(expr), attr.clone()),
            ExprKind::ExtHasAttr { expr, attrs } => {
                Expr::extended_has_attr(part(expr), attrs.clone())
            }
            ExprKind::Like { expr, pattern } => Expr::like(part(expr), pattern.clone()),
            ExprKind::Is { expr, entity_type } => {
                Expr::is_entity_type(part(expr), entity_type.clone())
            }
            ExprKind::Set(elements) => Expr::set(parts(elements)),
            ExprKind::Record(fields) => {
                let fields = fields.iter();
                let fields = fields.map(|(key, value)| (key.clone(), self.rewritten(value)));
                Expr::record_arc(Arc::new(fields.collect()))
            }
            _ => expression.clone(),
        };
        let rewritten = rewritten.with_maybe_source_loc(expression.source_loc().cloned());
        match looks_at(expression) {
            Some((of, attribute)) => self.guarded(expression, rewritten, of, attribute),
            None => rewritten,
        }
    }

    /// A read, behind the test whether the value is known.
    fn guarded(&self, read: &Expr, rewritten: Expr, of: &Expr, attribute: &str) -> Expr {
        let owners = self.scope.possible_owners(of, attribute).into_iter();
        let known = owners.filter(|owner| {
            let key = (owner.clone(), attribute.to_owned());
            self.attributes.contains(&key)
        });
        let recording: BTreeSet<&str> = known
            .filter_map(|owner| self.recording.get(owner.as_str()).copied())
            .collect();
        let place = read.source_loc().cloned();
        recording.into_iter().fold(rewritten, |rest, recording| {
            let of = self.rewritten(of);
            let recorded = Expr::get_attr(of.clone(), recording.into());
            let is_assumed = Expr::and(
                Expr::has_attr(of, recording.into()),
                Expr::contains(recorded, Expr::val(attribute)),
            );
            let unknown = Expr::unknown(Unknown::new_untyped(text(read)));
            Expr::ite(is_assumed, unknown, rest).with_maybe_source_loc(place.clone())
        })
    }
}
