//! Conditions without conditions around them.

use std::collections::BTreeMap;

use cedar_policy::EntityUid;
use cedar_policy_core::ast::{BinaryOp, Expr, ExprKind, Literal, Var};

use super::super::absence::Side;
use super::search::{How, Search, Value, are};

impl<'p> Search<'_, 'p> {
    /// The values of a condition without conditions around it. Tests within it have no direction.
    pub(super) fn leaf(&mut self, part: &'p Expr, side: Side, reached: &[usize]) -> Vec<Value> {
        for test in part.subexpressions() {
            let is_whole = std::ptr::eq(test, part);
            if (!is_whole || side.allows_more(self.policy.effect())) && self.asks_for_group(test) {
                self.add(test, How::Group, reached.to_vec());
            }
            if is_whole || !is_test(test) {
                continue;
            }
            let values = self.values(test, reached);
            if !values.is_empty() && are(&values, false) {
                self.add(test, How::Never, reached.to_vec());
            }
        }
        let values = self.values(part, reached);
        self.of_some(part, side, &values, reached);
        values
    }

    /// Adds a comparison of entities that is false of everything of some types, but not of all.
    pub(super) fn of_some(
        &mut self,
        part: &'p Expr,
        side: Side,
        values: &[Value],
        reached: &[usize],
    ) {
        let compares = matches!(part.expr_kind(), ExprKind::BinaryApp { op, .. }
            if matches!(op, BinaryOp::In | BinaryOp::Eq));
        if !compares || are(values, false) || !side.allows_more(self.policy.effect()) {
            return;
        }
        let mut of_types: BTreeMap<[usize; 2], Option<Vec<usize>>> = BTreeMap::new();
        for (at, value) in reached.iter().zip(values) {
            let Some(environment) = self.environments.get(*at) else {
                continue;
            };
            let of_type = of_types
                .entry(environment.types())
                .or_insert_with(|| Some(Vec::new()));
            match (value, of_type.as_mut()) {
                (Some(false), Some(all)) => all.push(*at),
                _ => *of_type = None,
            }
        }
        let never: Vec<usize> = of_types.into_values().flatten().flatten().collect();
        if !never.is_empty() {
            self.add(part, How::OfSome, never);
        }
    }

    /// Whether an expression looks for the action among actions of which one is a group.
    fn asks_for_group(&self, part: &Expr) -> bool {
        let ExprKind::BinaryApp { op, arg1, arg2 } = part.expr_kind() else {
            return false;
        };
        let looks = match op {
            BinaryOp::Contains | BinaryOp::ContainsAll | BinaryOp::ContainsAny => true,
            BinaryOp::Eq => matches!(arg1.expr_kind(), ExprKind::Set(_)),
            _ => false,
        };
        let is_action = |part: &Expr| matches!(part.expr_kind(), ExprKind::Var(Var::Action));
        let is_group = |part: &Expr| self.group(part).is_some();
        let has = |part: &Expr, is_it: &dyn Fn(&Expr) -> bool| match part.expr_kind() {
            ExprKind::Set(elements) => elements.iter().any(is_it),
            _ => is_it(part),
        };
        let either = |one: &Expr, other: &Expr| has(one, &is_group) && has(other, &is_action);
        looks && (either(arg1, arg2) || either(arg2, arg1))
    }

    /// The group of actions that an expression names.
    pub(super) fn group(&self, part: &Expr) -> Option<EntityUid> {
        let ExprKind::Lit(Literal::EntityUID(uid)) = part.expr_kind() else {
            return None;
        };
        let uid = uid
            .is_action()
            .then(|| EntityUid::from(uid.as_ref().clone()));
        uid.filter(|uid| (self.is_group)(uid))
    }
}

/// Whether an expression asks something that the types can answer.
fn is_test(part: &Expr) -> bool {
    match part.expr_kind() {
        ExprKind::HasAttr { .. } | ExprKind::ExtHasAttr { .. } | ExprKind::Is { .. } => true,
        ExprKind::BinaryApp { op, .. } => {
            matches!(op, BinaryOp::Eq | BinaryOp::In | BinaryOp::HasTag)
        }
        _ => false,
    }
}
