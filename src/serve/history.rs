//! The revisions and replicas of a store, as people are told of them.
//!
//! A store may not answer for minutes, so it is asked on a thread of its own, one at a time, and a view waits only for a
//! moment; then it shows what was heard before. A revision never changes, so each manifest is read once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::clock;
use crate::source::{HeardReplica, PastRevision, RevisionHistory, SourceError};

/// The longest time that a view waits for the store.
const PATIENCE: Duration = Duration::from_secs(2);

/// The time for which news of a store counts as new.
const FRESH: Duration = Duration::from_secs(1);

/// The most revisions that are told.
pub(crate) const TOLD: usize = 50;

/// The news of a store.
#[derive(Debug, Clone, Default)]
pub(crate) struct StoreNews {
    /// The newest revisions, the newest first.
    pub(crate) revisions: Vec<PastRevision>,
    /// The number of revisions.
    pub(crate) count: usize,
    /// The replicas that say how they are.
    pub(crate) replicas: Vec<HeardReplica>,
    /// Why this may be old, if it may.
    pub(crate) silence: Option<String>,
}

/// A store that people ask about.
pub(crate) struct StoreHistory {
    store: Arc<dyn RevisionHistory>,
    heard: Mutex<Heard>,
    /// The only permit to ask.
    turn: Arc<Semaphore>,
}

#[derive(Default)]
struct Heard {
    news: StoreNews,
    at: Option<Instant>,
    /// The revisions that were read.
    known: BTreeMap<u64, PastRevision>,
}

impl StoreHistory {
    pub(crate) fn new(store: Arc<dyn RevisionHistory>) -> Self {
        Self {
            store,
            heard: Mutex::default(),
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    /// The place of the store.
    pub(crate) fn place(&self) -> String {
        self.store.place()
    }

    /// The store, for whoever can wait for it.
    pub(crate) fn store(&self) -> &dyn RevisionHistory {
        &*self.store
    }

    /// The news of the store; if it does not answer soon, the last ones.
    pub(crate) async fn news(self: &Arc<Self>) -> StoreNews {
        if let Some(news) = self.fresh() {
            return news;
        }
        let mut silence = "the store has not answered yet".to_owned();
        if let Ok(turn) = Arc::clone(&self.turn).try_acquire_owned() {
            let history = Arc::clone(self);
            let asked = tokio::task::spawn_blocking(move || {
                let answer = history.ask();
                drop(turn);
                answer
            });
            match tokio::time::timeout(PATIENCE, asked).await {
                Ok(Ok(Ok(()))) => return self.last(None),
                Ok(Ok(Err(error))) => silence = error.to_string(),
                Ok(Err(_)) => "asking the store ended in a panic".clone_into(&mut silence),
                Err(_) => {}
            }
        }
        self.last(Some(silence))
    }

    fn fresh(&self) -> Option<StoreNews> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = heard.at.is_some_and(|at| at.elapsed() < FRESH);
        is_fresh.then(|| heard.news.clone())
    }

    fn last(&self, silence: Option<String>) -> StoreNews {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let news = heard.news.clone();
        StoreNews { silence, ..news }
    }

    /// Asks the store, however long that takes.
    fn ask(&self) -> Result<(), SourceError> {
        let numbers = self.store.numbers()?;
        let mut known = {
            let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.known.clone()
        };
        let mut revisions = Vec::new();
        for number in numbers.iter().rev().take(TOLD) {
            let revision = match known.remove(number) {
                Some(revision) if revision.about.is_ok() => revision,
                // One that could not be used may have been mended.
                _ => self.store.revision(*number)?,
            };
            revisions.push(revision);
        }
        let replicas = self.store.replicas()?;
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.known = revisions
            .iter()
            .map(|revision| (revision.number, revision.clone()))
            .collect();
        heard.news = StoreNews {
            revisions,
            count: numbers.len(),
            replicas,
            silence: None,
        };
        heard.at = Some(clock::instant());
        Ok(())
    }
}
