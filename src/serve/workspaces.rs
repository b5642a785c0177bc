//! Several workspaces in one process, each under a path of its own.
//!
//! The first part of a path names the workspace, and everything after that is answered by a server that knows no other:
//! a request has no way to the data of a neighbour.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;

use crate::app::App;
use crate::authzen::path;
use crate::http::{Entrance, routes_of};

/// The names that no workspace has, as they are paths of the server itself.
const RESERVED: [&str; 10] = [
    "-",
    "access",
    "api",
    "assets",
    "livez",
    "metrics",
    "openapi.json",
    "readyz",
    "version",
    "well-known",
];

/// The longest name of a workspace, in bytes.
const LONGEST: usize = 128;

/// The workspaces by their names.
#[derive(Default)]
pub(crate) struct Workspaces {
    apps: ArcSwap<BTreeMap<String, Arc<App>>>,
}

/// The routes of a workspace, made at its first request at each kind of listener.
#[derive(Default)]
pub(crate) struct Routers(Mutex<Vec<(Entrance, Router)>>);

impl Workspaces {
    /// Adds a workspace.
    pub(crate) fn add(&self, name: &str, app: &Arc<App>) {
        self.apps.rcu(|apps| {
            let mut apps = BTreeMap::clone(apps);
            apps.insert(name.to_owned(), Arc::clone(app));
            apps
        });
    }

    /// Every workspace that is served.
    pub(crate) fn apps(&self) -> Vec<Arc<App>> {
        self.apps.load().values().cloned().collect()
    }

    /// The workspace that a path is of. `below` is the path under which all are.
    fn at(&self, request_path: &str, below: &str) -> Option<Arc<App>> {
        let rest = request_path
            .strip_prefix(path::METADATA)
            .unwrap_or(request_path);
        let rest = rest.strip_prefix(below)?.strip_prefix('/')?;
        let name = rest.split('/').next().unwrap_or_default();
        self.apps.load().get(name).cloned()
    }
}

/// Whether a workspace may have this name: it is a part of paths, labels and records.
pub(crate) fn is_name(name: &str) -> bool {
    let is_plain = |of: char| of.is_ascii_alphanumeric() || "-_.".contains(of);
    !name.is_empty()
        && name.len() <= LONGEST
        && !name.starts_with('.')
        && !RESERVED.contains(&name)
        && name.chars().all(is_plain)
}

/// Answers a request by the workspace that its path names, or else by the server itself.
pub(crate) async fn dispatch(
    root: Arc<App>,
    own: Router,
    entrance: Entrance,
    request: Request,
) -> Response {
    let workspaces = root.workspaces.as_ref();
    let app = workspaces.and_then(|workspaces| workspaces.at(request.uri().path(), &root.mount));
    let routes = match app {
        Some(app) => app.routers.at(&app, entrance),
        None => own,
    };
    routes.oneshot(request).await.into_response()
}

impl Routers {
    fn at(&self, app: &Arc<App>, entrance: Entrance) -> Router {
        let mut routers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, router)) = routers.iter().find(|(of, _)| *of == entrance) {
            return router.clone();
        }
        let router = routes_of(app, entrance);
        routers.push((entrance, router.clone()));
        router
    }
}
