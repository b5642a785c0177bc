//! The routes, and the layers that every request goes through.

pub(crate) mod body;
mod host;
mod identity;

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::{CsrfLayer, ProtectionError};

use crate::app::App;
use crate::fault::Fault;
use crate::metrics::Reason;
use crate::{authzen, caller, freshness, health, metrics, reload, workspaces};

pub(crate) use identity::{REVISION, RequestId};

/// The set of routes of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// All routes.
    Everything,
    /// The routes of AuthZEN.
    Asked,
    /// Health, metrics and `/-/…`.
    Management,
}

/// The properties of a listener by which its requests are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entrance {
    pub(crate) role: Role,
    /// Whether only this machine can reach it.
    pub(crate) is_local: bool,
}

/// The routes of a listener.
pub(crate) fn router(app: &Arc<App>, entrance: Entrance) -> Router {
    let own = routes_of(app, entrance);
    if app.workspaces.is_none() {
        return own;
    }
    let root = Arc::clone(app);
    Router::new().fallback(move |request: Request| {
        workspaces::dispatch(root.clone(), own.clone(), entrance, request)
    })
}

/// The routes of one workspace at a listener, or of the server of several.
pub(crate) fn routes_of(app: &Arc<App>, entrance: Entrance) -> Router {
    let role = entrance.role;
    let mut routes = Router::new();
    if role != Role::Management && app.workspaces.is_none() {
        let demanded = middleware::from_fn_with_state(Arc::clone(app), freshness::demanded);
        let admitted = middleware::from_fn_with_state(Arc::clone(app), admitted);
        let asked = authzen::routes(&app.mount, app.settings.page);
        let asked = asked.layer(demanded).layer(admitted);
        routes = routes.merge(asked);
    }
    if role != Role::Management && app.workspaces.is_some() {
        routes = routes.merge(authzen::keys());
    }
    if role != Role::Asked {
        routes = match app.workspace() {
            None => routes.merge(management().route("/metrics", get(metrics::metrics))),
            // The figures are those of the process.
            Some(_) => routes.nest(&app.mount, management()),
        };
    }
    routes
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .layer(middleware::from_fn_with_state(
            Arc::clone(app),
            caller::identify,
        ))
        .layer(CsrfLayer::new().with_rejection_response(cross_site))
        .layer(middleware::from_fn_with_state(
            (Arc::clone(app), entrance),
            host::check,
        ))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn_with_state(
            Arc::clone(app),
            identity::identify,
        ))
        .with_state(Arc::clone(app))
}

/// The management routes.
fn management() -> Router<Arc<App>> {
    Router::new()
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/version", get(health::version))
        .route("/-/reload", post(reload::reload))
        .route("/-/poll", post(reload::poll))
}

/// Answers a request within the limits on concurrent requests and on time.
async fn admitted(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let Ok(_place) = app.places.try_acquire() else {
        return Fault::unavailable("too many requests are being answered")
            .because(Reason::overload)
            .into_response();
    };
    match tokio::time::timeout(app.settings.limits.timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Fault::unavailable("the answer took too long")
            .because(Reason::timeout)
            .into_response(),
    }
}

async fn not_found() -> Fault {
    Fault::new(StatusCode::NOT_FOUND, "there is nothing at this path")
}

async fn not_allowed() -> Fault {
    let message = "this path does not take this method; the header Allow has those that it takes";
    Fault::new(StatusCode::METHOD_NOT_ALLOWED, message)
}

fn cross_site(_: ProtectionError) -> Response {
    let message = "a page of another site sent this request";
    Fault::new(StatusCode::FORBIDDEN, message)
        .because(Reason::csrf)
        .into_response()
}

/// The response to a request whose handler panicked.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request ended in a panic");
    Fault::broken().into_response()
}
