//! A replica: what is served on one machine of what a store has.
//!
//! It asks for the manifest after its own. Manifests are taken from the newest down, so that none is read in vain; one
//! that cannot be used is told, and the one before it is tried, but none at or before the number that is served.

use std::collections::BTreeMap;
use std::path::Path;

use thiserror::Error;

use crate::cache::{AtHand, Cache};
use crate::error::FleetError;
use crate::manifest::Manifest;
use crate::store::{Revision, Store};

/// How often all numbers are listed: a manifest may have been removed between those that are there.
const LISTED: u32 = 20;

/// The most rejected revisions that are remembered.
const REMEMBERED: usize = 100;

/// How a poll went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Poll {
    /// The number that is served from here on, if it changed.
    pub taken: Option<u64>,
    /// The revisions that could not be taken, each with the reason; each is told once.
    pub rejected: Vec<(u64, String)>,
}

/// What a program serves of a store, without how: `take` is given the folder of a workspace and its manifest, and
/// begins to serve it, or says what is wrong with it.
pub struct Replica {
    store: Store,
    cache: Cache,
    /// The number that is served; 0 before there is any.
    number: u64,
    /// The greatest number that is known.
    newest: u64,
    polls: u32,
    /// Why revisions after the one that is served cannot be taken.
    rejected: BTreeMap<u64, String>,
}

/// The reason why a revision cannot be served, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct RefusedRevision(pub String);

/// Begins to serve a revision, or says what is wrong with it.
pub type Take<'t> = &'t mut dyn FnMut(&Path, &Manifest) -> Result<(), RefusedRevision>;

impl Replica {
    /// A replica of a store that serves nothing yet.
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

    /// The number that is served; 0 before there is any.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The greatest number that the store is known to have.
    pub fn newest(&self) -> u64 {
        self.newest
    }

    /// Why the newest revision is not served, if it is not.
    pub fn rejection(&self) -> Option<(u64, &str)> {
        let last = self.rejected.last_key_value();
        last.map(|(number, reason)| (*number, reason.as_str()))
    }

    /// Serves the last good revision that is kept on this machine.
    ///
    /// # Errors
    /// There is none, or it cannot be used any more.
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

    /// Looks for a newer revision, and takes the newest that is good.
    ///
    /// # Errors
    /// The store does not answer. What is served stays.
    pub fn poll(&mut self, take: Take<'_>) -> Result<Poll, FleetError> {
        let is_folder = self.store.location().is_folder();
        let is_full = is_folder || self.number == 0 || self.polls.is_multiple_of(LISTED);
        let is_again = self.polls.is_multiple_of(LISTED);
        self.polls = self.polls.wrapping_add(1);
        if is_again {
            // What was damaged may have been mended.
            self.rejected.clear();
        }
        let after = self.newest.max(self.number);
        if !is_full && self.store.manifest_bytes(after + 1)?.is_none() {
            return Ok(Poll::default());
        }
        let mut numbers = self.store.numbers(self.number.saturating_sub(1))?;
        if numbers.is_empty() && self.number > 0 {
            // A share that is not mounted looks like an empty folder.
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
        // It is served in any case.
        drop(self.cache.keep(&manifest, &bytes));
        Ok(())
    }
}

/// The number that the bytes of a manifest say.
fn number_in(bytes: &[u8]) -> Option<u64> {
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    value.pointer("/manifest/number")?.as_u64()
}
