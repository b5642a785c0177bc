//! The record of the files that tarbac wrote into a workspace.
//!
//! `init` and `import` leave a record at the root of a workspace. By it, the next import tells its own
//! files from those that people wrote or changed ([`Refresh`]), and whoever reads the workspace whether
//! a change of several files is under way ([`State`]).
//!
//! Nothing here opens a file; the shell ([`crate::workspace`]) does.

mod refresh;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use blake3::{Hash, Hasher};
use memchr::memchr;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use refresh::{Found, Kept, Refresh, Situation, Why};

/// The name of the file, at the root of a workspace.
pub const FILE: &str = "tarbac-files.json";

/// What a reader of the file is told.
const ABOUT: &str = "What tarbac wrote into this workspace, with a digest of each file: an import changes these and no others. Commit it.";

/// The version of the format.
const VERSION: u64 = 1;

/// The folders in which tarbac writes any file.
const FOLDERS: [&str; 4] = ["entities/", "policies/", "schema/", "tests/"];

/// The files that it writes elsewhere.
const FILES: [&str; 3] = [".github/workflows/tarbac.yml", ".gitignore", "README.md"];

/// Where a file comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// It is a copy of one that ships.
    Shipped,
    /// It was made of exports, or is part of the sample tenant.
    Tenant,
}

/// A file as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Where it comes from.
    pub origin: Origin,
    /// The digest of its text.
    pub digest: Hash,
}

/// What was written into a workspace, by paths with `/` between their parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The files.
    pub files: BTreeMap<String, Written>,
    /// Files and folders (`policies/roles/`) that somebody says were removed on purpose.
    pub removed: BTreeSet<String>,
    /// The exports that were imported last, as `configmgr/P01/SMS_Admin.json`.
    pub exports: BTreeSet<String>,
}

/// A file that is written or removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its path.
    pub path: String,
    /// The digest of what was there; `None` where nothing was.
    pub before: Option<Hash>,
    /// The digest of what will be there; `None` where nothing will be.
    pub after: Option<Hash>,
}

/// What the record of a workspace says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing is under way.
    Settled(Record),
    /// A change is under way, and some of its steps may have been taken.
    Pending(Pending),
}

/// A change of several files that has been decided on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pending {
    /// What was written before; `None` where there was no record.
    pub before: Option<Record>,
    /// The steps, in their order.
    pub steps: Vec<Step>,
    /// What is written afterwards.
    pub after: Record,
}

/// A text that is no record.
#[derive(Debug, Error)]
pub enum NoRecord {
    /// It is of a format that is not known yet.
    #[error(
        "a newer tarbac has written it: its version is {0}, and this tarbac knows those up to {VERSION}"
    )]
    Newer(u64),
    /// It is something else.
    #[error("it is no record of what was written: {0}")]
    Other(String),
}

