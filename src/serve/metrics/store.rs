//! The figures of the stores that are followed.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::{Seconds, put};
use crate::clock;
use crate::freshness::Freshness;
use crate::served::Served;

/// The figures of the stores, by workspace where there are several.
pub(crate) struct StoreMetrics {
    polls: Family<ResultLabel, Counter>,
    success: Family<WorkspaceLabel, Seconds>,
    newest: Family<WorkspaceLabel, Gauge>,
    stale: Family<WorkspaceLabel, Gauge>,
    number: Family<WorkspaceLabel, Gauge>,
    created: Family<WorkspaceLabel, Seconds>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: &'static str,
}

/// The name of a workspace; empty where it is the only one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WorkspaceLabel {
    workspace: String,
}

impl WorkspaceLabel {
    fn of(workspace: Option<&str>) -> Self {
        let workspace = workspace.unwrap_or_default().to_owned();
        Self { workspace }
    }
}

impl StoreMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let success = "When the store answered last";
        let newest = "The greatest number of a revision that the store is known to have";
        let stale = "Whether what is served is stale";
        let number = "The number of the revision that is served";
        let created = "When the served revision was published";
        Self {
            polls: put(
                registry,
                "store_polls",
                "Looks into stores",
                Family::default(),
            ),
            success: put(
                registry,
                "store_last_success_timestamp_seconds",
                success,
                Family::default(),
            ),
            newest: put(registry, "store_newest_revision", newest, Family::default()),
            stale: put(registry, "stale", stale, Family::default()),
            number: put(registry, "revision_number", number, Family::default()),
            created: put(
                registry,
                "revision_created_timestamp_seconds",
                created,
                Family::default(),
            ),
        }
    }

    /// There was a look into a store.
    pub(crate) fn polled(&self, workspace: Option<&str>, is_answered: bool, freshness: &Freshness) {
        let result = match is_answered {
            true => "ok",
            false => "failed",
        };
        self.polls.get_or_create(&ResultLabel { result }).inc();
        let label = WorkspaceLabel::of(workspace);
        if is_answered {
            let now = clock::now().as_millisecond() as f64 / 1000.0;
            self.success.get_or_create(&label).set(now);
        }
        self.newest
            .get_or_create(&label)
            .set(gauge(freshness.newest()));
        self.looked(workspace, freshness);
    }

    /// The age of the served revision.
    pub(crate) fn looked(&self, workspace: Option<&str>, freshness: &Freshness) {
        let is_stale = i64::from(freshness.stale().is_some());
        self.stale
            .get_or_create(&WorkspaceLabel::of(workspace))
            .set(is_stale);
    }

    /// Another revision is served.
    pub(crate) fn serves(&self, workspace: Option<&str>, served: &Served) {
        let Some(name) = served.name() else {
            return;
        };
        let label = WorkspaceLabel::of(workspace);
        self.number.get_or_create(&label).set(gauge(name.number));
        let created = name.created.as_millisecond() as f64 / 1000.0;
        self.created.get_or_create(&label).set(created);
    }
}

fn gauge(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
