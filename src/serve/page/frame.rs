//! The frame of every view, and the headers that protect it.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use maud::{Markup, html};
use tarbac_report::html::{
    Assets, Frame, Head, Icon, NavigationLink, Tone, command_link, copyable, facts, icon, message,
    navigation,
};
use tarbac_report::words::counted;

use super::assets::{PAGE_SCRIPT, STYLE_SHEET};
use super::links::Links;
use super::view::{Route, View, ViewRequest};
use crate::app::App;
use crate::clock;
use crate::fault::Fault;
use crate::http::REVISION;
use crate::served::Served;

/// The policy for browsers: nothing from elsewhere, no inline script or style, no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
     img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'";

/// The navigation: groups of views.
const GROUPS: [(&str, &[Route]); 3] = [
    ("", &[Route::Overview]),
    ("Access", &[Route::Who, Route::What, Route::Why]),
    (
        "Review",
        &[Route::WhatIf, Route::Access, Route::Roles, Route::Changes],
    ),
];

/// Adds the headers that protect a view.
pub(super) async fn protected(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let same = HeaderValue::from_static("same-origin");
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(POLICY),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        same.clone(),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        same,
    );
    response
}

/// A view as a document.
pub(super) fn page(asked: &ViewRequest, view: View) -> Response {
    let route = asked.route;
    let exports = html! {
        @for (words, format) in view.formats {
            (command_link(Icon::Download, words, &asked.here_with("format", format)))
        }
        (command_link(Icon::Reload, "Refresh", &asked.here_without("format")))
    };
    let head = Head {
        crumbs: &[],
        icon: route.icon(),
        title: route.name(),
        subtitle: route.about(),
        commands: Some(exports),
    };
    let title = match &view.title {
        Some(title) => format!("{title} - {}", route.name()),
        None => route.name().to_owned(),
    };
    let main = html! {
        (head.markup())
        (newer(asked))
        (view.main)
        @if let Some(equal) = &view.equal {
            section.stack.tight aria-label="The same elsewhere" {
                (copyable("command-line", "Copy as command", &equal.line))
                (copyable("command-curl", "Copy as curl", &equal.curl))
            }
        }
    };
    let status = view.fault.as_ref().map(|fault| fault.status);
    let document = document(&asked.links, Some(asked), &title, main);
    let mut headers = HeaderMap::new();
    headers.insert(REVISION, asked.served.revision_header());
    match status {
        Some(status) => (status, headers, Html(document)).into_response(),
        None => (headers, Html(document)).into_response(),
    }
}

/// A refusal as a document.
pub(super) fn fault(app: &App, fault: &Fault) -> Response {
    let links = links(app);
    let said = html! { p { (tarbac_report::html::Shown(&fault.message)) } };
    let main = html! {
        (Head {
            crumbs: &[],
            icon: Icon::Warning,
            title: "Something went wrong",
            subtitle: "",
            commands: None,
        }.markup())
        (message(Tone::Bad, "There is no answer.", &said))
    };
    let document = document(&links, None, "Something went wrong", main);
    (fault.status, Html(document)).into_response()
}

/// The addresses of a server.
pub(super) fn links(app: &App) -> Links {
    Links::new(&app.mount)
}

/// A document with the bar, the navigation where somebody may see the views, and the content.
pub(super) fn document(
    links: &Links,
    asked: Option<&ViewRequest>,
    title: &str,
    main: Markup,
) -> String {
    let style = links.path(&format!("/assets/{}", STYLE_SHEET.name));
    let script = links.path(&format!("/assets/{}", PAGE_SCRIPT.name));
    let home = links.path("/");
    let frame = Frame {
        title,
        assets: Assets::Linked {
            style: &style,
            scripts: &[&script],
        },
        home: Some(&home),
        tools: asked.map_or_else(|| html! {}, tools),
        navigation: asked.map(|asked| blades(links, asked)),
        main,
        footer: asked.map_or_else(|| html! {}, |asked| footer(&asked.served)),
    };
    frame.into_document()
}

