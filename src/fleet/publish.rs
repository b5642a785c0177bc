//! Publishing: files become blobs, and a manifest is created under the next number.
//!
//! A program that is stopped at any step leaves a store that is whole: blobs that no manifest names do no harm, and the
//! manifest comes last, at once. Where another was first, its revision is taken for the other part, and all is examined
//! again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::digest::Digest;
use jiff::Timestamp;
use rayon::prelude::*;
use thiserror::Error;

use crate::cache::{AtHand, Cache};
use crate::error::FleetError;
use crate::manifest::{FileEntry, Manifest, Part, Publisher, Readings};
use crate::signature::SigningKey;
use crate::store::{Revision, Store};

/// How often a publication begins again because another was first.
const ATTEMPTS: u32 = 10;

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenContent {
    /// A file on this machine.
    OnDisk(PathBuf),
    /// A text.
    Text(String),
}

/// A file that is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The path in a workspace.
    pub path: String,
    /// Whose it is.
    pub part: Part,
    /// The content.
    pub content: GivenContent,
}

/// What is to be the next revision.
#[derive(Debug)]
pub enum NextRevision {
    /// These files, in place of all files.
    All(Vec<Given>, Readings),
    /// The files of one part, in place of those that the newest revision has of it.
    Part(Part, Vec<Given>, Readings),
    /// What an earlier revision was.
    Revert(u64),
}

/// How a publication went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Published {
    /// The newest revision is this already.
    Unchanged(Manifest),
    /// There is a new revision.
    New(Manifest),
}

/// Why nothing was published.
#[derive(Debug, Error)]
pub enum PublishError<E> {
    /// Something went wrong on the way.
    #[error(transparent)]
    Fleet(#[from] FleetError),
    /// Whoever examines a revision refuses it.
    #[error("the revision is refused")]
    Refused(E),
}

/// What goes with a revision.
#[derive(Debug, Default)]
pub struct RevisionLabel<'a> {
    /// Who publishes.
    pub publisher: Publisher,
    /// What is said about it.
    pub message: Option<String>,
    /// The time.
    pub created: Timestamp,
    /// The key that signs.
    pub key: Option<&'a SigningKey>,
    /// Whether blobs that are there are written again.
    pub repair: bool,
}

/// A proposal with the digests of its files.
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

/// Publishes a revision. `examine` is given the folder of a workspace with exactly its files, and the readings; it says
/// what the revision is called, or refuses it.
///
/// # Errors
/// The store or a file cannot be used, others are first again and again, or the revision is refused.
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
            // Blobs that were there before and that nothing named may have been removed meanwhile.
            restore(store, cache, &next, &known)?;
            store.hint(next.number);
            return Ok(Published::New(next));
        }
    }
    Err(FleetError::Contended(ATTEMPTS).into())
}

/// The manifest that follows the newest one.
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
            // Readings are about policies.
            next.readings = match (part, newest) {
                (Part::Entities, Some(newest)) => newest.readings.clone(),
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

/// The first file with each digest that is not known.
fn missing<'m>(manifest: &'m Manifest, known: &BTreeSet<Digest>) -> Vec<(Digest, &'m FileEntry)> {
    let files = manifest.files.iter().map(|file| (file.blake3, file));
    let files: BTreeMap<Digest, &FileEntry> = files
        .filter(|(digest, _)| !known.contains(digest))
        .collect();
    files.into_iter().collect()
}

/// Writes the blobs of a revision that an earlier one does not name.
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

/// Writes blobs again that have gone.
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
