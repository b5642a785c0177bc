//! The values of the clauses of a policy in one request.

use cedar_policy_core::ast;

use super::Seen;
use tarbac_host::bundle::{Action, ConditionKind, Conditions, Keyword};
use tarbac_host::engine::{Applicable, Evaluation};

/// A policy whose coverage is measured.
pub(super) struct Measured<'p>(pub(super) Conditions<'p>);

/// The parts of a policy in one request.
struct Parts<'a> {
    action: &'a Action,
    /// Whether the policy applies to the action.
    is_asked: bool,
    /// Whether each part of the scope holds, in their order.
    scopes: Vec<bool>,
    /// Whether each entry of the action list covers the action, in their order.
    entries: Vec<bool>,
    /// For each part, the value of a conjunct; `None` if it has no value or is no conjunct.
    values: Vec<Option<bool>>,
    /// The value of all conjuncts together.
    condition: Option<bool>,
    /// The conjuncts that Cedar evaluates.
    reached: Vec<usize>,
    /// Whether the policy makes a difference to the outcome.
    matters: bool,
}

impl Parts<'_> {
    /// The number of parts of the scope that do not hold.
    fn missing(&self) -> usize {
        self.scopes.iter().filter(|holds| !**holds).count() + usize::from(!self.is_asked)
    }

    fn covers(&self, uid: &ast::EntityUID) -> bool {
        let mut groups = self.action.groups.iter();
        self.action.uid.as_ref() == uid || groups.any(|group| group.as_ref() == uid)
    }

    /// Counts a part of the scope other than the action.
    fn count_scope(&self, holds: bool, seen: &mut Seen) {
        if !self.is_asked {
            return;
        }
        count(seen, holds);
        let others_hold = self.missing() - usize::from(!holds) == 0;
        let is_decisive = others_hold && self.matters && self.condition == Some(true);
        seen.decisive += u64::from(is_decisive);
    }

    /// Counts an entry of the action list.
    fn count_entry(&self, uid: &ast::EntityUID, seen: &mut Seen) {
        let covers = self.covers(uid);
        count(seen, covers);
        let is_only = covers && self.entries.iter().filter(|covers| **covers).count() == 1;
        let in_scope = self.scopes.iter().all(|holds| *holds);
        let is_decisive = is_only && in_scope && self.matters && self.condition == Some(true);
        seen.decisive += u64::from(is_decisive);
    }
}

impl Measured<'_> {
    /// The counts of the parts in one request.
    pub(super) fn observe(
        &self,
        action: &Action,
        trial: &Evaluation,
        applied: &Applicable,
    ) -> Tally {
        let parts = self.parts(action, trial, applied);
        let mut seen = vec![Seen::default(); self.0.parts.len()];
        let mut scopes = parts.scopes.iter().copied();
        for (index, (part, seen)) in self.0.parts.iter().zip(&mut seen).enumerate() {
            match &part.what {
                ConditionKind::Scope(_) => {
                    parts.count_scope(scopes.next().unwrap_or(false), seen);
                }
                ConditionKind::Action(uid) => parts.count_entry(uid, seen),
                ConditionKind::Conjunct(_) => self.count_conjunct(&parts, index, seen),
            }
        }
        let mut deciding = applied.outcome().policies.into_iter();
        Tally {
            decided: u64::from(deciding.any(|id| id == self.0.policy.id())),
            seen,
        }
    }

    fn parts<'a>(&self, action: &'a Action, trial: &Evaluation, applied: &Applicable) -> Parts<'a> {
        let scopes = self.0.parts.iter().filter_map(|part| match &part.what {
            ConditionKind::Scope(condition) => Some(trial.truth(condition).unwrap_or(false)),
            _ => None,
        });
        let mut parts = Parts {
            action,
            is_asked: self.0.policy.action_scope().answers(action),
            scopes: scopes.collect(),
            entries: Vec::new(),
            values: Vec::new(),
            condition: None,
            reached: Vec::new(),
            matters: self.matters(applied),
        };
        let entries = self.0.parts.iter().filter_map(|part| match part.what {
            ConditionKind::Action(uid) => Some(parts.covers(uid)),
            _ => None,
        });
        parts.entries = entries.collect();
        // Conjuncts are evaluated only if at most one part of the scope does not hold; otherwise none makes a
        // difference.
        let is_evaluated = parts.missing() <= 1;
        let values = self.0.parts.iter().map(|part| match part.what {
            ConditionKind::Conjunct(conjunct) if is_evaluated => trial.truth(conjunct).ok(),
            _ => None,
        });
        parts.values = values.collect();
        (parts.condition, parts.reached) = self.condition(&parts.values);
        parts
    }

    fn count_conjunct(&self, parts: &Parts<'_>, index: usize, seen: &mut Seen) {
        let in_scope = parts.is_asked && parts.scopes.iter().all(|holds| *holds);
        if !in_scope || !parts.reached.contains(&index) {
            return;
        }
        let Some(value) = parts.values.get(index).copied().flatten() else {
            return;
        };
        count(seen, value);
        let mut other = parts.values.clone();
        if let Some(other) = other.get_mut(index) {
            *other = Some(!value);
        }
        let (other, _) = self.condition(&other);
        let is_turned = parts.condition.is_some() && other.is_some() && parts.condition != other;
        seen.decisive += u64::from(is_turned && parts.matters);
    }

    /// The value of all conjuncts together, and those that Cedar evaluates; `None` if one of these fails.
    fn condition(&self, values: &[Option<bool>]) -> (Option<bool>, Vec<usize>) {
        let mut reached = Vec::new();
        for (keyword, conjuncts) in &self.0.clauses {
            let mut body = Some(true);
            for index in conjuncts {
                reached.push(*index);
                body = values.get(*index).copied().flatten();
                if body != Some(true) {
                    break;
                }
            }
            match body {
                None => return (None, reached),
                Some(body) if body != (*keyword == Keyword::When) => return (Some(false), reached),
                Some(_) => {}
            }
        }
        (Some(true), reached)
    }

    /// Whether the outcome with the policy differs from that without it.
    fn matters(&self, applied: &Applicable) -> bool {
        let without = applied.without(self.0.policy.id());
        let mut with = without.clone();
        with.put(self.0.policy.id(), self.0.policy.effect(), Ok(true));
        with.outcome() != without.outcome()
    }
}

fn count(seen: &mut Seen, holds: bool) {
    match holds {
        true => seen.yes += 1,
        false => seen.no += 1,
    }
}

/// The counts of one policy.
#[derive(Debug, Clone)]
pub(super) struct Tally {
    pub(super) decided: u64,
    pub(super) seen: Vec<Seen>,
}
