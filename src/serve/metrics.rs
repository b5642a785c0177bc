//! The figures that an operator watches, as OpenMetrics has them.
//!
//! No label has a person, a device or a path of the machine.

mod process;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets_range};
use prometheus_client::registry::{Metric, Registry};
use tarbac_host::decision::Outcome;

use crate::app::App;
use crate::caller::{Caller, Right};
use crate::fault::Fault;
use crate::openapi::Faults;
use crate::reload::Reloaded;
use crate::served::Served;

/// The media type of the answer.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Seconds, with their fraction.
type Seconds = Gauge<f64, AtomicU64>;

/// The figures.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<EndpointLabel, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    rejected: Family<ReasonLabel, Counter>,
    decisions: Family<DecisionLabels, Counter>,
    decision_duration: Histogram,
    search_results: Histogram,
    batch_items: Histogram,
    reloads: Family<ReloadLabel, Counter>,
    reload_duration: Histogram,
    revision: Family<RevisionLabel, Gauge>,
    loaded: Seconds,
    entities: Family<TypeLabel, Gauge>,
    policies: Gauge,
    process: process::ProcessMetrics,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    endpoint: &'static str,
    method: &'static str,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndpointLabel {
    endpoint: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabels {
    decision: &'static str,
    basis: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabel {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RevisionLabel {
    id: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TypeLabel {
    r#type: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
    cedar: String,
}

/// Why a request was turned away before it was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "they are the values of the label")]
pub(crate) enum Reason {
    /// It was for another host.
    host,
    /// A page of another site sent it.
    csrf,
    /// The caller is unknown, or lacks the right.
    auth,
    /// It is too large.
    size,
    /// Too much is being answered.
    overload,
    /// It, or its answer, took too long.
    timeout,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let registry_of = &mut registry;
        let durations = Family::new_with_constructor(durations as fn() -> Histogram);
        let build = Family::<BuildLabels, Gauge>::default();
        let labels = BuildLabels {
            version: env!("CARGO_PKG_VERSION"),
            cedar: cedar_policy::get_sdk_version().to_string(),
        };
        build.get_or_create(&labels).set(1);
        put(registry_of, "build_info", "The program", build);
        let metrics = Self {
            requests: put(
                registry_of,
                "http_requests",
                "Requests that were answered",
                Family::default(),
            ),
            durations: put(
                registry_of,
                "http_request_duration_seconds",
                "From the head of a request to the head of its answer",
                durations,
            ),
            in_flight: put(
                registry_of,
                "http_requests_in_flight",
                "Requests that are being answered",
                Gauge::default(),
            ),
            rejected: put(
                registry_of,
                "http_rejected",
                "Requests that were turned away",
                Family::default(),
            ),
            decisions: put(
                registry_of,
                "decisions",
                "Decisions that were given",
                Family::default(),
            ),
            decision_duration: put(
                registry_of,
                "decision_duration_seconds",
                "The time of a decision",
                decision_durations(),
            ),
            search_results: put(
                registry_of,
                "search_results",
                "The results of a search, on all its pages",
                counts(),
            ),
            batch_items: put(registry_of, "batch_items", "The items of a batch", counts()),
            reloads: put(
                registry_of,
                "reloads",
                "Readings of the workspace",
                Family::default(),
            ),
            reload_duration: put(
                registry_of,
                "reload_duration_seconds",
                "The time of a reading",
                reload_durations(),
            ),
            revision: put(
                registry_of,
                "revision_info",
                "The revision that is served",
                Family::default(),
            ),
            loaded: put(
                registry_of,
                "revision_loaded_timestamp_seconds",
                "When the served revision was read",
                Seconds::default(),
            ),
            entities: put(
                registry_of,
                "entities",
                "The entities that are served",
                Family::default(),
            ),
            policies: put(
                registry_of,
                "policies",
                "The policies that are served",
                Gauge::default(),
            ),
            process: process::ProcessMetrics::new(registry_of),
            registry,
        };
        metrics.begin();
        metrics
    }

    /// What has not happened yet is told as nothing.
    fn begin(&self) {
        for result in [
            Reloaded::Ok,
            Reloaded::Unchanged,
            Reloaded::Invalid,
            Reloaded::Unreadable,
        ] {
            let result = result.word();
            drop(self.reloads.get_or_create(&ReloadLabel { result }));
        }
        use Reason::{auth, csrf, host, overload, size, timeout};
        for reason in [host, csrf, auth, size, overload, timeout] {
            drop(self.rejected.get_or_create(&ReasonLabel { reason }));
        }
    }

    /// A request is being answered until what this returns is dropped.
    pub(crate) fn enter(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// A request was answered.
    pub(crate) fn answered(
        &self,
        endpoint: &'static str,
        method: &'static str,
        status: u16,
        took: Duration,
    ) {
        let labels = RequestLabels {
            endpoint,
            method,
            status,
        };
        self.requests.get_or_create(&labels).inc();
        let durations = self.durations.get_or_create(&EndpointLabel { endpoint });
        durations.observe(took.as_secs_f64());
    }

    /// A request was turned away.
    pub(crate) fn reject(&self, reason: Reason) {
        self.rejected.get_or_create(&ReasonLabel { reason }).inc();
    }

    /// A decision was given.
    pub(crate) fn decided(&self, outcome: &Outcome, took: Duration) {
        let labels = DecisionLabels {
            decision: outcome.decision.word(),
            basis: outcome.basis.word(),
        };
        self.decisions.get_or_create(&labels).inc();
        self.decision_duration.observe(took.as_secs_f64());
    }

    /// A batch was answered.
    pub(crate) fn batch(&self, items: usize) {
        self.batch_items.observe(items as f64);
    }

    /// A search was answered.
    pub(crate) fn searched(&self, results: usize) {
        self.search_results.observe(results as f64);
    }

    /// The workspace was read.
    pub(crate) fn reloaded(&self, result: Reloaded, took: Duration) {
        let label = ReloadLabel {
            result: result.word(),
        };
        self.reloads.get_or_create(&label).inc();
        self.reload_duration.observe(took.as_secs_f64());
    }

    /// Another revision is served.
    pub(crate) fn serves(&self, served: &Served) {
        self.revision.clear();
        let id = served.revision().to_owned();
        self.revision.get_or_create(&RevisionLabel { id }).set(1);
        self.loaded
            .set(served.loaded.as_millisecond() as f64 / 1000.0);
        self.policies
            .set(number(served.engine.bundle().policies().len()));
        self.entities.clear();
        for (r#type, count) in served.entities_by_type() {
            self.entities
                .get_or_create(&TypeLabel { r#type })
                .set(number(count));
        }
    }

    fn text(&self) -> Result<String, std::fmt::Error> {
        self.process.look();
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// The figures.
#[utoipa::path(get, path = "/metrics", responses((status = 200, body = String), Faults), tag = "Management")]
pub(crate) async fn metrics(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Fault> {
    caller.demand(Right::Operate)?;
    let text = app.metrics.text().map_err(|_| Fault::broken())?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}

/// A request that is being answered.
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Registers a figure under its name, and returns it.
fn put<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(format!("tarbac_{name}"), help, metric.clone());
    metric
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// From 50 microseconds to 10 seconds.
fn durations() -> Histogram {
    Histogram::new([
        50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5,
        1.0, 2.5, 5.0, 10.0,
    ])
}

/// From a microsecond to a second.
fn decision_durations() -> Histogram {
    Histogram::new(exponential_buckets_range(1e-6, 1.0, 13))
}

/// From 10 milliseconds to a minute.
fn reload_durations() -> Histogram {
    Histogram::new([
        0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
    ])
}

fn counts() -> Histogram {
    Histogram::new([0.0, 1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6])
}
