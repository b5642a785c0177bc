//! The state of the server that every request shares.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;

use crate::authzen::MetadataKey;
use crate::caller::Callers;
use crate::decision_log::DecisionLog;
use crate::fault::ServeError;
use crate::freshness::Freshness;
use crate::jobs::Jobs;
use crate::metrics::Metrics;
use crate::page::Sessions;
use crate::reload::Told;
use crate::served::Served;
use crate::settings::{PublicUrl, Settings};
use crate::tls::Tls;
use crate::work::Workers;
use crate::workspaces::{Routers, Workspaces};

/// The sender of messages to the thread that loads the workspace.
pub(crate) type Teller = Box<dyn Fn(Told) + Send + Sync>;

/// The state of the server.
pub(crate) struct App {
    pub(crate) settings: Settings,
    /// The permits of requests: one for each that may be answered at the same time.
    pub(crate) places: Arc<Semaphore>,
    /// The threads for batches, searches and explanations.
    pub(crate) workers: Workers,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) callers: Arc<Callers>,
    pub(crate) tls: Option<Arc<Tls>>,
    /// The key that signs the metadata document; `None` if it is not signed.
    pub(crate) metadata_key: Option<Arc<MetadataKey>>,
    /// The decision log, if there is one.
    pub(crate) decision_log: Option<Arc<DecisionLog>>,
    /// The comparisons and access reviews.
    pub(crate) jobs: Jobs,
    /// The sessions of browsers, which are those of every workspace: a token is checked with each request.
    pub(crate) sessions: Arc<Sessions>,
    /// Why the workspace as it is now is not served, if it is not.
    failure: Mutex<Option<String>>,
    /// The path under which callers find it, without a slash at its end.
    pub(crate) mount: String,
    /// The freshness of the served revision; `None` if it comes from a folder.
    pub(crate) freshness: Option<Arc<Freshness>>,
    /// The other workspaces, if this is the server of several.
    pub(crate) workspaces: Option<Workspaces>,
    pub(crate) routers: Routers,
    /// The name of the workspace, if it is one of several.
    workspace: Option<Arc<str>>,
    served: ArcSwap<Served>,
    reloads: Teller,
    draining: Arc<AtomicBool>,
}

impl App {
    /// The state of a server that starts with this workspace.
    ///
    /// # Errors
    /// No threads can be started, a credential file is invalid, or the decision log cannot be opened.
    pub(crate) fn new(
        settings: Settings,
        served: Served,
        reloads: Teller,
    ) -> Result<Self, ServeError> {
        let metrics = Arc::new(Metrics::new());
        metrics.served.serves(&served);
        metrics.store.serves(None, &served);
        let tls = settings.tls.as_ref();
        let tls = tls.map(|tls| Tls::open(tls, &metrics.credentials));
        let tls = tls.transpose()?;
        let callers = Callers::open(&settings)?;
        let metadata_key = settings.metadata_key.clone();
        let metadata_key = metadata_key.map(MetadataKey::open).transpose()?;
        let workers = Workers::new()?;
        let log = settings.decision_log.as_ref();
        let log = log.map(|log| DecisionLog::open(log, metrics.decision_log.clone(), &workers));
        Ok(Self {
            metrics,
            callers: Arc::new(callers),
            tls: tls.map(Arc::new),
            metadata_key: metadata_key.map(Arc::new),
            decision_log: log.transpose()?.map(Arc::new),
            mount: settings
                .public_url
                .as_ref()
                .map_or("", PublicUrl::path)
                .to_owned(),
            freshness: None,
            workspaces: None,
            routers: Routers::default(),
            workspace: None,
            places: Arc::new(Semaphore::new(
                settings.limits.in_flight.min(Semaphore::MAX_PERMITS),
            )),
            workers,
            jobs: Jobs::new()?,
            sessions: Arc::default(),
            failure: Mutex::default(),
            served: ArcSwap::from_pointee(served),
            reloads,
            draining: Arc::new(AtomicBool::new(false)),
            settings,
        })
    }

