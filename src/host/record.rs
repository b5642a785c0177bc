//! The record of the files that tarbac wrote into a workspace.
//!
//! `init` and `import` write a record at the root of a workspace. It tells the next import which files are tarbac's
//! and which were written or changed by people ([`Refresh`]), and it tells readers of the workspace whether a change
//! of several files is under way ([`State`]).
//!
//! This module opens no file; [`crate::workspace`] does.

mod refresh;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use blake3::{Hash, Hasher};
use memchr::memchr;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use refresh::{FoundFile, KeptFile, KeptReason, Refresh, Situation};

/// The file name of the record, at the root of a workspace.
pub const FILE: &str = "tarbac-files.json";

/// An explanation for people who open the file.
const ABOUT: &str = "What tarbac wrote into this workspace, with a digest of each file: an import changes these and no others. Commit it.";

/// The version of the format.
const VERSION: u64 = 1;

/// The folders that tarbac writes files into.
const FOLDERS: [&str; 4] = ["entities/", "policies/", "schema/", "tests/"];

/// The files that tarbac writes outside of these folders.
const FILES: [&str; 3] = [".github/workflows/tarbac.yml", ".gitignore", "README.md"];

/// The origin of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The file is a copy of one that ships.
    Shipped,
    /// The file was made from exports, or belongs to the sample tenant.
    Tenant,
}

/// A file that tarbac wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenFile {
    /// The origin.
    pub origin: Origin,
    /// The digest of the text.
    pub digest: Hash,
}

/// The content of a record. Paths have `/` between their parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The files.
    pub files: BTreeMap<String, WrittenFile>,
    /// Files and folders (`policies/roles/`) that a person has declared as removed on purpose.
    pub removed: BTreeSet<String>,
    /// The exports of the last import, for example `configmgr/P01/SMS_Admin.json`.
    pub exports: BTreeSet<String>,
}

/// A change of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The path.
    pub path: String,
    /// The digest of the file before; `None` if there is no file.
    pub before: Option<Hash>,
    /// The digest of the file after; `None` if the file is removed.
    pub after: Option<Hash>,
}

/// The state of a workspace by its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// No change is under way.
    Settled(Record),
    /// A change is under way, and some of its steps may be done.
    Pending(Pending),
}

/// A change of several files that has begun.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pending {
    /// The record before the change; `None` if there was none.
    pub before: Option<Record>,
    /// The steps, in their order.
    pub steps: Vec<Step>,
    /// The record after the change.
    pub after: Record,
}

/// The reason why a text is not a record.
#[derive(Debug, Error)]
pub enum NoRecord {
    /// The format is newer than this program.
    #[error(
        "a newer tarbac has written it: its version is {0}, and this tarbac knows those up to {VERSION}"
    )]
    Newer(u64),
    /// The text is something else.
    #[error("it is no record of what was written: {0}")]
    Other(String),
}

/// The keys that every version of the format has.
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
    /// The text of the file.
    ///
    /// # Errors
    /// The text cannot be written as JSON, which does not happen.
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

    /// Whether a file was declared as removed on purpose, alone or with a folder around it.
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
                record.files.insert(path, WrittenFile { origin, digest });
            }
        }
        Ok(record)
    }
}

impl State {
    /// Reads the text of a record.
    ///
    /// # Errors
    /// The text is not a record, or has a later version.
    pub fn read(text: &str) -> Result<Self, NoRecord> {
        let other = |error: serde_json::Error| NoRecord::Other(error.to_string());
        // Another version may have other keys.
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

    /// The text of the record.
    ///
    /// # Errors
    /// The text cannot be written as JSON, which does not happen.
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

/// Whether tarbac writes to a path. A record is part of a repository, so its author must not be able to have other
/// files written.
pub fn is_ours(path: &str) -> bool {
    let has_plain_parts = path
        .split('/')
        .all(|part| !matches!(part, "" | "." | "..") && !part.contains(['\\', ':', '\0']));
    let is_in_folder = FOLDERS.iter().any(|folder| path.starts_with(folder));
    has_plain_parts && (is_in_folder || FILES.contains(&path))
}

/// Whether a path is the named file, or in the named folder.
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

/// A hasher of text in parts. Line ends do not matter, because git may change them.
#[derive(Default)]
pub struct TextHasher {
    hasher: Hasher,
    /// Whether a carriage return waits for the next byte; it counts unless a line feed follows.
    is_held: bool,
}

impl TextHasher {
    /// Adds a part.
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
