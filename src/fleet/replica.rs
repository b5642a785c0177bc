//! Replicas: machines that serve the revisions of a store.
//!
//! A replica looks for manifests after its own. It tries them from the newest down, so that it does not load a
//! revision that is already superseded. A manifest that cannot be used is reported, and the one before it is tried,
//! but never one at or before the served number.

use std::collections::BTreeMap;
use std::path::Path;

use thiserror::Error;

use crate::cache::{AtHand, Cache};
use crate::error::FleetError;
use crate::manifest::Manifest;
use crate::store::{Revision, Store};

/// After so many polls all numbers are listed, because a manifest between two others may have been pruned.
const LISTED: u32 = 20;

/// The most rejected revisions that are remembered.
const REMEMBERED: usize = 100;

/// The outcome of a poll.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Poll {
    /// The number of the newly served revision, if it changed.
    pub taken: Option<u64>,
    /// The revisions that could not be served, with the reasons; each is reported once.
    pub rejected: Vec<(u64, String)>,
}

/// A replica of a store. It leaves the serving to a callback ([`Take`]).
pub struct Replica {
    store: Store,
    cache: Cache,
    /// The served number; 0 before the first revision.
    number: u64,
    /// The greatest known number.
    newest: u64,
    polls: u32,
    /// The reasons why revisions after the served one were rejected.
    rejected: BTreeMap<u64, String>,
}

/// The reason why a revision cannot be served, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct RefusedRevision(pub String);

/// A callback that begins to serve the workspace in a folder, or refuses it with the reason.
pub type Take<'t> = &'t mut dyn FnMut(&Path, &Manifest) -> Result<(), RefusedRevision>;

impl Replica {
    /// A replica that does not serve a revision yet.
    pub fn new(store: Store, cache: Cache) -> Self {
        Self {
            store,
            cache,
            number: 0,
            newest: 0,
            polls: 0,
            rejected: BTreeMap::new(),
        }
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The served number; 0 before the first revision.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The greatest number known to be in the store.
    pub fn newest(&self) -> u64 {
        self.newest
    }

    /// The number of the newest rejected revision and the reason, if a revision after the served one was rejected.
    pub fn rejection(&self) -> Option<(u64, &str)> {
        let last = self.rejected.last_key_value();
        last.map(|(number, reason)| (*number, reason.as_str()))
    }

    /// Serves the last good revision in the local cache.
    ///
    /// # Errors
    /// The cache has no good revision, or it can no longer be used.
    pub fn take_kept(&mut self, take: Take<'_>) -> Result<u64, FleetError> {
        let no_revision = || FleetError::NoRevision { number: 0 };
        let bytes = self.cache.good().ok_or_else(no_revision)?;
        let number = number_in(&bytes).ok_or_else(no_revision)?;
        let revision = self.store.read(bytes.into(), number)?;
        self.cache
            .check_out(&revision.manifest, &AtHand::new(), None)?;
        let taken = take(&self.cache.tree(), &revision.manifest);
        taken.map_err(|refused| FleetError::Manifest {
            number,
            reason: refused.to_string(),
        })?;
        self.number = number;
        self.newest = self.newest.max(number);
        Ok(number)
    }

    /// Looks for newer revisions, and serves the newest good one.
    ///
    /// # Errors
    /// The store does not answer. The served revision stays.
    pub fn poll(&mut self, take: Take<'_>) -> Result<Poll, FleetError> {
        let is_folder = self.store.location().is_folder();
        let is_full = is_folder || self.number == 0 || self.polls.is_multiple_of(LISTED);
        let is_again = self.polls.is_multiple_of(LISTED);
        self.polls = self.polls.wrapping_add(1);
        if is_again {
            // Damaged objects may have been repaired.
            self.rejected.clear();
        }
        let after = self.newest.max(self.number);
        if !is_full && self.store.manifest_bytes(after + 1)?.is_none() {
            return Ok(Poll::default());
        }
        let mut numbers = self.store.numbers(self.number.saturating_sub(1))?;
        if numbers.is_empty() && self.number > 0 {
            // An unmounted share looks like an empty folder.
            return Err(FleetError::Lost {
                number: self.number,
            });
        }
        numbers.retain(|number| *number > self.number);
        self.newest = numbers.last().copied().unwrap_or(0).max(self.number);
        let mut poll = Poll::default();
        for number in numbers.into_iter().rev() {
            if self.rejected.contains_key(&number) {
                continue;
            }
            match self.try_one(number, take) {
                Ok(()) => {
                    self.number = number;
                    self.rejected = self.rejected.split_off(&number);
                    poll.taken = Some(number);
                    return Ok(poll);
                }
                Err(error) if error.is_passing() => return Err(error),
                Err(error) => {
                    let reason = error.to_string();
                    self.rejected.insert(number, reason.clone());
                    poll.rejected.push((number, reason));
                    while self.rejected.len() > REMEMBERED {
                        self.rejected.pop_first();
                    }
                }
            }
        }
        Ok(poll)
    }

    fn try_one(&self, number: u64, take: Take<'_>) -> Result<(), FleetError> {
        let Some(revision) = self.store.revision(number)? else {
            return Err(FleetError::NoRevision { number });
        };
        let Revision { manifest, bytes } = revision;
        self.cache
            .check_out(&manifest, &AtHand::new(), Some(&self.store))?;
        let taken = take(&self.cache.tree(), &manifest);
        taken.map_err(|refused| FleetError::Manifest {
            number,
            reason: refused.to_string(),
        })?;
        // A failure to keep it does not prevent serving it.
        drop(self.cache.keep(&manifest, &bytes));
        Ok(())
    }
}

/// The number stated in a manifest.
fn number_in(bytes: &[u8]) -> Option<u64> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    value.pointer("/manifest/number")?.as_u64()
}
