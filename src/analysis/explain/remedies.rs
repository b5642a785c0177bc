//! Remedies: the smallest changes that turn a refusal into a permission.
//!
//! The search goes from fewer changes to more, and asks for a decision on each candidate. A candidate that is still
//! refused is extended by the ways to lift a determining forbid, the one with the fewest ways, or by the ways to
//! obtain a permit. Each offered alternative was decided with only its own changes, and is allowed.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::change::RemedyChange;
use super::probe::Probe;
use super::role;
use super::solve::{self, Candidate};
use crate::wire;
use tarbac_host::decision::{Basis, Decision, Outcome};

/// The most changes that are tried together.
const MOST_CHANGES: usize = 10;

/// The most decisions of a search.
const MOST_DECISIONS: usize = 3_000;

/// Changes that turn a refusal into a permission.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Remedies {
    /// Alternatives, the smallest first, of those the ones that concern only the person; each was decided again and allows the request, and none
    /// has a change that it could do without.
    pub alternatives: Vec<Vec<RemedyChange>>,
    /// The ids of the policies that refuse and that no change lifts.
    pub unliftable: Vec<String>,
    /// Whether the search was cut short, so that there may be more.
    #[serde(rename = "complete", serialize_with = "wire::complete")]
    pub is_cut: bool,
}

/// Finds the changes that turn the refusal in a probe into a permission.
pub(super) fn remedies(probe: &Probe<'_>) -> Remedies {
    let mut search = Search {
        probe,
        decisions: 0,
        found: BTreeSet::new(),
        is_cut: false,
    };
    search.run();
    let mut alternatives: Vec<BTreeSet<RemedyChange>> = search.found.iter().cloned().collect();
    // Among alternatives of one size, those that concern only the person come first.
    let principal = &probe.request().principal;
    alternatives.sort_by_cached_key(|alternative| {
        let others = alternative
            .iter()
            .filter(|change| change.entity.uid != *principal)
            .count();
        (alternative.len(), others, alternative.clone())
    });
    Remedies {
        alternatives: alternatives
            .into_iter()
            .filter_map(|alternative| Candidate::in_order(probe, &alternative))
            .map(|(_, order)| order)
            .collect(),
        unliftable: unliftable(probe),
        is_cut: search.is_cut,
    }
}

struct Search<'a, 'b> {
    probe: &'b Probe<'a>,
    decisions: usize,
    found: BTreeSet<BTreeSet<RemedyChange>>,
    is_cut: bool,
}

impl<'a> Search<'a, '_> {
    fn run(&mut self) {
        // By size, and then by the changes themselves, which identify a state. So all smaller alternatives are found
        // before the search is cut because of a larger one.
        let mut waiting: BTreeSet<(usize, BTreeSet<RemedyChange>)> = BTreeSet::new();
        waiting.insert((0, BTreeSet::new()));
        let mut seen: BTreeSet<BTreeSet<RemedyChange>> = BTreeSet::new();
        while let Some((_, changes)) = waiting.pop_first() {
            if !seen.insert(changes.clone())
                || self.found.iter().any(|found| found.is_subset(&changes))
            {
                continue;
            }
            if changes.len() > MOST_CHANGES || self.decisions >= MOST_DECISIONS {
                self.is_cut = true;
                return;
            }
            // The state is made from its changes anew, so that no other change counts.
            let Some(state) = Candidate::after(self.probe, &changes) else {
                continue;
            };
            let outcome = self.decide(&state);
            match outcome.decision {
                Decision::Allow => self.keep(changes),
                Decision::Indeterminate => {}
                Decision::Deny => {
                    for next in next_states(&state, &outcome) {
                        if next.changes != changes {
                            waiting.insert((next.changes.len(), next.changes));
                        }
                    }
                }
            }
        }
    }

    fn decide(&mut self, state: &Candidate<'a>) -> Outcome {
        self.decisions += 1;
        state
            .probe
            .engine()
            .decide_in(state.probe.request(), state.probe.slice())
    }

    /// Keeps an alternative, without its unnecessary changes.
    fn keep(&mut self, mut changes: BTreeSet<RemedyChange>) {
        for change in changes.clone() {
            let mut fewer = changes.clone();
            fewer.remove(&change);
            let still = Candidate::after(self.probe, &fewer)
                .is_some_and(|state| self.decide(&state).decision == Decision::Allow);
            if still {
                changes = fewer;
            }
        }
        if !self.found.iter().any(|found| found.is_subset(&changes)) {
            self.found.retain(|found| !changes.is_subset(found));
            self.found.insert(changes);
        }
    }
}

fn next_states<'a>(state: &Candidate<'a>, outcome: &Outcome) -> Vec<Candidate<'a>> {
    let bundle = state.probe.engine().bundle();
    match outcome.basis {
        // Every determining forbid has to be lifted in the end, so it is enough to go on from one; the one with the
        // fewest ways is the quickest.
        Basis::Forbidden => outcome
            .policies
            .iter()
            .filter_map(|id| bundle.policy(id))
            .map(|policy| solve::lift(policy, state))
            .min_by_key(Vec::len)
            .unwrap_or_default(),
        Basis::NotPermitted => role::permits_of(&state.probe)
            .flat_map(|policy| solve::obtain(policy, state))
            .collect(),
        Basis::Permitted | Basis::Error => Vec::new(),
    }
}

/// The policies that refuse and that no change lifts.
fn unliftable(probe: &Probe<'_>) -> Vec<String> {
    let outcome = probe.engine().decide_in(probe.request(), probe.slice());
    let state = Candidate::start(probe);
    let bundle = probe.engine().bundle();
    match outcome.basis {
        Basis::Forbidden => outcome
            .policies
            .iter()
            .filter_map(|id| bundle.policy(id))
            .filter(|policy| solve::lift(policy, &state).is_empty())
            .map(|policy| policy.id().to_owned())
            .collect(),
        _ => Vec::new(),
    }
}
