//! Coverage: which policies and clauses the cases of suites have put to the test.
//!
//! Of a policy it is noted whether it decided a case. Of each clause (a scope, an entry of an
//! action list, a conjunct of a `when` or `unless`) it is noted whether it was seen true, whether
//! it was seen false, and whether it made the difference: had it been the other way, the case would
//! have come out otherwise. A clause counts as seen only where Cedar comes to evaluate it.

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

/// How a policy is covered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// Its id.
    pub policy: String,
    /// Where it stands.
    pub place: Place,
    /// How many requests it decided.
    pub decided: u64,
    /// Its clauses, in order.
    pub clauses: Vec<ClauseCovered>,
    /// Why it needs no coverage.
    pub exempt: Option<String>,
}

/// How a clause is covered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClauseCovered {
    /// Its text, after the keyword where it has one.
    pub text: String,
    /// Where it stands.
    pub place: Place,
    /// How often it was what.
    pub seen: Seen,
    /// Why it needs no coverage.
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
    /// What is asked of a clause, and whether it is met: true, false, the difference.
    pub fn aims(self) -> [bool; 3] {
        [self.yes > 0, self.no > 0, self.decisive > 0]
    }

    /// Whether nothing is missing.
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
    /// Whether nothing is missing, exemptions apart.
    pub fn is_full(&self) -> bool {
        self.decided > 0 && self.clauses.iter().all(|clause| clause.seen.is_full())
    }

    /// How much is asked and how much of it is met; what is exempt is not asked.
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
    /// How much is asked of the suites and how much of it they meet.
    pub fn aims(&self) -> (usize, usize) {
        self.policies.iter().fold((0, 0), |(met, all), policy| {
            let (more_met, more) = policy.aims();
            (met + more_met, all + more)
        })
    }

    /// The share of what is asked that is met, in percent; 100 where nothing is asked.
    pub fn percent(&self) -> f64 {
        match self.aims() {
            (_, 0) => 100.0,
            (met, all) => 100.0 * met as f64 / all as f64,
        }
    }
}

/// A policy of which requests show something.
struct Measured<'p>(Conditions<'p>);

impl Measured<'_> {
    /// What one request shows of the parts.
    fn observe(&self, action: &Action, trial: &Evaluation, applied: &Applicable) -> Tally {
        let mut tally = Tally {
            decided: 0,
            seen: vec![Seen::default(); self.0.parts.len()],
        };
        let covering = |uid: &ast::EntityUID| {
            action.uid.as_ref() == uid || action.groups.iter().any(|group| group.as_ref() == uid)
        };
        let entries: Vec<bool> = self
            .0
            .parts
            .iter()
            .filter_map(|part| match part.what {
                ConditionKind::Action(uid) => Some(covering(uid)),
                _ => None,
            })
            .collect();
        let is_asked = self.0.policy.action_scope().answers(action);
        let scopes: Vec<bool> = self
            .0
            .parts
            .iter()
            .filter_map(|part| match &part.what {
                ConditionKind::Scope(condition) => Some(trial.truth(condition).unwrap_or(false)),
                _ => None,
            })
            .collect();
        let in_scope = scopes.iter().all(|holds| *holds);
        // Conditions are only looked at where at most one part of the scope is in the way: nothing
        // could make the difference otherwise.
        let missing = scopes.iter().filter(|holds| !**holds).count() + usize::from(!is_asked);
        let values: Vec<Option<bool>> = self
            .0
            .parts
            .iter()
            .map(|part| match part.what {
                ConditionKind::Conjunct(conjunct) if missing <= 1 => trial.truth(conjunct).ok(),
                _ => None,
            })
            .collect();
        let (condition, reached) = self.condition(&values);
        let matters = self.matters(applied);
        let mut scopes = scopes.into_iter();
        for (index, (part, seen)) in self.0.parts.iter().zip(&mut tally.seen).enumerate() {
            match &part.what {
                ConditionKind::Scope(_) => {
                    let holds = scopes.next().unwrap_or(false);
                    if is_asked {
                        note(seen, holds);
                        let others = missing - usize::from(!holds) == 0;
                        seen.decisive += u64::from(others && matters && condition == Some(true));
                    }
                }
                ConditionKind::Action(uid) => {
                    let covers = covering(uid);
                    note(seen, covers);
                    let is_only = covers && entries.iter().filter(|covers| **covers).count() == 1;
                    seen.decisive +=
                        u64::from(is_only && in_scope && matters && condition == Some(true));
                }
                ConditionKind::Conjunct(_) if is_asked && in_scope && reached.contains(&index) => {
                    let Some(value) = values.get(index).copied().flatten() else {
                        continue;
                    };
                    note(seen, value);
                    let mut other = values.clone();
                    if let Some(slot) = other.get_mut(index) {
                        *slot = Some(!value);
                    }
                    let (other, _) = self.condition(&other);
                    let turns = condition.is_some() && other.is_some() && condition != other;
                    seen.decisive += u64::from(turns && matters);
                }
                ConditionKind::Conjunct(_) => {}
            }
        }
        if applied
            .outcome()
            .policies
            .iter()
            .any(|id| id == self.0.policy.id())
        {
            tally.decided = 1;
        }
        tally
    }

    /// What the conjuncts come to together, as Cedar evaluates them, and those that it comes to;
    /// `None` where one of these cannot be evaluated.
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

    /// Whether the case comes out otherwise with the policy than without it.
    fn matters(&self, applied: &Applicable) -> bool {
        let without = applied.without(self.0.policy.id());
        let mut with = without.clone();
        with.put(self.0.policy.id(), self.0.policy.effect(), Ok(true));
        with.outcome() != without.outcome()
    }
}

fn note(seen: &mut Seen, holds: bool) {
    match holds {
        true => seen.yes += 1,
        false => seen.no += 1,
    }
}

/// What requests show of one policy.
#[derive(Debug, Clone)]
struct Tally {
    decided: u64,
    seen: Vec<Seen>,
}

/// Measures how suites cover the policies that `is_wanted` takes.
pub fn measure(suites: &Suites, bundle: &Bundle, is_wanted: &dyn Fn(&Policy) -> bool) -> Coverage {
    let mut policies: Vec<Measured> = bundle
        .policies()
        .iter()
        .filter(|policy| is_wanted(policy))
        .map(|policy| Measured(Conditions::of(policy)))
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

/// Exemptions of what is covered all the same: they are stale.
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
            let what = match &exemption.clause {
                None => format!("the policy `{}`", exemption.policy),
                Some(clause) => format!("the clause `{clause}` of `{}`", exemption.policy),
            };
            findings.push(
                Finding::error(
                    code::coverage::STALE_EXEMPTION,
                    format!("{what} is exempt, and covered all the same"),
                )
                .label(exemption.place.clone(), "exempted here")
                .help("take the exemption out"),
            );
        }
    }
    findings
}
