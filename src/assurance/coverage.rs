//! Coverage: which policies and clauses the cases of suites have put to the test.
//!
//! A policy is covered if it decides a case. A clause (a part of the scope, an entry of an action list, a conjunct of a
//! `when` or `unless`) is covered if it is true in a case, false in a case, and makes the difference in a case: with the
//! opposite value the outcome would differ. Only clauses that Cedar evaluates count.

use cedar_policy_core::ast;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::suite::{Check, Exemption, Suites};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::Place;
use tarbac_host::bundle::{Action, Bundle, ConditionKind, Conditions, Keyword, Policy};
use tarbac_host::engine::{Applicable, Engine, Evaluation};

/// The coverage of policies by suites.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// The policies, in the order of their files and places.
    pub policies: Vec<Covered>,
}

/// The coverage of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// Its id.
    pub policy: String,
    /// Where it stands.
    pub place: Place,
    /// The number of requests that it decided.
    pub decided: u64,
    /// Its clauses, in order.
    pub clauses: Vec<ClauseCovered>,
    /// The reason of its exemption.
    pub exempt: Option<String>,
}

/// The coverage of a clause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClauseCovered {
    /// Its text, after the keyword where it has one.
    pub text: String,
    /// Where it stands.
    pub place: Place,
    /// The counts of its values.
    pub seen: Seen,
    /// The reason of its exemption.
    pub exempt: Option<String>,
}

/// How often a clause was true, was false, and made the difference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// How often it was true.
    pub yes: u64,
    /// How often it was false.
    pub no: u64,
    /// How often it made the difference.
    pub decisive: u64,
}

impl Seen {
    /// Whether each aim is met: true, false, the difference.
    pub fn aims(self) -> [bool; 3] {
        [self.yes > 0, self.no > 0, self.decisive > 0]
    }

    /// Whether all aims are met.
    pub fn is_full(self) -> bool {
        self.aims().into_iter().all(|met| met)
    }

    fn add(&mut self, other: Self) {
        self.yes += other.yes;
        self.no += other.no;
        self.decisive += other.decisive;
    }
}

impl Covered {
    /// Whether all aims are met, without regard to exemptions.
    pub fn is_full(&self) -> bool {
        self.decided > 0 && self.clauses.iter().all(|clause| clause.seen.is_full())
    }

    /// The numbers of aims met and of all aims, without exempt ones.
    fn aims(&self) -> (usize, usize) {
        if self.exempt.is_some() {
            return (0, 0);
        }
        let clauses = self.clauses.iter().filter(|clause| clause.exempt.is_none());
        let mut met = usize::from(self.decided > 0);
        let mut all = 1;
        for clause in clauses {
            all += clause.seen.aims().len();
            met += clause.seen.aims().into_iter().filter(|met| *met).count();
        }
        (met, all)
    }
}

impl Coverage {
    /// The numbers of aims met and of all aims, of all policies.
    pub fn aims(&self) -> (usize, usize) {
        self.policies.iter().fold((0, 0), |(met, all), policy| {
            let (more_met, more) = policy.aims();
            (met + more_met, all + more)
        })
    }

    /// The share of aims met, in percent; 100 without aims.
    pub fn percent(&self) -> f64 {
        match self.aims() {
            (_, 0) => 100.0,
            (met, all) => 100.0 * met as f64 / all as f64,
        }
    }
}

/// A policy whose coverage is measured.
struct Measured<'p>(Conditions<'p>);

