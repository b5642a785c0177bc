//! The conditions of policies, split by principal, resource or both.
//!
//! Some parts of a condition read only the principal, some only the resource, and some both. For the first two, only
//! the truth value matters, so that a pattern for the names of devices makes two classes and not a million. One kind
//! of part that reads both is common in Configuration Manager: whether the device is in one of the principal's
//! collections. Such a [`MembershipTest`] splits the devices for each principal alone. So does an [`EqualityTest`], whose
//! set is that of the devices with the principal's value. Other parts that read both tell entities apart by every value
//! that they read.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy_core::ast;

use crate::bulk::index::DecidingId;
use tarbac_host::bundle::{Policy, Scope, Vocabulary};
use tarbac_host::engine::{ReadSetBuilder, Variables};
use tarbac_store::index::IndexVec;

/// The conditions of some policies.
#[derive(Debug, Default)]
pub(super) struct SplitConditions {
    /// The parts about the principal.
    pub principal: Side,
    /// The parts about the resource.
    pub resource: Side,
    /// The membership tests, by the text of the set and whether only the resource itself counts.
    membership_tests: BTreeMap<(String, bool), MembershipTest>,
    /// The equality tests, by the attributes of the principal and of the resource.
    equality_tests: BTreeMap<(Option<String>, String), EqualityTest>,
}

/// The parts about the principal, or about the resource.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// The conditions whose truth value alone matters, by their text.
    conditions: BTreeMap<String, ast::Expr>,
    /// The read set outside of the conditions, whose values matter.
    pub values: ReadSetBuilder,
    /// The whole read set.
    pub everything: ReadSetBuilder,
}

/// A test whether the resource is in a set of the principal.
#[derive(Debug)]
pub(super) struct MembershipTest {
    /// The expression of the set, or of one entity.
    pub set: ast::Expr,
    /// Whether the resource must be one of the entities; otherwise it may also be in one.
    pub is_itself: bool,
    /// The policies with this test.
    pub policies: BTreeSet<DecidingId>,
}

/// A test whether an attribute of the resource equals the principal, or an attribute of it.
///
/// The values are Booleans, numbers, texts or entities, which the store numbers.
#[derive(Debug)]
pub(super) struct EqualityTest {
    /// The attribute of the principal; `None` for the principal itself.
    pub principal: Option<String>,
    /// The attribute of the resource.
    pub resource: String,
    /// The policies with this test.
    pub policies: BTreeSet<DecidingId>,
}

impl SplitConditions {
    /// Splits the conditions of policies.
    pub(super) fn new(policies: &IndexVec<DecidingId, &Policy>, vocabulary: &Vocabulary) -> Self {
        let mut parts = Self::default();
        for (id, policy) in policies.iter_enumerated() {
            if let Some(anchor) = policy.principal_anchor() {
                parts.principal.add_entity(&anchor);
            }
            if let Some(anchor) = policy.resource_anchor() {
                parts.resource.add_entity(&anchor);
            }
            if let Some(condition) = policy.ast().non_scope_constraints() {
                parts.split(condition, &Scope::for_policy(policy, vocabulary), id);
            }
        }
        parts
    }

    /// The membership tests.
    pub(super) fn membership_tests(&self) -> impl Iterator<Item = &MembershipTest> {
        self.membership_tests.values()
    }

    /// The equality tests.
    pub(super) fn equality_tests(&self) -> impl Iterator<Item = &EqualityTest> {
        self.equality_tests.values()
    }

    fn split(&mut self, condition: &ast::Expr, scope: &Scope<'_>, policy: DecidingId) {
        let variables = Variables::new(condition);
        if variables.is_principal_alone() {
            return self.principal.add(condition, scope);
        }
        if variables.is_resource_alone() {
            return self.resource.add(condition, scope);
        }
        match condition.expr_kind() {
            ast::ExprKind::And { left, right } | ast::ExprKind::Or { left, right } => {
                self.split(left, scope, policy);
                self.split(right, scope, policy);
            }
            ast::ExprKind::UnaryApp {
                op: ast::UnaryOp::Not,
                arg,
            } => self.split(arg, scope, policy),
            ast::ExprKind::If {
                test_expr,
                then_expr,
                else_expr,
            } => {
                for part in [test_expr, then_expr, else_expr] {
                    self.split(part, scope, policy);
                }
            }
            _ => self.add_test(condition, scope, policy),
        }
    }

