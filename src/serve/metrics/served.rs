//! The metrics of the served workspace.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::{Seconds, put};
use crate::reload::Reloaded;
use crate::served::Served;

/// The bucket bounds of durations, from 10 milliseconds to a minute.
const DURATIONS: [f64; 12] = [
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];

/// The metrics of the served workspace.
pub(crate) struct ServedMetrics {
    reloads: Family<ReloadLabel, Counter>,
    duration: Histogram,
    revision: Family<RevisionLabel, Gauge>,
    loaded: Seconds,
    entities: Family<TypeLabel, Gauge>,
    policies: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabel {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RevisionLabel {
    id: String,
    /// The number in a store.
    number: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TypeLabel {
    r#type: String,
}

impl ServedMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let duration = Histogram::new(DURATIONS);
        let loaded = "When the served revision was read";
        let metrics = Self {
            reloads: put(
                registry,
                "reloads",
                "Readings of the workspace",
                Family::default(),
            ),
            duration: put(
                registry,
                "reload_duration_seconds",
                "The time of a reading",
                duration,
            ),
            revision: put(
                registry,
                "revision_info",
                "The revision that is served",
                Family::default(),
            ),
            loaded: put(
                registry,
                "revision_loaded_timestamp_seconds",
                loaded,
                Seconds::default(),
            ),
            entities: put(
                registry,
                "entities",
                "The entities that are served",
                Family::default(),
            ),
            policies: put(
                registry,
                "policies",
                "The policies that are served",
                Gauge::default(),
            ),
        };
        // A result that has not occurred yet is exported as 0.
        for result in Reloaded::ALL {
            let result = result.word();
            drop(metrics.reloads.get_or_create(&ReloadLabel { result }));
        }
        metrics
    }

    /// Counts a reload, with its duration.
    pub(crate) fn reloaded(&self, result: Reloaded, took: Duration) {
        let result = result.word();
        self.reloads.get_or_create(&ReloadLabel { result }).inc();
        self.duration.observe(took.as_secs_f64());
    }

    /// Sets the metrics of a newly served workspace.
    pub(crate) fn serves(&self, served: &Served) {
        self.revision.clear();
        let id = served.revision().to_owned();
        let number = served.name().map(|name| name.number);
        self.revision
            .get_or_create(&RevisionLabel { id, number })
            .set(1);
        self.loaded
            .set(served.loaded.as_millisecond() as f64 / 1000.0);
        self.policies
            .set(gauge(served.engine.bundle().policies().len()));
        self.entities.clear();
        for (r#type, count) in served.entities_by_type() {
            self.entities
                .get_or_create(&TypeLabel { r#type })
                .set(gauge(count));
        }
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
