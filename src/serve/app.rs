//! The state of the server that every request shares.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;

use crate::authzen::MetadataKey;
use crate::caller::Callers;
use crate::decision_log::DecisionLog;
use crate::fault::ServeError;
use crate::jobs::Jobs;
use crate::metrics::Metrics;
use crate::page::Sessions;
use crate::reload::Told;
use crate::served::Served;
use crate::settings::Settings;
use crate::tls::Tls;
use crate::work::Workers;

/// The state of the server.
pub(crate) struct App {
    pub(crate) settings: Settings,
    /// The permits of requests: one for each that may be answered at the same time.
    pub(crate) places: Semaphore,
    /// The threads for batches, searches and explanations.
    pub(crate) workers: Workers,
    pub(crate) metrics: Metrics,
    pub(crate) callers: Callers,
    pub(crate) tls: Option<Tls>,
    /// The key that signs the metadata document; `None` if it is not signed.
    pub(crate) metadata_key: Option<MetadataKey>,
    /// The decision log, if there is one.
    pub(crate) decision_log: Option<DecisionLog>,
    /// The what-ifs.
    pub(crate) jobs: Jobs,
    /// The sessions of browsers.
    pub(crate) sessions: Sessions,
    /// Why the workspace as it is now is not served, if it is not.
    failure: Mutex<Option<String>>,
    served: ArcSwap<Served>,
    reloads: Sender<Told>,
    draining: AtomicBool,
}

impl App {
    /// The state of a server that starts with this workspace.
    ///
    /// # Errors
    /// No threads can be started, a credential file is invalid, or the decision log cannot be opened.
    pub(crate) fn new(
        settings: Settings,
        served: Served,
        reloads: Sender<Told>,
    ) -> Result<Self, ServeError> {
        let metrics = Metrics::new();
        metrics.served.serves(&served);
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
            callers,
            tls,
            metadata_key,
            decision_log: log.transpose()?,
            places: Semaphore::new(settings.limits.in_flight.min(Semaphore::MAX_PERMITS)),
            workers,
            jobs: Jobs::new()?,
            sessions: Sessions::default(),
            failure: Mutex::default(),
            served: ArcSwap::from_pointee(served),
            reloads,
            draining: AtomicBool::new(false),
            settings,
        })
    }

    /// The served workspace. A request takes it once, so that its whole answer has one revision.
    pub(crate) fn served(&self) -> Arc<Served> {
        self.served.load_full()
    }

    /// Replaces the served workspace, and returns the previous one.
    pub(crate) fn serve(&self, served: Served) -> Arc<Served> {
        self.metrics.served.serves(&served);
        self.served.swap(Arc::new(served))
    }

    /// Why the workspace as it is now is not served, if it is not.
    pub(crate) fn failure(&self) -> Option<String> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.clone()
    }

    /// Notes why the workspace as it is now is not served, or that it is.
    pub(crate) fn fails(&self, failure: Option<String>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    /// Sends a message to the thread that loads the workspace.
    pub(crate) fn tell(&self, told: Told) {
        // The thread ends only with the server.
        let _ = self.reloads.send(told);
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