    /// Adds a part that reads both.
    fn add_test(&mut self, condition: &ast::Expr, scope: &Scope<'_>, policy: DecidingId) {
        if let Some((set, is_itself)) = membership_test(condition) {
            self.principal.read(|read_set| read_set.add(set, scope));
            let tests = self.membership_tests.entry((set.to_string(), is_itself));
            let test = tests.or_insert_with(|| MembershipTest {
                set: set.clone(),
                is_itself,
                policies: BTreeSet::new(),
            });
            test.policies.insert(policy);
        } else if let Some((principal, resource)) = equality_test(condition, scope) {
            let tests = self
                .equality_tests
                .entry((principal.clone(), resource.clone()));
            let test = tests.or_insert_with(|| EqualityTest {
                principal,
                resource,
                policies: BTreeSet::new(),
            });
            test.policies.insert(policy);
        } else {
            let add = |read_set: &mut ReadSetBuilder| read_set.add(condition, scope);
            self.principal.read(add);
            self.resource.read(add);
        }
    }
}

impl Side {
    /// The conditions whose truth value alone matters.
    pub(super) fn conditions(&self) -> impl Iterator<Item = &ast::Expr> {
        self.conditions.values()
    }

    fn add(&mut self, condition: &ast::Expr, scope: &Scope<'_>) {
        self.everything.add(condition, scope);
        self.conditions
            .entry(condition.to_string())
            .or_insert_with(|| condition.clone());
    }

    fn add_entity(&mut self, anchor: &cedar_policy::EntityUid) {
        self.read(|read_set| read_set.add_entity(anchor.clone()));
    }

    /// Adds to the read set outside of the conditions.
    pub(super) fn read(&mut self, add: impl Fn(&mut ReadSetBuilder)) {
        add(&mut self.values);
        add(&mut self.everything);
    }
}

/// The set of the principal that a condition asks the resource to be in, and whether only the resource itself counts.
fn membership_test(condition: &ast::Expr) -> Option<(&ast::Expr, bool)> {
    let ast::ExprKind::BinaryApp { op, arg1, arg2 } = condition.expr_kind() else {
        return None;
    };
    let is_resource =
        |part: &ast::Expr| matches!(part.expr_kind(), ast::ExprKind::Var(ast::Var::Resource));
    let (set, is_itself) = match op {
        ast::BinaryOp::In if is_resource(arg1) => (arg2, false),
        ast::BinaryOp::Eq if is_resource(arg1) => (arg2, true),
        ast::BinaryOp::Eq | ast::BinaryOp::Contains if is_resource(arg2) => (arg1, true),
        _ => return None,
    };
    Variables::new(set)
        .is_principal_alone()
        .then_some((set.as_ref(), is_itself))
}