fn blades(links: &Links, asked: &ViewRequest) -> Markup {
    let addresses: Vec<String> = Route::ALL
        .iter()
        .map(|route| links.view(*route, &[]))
        .collect();
    let entry = |route: &Route| {
        let place = Route::ALL.iter().position(|known| known == route);
        let href = place.and_then(|place| addresses.get(place));
        NavigationLink {
            icon: route.icon(),
            name: route.name(),
            href: href.map_or("", String::as_str),
            is_current: *route == asked.route,
        }
    };
    let groups: Vec<(&str, Vec<NavigationLink<'_>>)> = GROUPS
        .iter()
        .map(|(heading, views)| {
            // A folder has no revisions with numbers.
            let shown = |route: &&Route| **route != Route::Changes || asked.freshness.is_some();
            (*heading, views.iter().filter(shown).map(entry).collect())
        })
        .collect();
    let groups: Vec<(&str, &[NavigationLink<'_>])> = groups
        .iter()
        .map(|(heading, links)| (*heading, links.as_slice()))
        .collect();
    navigation(&groups)
}

/// The search, and the revision with its age.
fn tools(asked: &ViewRequest) -> Markup {
    let served = &asked.served;
    let is_signed_in = !asked.caller.is_silent();
    html! {
        form action=(asked.links.view(Route::Find, &[])) role="search" {
            input type="search" name="q" aria-label="Search for people, devices, roles and permissions"
                placeholder="Search" autocomplete="off"
                value=(asked.search()) data-find="principal,resource,action,role" data-go=(asked.links.view(Route::Find, &[]));
        }
        span.revision data-revision=(served.revision()) {
            "Revision "
            @if let Some(name) = served.name() { (name.number) " " }
            code { (served.engine.provenance().short_revision()) } ", read " (age(served.loaded))
        }
        @if asked.stale().is_some() { span.stale { (icon(Icon::Warning)) " not the newest" } }
        @if is_signed_in {
            form.out method="post" action=(asked.links.path("/sign-out")) {
                button.plain type="submit" { "Sign out " (tarbac_report::html::Shown(asked.caller.name())) }
            }
        }
    }
}

/// Places for the remarks that another revision is served, and that the newest is not; a script shows and hides them
/// where that changes.
fn newer(asked: &ViewRequest) -> Markup {
    let link = html! { p { "What is shown here is of the revision before. " a href=(asked.here_without("format")) { "Show the new one" } } };
    let stale = asked.stale();
    let because =
        html! { p #stale-because { (tarbac_report::html::Shown(stale.unwrap_or_default())) } };
    html! {
        div #newer hidden role="status" { (message(Tone::Brand, "The workspace has changed.", &link)) }
        div #stale hidden[stale.is_none()] role="alert" {
            (message(Tone::Bad, "The newest state is not served.", &because))
        }
    }
}

/// Rules, revision and readings.
fn footer(served: &Served) -> Markup {
    let provenance = served.engine.provenance();
    let readings = match provenance.readings.as_slice() {
        [] => "none".to_owned(),
        readings => readings.join(", "),
    };
    facts(&[
        ("Revision", html! { (provenance.short_revision()) }),
        ("Rules", html! { (provenance.rules.word()) }),
        (
            "Readings in force",
            html! { (tarbac_report::html::Shown(&readings)) },
        ),
        (
            "Read",
            html! { time datetime=(served.loaded) { (served.loaded.strftime("%Y-%m-%d %H:%M UTC")) } },
        ),
    ])
}

/// The time since an event, in words.
pub(super) fn age(when: Timestamp) -> String {
    let seconds = clock::now().as_second().saturating_sub(when.as_second());
    let (count, unit) = match seconds {
        ..60 => return "just now".to_owned(),
        60..3600 => (seconds / 60, "minute"),
        3600..86400 => (seconds / 3600, "hour"),
        _ => (seconds / 86400, "day"),
    };
    format!("{} ago", counted(count, unit))
}