/// The parts of a policy in one request.
struct Parts<'a> {
    action: &'a Action,
    /// Whether the policy applies to the action.
    is_asked: bool,
    /// Whether each part of the scope holds, in their order.
    scopes: Vec<bool>,
    /// Whether each entry of the action list covers the action, in their order.
    entries: Vec<bool>,
    /// For each part, the value of a conjunct; `None` where it has none or is no conjunct.
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
    fn observe(&self, action: &Action, trial: &Evaluation, applied: &Applicable) -> Tally {
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
        // Conjuncts are evaluated only where at most one part of the scope does not hold: otherwise none makes a
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

    /// The value of all conjuncts together, and those that Cedar evaluates; `None` where one of these fails.
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
struct Tally {
    decided: u64,
    seen: Vec<Seen>,
}

/// Measures the coverage by suites of the policies that `is_wanted` selects.
pub fn measure(suites: &Suites, bundle: &Bundle, is_wanted: &dyn Fn(&Policy) -> bool) -> Coverage {
    let mut policies: Vec<Measured> = bundle
        .policies()
        .iter()
        .filter(|policy| is_wanted(policy))
        .map(|policy| Measured(Conditions::from_policy(policy)))
        .collect();
    policies.sort_by(|one, other| one.0.policy.place().cmp(other.0.policy.place()));
    let checks: Vec<(&Engine, &Check)> = suites.checks().collect();
    let empty = || -> Vec<Tally> {
        policies
            .iter()
            .map(|policy| Tally {
                decided: 0,
                seen: vec![Seen::default(); policy.0.parts.len()],
            })
            .collect()
    };
    let tallies = checks
        .par_iter()
        .fold(empty, |mut tallies, (engine, check)| {
            observe(engine, check, &policies, &mut tallies);
            tallies
        })
        .reduce(empty, |mut one, other| {
            for (one, other) in one.iter_mut().zip(other) {
                one.decided += other.decided;
                for (one, other) in one.seen.iter_mut().zip(other.seen) {
                    one.add(other);
                }
            }
            one
        });
    let exemptions: Vec<&Exemption> = suites
        .suites
        .iter()
        .flat_map(|suite| &suite.exemptions)
        .collect();
    let policies = policies
        .iter()
        .zip(tallies)
        .map(|(policy, tally)| covered(&policy.0, tally, &exemptions))
        .collect();
    Coverage { policies }
}

fn observe(engine: &Engine, check: &Check, policies: &[Measured<'_>], tallies: &mut [Tally]) {
    let Some(action) = engine.bundle().vocabulary().action(&check.request.action) else {
        return;
    };
    let Ok(trial) = engine.trial(&check.request) else {
        return;
    };
    let applied = engine.applied(action, &trial);
    for (policy, tally) in policies.iter().zip(tallies) {
        if !engine.is_in_force(policy.0.policy) {
            continue;
        }
        let more = policy.observe(action, &trial, &applied);
        tally.decided += more.decided;
        for (seen, more) in tally.seen.iter_mut().zip(more.seen) {
            seen.add(more);
        }
    }
}

fn covered(policy: &Conditions<'_>, tally: Tally, exemptions: &[&Exemption]) -> Covered {
    let exempt = |clause: Option<&str>| {
        exemptions
            .iter()
            .find(|exemption| {
                exemption.policy == policy.policy.id() && exemption.clause.as_deref() == clause
            })
            .map(|exemption| exemption.reason.clone())
    };
    Covered {
        policy: policy.policy.id().to_owned(),
        place: policy.policy.place().clone(),
        decided: tally.decided,
        clauses: policy
            .parts
            .iter()
            .zip(tally.seen)
            .map(|(part, seen)| ClauseCovered {
                text: part.text.clone(),
                place: part.place.clone(),
                seen,
                exempt: exempt(Some(&part.text)),
            })
            .collect(),
        exempt: exempt(None),
    }
}

/// Findings for stale exemptions: of policies and clauses that are covered.
pub fn stale(coverage: &Coverage, suites: &Suites) -> Vec<Finding> {
    let mut findings = Vec::new();
    for exemption in suites.suites.iter().flat_map(|suite| &suite.exemptions) {
        let Some(policy) = coverage
            .policies
            .iter()
            .find(|policy| policy.policy == exemption.policy)
        else {
            continue;
        };
        let is_covered = match &exemption.clause {
            None => policy.is_full(),
            Some(text) => policy
                .clauses
                .iter()
                .filter(|clause| clause.text == *text)
                .all(|clause| clause.seen.is_full()),
        };
        if is_covered {
            let subject = match &exemption.clause {
                None => format!("the policy `{}`", exemption.policy),
                Some(clause) => format!("the clause `{clause}` of `{}`", exemption.policy),
            };
            findings.push(
                Finding::error(
                    code::coverage::STALE_EXEMPTION,
                    format!("{subject} is exempt, and covered all the same"),
                )
                .label(exemption.place.clone(), "exempted here")
                .help("take the exemption out"),
            );
        }
    }
    findings
}