/// The attribute of the principal (`None` for the principal itself) and that of the resource that a condition compares.
fn equality_test(condition: &ast::Expr, scope: &Scope<'_>) -> Option<(Option<String>, String)> {
    let ast::ExprKind::BinaryApp {
        op: ast::BinaryOp::Eq,
        arg1,
        arg2,
    } = condition.expr_kind()
    else {
        return None;
    };
    if !scope.is_scalar(arg1) || !scope.is_scalar(arg2) {
        return None;
    }
    let side = |part: &ast::Expr| match part.expr_kind() {
        ast::ExprKind::Var(of) => Some((*of, None)),
        ast::ExprKind::GetAttr { expr, attr } => match expr.expr_kind() {
            ast::ExprKind::Var(of) => Some((*of, Some(attr.to_string()))),
            _ => None,
        },
        _ => None,
    };
    match (side(arg1)?, side(arg2)?) {
        ((ast::Var::Principal, principal), (ast::Var::Resource, Some(resource)))
        | ((ast::Var::Resource, Some(resource)), (ast::Var::Principal, principal)) => {
            Some((principal, resource))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bulk::tests::{engine, permit, policies};

    /// The conditions about the principal and about the resource, the membership tests and the equality tests, each with
    /// the number of policies that have it.
    type Parts = (
        Vec<String>,
        Vec<String>,
        Vec<(String, bool, usize)>,
        Vec<(Option<String>, String, usize)>,
    );

    /// The parts of permits with these conditions.
    fn parts(conditions: &[&str]) -> Parts {
        let numbered = conditions.iter().enumerate();
        let text: String = numbered
            .map(|(number, condition)| permit(&format!("p{number}"), condition))
            .collect();
        let engine = engine(&text, &[]);
        let of_policies = policies(&engine).into_iter().collect();
        let parts = SplitConditions::new(&of_policies, engine.bundle().vocabulary());
        let texts = |side: &Side| side.conditions().map(ToString::to_string).collect();
        let members = parts
            .membership_tests()
            .map(|test| (test.set.to_string(), test.is_itself, test.policies.len()));
        let equal = parts.equality_tests().map(|test| {
            let asked = test.policies.len();
            (test.principal.clone(), test.resource.clone(), asked)
        });
        (
            texts(&parts.principal),
            texts(&parts.resource),
            members.collect(),
            equal.collect(),
        )
    }

    fn members(condition: &str) -> Vec<(String, bool, usize)> {
        parts(&[condition]).2
    }

    #[test]
    fn a_part_about_one_side_is_a_condition_of_that_side() {
        let (principal, resource, members, equal) =
            parts(&["principal has name && principal.name == \"a\" && resource.name like \"b*\""]);
        assert_eq!(
            principal,
            [r#"(principal has name) && (principal.name == "a")"#]
        );
        assert_eq!(resource, [r#"resource.name like "b*""#]);
        assert_eq!((members, equal), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_set_of_the_principal_is_a_membership_test() {
        let granted = "principal.granted".to_owned();
        let in_set = members("principal has granted && resource in principal.granted");
        assert_eq!(in_set, [(granted.clone(), false, 1)]);
        let negated = members("principal has granted && !(resource in principal.granted)");
        assert_eq!(negated, [(granted.clone(), false, 1)]);
        let devices = "principal.devices".to_owned();
        let contained = members("principal has devices && principal.devices.contains(resource)");
        assert_eq!(contained, [(devices, true, 1)]);
        let chosen = "principal has granted && (if resource in principal.granted then resource.weight > 1 else false)";
        assert_eq!(members(chosen), [(granted, false, 1)]);
    }

    #[test]
    fn an_equal_value_of_both_is_an_equality_test_in_either_order() {
        let (principal, resource, members, equal) = parts(&[
            "principal has name && resource has owner && principal.name == resource.owner",
            "principal has name && resource has owner && resource.owner == principal.name",
        ]);
        assert_eq!(principal, ["principal has name"]);
        assert_eq!(resource, ["resource has owner"]);
        assert_eq!(members, []);
        assert_eq!(equal, [(Some("name".to_owned()), "owner".to_owned(), 2)]);
    }

    #[test]
    fn any_other_part_about_both_is_read_by_its_values() {
        let condition = "principal has name && [principal.name, \"x\"].contains(resource.name)";
        let engine = engine(&permit("p", condition), &[]);
        let of_policies = policies(&engine).into_iter().collect();
        let parts = SplitConditions::new(&of_policies, engine.bundle().vocabulary());
        assert_eq!(parts.membership_tests().count(), 0);
        assert_eq!(parts.equality_tests().count(), 0);
        assert!(parts.resource.values.reads_attribute("name"));
        assert!(parts.principal.values.reads_attribute("name"));
    }
}
