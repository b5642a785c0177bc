//! The freshness of a revision that comes from a store, and that store.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Extension, Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;

use crate::app::App;
use crate::caller::Caller;
use crate::clock;
use crate::fault::Fault;
use crate::history::StoreHistory;
use crate::reload::Told;
use crate::source::FollowSettings;

/// The least number of the revision that a request may be answered with.
const MIN_REVISION: HeaderName = HeaderName::from_static("tarbac-min-revision");

/// The longest time that a request waits for a revision.
const AWAITED: Duration = Duration::from_secs(2);

/// The state of the store and of the served revision.
pub(crate) struct Freshness {
    settings: FollowSettings,
    /// The store.
    history: Arc<StoreHistory>,
    number: watch::Sender<u64>,
    newest: AtomicU64,
    /// When the store answered last; at the start, that is the time of the start.
    heard: Mutex<Instant>,
    /// Whether what is served was kept on this machine, and the store has not answered since.
    is_kept: AtomicBool,
}

impl Freshness {
    pub(crate) fn new(settings: FollowSettings, history: StoreHistory) -> Self {
        Self {
            settings,
            history: Arc::new(history),
            number: watch::Sender::new(0),
            newest: AtomicU64::new(0),
            heard: Mutex::new(clock::instant()),
            is_kept: AtomicBool::new(false),
        }
    }

    /// The store that it comes from.
    pub(crate) fn history(&self) -> &Arc<StoreHistory> {
        &self.history
    }

    /// The number that is served.
    pub(crate) fn number(&self) -> u64 {
        *self.number.borrow()
    }

    /// The greatest number that the store is known to have.
    pub(crate) fn newest(&self) -> u64 {
        self.newest.load(Ordering::Relaxed).max(self.number())
    }

    /// A revision is served from here on.
    pub(crate) fn serves(&self, number: u64, is_kept: bool) {
        self.is_kept.store(is_kept, Ordering::Relaxed);
        self.number.send_replace(number);
    }

    /// The store has answered.
    pub(crate) fn heard(&self, newest: u64) {
        self.newest.store(newest, Ordering::Relaxed);
        self.is_kept.store(false, Ordering::Relaxed);
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = clock::instant();
    }

    /// Whether the store has not answered for too long.
    pub(crate) fn is_silent(&self) -> bool {
        let heard = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.elapsed() > self.settings.max_staleness
    }

    /// Whether a newer revision is known that cannot be taken.
    pub(crate) fn is_rejecting(&self) -> bool {
        self.newest() > self.number()
    }

    /// Whether what is served was kept on this machine, and the store has not answered since.
    pub(crate) fn is_kept(&self) -> bool {
        self.is_kept.load(Ordering::Relaxed)
    }

    /// Why what is served is stale, if it is.
    pub(crate) fn stale(&self) -> Option<&'static str> {
        if self.is_silent() {
            return Some("the store has not answered for too long");
        }
        if self.is_rejecting() {
            return Some("the store has a newer revision that cannot be taken");
        }
        self.is_kept()
            .then_some("the store has not answered yet; what is served was kept on this machine")
    }

    /// Waits until a revision of at least this number is served; whether one is.
    async fn reaches(&self, least: u64) -> bool {
        let mut number = self.number.subscribe();
        let reached = number.wait_for(|number| *number >= least);
        tokio::time::timeout(AWAITED, reached).await.is_ok()
    }
}

/// Answers a request only with a revision that is fresh enough for it.
pub(crate) async fn demanded(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    request: Request,
    next: Next,
) -> Response {
    let least = request.headers().get(MIN_REVISION).cloned();
    match fresh_enough(&app, &caller, least).await {
        Ok(()) => next.run(request).await,
        Err(fault) => fault.into_response(),
    }
}

/// The fault of a question about numbers where there are none.
pub(crate) fn no_numbers() -> Fault {
    Fault::bad_request("this server reads a folder, whose revisions have no numbers")
}

async fn fresh_enough(app: &App, caller: &Caller, least: Option<HeaderValue>) -> Result<(), Fault> {
    let freshness = app.freshness.as_ref();
    if let Some(header) = least {
        let least = header
            .to_str()
            .ok()
            .and_then(|text| text.trim().parse::<u64>().ok());
        let Some(least) = least else {
            return Err(Fault::bad_request(
                "Tarbac-Min-Revision is no number of a revision",
            ));
        };
        let freshness = freshness.ok_or_else(no_numbers)?;
        // An unknown caller must not cause requests to the store.
        if freshness.number() < least && caller.is_known() {
            app.tell(Told::Changed);
            if !freshness.reaches(least).await {
                return Err(Fault::unavailable(
                    "the store has no such revision yet, or it is not served yet",
                ));
            }
        }
    }
    match freshness
        .filter(|of| of.settings.refuse_stale)
        .and_then(|of| of.stale())
    {
        Some(stale) => Err(Fault::unavailable(stale)),
        None => Ok(()),
    }
}
