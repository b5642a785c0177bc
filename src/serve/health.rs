//! The endpoints for probes: liveness, readiness and version.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::App;
use crate::fault;
use crate::openapi::Faults;

/// The body of `/version`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Version<'a> {
    name: &'a str,
    version: &'a str,
    /// The revision; absent if the server has several workspaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<&'a str>,
    /// Its number in a store.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    /// The workspaces, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    workspaces: Option<usize>,
}

/// A check whether the server is ready for requests.
struct ReadyCheck {
    name: &'static str,
    /// The reason why it is not ready; `None` if the check passes.
    wrong: Option<&'static str>,
}

/// The process serves.
#[utoipa::path(get, path = "/livez", responses((status = 200, body = String)), tag = "Management")]
pub(crate) async fn live() -> &'static str {
    "ok\n"
}

/// Whether requests should come here; with `?verbose`, a line for each check.
#[utoipa::path(
    get,
    path = "/readyz",
    responses((status = 200, body = String), (status = 503, body = String)),
    tag = "Management"
)]
pub(crate) async fn ready(State(app): State<Arc<App>>, RawQuery(query): RawQuery) -> Response {
    let checks = checks(&app);
    let is_ready = checks.iter().all(|check| check.wrong.is_none());
    let status = match is_ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let is_verbose =
        query.is_some_and(|query| query.split('&').any(|of| of.starts_with("verbose")));
    let lines: String = match (is_verbose, is_ready) {
        (true, _) => checks.iter().map(ReadyCheck::line).collect(),
        (false, true) => "ok\n".to_owned(),
        (false, false) => "not ready\n".to_owned(),
    };
    (status, lines).into_response()
}

/// The program and the revision.
#[utoipa::path(get, path = "/version", responses((status = 200, body = Version), Faults), tag = "Management")]
pub(crate) async fn version(State(app): State<Arc<App>>) -> Response {
    let served = app.served();
    let version = Version {
        name: "tarbac",
        version: env!("CARGO_PKG_VERSION"),
        revision: app.workspaces.is_none().then(|| served.revision()),
        number: served.name().map(|name| name.number),
        workspaces: app
            .workspaces
            .as_ref()
            .map(|workspaces| workspaces.apps().len()),
    };
    fault::json(StatusCode::OK, &version)
}

fn checks(app: &App) -> Vec<ReadyCheck> {
    let log = app.decision_log.as_ref();
    let unlogged = log.filter(|log| log.refuses());
    let unlogged = unlogged.map(|_| "decisions cannot be logged");
    let draining = app.is_draining().then_some("the server is stopping");
    let stale = stale(app);
    // A workspace is loaded before the server listens, so only damage can fail this check.
    let is_damaged = app.served().engine.directory().is_damaged();
    let damaged = is_damaged.then_some("the cache of the entities is damaged");
    vec![
        ReadyCheck {
            name: "loaded",
            wrong: damaged,
        },
        ReadyCheck {
            name: "fresh",
            wrong: stale,
        },
        ReadyCheck {
            name: "log",
            wrong: unlogged,
        },
        ReadyCheck {
            name: "draining",
            wrong: draining,
        },
    ]
}

/// Why requests should go elsewhere as what is served is stale. A server of several answers as long as one is fresh.
fn stale(app: &App) -> Option<&'static str> {
    let of = |app: &App| {
        app.freshness
            .as_ref()
            .and_then(|freshness| freshness.stale())
    };
    let Some(workspaces) = &app.workspaces else {
        return of(app);
    };
    let apps = workspaces.apps();
    match apps.iter().all(|app| of(app).is_some()) {
        true if apps.is_empty() => Some("there is no workspace yet"),
        true => Some("every workspace is stale"),
        false => None,
    }
}

impl ReadyCheck {
    fn line(&self) -> String {
        match self.wrong {
            None => format!("{}: ok\n", self.name),
            Some(wrong) => format!("{}: {wrong}\n", self.name),
        }
    }
}
