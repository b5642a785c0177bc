//! The views, and what each is asked with.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tarbac_report::html::{Icon, Tone, message};

use super::job::Prepared;
use super::links::Links;
use super::{access, changes, find, frame, overview, roles, what, what_if, who, why};
use crate::app::App;
use crate::caller::Caller;
use crate::explore::{Arguments, Equal, SUPPOSED, Supposed, Suppositions, Typed, supposed};
use crate::fault::Fault;
use crate::freshness::Freshness;
use crate::history::StoreNews;
use crate::served::Served;
use crate::settings::PublicUrl;

/// The address of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    Overview,
    Who,
    What,
    Why,
    WhatIf,
    Access,
    Roles,
    Changes,
    Find,
}

/// A view that is asked for.
pub(super) struct ViewRequest {
    pub(super) route: Route,
    pub(super) served: Arc<Served>,
    pub(super) caller: Caller,
    /// The arguments that the address has.
    pub(super) given: Arguments,
    pub(super) links: Links,
    /// The job of the view, if it has one.
    pub(super) prepared: Option<Result<Prepared, Fault>>,
    /// The news of the store, if one is followed and the view is about it.
    pub(super) news: Option<StoreNews>,
    /// The store, if one is followed.
    pub(super) freshness: Option<Arc<Freshness>>,
    /// Why the newest state is not served, if it is not.
    stale: Option<String>,
    /// The address of the server, for requests by hand.
    url: String,
    /// The folder of the workspace, as the server was told it.
    folder: Option<String>,
}

/// The content of a view.
pub(super) struct View {
    /// The title of the document, where it says more than that of the view.
    pub(super) title: Option<String>,
    /// Forms and the answer.
    pub(super) main: Markup,
    /// The equal command and request, if anything is asked.
    pub(super) equal: Option<Equal>,
    /// The formats that the answer can be saved in: the name, and the value of `format`.
    pub(super) formats: &'static [(&'static str, &'static str)],
    /// Why there is no answer, if there is none.
    pub(super) fault: Option<Fault>,
}

/// The answer of a view.
pub(super) enum Answer {
    Page(View),
    /// A file to save: its name, its media type, and its content.
    File(String, &'static str, String),
    /// Another address.
    Elsewhere(String),
}

impl Answer {
    /// A document in JSON to save.
    pub(super) fn json(name: &str, document: String) -> Self {
        Self::File(format!("{name}.json"), "application/json", document)
    }

    /// A table in CSV to save.
    ///
    /// # Errors
    /// The table could not be written.
    pub(super) fn csv<E>(name: &str, table: Result<String, E>) -> Result<Self, Fault> {
        let table = table.map_err(|_| Fault::broken())?;
        Ok(Self::File(
            format!("{name}.csv"),
            "text/csv; charset=utf-8",
            table,
        ))
    }
}

/// CSV and JSON.
pub(super) const TABLE: &[(&str, &str)] = &[("Export CSV", "csv"), ("Export JSON", "json")];

impl Route {
    /// Every view.
    pub(super) const ALL: [Self; 9] = [
        Self::Overview,
        Self::Who,
        Self::What,
        Self::Why,
        Self::WhatIf,
        Self::Access,
        Self::Roles,
        Self::Changes,
        Self::Find,
    ];

    /// The path below the public URL.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Overview => "/",
            Self::Who => "/who",
            Self::What => "/what",
            Self::Why => "/why",
            Self::WhatIf => "/what-if",
            Self::Access => "/access",
            Self::Roles => "/roles",
            Self::Changes => "/changes",
            Self::Find => "/find",
        }
    }

    /// The name in the navigation.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Who => "Who can",
            Self::What => "What can",
            Self::Why => "Why",
            Self::WhatIf => "What if",
            Self::Access => "Access review",
            Self::Roles => "Roles and permissions",
            Self::Changes => "Changes",
            Self::Find => "Search",
        }
    }

    /// A sentence about what it answers.
    pub(super) fn about(self) -> &'static str {
        match self {
            Self::Overview => "The workspace that answers, and what it says of the tenant.",
            Self::Who => {
                "The people who have a permission on a device or tenant, and by which path."
            }
            Self::What => {
                "Everything that a person may do, on devices in groups that are treated alike."
            }
            Self::Why => "Why a decision is what it is, and what would change it.",
            Self::WhatIf => "Who gains and who loses access by a change. Nothing is changed.",
            Self::Access => {
                "Who can do what through which role, and which assignments give nothing."
            }
            Self::Roles => "The permissions that each role gives.",
            Self::Changes => "Who gained and who lost access from one revision to another.",
            Self::Find => "People, devices, roles and permissions by name.",
        }
    }

    /// The icon.
    pub(super) fn icon(self) -> Icon {
        match self {
            Self::Overview => Icon::Home,
            Self::Who => Icon::People,
            Self::What => Icon::Device,
            Self::Why => Icon::Question,
            Self::WhatIf => Icon::Compare,
            Self::Access => Icon::Assignment,
            Self::Roles => Icon::Matrix,
            Self::Changes => Icon::Document,
            Self::Find => Icon::Search,
        }
    }

    /// The answer to a request for the view.
    pub(super) fn answer(self, asked: ViewRequest) -> Response {
        let answer = match self {
            Self::Overview => overview::answer(&asked),
            Self::Who => who::answer(&asked),
            Self::What => what::answer(&asked),
            Self::Why => why::answer(&asked),
            Self::WhatIf => what_if::answer(&asked),
            Self::Access => access::answer(&asked),
            Self::Roles => roles::answer(&asked),
            Self::Changes => changes::answer(&asked),
            Self::Find => find::answer(&asked),
        };
        match answer {
            Ok(Answer::Page(shown)) => frame::page(&asked, shown),
            Ok(Answer::File(name, kind, content)) => file(&name, kind, content),
            Ok(Answer::Elsewhere(address)) => elsewhere(&address),
            Err(fault) => frame::page(&asked, View::refused(html! {}, fault)),
        }
    }
}

