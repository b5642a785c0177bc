//! Test coverage: the policies and clauses that the cases of suites exercise.
//!
//! A policy is covered if it decides a case. A clause (a part of the scope, an entry of an action list, a conjunct of
//! a `when` or `unless`) is covered if it is true in a case, false in a case, and makes the difference in a case: with
//! the opposite value the outcome would differ. Only clauses that Cedar evaluates count.

mod observation;

use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::suite::{Check, Exemption, Suites};
use observation::{Measured, Tally};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::Place;
use tarbac_host::bundle::{Bundle, Conditions, Policy};
use tarbac_host::engine::Engine;

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
    /// Its place in the file.
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
    /// Its text, after the keyword if it has one.
    pub text: String,
    /// Its place in the file.
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
