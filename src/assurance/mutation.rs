//! Mutation testing of policies: mutants, runs of suites, and missing cases for survivors.
//!
//! A suite notices a mutant if one of its requests has another decision or other determining policies. A mutant that
//! no suite notices is tried on one person and one resource of each class that the policies can tell apart, in every
//! setting of the suites. A request that tells the mutant from its original is a missing case; if there is none, the
//! mutant is equivalent for this directory.
//!
//! A mutant differs in one policy, so a request is decided once, and only that policy is evaluated again.

mod change;
mod search;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use cedar_policy::{EntityUid, PolicySet, ValidationMode, Validator};
use cedar_policy_core::ast;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::suite::{Check, Suites};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::Place;
use tarbac_host::bundle::{Action, Bundle, Policy, PolicyEdit};
use tarbac_host::engine::{Applicable, Engine, Evaluation, Undecidable};

pub use search::Telling;

/// A policy that is changed in one way, or dropped.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// The unchanged policy.
    pub original: Policy,
    /// The changed policy; `None` if it is dropped.
    pub changed: Option<Policy>,
    /// The change, for example ``the conjunct `!principal.cloudOnly` is dropped``.
    pub what: String,
    /// The place of the change.
    pub place: Place,
    /// The actions for which it can differ from the original.
    actions: BTreeSet<EntityUid>,
    /// The conditions of the original and of the mutant, with their scopes.
    conditions: (ast::Expr, Option<ast::Expr>),
}

/// The results for the mutants.
#[derive(Debug)]
pub struct Mutation {
    /// The number of mutants.
    pub mutants: usize,
    /// The number of mutants that a suite notices.
    pub killed: usize,
    /// The number of mutants that `tarbac validate` refuses, so that they need no test.
    pub refused: usize,
    /// Those that no suite notices and a request can tell from the original.
    pub survivors: Vec<Survivor>,
    /// Those that no request over the classes of the directory can tell from the original.
    pub equivalent: Vec<Mutant>,
    /// Those that no suite notices, and that have too many requests to try them all.
    pub unknown: Vec<Mutant>,
}

/// A mutant that no suite notices.
#[derive(Debug)]
pub struct Survivor {
    /// The mutant.
    pub mutant: Mutant,
    /// A request that tells it from the original.
    pub telling: Telling,
}

impl Mutant {
    /// Every mutant of a policy.
    pub fn all(policy: &Policy, bundle: &Bundle) -> Vec<Self> {
        change::mutants(policy, bundle.vocabulary())
    }

    fn new(
        original: &Policy,
        changed: Option<Policy>,
        what: String,
        place: Place,
        actions: BTreeSet<EntityUid>,
    ) -> Self {
        // The slots of a link are filled.
        let body = PolicyEdit::from_policy(original).policy(original.ast().id().clone());
        let condition = body.as_ref().unwrap_or(original.ast()).condition();
        Self {
            actions,
            conditions: (
                condition,
                changed.as_ref().map(|policy| policy.ast().condition()),
            ),
            original: original.clone(),
            changed,
            what,
            place,
        }
    }

    /// Whether it can differ from the original for an action.
    fn concerns(&self, action: &Action) -> bool {
        self.actions.contains(&action.uid)
    }

    /// Whether the context of a request can matter.
    fn looks_at_context(&self) -> bool {
        self.expressions()
            .any(|part| matches!(part.expr_kind(), ast::ExprKind::Var(ast::Var::Context)))
    }

    /// Every expression within the conditions of the mutant and the original.
    fn expressions(&self) -> impl Iterator<Item = &ast::Expr> {
        std::iter::once(&self.original)
            .chain(&self.changed)
            .filter_map(|policy| policy.ast().non_scope_constraints())
            .flat_map(ast::Expr::subexpressions)
    }

    /// Whether a request has another outcome with the mutant than with the original. `applied` gives the policies that
    /// apply, and is called only if the two do not apply alike.
    fn is_told<'t>(
        &self,
        action: &Action,
        trial: &Evaluation,
        applied: impl FnOnce() -> &'t Applicable,
    ) -> bool {
        let id = self.original.id();
        let applies = |policy: &Policy, condition: &ast::Expr| match trial.truth(condition)? {
            // A policy for every action answers no question.
            true => Ok::<_, Undecidable>(policy.action_scope().answers(action)),
            false => Ok(false),
        };
        let (original, changed) = &self.conditions;
        let before = applies(&self.original, original);
        let now = match (&self.changed, changed) {
            (Some(policy), Some(condition)) => applies(policy, condition),
            _ => Ok(false),
        };
        let effect = self.changed.as_ref().map(Policy::effect);
        let is_same_effect = effect == Some(self.original.effect());
        if now == before && (is_same_effect || now == Ok(false)) {
            return false;
        }
        let applied = applied();
        let mut mutated = applied.without(id);
        if let Some(effect) = effect {
            mutated.put(id, effect, now);
        }
        mutated.outcome() != applied.outcome()
    }
}

