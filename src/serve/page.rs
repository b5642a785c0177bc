//! The page: views with an address each, which work by links and forms.
//!
//! A view has its question in its address, reads it as the API does, and shows the answer with the templates of
//! [`tarbac_report::html`]. A script adds names that are found while they are typed, progress, and copying.

mod access;
mod assets;
mod changes;
mod compared;
mod find;
mod frame;
mod job;
mod links;
mod overview;
mod parts;
mod roles;
mod session;
mod sign_in;
mod view;
mod what;
mod what_if;
mod who;
mod why;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, Uri, header};
use axum::middleware;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::SizeAbove;

use crate::app::App;
use crate::caller::{Caller, Right};
use view::{Route, ViewRequest};

pub(crate) use session::Sessions;

/// Answers of more bytes are compressed for browsers that take that.
const LONG: u64 = 1024;

/// The views, at paths below the public URL.
pub(crate) fn routes() -> Router<Arc<App>> {
    let mut routes = Router::new();
    for route in Route::ALL {
        routes = routes.route(route.path(), answered(route));
    }
    let routes = routes
        .route("/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/assets/{name}", get(assets::asset));
    protected(routes)
}

/// The first view at the path of the public URL with a slash at its end, which a router below that path does not match.
pub(crate) fn home(below: &str) -> Router<Arc<App>> {
    let path = format!("{below}{}", Route::Overview.path());
    protected(Router::new().route(&path, answered(Route::Overview)))
}

/// The routes with the headers that protect them, compressed for browsers that take that.
fn protected(routes: Router<Arc<App>>) -> Router<Arc<App>> {
    routes
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(LONG)))
        .layer(middleware::map_response(frame::protected))
}

/// The handler at the path of a view.
fn answered(route: Route) -> MethodRouter<Arc<App>> {
    get(
        move |state: State<Arc<App>>, caller: Extension<Caller>, headers: HeaderMap, uri: Uri| {
            show(route, state, caller, headers, uri)
        },
    )
}

/// Shows a view to whoever may see it.
async fn show(
    route: Route,
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    if let Err(fault) = caller.demand(Right::Explore) {
        let query = uri.query().unwrap_or_default();
        let next = frame::links(&app).with_query(route, query);
        return sign_in::refused(&app, &fault, &next);
    }
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let mut asked = ViewRequest::new(&app, &caller, route, uri.query().unwrap_or_default(), host);
    asked.prepared = match route {
        Route::WhatIf => Some(what_if::prepare(&app, &asked).await),
        Route::Access => Some(access::prepare(&app, &asked).await),
        Route::Changes => Some(changes::prepare(&app, &asked).await),
        _ => None,
    };
    if let (Route::Overview | Route::Changes, Some(freshness)) = (route, &app.freshness) {
        asked.news = Some(freshness.history().news().await);
    }
    match app.workers.run(move |_| route.answer(asked)).await {
        Ok(response) => response,
        Err(fault) => frame::fault(&app, &fault),
    }
}
