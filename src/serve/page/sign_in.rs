//! The sign-in with a token, where callers say who they are.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use maud::{Markup, html};
use tarbac_report::html::{Head, Icon, Shown, Tone, message, submit};

use super::frame::{document, links};
use super::session::set_cookie;
use super::view::elsewhere;
use crate::app::App;
use crate::caller::Right;
use crate::explore::Arguments;
use crate::fault::Fault;
use crate::http::body;

/// The page in place of a view that the caller may not see. `next` is the address of the view.
pub(super) fn refused(app: &App, fault: &Fault, next: &str) -> Response {
    page(
        app,
        fault.status,
        next,
        (fault.status == StatusCode::FORBIDDEN).then_some(fault),
    )
}

/// `GET /sign-in`
pub(super) async fn form(State(app): State<Arc<App>>) -> Response {
    page(&app, StatusCode::OK, "", None)
}

/// `POST /sign-in`: a token becomes a cookie. The token comes back in no answer.
pub(super) async fn sign_in(State(app): State<Arc<App>>, request: Request) -> Response {
    let sent = match body::form(request).await {
        Ok(sent) => sent,
        Err(fault) => return fault.into_response(),
    };
    let given = Arguments::of_query(&sent);
    let (token, next) = (given.first("token"), given.first("next"));
    let caller = app.callers.bearer(&token).await.at(app.workspace());
    if let Err(fault) = caller.demand(Right::Explore) {
        return page(&app, fault.status, &next, Some(&fault));
    }
    let Some(cookie) = app.sessions.begin(&token) else {
        return Fault::broken().into_response();
    };
    // Only a path of this server: `//host` and `/\host` would be another.
    let is_ours = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\');
    let next = if is_ours { next } else { links(&app).path("/") };
    with_cookie(elsewhere(&next), Some(&cookie))
}

/// `POST /sign-out`
pub(super) async fn sign_out(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.sessions.end(&headers);
    with_cookie(elsewhere(&links(&app).path("/sign-in")), None)
}

fn with_cookie(mut response: Response, cookie: Option<&str>) -> Response {
    if let Ok(value) = HeaderValue::from_str(&set_cookie(cookie)) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    response
}

fn page(app: &App, status: StatusCode, next: &str, fault: Option<&Fault>) -> Response {
    let links = links(app);
    let head = Head {
        crumbs: &[],
        icon: Icon::Key,
        title: "Sign in",
        subtitle: "This server asks who you are.",
        commands: None,
    };
    let main = html! {
        (head.markup())
        @if let Some(fault) = fault {
            div role="alert" { (message(Tone::Bad, "This token does not open the page.", &html! { p { (Shown(&fault.message)) } })) }
        }
        (token_form(&links.path("/sign-in"), next))
    };
    let document = document(&links, None, "Sign in", main);
    (status, Html(document)).into_response()
}

fn token_form(action: &str, next: &str) -> Markup {
    html! {
        form.card method="post" action=(action) {
            div.fields {
                div.field.wide {
                    label for="token" { "Token" }
                    input #token type="password" name="token" autocomplete="off" required aria-describedby="token-hint";
                    span.hint #token-hint { "One with the right explore; tarbac token makes them. It is kept by the server until you sign out, for eight hours at most." }
                }
                input type="hidden" name="next" value=(next);
                (submit("Sign in"))
            }
        }
    }
}