/// Mutates the policies that `is_wanted` selects in every way, and runs the suites, which must pass without a
/// mutation. `progress` is called with the number of finished checks and that of all.
pub fn run(
    suites: &Suites,
    bundle: &Bundle,
    is_wanted: &(dyn Fn(&Policy) -> bool + Sync),
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Mutation {
    let (valid, refused) = valid(bundle, is_wanted);
    let mutants = valid.len() + refused;
    let left = unnoticed(suites, valid, progress);
    let killed = mutants - refused - left.len();
    let (survivors, equivalent, unknown) = search::tell_apart(suites, left, progress);
    Mutation {
        mutants,
        killed,
        refused,
        survivors,
        equivalent,
        unknown,
    }
}

/// The mutants of the policies that `is_wanted` selects: those that `tarbac validate` accepts, and the number of those
/// that it refuses.
pub(crate) fn valid(
    bundle: &Bundle,
    is_wanted: &(dyn Fn(&Policy) -> bool + Sync),
) -> (Vec<Mutant>, usize) {
    let policies: Vec<&Policy> = bundle
        .policies()
        .iter()
        .filter(|policy| is_wanted(policy))
        .collect();
    let validator = Validator::new(bundle.schema().clone());
    let all: Vec<(Mutant, bool)> = policies
        .par_iter()
        .flat_map_iter(|policy| Mutant::all(policy, bundle))
        .map(|mutant| {
            let is_valid = is_valid(&mutant, &validator);
            (mutant, is_valid)
        })
        .collect();
    let mutants = all.len();
    let valid: Vec<Mutant> = all
        .into_iter()
        .filter(|(_, is_valid)| *is_valid)
        .map(|(mutant, _)| mutant)
        .collect();
    let refused = mutants - valid.len();
    (valid, refused)
}

/// Whether `tarbac validate` accepts a mutant.
fn is_valid(mutant: &Mutant, validator: &Validator) -> bool {
    let Some(policy) = &mutant.changed else {
        return true;
    };
    let policy = cedar_policy::Policy::from(policy.ast().clone());
    PolicySet::from_policies([policy]).is_ok_and(|set| {
        validator
            .validate(&set, ValidationMode::Strict)
            .validation_passed()
    })
}

/// The mutants that no check notices.
fn unnoticed(
    suites: &Suites,
    mutants: Vec<Mutant>,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Vec<Mutant> {
    let noticed: Vec<AtomicBool> = mutants.iter().map(|_| AtomicBool::new(false)).collect();
    let checks: Vec<(&Engine, &Check)> = suites.checks().collect();
    let done = AtomicUsize::new(0);
    checks.par_iter().for_each(|(engine, check)| {
        notice(engine, check, &mutants, &noticed);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, checks.len());
    });
    mutants
        .into_iter()
        .zip(noticed)
        .filter(|(_, noticed)| !noticed.load(Ordering::Relaxed))
        .map(|(mutant, _)| mutant)
        .collect()
}

fn notice(engine: &Engine, check: &Check, mutants: &[Mutant], noticed: &[AtomicBool]) {
    let Some(action) = engine.bundle().vocabulary().action(&check.request.action) else {
        return;
    };
    let Ok(trial) = engine.trial(&check.request) else {
        return;
    };
    let applied = engine.applied(action, &trial);
    for (mutant, noticed) in mutants.iter().zip(noticed) {
        if !noticed.load(Ordering::Relaxed)
            && engine.is_in_force(&mutant.original)
            && mutant.concerns(action)
            && mutant.is_told(action, &trial, || &applied)
        {
            noticed.store(true, Ordering::Relaxed);
        }
    }
}

impl Mutation {
    /// The survivors as findings, each with the case that a suite lacks.
    pub fn findings(&self) -> Vec<Finding> {
        let survived = self.survivors.iter().map(|survivor| {
            let mutant = &survivor.mutant;
            Finding::error(
                code::mutant::SURVIVED,
                format!(
                    "no case notices that in `{}` {}",
                    mutant.original.id(),
                    mutant.what
                ),
            )
            .label(mutant.place.clone(), "changed here")
            .help(format!(
                "a case that would:\n{}",
                survivor.telling.case.trim_end()
            ))
        });
        let unknown = self.unknown.iter().map(|mutant| {
            Finding::warning(
                code::mutant::UNKNOWN,
                format!(
                    "no case notices that in `{}` {}, and there are too many requests to look for one",
                    mutant.original.id(),
                    mutant.what
                ),
            )
            .label(mutant.place.clone(), "changed here")
        });
        survived.chain(unknown).collect()
    }
}
