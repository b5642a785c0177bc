//! The metrics of HTTP requests.

use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::put;

/// The bucket bounds of durations, from 50 microseconds to 10 seconds.
const DURATIONS: [f64; 17] = [
    50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1.0,
    2.5, 5.0, 10.0,
];

/// The metrics of HTTP requests.
pub(crate) struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<EndpointLabel, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    rejected: Family<ReasonLabel, Counter>,
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

/// The reason why a request was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types, reason = "they are the values of the label")]
pub(crate) enum Reason {
    /// The header `Host` names another host.
    host,
    /// A page of another site sent it.
    csrf,
    /// The caller is unknown, or lacks the right.
    auth,
    /// The body is too large.
    size,
    /// Too many requests are being answered.
    overload,
    /// The body or the answer took too long.
    timeout,
}

/// A request that is being answered.
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl HttpMetrics {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let durations = || Histogram::new(DURATIONS);
        let durations = Family::new_with_constructor(durations as fn() -> Histogram);
        let took = "From the head of a request to the head of its answer";
        let metrics = Self {
            requests: put(
                registry,
                "http_requests",
                "Requests that were answered",
                Family::default(),
            ),
            durations: put(registry, "http_request_duration_seconds", took, durations),
            in_flight: put(
                registry,
                "http_requests_in_flight",
                "Requests that are being answered",
                Gauge::default(),
            ),
            rejected: put(
                registry,
                "http_rejected",
                "Requests that were turned away",
                Family::default(),
            ),
        };
        // A reason that has not occurred yet is exported as 0.
        use Reason::{auth, csrf, host, overload, size, timeout};
        for reason in [host, csrf, auth, size, overload, timeout] {
            drop(metrics.rejected.get_or_create(&ReasonLabel { reason }));
        }
        metrics
    }

    /// Counts a request as in flight until the returned value is dropped.
    pub(crate) fn enter(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Counts an answered request, with its duration.
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

    /// Counts a rejected request.
    pub(crate) fn reject(&self, reason: Reason) {
        self.rejected.get_or_create(&ReasonLabel { reason }).inc();
    }
}
