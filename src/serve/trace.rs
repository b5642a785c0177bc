//! Traces: a span for each request and its steps, sent by OTLP.
//!
//! The variables are those of OpenTelemetry: `OTEL_EXPORTER_OTLP_ENDPOINT` (or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`)
//! names a collector that takes protobuf over HTTP. Without it, no span is created.

use std::env;
use std::fmt::{self, Debug, Formatter};
use std::time::Duration;

use async_trait::async_trait;
use axum::http::HeaderMap;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HeaderExtractor, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;
use ureq::Agent;

use crate::fault::ServeError;
use crate::outgoing;

/// The tracing target of spans, which other layers ignore.
pub(crate) const SPANS: &str = "tarbac::span";

/// The service name of spans, if the environment names none.
const SERVICE: &str = "tarbac";

/// The time limit of a request to the collector.
const PATIENCE: Duration = Duration::from_secs(10);

/// A span of a step of a request.
macro_rules! step {
    ($name:literal) => {
        tracing::trace_span!(target: $crate::trace::SPANS, $name)
    };
}
pub(crate) use step;

/// The sender of spans. The remaining ones are sent when it is dropped.
pub(crate) struct Traces(SdkTracerProvider);

impl Traces {
    /// The sender that the environment asks for, if it asks for one.
    ///
    /// # Errors
    /// The sender cannot be set up as the environment says.
    pub(crate) fn begin() -> Result<Option<Self>, ServeError> {
        let is_disabled =
            variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let is_off = is_disabled || variable("OTEL_TRACES_EXPORTER").as_deref() == Some("none");
        let endpoint = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
            .or_else(|| variable("OTEL_EXPORTER_OTLP_ENDPOINT"));
        let Some(endpoint) = endpoint.filter(|_| !is_off) else {
            return Ok(None);
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Collector(outgoing::agent(&endpoint, PATIENCE)))
            .build()
            .map_err(|error| ServeError::Traces(error.to_string()))?;
        let resource = Resource::builder();
        let resource = match variable("OTEL_SERVICE_NAME") {
            Some(_) => resource,
            None => resource.with_service_name(SERVICE),
        };
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build());
        Ok(Some(Self(provider.build())))
    }

    /// The layer that sends spans, and no events of the log.
    pub(crate) fn layer<S>(&self) -> impl Layer<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer(SERVICE))
            .with_location(false)
            .with_threads(false)
            .with_filter(Targets::new().with_target(SPANS, LevelFilter::TRACE))
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        // Spans that cannot be sent in time are lost.
        let _ = self.0.shutdown();
    }
}

/// The span of a request, below the one that its header `traceparent` names.
pub(crate) fn request(method: &'static str, endpoint: &'static str, headers: &HeaderMap) -> Span {
    let span = tracing::trace_span!(
        target: SPANS,
        "http",
        otel.kind = "server",
        http.request.method = method,
        http.route = endpoint,
        http.response.status_code = tracing::field::Empty,
    );
    if !span.is_disabled() {
        let parent = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
        // The parent can be set, as the span is new.
        let _ = span.set_parent(parent);
    }
    span
}

/// The value of a variable of the environment; `None` for an empty one.
#[expect(
    clippy::disallowed_methods,
    reason = "OpenTelemetry is set up by the environment"
)]
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// The client of a collector.
struct Collector(Agent);

impl Debug for Collector {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("Collector")
    }
}

#[async_trait]
impl HttpClient for Collector {
    /// Spans are sent by a thread of their own, so this may block it.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let answer = self.0.run(Request::from_parts(head, &body[..]))?;
        let (head, mut body) = answer.into_parts();
        let body = body.read_to_vec()?;
        Ok(Response::from_parts(head, body.into()))
    }
}
