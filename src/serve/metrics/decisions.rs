//! The metrics of decisions and searches.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets_range};
use prometheus_client::registry::Registry;
use tarbac_host::decision::Outcome;

use super::put;

/// The bucket bounds of counts.
const COUNTS: [f64; 8] = [0.0, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6];

/// The metrics of decisions and searches.
pub(crate) struct DecisionMetrics {
    decisions: Family<DecisionLabels, Counter>,
    duration: Histogram,
    search_results: Histogram,
    batch_items: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    decision: &'static str,
    basis: &'static str,
}

impl DecisionMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let counts = || Histogram::new(COUNTS);
        // From a microsecond to a second.
        let duration = Histogram::new(exponential_buckets_range(1e-6, 1.0, 13));
        let found = "The results of a search, on all its pages";
        Self {
            decisions: put(
                registry,
                "decisions",
                "Decisions that were given",
                Family::default(),
            ),
            duration: put(
                registry,
                "decision_duration_seconds",
                "The time of a decision",
                duration,
            ),
            search_results: put(registry, "search_results", found, counts()),
            batch_items: put(registry, "batch_items", "The items of a batch", counts()),
        }
    }

    /// Counts decisions that are about to be sent.
    pub(crate) fn given<'d>(&self, decided: impl Iterator<Item = (&'d Outcome, Duration)>) {
        // A batch has few kinds of decisions, and each look-up of a counter takes a lock.
        let mut counts: Vec<(DecisionLabels, u64)> = Vec::new();
        for (outcome, took) in decided {
            let labels = DecisionLabels {
                decision: outcome.decision.word(),
                basis: outcome.basis.word(),
            };
            match counts.iter_mut().find(|(known, _)| *known == labels) {
                Some((_, count)) => *count += 1,
                None => counts.push((labels, 1)),
            }
            self.duration.observe(took.as_secs_f64());
        }
        for (labels, count) in counts {
            self.decisions.get_or_create(&labels).inc_by(count);
        }
    }

    /// Counts the items of a batch.
    pub(crate) fn batch(&self, items: usize) {
        self.batch_items.observe(items as f64);
    }

    /// Counts the results of a search.
    pub(crate) fn searched(&self, results: usize) {
        self.search_results.observe(results as f64);
    }
}
