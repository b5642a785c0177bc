//! Publishing: files become blobs, and a manifest is created under the next number.
//!
//! A program that is interrupted at any step leaves a consistent store: unreferenced blobs do no harm, and the
//! manifest is created last, in one request. If another publisher was first, its revision provides the other part, and
//! the combined revision is examined again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use jiff::Timestamp;
use rayon::prelude::*;
use thiserror::Error;

use crate::cache::{AtHand, Cache};
use crate::error::FleetError;
use crate::manifest::{FileEntry, Manifest, ManifestPart, Publisher, Readings};
use crate::signature::SigningKey;
use crate::store::{Revision, Store};

/// The most attempts of a publication, after other publishers were first.
const ATTEMPTS: u32 = 10;

/// The content of a file to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenContent {
    /// A file on this machine.
    OnDisk(PathBuf),
    /// A text.
    Text(String),
}

/// A file to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The path in a workspace.
    pub path: String,
    /// The part that it belongs to.
    pub part: ManifestPart,
    /// The content.
    pub content: GivenContent,
}

/// A proposal for the next revision.
#[derive(Debug)]
pub enum NextRevision {
    /// These files replace all files.
    All(Vec<Given>, Readings),
    /// These files replace those of one part of the newest revision.
    Part(ManifestPart, Vec<Given>, Readings),
    /// The content of an earlier revision.
    Revert(u64),
}

/// The outcome of a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// The newest revision already has this content.
    Unchanged(Manifest),
    /// A new revision was created.
    New(Manifest),
}

/// The reason why nothing was published.
#[derive(Debug, Error)]
pub enum PublishError<E> {
    /// The store or a file could not be used.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// The examination refused the revision.
    #[error("the revision is refused")]
    Refused(E),
}

/// The description and options of a publication.
#[derive(Debug, Default)]
pub struct RevisionLabel<'a> {
    /// The publisher.
    pub publisher: Publisher,
    /// The message of the publisher.
    pub message: Option<String>,
    /// The time of publication.
    pub created: Timestamp,
    /// The signing key.
    pub key: Option<&'a SigningKey>,
    /// Whether blobs that exist are written again.
    pub repair: bool,
}

/// The files of a proposal with their digests.
struct Staged {
    entries: Vec<FileEntry>,
    content: BTreeMap<Digest, GivenContent>,
}

impl Staged {
    fn new(given: Vec<Given>) -> Result<Self, FleetError> {
        let staged = given.into_par_iter().map(|given| {
            let (digest, size) = given.content.digest()?;
            let entry = FileEntry {
                path: given.path,
                part: given.part,
                blake3: digest,
                size,
            };
            Ok((entry, (digest, given.content)))
        });
        let (entries, content): (Vec<_>, Vec<_>) = staged
            .collect::<Result<Vec<_>, FleetError>>()?
            .into_iter()
            .unzip();
        let content = content.into_iter().collect();
        Ok(Self { entries, content })
    }
}

/// Publishes a revision. `examine` gets a folder with exactly its files, and its readings; it returns the id of the
/// revision, or refuses it.
///
/// # Errors
/// The store or a file cannot be used, other publishers were first too often, or the revision is refused.
pub fn publish<E>(
    store: &Store,
    cache: &Cache,
    proposal: NextRevision,
    label: &RevisionLabel<'_>,
    examine: &mut dyn FnMut(&Path, &Readings) -> Result<String, E>,
) -> Result<Published, PublishError<E>> {
    let (proposal, staged) = match proposal {
        NextRevision::All(given, readings) => (
            NextRevision::All(Vec::new(), readings),
            Some(Staged::new(given)?),
        ),
        NextRevision::Part(part, given, readings) => (
            NextRevision::Part(part, Vec::new(), readings),
            Some(Staged::new(given)?),
        ),
        NextRevision::Revert(number) => (NextRevision::Revert(number), None),
    };
    for _ in 0..ATTEMPTS {
        let newest = store.newest()?;
        let newest = newest.as_ref().map(|revision| &revision.manifest);
        let mut next = proposed(store, newest, &proposal, staged.as_ref(), label)?;
        if let Some(newest) = newest
            && !label.repair
            && (&newest.files, &newest.readings) == (&next.files, &next.readings)
        {
            return Ok(Published::Unchanged(newest.clone()));
        }
        let at_hand: AtHand<'_> = staged
            .iter()
            .flat_map(|staged| &staged.content)
            .map(|(digest, of)| (*digest, of))
            .collect();
        cache.check_out(&next, &at_hand, Some(store))?;
        next.id = examine(&cache.tree(), &next.readings).map_err(PublishError::Refused)?;
        let known = newest
            .into_iter()
            .flat_map(|newest| &newest.files)
            .map(|file| file.blake3);
        let known = match label.repair {
            true => BTreeSet::new(),
            false => known.collect(),
        };
        upload(store, cache, &next, &known, label.repair)?;
        let bytes = next
            .written(label.key)
            .map_err(|error| FleetError::Manifest {
                number: next.number,
                reason: error.to_string(),
            })?;
        let bytes = bytes.into();
        if store.commit(next.number, &bytes)? {
            // Unreferenced blobs may have been pruned since they were found.
            restore(store, cache, &next, &known)?;
            store.hint(next.number);
            return Ok(Published::New(next));
        }
    }
    Err(FleetError::Contended(ATTEMPTS).into())
}