/// A file to save.
fn file(name: &str, kind: &'static str, content: String) -> Response {
    let safe: String = name
        .chars()
        .map(|of| {
            if of.is_ascii_alphanumeric() || "-_.".contains(of) {
                of
            } else {
                '-'
            }
        })
        .collect();
    let saved = HeaderValue::from_str(&format!("attachment; filename=\"{safe}\""));
    let saved = saved.unwrap_or_else(|_| HeaderValue::from_static("attachment"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, saved),
    ];
    (headers, content).into_response()
}

/// Another address of the server.
pub(super) fn elsewhere(address: &str) -> Response {
    match HeaderValue::from_str(address) {
        Ok(address) => (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response(),
        Err(_) => Fault::broken().into_response(),
    }
}

impl ViewRequest {
    pub(super) fn new(
        app: &App,
        caller: &Caller,
        route: Route,
        query: &str,
        host: Option<&str>,
    ) -> Self {
        let settings = &app.settings;
        let public = settings.public_url.as_ref();
        let scheme = if settings.tls.is_some() {
            "https"
        } else {
            "http"
        };
        let url = match (public, host) {
            (Some(public), _) => public.as_str().trim_end_matches('/').to_owned(),
            (None, host) => format!("{scheme}://{}", host.unwrap_or("127.0.0.1:8180")),
        };
        Self {
            route,
            served: app.served(),
            caller: caller.clone(),
            given: Arguments::of_query(query),
            links: Links::new(public.map_or("", PublicUrl::path)),
            prepared: None,
            news: None,
            freshness: app.freshness.clone(),
            stale: app.stale(),
            url,
            folder: settings.folder.clone(),
        }
    }

    /// The engine that the question is about, with what it supposes.
    pub(super) fn supposed(
        &self,
        given: &mut Arguments,
    ) -> Result<(Suppositions, Supposed), Fault> {
        let suppositions = given.suppositions(self.served.flags())?;
        let supposed = supposed(&self.served, &suppositions)?;
        Ok((suppositions, supposed))
    }

    /// The arguments that suppose something.
    pub(super) fn suppositions(&self) -> Vec<&str> {
        let flags = self.served.flags().iter().map(String::as_str);
        flags.chain(SUPPOSED).collect()
    }

    /// The text of a search.
    pub(super) fn search(&self) -> String {
        self.given.first("q")
    }

    /// Why the newest state is not served, if it is not.
    pub(super) fn stale(&self) -> Option<&str> {
        self.stale.as_deref()
    }

    /// The command and the request that are equal to the view.
    pub(super) fn equal(&self, typed: &Typed, endpoint: &str) -> Equal {
        typed.equal(self.folder.as_deref(), &format!("{}{endpoint}", self.url))
    }

    /// The command and the request that are equal to a view without a body.
    pub(super) fn equal_get(&self, typed: &Typed, endpoint: &str) -> Equal {
        typed.equal_get(self.folder.as_deref(), &format!("{}{endpoint}", self.url))
    }

    /// The address of the same view with one argument otherwise.
    pub(super) fn here_with(&self, name: &str, value: &str) -> String {
        let query = self.given.with(name, value).query();
        self.links.with_query(self.route, &query)
    }

    /// The address of the same view without an argument.
    pub(super) fn here_without(&self, name: &str) -> String {
        let query = self.given.without(name).query();
        self.links.with_query(self.route, &query)
    }
}

impl View {
    /// A view that shows this.
    pub(super) fn new(main: Markup) -> Self {
        Self {
            title: None,
            main,
            equal: None,
            formats: &[],
            fault: None,
        }
    }

    /// A view that cannot answer.
    pub(super) fn refused(form: Markup, fault: Fault) -> Self {
        let said = html! { p { (tarbac_report::html::Shown(&fault.message)) } };
        let main = html! {
            (form)
            div role="alert" { (message(Tone::Bad, "There is no answer to this question.", &said)) }
        };
        Self {
            fault: Some(fault),
            ..Self::new(main)
        }
    }
}