    /// The state of a server that follows a store.
    #[must_use]
    pub(crate) fn following(self, freshness: &Arc<Freshness>) -> Self {
        let freshness = Some(Arc::clone(freshness));
        Self { freshness, ..self }
    }

    /// The state of a server of several workspaces.
    #[must_use]
    pub(crate) fn of_several(self) -> Self {
        let workspaces = Some(Workspaces::default());
        Self { workspaces, ..self }
    }

    /// The state of one of several workspaces in this server. It shares limits, callers and logs with the others, and no data.
    pub(crate) fn beside(
        &self,
        name: &str,
        served: Served,
        freshness: &Arc<Freshness>,
        reloads: Teller,
    ) -> Self {
        let public_url = self.settings.public_url.as_ref();
        self.metrics.store.serves(Some(name), &served);
        Self {
            settings: Settings {
                public_url: public_url.map(|url| url.below(name)),
                ..self.settings.clone()
            },
            places: Arc::clone(&self.places),
            workers: self.workers.clone(),
            metrics: Arc::clone(&self.metrics),
            callers: Arc::clone(&self.callers),
            tls: self.tls.clone(),
            metadata_key: self.metadata_key.clone(),
            decision_log: self.decision_log.clone(),
            jobs: self.jobs.beside(),
            sessions: Arc::clone(&self.sessions),
            failure: Mutex::default(),
            mount: format!("{}/{name}", self.mount),
            freshness: Some(Arc::clone(freshness)),
            workspaces: None,
            routers: Routers::default(),
            workspace: Some(name.into()),
            served: ArcSwap::from_pointee(served),
            reloads,
            draining: Arc::clone(&self.draining),
        }
    }

    /// The name of the workspace, if it is one of several.
    pub(crate) fn workspace(&self) -> Option<&str> {
        self.workspace.as_deref()
    }

    /// A copy of [`App::workspace`].
    pub(crate) fn workspace_name(&self) -> Option<Arc<str>> {
        self.workspace.clone()
    }

    /// The served workspace. A request takes it once, so that its whole answer has one revision.
    pub(crate) fn served(&self) -> Arc<Served> {
        self.served.load_full()
    }

    /// Replaces the served workspace, and returns the previous one.
    pub(crate) fn serve(&self, served: Served) -> Arc<Served> {
        if self.workspace.is_none() {
            self.metrics.served.serves(&served);
        }
        self.metrics.store.serves(self.workspace(), &served);
        self.served.swap(Arc::new(served))
    }

    /// Why the workspace as it is now is not served, if it is not.
    fn failure(&self) -> Option<String> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.clone()
    }

    /// Why the newest state is not what is served, if it is not, in sentences.
    pub(crate) fn stale(&self) -> Option<String> {
        let failure = self.failure().map(|failure| {
            format!("The workspace changed and is not served, because it has errors. What is shown is the last good revision. {failure}")
        });
        let stale = || {
            self.freshness
                .as_ref()
                .and_then(|freshness| freshness.stale())
        };
        failure.or_else(|| {
            stale().map(|stale| format!("What is shown may not be the newest: {stale}."))
        })
    }

    /// Notes why the workspace as it is now is not served, or that it is.
    pub(crate) fn fails(&self, failure: Option<String>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    /// Sends a message to the thread that loads the workspace.
    pub(crate) fn tell(&self, told: Told) {
        // The thread ends only with the server.
        (self.reloads)(told);
    }

    /// Takes over credential files that have changed; if forced, without waiting for them to settle.
    pub(crate) fn reload_credentials(&self, is_forced: bool) {
        self.callers.reload(self, is_forced);
        if let Some(tls) = &self.tls {
            tls.reload(self, is_forced);
        }
        if let Some(key) = &self.metadata_key {
            key.reload(self, is_forced);
        }
    }

    /// Whether the server is about to stop.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Marks the server as about to stop.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }
}