/// What every record has, whatever its version.
#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u64,
    about: String,
    shipped: BTreeMap<String, String>,
    tenant: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    removed: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    exports: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending: Option<PendingDocument>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PendingDocument {
    is_first: bool,
    steps: Vec<StepDocument>,
    shipped: BTreeMap<String, String>,
    tenant: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    removed: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    exports: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StepDocument {
    path: String,
    before: Option<String>,
    after: Option<String>,
}

impl Record {
    /// The text of its file.
    ///
    /// # Errors
    /// Those of JSON, of which there are none here.
    pub fn text(&self) -> serde_json::Result<String> {
        State::Settled(self.clone()).text()
    }

    fn of_origin(&self, origin: Origin) -> BTreeMap<String, String> {
        let files = self.files.iter();
        let files = files.filter(|(_, written)| written.origin == origin);
        files
            .map(|(path, written)| (path.clone(), written.digest.to_string()))
            .collect()
    }

    /// Whether somebody says that a file was removed on purpose, by itself or with a folder that it is in.
    pub fn is_removed(&self, path: &str) -> bool {
        self.removed.iter().any(|named| is_at_or_in(path, named))
    }

    fn read(
        shipped: BTreeMap<String, String>,
        tenant: BTreeMap<String, String>,
        removed: BTreeSet<String>,
        exports: BTreeSet<String>,
    ) -> Result<Self, NoRecord> {
        let mut record = Self {
            removed,
            exports,
            ..Self::default()
        };
        for (origin, files) in [(Origin::Shipped, shipped), (Origin::Tenant, tenant)] {
            for (path, digest) in files {
                let digest = read_digest(&digest)?;
                let path = checked(path)?;
                record.files.insert(path, Written { origin, digest });
            }
        }
        Ok(record)
    }
}

impl State {
    /// Reads the text of the file.
    ///
    /// # Errors
    /// It is no record, or one of a later version.
    pub fn read(text: &str) -> Result<Self, NoRecord> {
        let other = |error: serde_json::Error| NoRecord::Other(error.to_string());
        // A later version may have other keys.
        let Versioned { version } = serde_json::from_str(text).map_err(other)?;
        if version > VERSION {
            return Err(NoRecord::Newer(version));
        }
        if version != VERSION {
            return Err(NoRecord::Other(format!("its version is {version}")));
        }
        let document: Document = serde_json::from_str(text).map_err(other)?;
        let record = Record::read(
            document.shipped,
            document.tenant,
            document.removed,
            document.exports,
        )?;
        let Some(pending) = document.pending else {
            return Ok(Self::Settled(record));
        };
        let step = |step: StepDocument| {
            let digest = |digest: Option<String>| digest.as_deref().map(read_digest).transpose();
            Ok(Step {
                path: checked(step.path)?,
                before: digest(step.before)?,
                after: digest(step.after)?,
            })
        };
        let steps = pending.steps.into_iter().map(step);
        Ok(Self::Pending(Pending {
            before: (!pending.is_first).then_some(record),
            steps: steps.collect::<Result<_, NoRecord>>()?,
            after: Record::read(
                pending.shipped,
                pending.tenant,
                pending.removed,
                pending.exports,
            )?,
        }))
    }

    /// The text of the file.
    ///
    /// # Errors
    /// Those of JSON, of which there are none here.
    pub fn text(&self) -> serde_json::Result<String> {
        let none = Record::default();
        let (record, pending) = match self {
            Self::Settled(record) => (record, None),
            Self::Pending(pending) => (pending.before.as_ref().unwrap_or(&none), Some(pending)),
        };
        let step = |step: &Step| StepDocument {
            path: step.path.clone(),
            before: step.before.map(|digest| digest.to_string()),
            after: step.after.map(|digest| digest.to_string()),
        };
        let text = serde_json::to_string_pretty(&Document {
            version: VERSION,
            about: ABOUT.to_owned(),
            shipped: record.of_origin(Origin::Shipped),
            tenant: record.of_origin(Origin::Tenant),
            removed: record.removed.clone(),
            exports: record.exports.clone(),
            pending: pending.map(|pending| PendingDocument {
                is_first: pending.before.is_none(),
                steps: pending.steps.iter().map(step).collect(),
                shipped: pending.after.of_origin(Origin::Shipped),
                tenant: pending.after.of_origin(Origin::Tenant),
                removed: pending.after.removed.clone(),
                exports: pending.after.exports.clone(),
            }),
        })?;
        Ok(text + "\n")
    }
}

/// Whether a path is one that tarbac writes to. A record travels with a repository, so whoever wrote it must
/// not be able to have anything else written.
pub fn is_ours(path: &str) -> bool {
    let has_plain_parts = path
        .split('/')
        .all(|part| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':', '\0']));
    let is_in_folder = FOLDERS.iter().any(|folder| path.starts_with(folder));
    has_plain_parts && (is_in_folder || FILES.contains(&path))
}

/// Whether a path is the one that is named, or in the folder that is.
fn is_at_or_in(path: &str, named: &str) -> bool {
    let rest = path.strip_prefix(named.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn checked(path: String) -> Result<String, NoRecord> {
    match is_ours(&path) {
        true => Ok(path),
        false => Err(NoRecord::Other(format!("tarbac never writes `{path}`"))),
    }
}

fn read_digest(text: &str) -> Result<Hash, NoRecord> {
    Hash::from_str(text).map_err(|_| NoRecord::Other(format!("`{text}` is no digest")))
}

/// The digest of a text.
pub fn digest(text: &str) -> Hash {
    let mut hasher = TextHasher::default();
    hasher.update(text.as_bytes());
    hasher.finish()
}

/// Takes the digest of a text that comes in parts. Line ends do not count: git may have changed them.
#[derive(Default)]
pub struct TextHasher {
    hasher: Hasher,
    /// Whether a carriage return is held back, which counts unless a line feed follows.
    is_held: bool,
}

impl TextHasher {
    /// Takes a part.
    pub fn update(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            if std::mem::take(&mut self.is_held) && *first != b'\n' {
                self.hasher.update(b"\r");
            }
            let Some((before, after)) = memchr(b'\r', rest).and_then(|at| {
                let (before, after) = rest.split_at_checked(at)?;
                Some((before, after.get(1..)?))
            }) else {
                self.hasher.update(rest);
                return;
            };
            self.hasher.update(before);
            self.is_held = true;
            rest = after;
        }
    }

    /// The digest of all parts.
    pub fn finish(mut self) -> Hash {
        if self.is_held {
            self.hasher.update(b"\r");
        }
        self.hasher.finalize()
    }
}
