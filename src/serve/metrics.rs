//! The metrics of the server in the OpenMetrics format.
//!
//! No label names a person, a device or a path of the machine.

mod credentials;
mod decisions;
mod http;
mod process;
mod served;
mod store;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Metric, Registry};

use crate::app::App;
use crate::caller::{Caller, Right};
use crate::decision_log::LogFigures;
use crate::fault::Fault;
use crate::openapi::Faults;
use crate::workspaces::Workspaces;

pub(crate) use credentials::CredentialFigures;
pub(crate) use http::Reason;

/// The media type of the answer.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A gauge in seconds, with fractions.
type Seconds = Gauge<f64, AtomicU64>;

/// The metrics of the server.
pub(crate) struct Metrics {
    pub(crate) http: http::HttpMetrics,
    pub(crate) decisions: decisions::DecisionMetrics,
    pub(crate) served: served::ServedMetrics,
    pub(crate) store: store::StoreMetrics,
    pub(crate) decision_log: LogFigures,
    pub(crate) credentials: CredentialFigures,
    jobs: Gauge,
    process: process::ProcessMetrics,
    registry: Registry,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    version: &'static str,
    cedar: String,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let build = Family::<BuildLabels, Gauge>::default();
        let labels = BuildLabels {
            version: env!("CARGO_PKG_VERSION"),
            cedar: cedar_policy::get_sdk_version().to_string(),
        };
        build.get_or_create(&labels).set(1);
        put(&mut registry, "build_info", "The program", build);
        Self {
            http: http::HttpMetrics::new(&mut registry),
            decisions: decisions::DecisionMetrics::new(&mut registry),
            served: served::ServedMetrics::new(&mut registry),
            store: store::StoreMetrics::new(&mut registry),
            decision_log: LogFigures::new(&mut registry),
            credentials: CredentialFigures::new(&mut registry),
            jobs: put(
                &mut registry,
                "jobs_running",
                "Comparisons and access reviews that are being computed",
                Gauge::default(),
            ),
            process: process::ProcessMetrics::new(&mut registry),
            registry,
        }
    }

    fn text(&self, jobs: usize) -> Result<String, std::fmt::Error> {
        self.jobs.set(i64::try_from(jobs).unwrap_or(i64::MAX));
        self.process.sample();
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// The figures.
#[utoipa::path(get, path = "/metrics", responses((status = 200, body = String, content_type = "application/openmetrics-text"), Faults), tag = "Management")]
pub(crate) async fn metrics(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Fault> {
    caller.demand(Right::Operate)?;
    let several = app.workspaces.iter().flat_map(Workspaces::apps);
    for app in several.chain([Arc::clone(&app)]) {
        if let Some(freshness) = &app.freshness {
            app.metrics.store.looked(app.workspace(), freshness);
        }
    }
    let text = app
        .metrics
        .text(app.jobs.running())
        .map_err(|_| Fault::broken())?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response())
}

/// Registers a metric under its name with the prefix `tarbac_`, and returns it.
fn put<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(format!("tarbac_{name}"), help, metric.clone());
    metric
}
