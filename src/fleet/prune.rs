//! The removal of old revisions, and of blobs that no revision names.

use std::collections::BTreeSet;

use crate::digest::Digest;
use jiff::Timestamp;
use object_store::path::Path;

use crate::error::FleetError;
use crate::path::{BLOBS, REPLICAS, digest_of, of_revision};
use crate::store::Store;

/// The minimum age of an unreferenced blob for its removal, in seconds: a running publication may be about to name it.
const A_DAY: i64 = 24 * 60 * 60;

/// The numbers of removed objects.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// The revisions.
    pub revisions: usize,
    /// The blobs.
    pub blobs: usize,
    /// The announcements of replicas that have stopped.
    pub replicas: usize,
}

/// Removes all revisions but the newest `keep` (at least one), unreferenced blobs, and announcements older than a day.
/// `now`, the time of this machine, is used if the store names no time.
///
/// # Errors
/// The store does not answer, or a kept manifest cannot be read; then no blob is removed.
pub fn prune(store: &Store, keep: usize, now: Timestamp) -> Result<Pruned, FleetError> {
    // The blobs are listed first: a blob that is published from here on is named by a manifest read below.
    let blobs = store.listed(BLOBS)?;
    let numbers = store.numbers(0)?;
    let (old, kept) = numbers.split_at(numbers.len().saturating_sub(keep.max(1)));
    let mut named: BTreeSet<Digest> = BTreeSet::new();
    for number in kept {
        let Some(revision) = store.revision(*number)? else {
            continue;
        };
        named.extend(revision.manifest.files.iter().map(|file| file.blake3));
    }
    let prefix = store.location().prefix();
    let manifests: Vec<Path> = old
        .iter()
        .map(|number| of_revision(prefix, *number))
        .collect();
    let now = store.time(now);
    let is_old = |seconds: i64| now.as_second().saturating_sub(seconds) > A_DAY;
    let unnamed: Vec<Path> = blobs
        .into_iter()
        .filter(|meta| is_old(meta.last_modified.timestamp()))
        .filter(|meta| digest_of(&meta.location).is_some_and(|digest| !named.contains(&digest)))
        .map(|meta| meta.location)
        .collect();
    let silent = store.listed(REPLICAS)?.into_iter();
    let silent = silent.filter(|meta| is_old(meta.last_modified.timestamp()));
    let silent: Vec<Path> = silent.map(|meta| meta.location).collect();
    let pruned = Pruned {
        revisions: manifests.len(),
        blobs: unnamed.len(),
        replicas: silent.len(),
    };
    store.remove(manifests)?;
    store.remove(unnamed)?;
    store.remove(silent)?;
    Ok(pruned)
}