/// The manifest to follow the newest one.
fn proposed(
    store: &Store,
    newest: Option<&Manifest>,
    proposal: &NextRevision,
    staged: Option<&Staged>,
    label: &RevisionLabel<'_>,
) -> Result<Manifest, FleetError> {
    let number = newest.map_or(0, |newest| newest.number) + 1;
    let mut next = Manifest::new(number, label.created);
    next.parent = newest.map(|newest| newest.number);
    next.workspace = store.name();
    next.publisher = label.publisher.clone();
    next.message.clone_from(&label.message);
    next.nonce = nonce()?;
    let mut files = staged
        .map(|staged| staged.entries.clone())
        .unwrap_or_default();
    match proposal {
        NextRevision::All(_, readings) => next.readings = readings.clone(),
        NextRevision::Part(part, _, readings) => {
            let mine: BTreeSet<String> =
                files.iter().map(|file| file.path.to_lowercase()).collect();
            let others = newest.into_iter().flat_map(|newest| &newest.files);
            let others = others
                .filter(|file| file.part != *part && !mine.contains(&file.path.to_lowercase()));
            let others: Vec<FileEntry> = others.cloned().collect();
            files.extend(others);
            // Readings belong to the policies.
            next.readings = match (part, newest) {
                (ManifestPart::Entities, Some(newest)) => newest.readings.clone(),
                _ => readings.clone(),
            };
        }
        NextRevision::Revert(number) => {
            let Some(Revision { manifest, .. }) = store.revision(*number)? else {
                return Err(FleetError::NoRevision { number: *number });
            };
            next.readings = manifest.readings;
            next.reverts_to = Some(*number);
            files = manifest.files;
        }
    }
    files.sort();
    next.files = files;
    Ok(next)
}

fn nonce() -> Result<String, FleetError> {
    let number =
        getrandom::u64().map_err(|_| FleetError::Key("there are no random numbers".to_owned()))?;
    Ok(format!("{number:016x}"))
}

/// One file for each digest of a manifest that is not known.
fn missing<'m>(manifest: &'m Manifest, known: &BTreeSet<Digest>) -> Vec<(Digest, &'m FileEntry)> {
    let files = manifest.files.iter().map(|file| (file.blake3, file));
    let files: BTreeMap<Digest, &FileEntry> = files
        .filter(|(digest, _)| !known.contains(digest))
        .collect();
    files.into_iter().collect()
}

/// Writes the blobs that an earlier revision does not name.
fn upload(
    store: &Store,
    cache: &Cache,
    next: &Manifest,
    known: &BTreeSet<Digest>,
    replace: bool,
) -> Result<(), FleetError> {
    missing(next, known)
        .into_par_iter()
        .try_for_each(|(digest, file)| {
            let bytes = cache.packed(file)?;
            match replace {
                true => store.replace_blob(&digest, bytes),
                false => store.put_blob(&digest, bytes),
            }
        })
}

/// Writes blobs again that are no longer in the store.
fn restore(
    store: &Store,
    cache: &Cache,
    next: &Manifest,
    known: &BTreeSet<Digest>,
) -> Result<(), FleetError> {
    missing(next, known)
        .into_par_iter()
        .try_for_each(|(digest, file)| match store.has_blob(&digest)? {
            true => Ok(()),
            false => store.put_blob(&digest, cache.packed(file)?),
        })
}
