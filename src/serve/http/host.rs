//! The check of the header `Host`, against DNS rebinding.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Entrance;
use crate::app::App;
use crate::fault::Fault;
use crate::metrics::Reason;
use crate::settings::{Settings, is_local_name};

/// The paths that probes may request under any host.
const EXEMPT: [&str; 2] = ["/livez", "/readyz"];

/// Refuses requests for another host.
pub(crate) async fn check(
    State((app, entrance)): State<(Arc<App>, Entrance)>,
    request: Request,
    next: Next,
) -> Response {
    let is_right = EXEMPT.contains(&request.uri().path())
        || host(&request).is_some_and(|host| is_ours(&app.settings, entrance, &host));
    match is_right {
        true => next.run(request).await,
        false => {
            let message = "this server does not answer for this host";
            Fault::new(StatusCode::MISDIRECTED_REQUEST, message)
                .because(Reason::host)
                .into_response()
        }
    }
}

/// The host that a request is for.
fn host(request: &Request) -> Option<Authority> {
    let mut sent = request.headers().get_all(header::HOST).iter();
    let named = match (sent.next(), sent.next()) {
        (Some(host), None) => Some(host.to_str().ok()?.parse::<Authority>().ok()?),
        (None, _) => None,
        (Some(_), Some(_)) => return None,
    };
    let of_target = request.uri().authority().cloned();
    match (&of_target, &named) {
        // HTTP/2 may name the host in the target alone. If the header names one too, they have to agree.
        (Some(target), Some(named)) if target != named => None,
        _ => of_target.or(named),
    }
}

fn is_ours(settings: &Settings, entrance: Entrance, host: &Authority) -> bool {
    let is_same = |one: &Authority| {
        let default = |of: &Authority| of.port_u16().unwrap_or(443);
        one.host().eq_ignore_ascii_case(host.host()) && default(one) == default(host)
    };
    let public = settings.public_url.as_ref();
    if public.is_some_and(|url| is_same(url.authority())) {
        return true;
    }
    let mut allowed = settings.allow_hosts.iter();
    let is_allowed = allowed.any(|allowed| {
        allowed.eq_ignore_ascii_case(host.host()) || allowed.eq_ignore_ascii_case(host.as_str())
    });
    // If other machines can connect, `localhost` is no name of the server.
    is_allowed || entrance.is_local && is_local_name(host.host())
}
