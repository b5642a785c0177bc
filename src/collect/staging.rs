//! The staging folder: a collection that replaces the earlier one when complete.
//!
//! A collection is made in a staging folder within the folder of exports. When it is complete, a few renames put it in
//! place of the earlier one. If they are interrupted, the next run finishes them.

#![expect(
    clippy::disallowed_methods,
    reason = "a collection reads and writes its own files"
)]

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tarbac_diagnostic::source::shown;
use tarbac_tenant::exports::catalog::COLLECTED;
use tarbac_tenant::exports::{Collected, PUBLISHING, STAGING};

use crate::fault::CollectError;
use crate::journal::{Journal, Plan};

/// The parts of a collection, in the order of the renames: the account is last.
const PARTS: [&str; 3] = ["graph", "configmgr", COLLECTED];

/// The collection in progress, within the staging folder.
const NEW: &str = "new";

/// The files that are being written, within the staging folder.
const DRAFTS: &str = "drafts";

/// A collection in progress.
pub(crate) struct Staging {
    out: PathBuf,
    folder: PathBuf,
    /// Held for the lifetime of this value.
    lock: File,
}

impl Drop for Staging {
    fn drop(&mut self) {
        // A child process may have inherited the handle, and would keep the lock.
        let _ = self.lock.unlock();
    }
}

/// The renames that put a collection in place.
#[derive(Serialize, Deserialize)]
struct Publication {
    put: Vec<String>,
    removed: Vec<String>,
}

/// The state found when a collection begins.
pub(crate) enum Begun {
    /// A new staging folder, or that of an interrupted run.
    Open(Box<(Staging, Journal, Plan)>),
    /// An earlier collection was complete, and its last renames have just been finished.
    Finished(Box<Collected>),
}

impl Staging {
    /// Begins a collection, or resumes one.
    pub(crate) fn begin(out: &Path, plan: Plan, is_resumed: bool) -> Result<Begun, CollectError> {
        let folder = out.join(STAGING);
        let failed = |what, path: &Path| {
            let path = path.to_owned();
            move |error| CollectError::file(what, &path, error)
        };
        let is_there = out.join(COLLECTED).exists() || folder.join(PUBLISHING).exists();
        let is_taken = ["graph", "configmgr"]
            .iter()
            .any(|part| out.join(part).exists());
        if is_taken && !is_there {
            return Err(CollectError::NotOurs(shown(out)));
        }
        fs::create_dir_all(&folder).map_err(failed("make the folder", &folder))?;
        let staging = Self {
            out: out.to_owned(),
            lock: lock(&folder, out)?,
            folder,
        };
        let new = staging.folder.join(NEW);
        if staging.folder.join(PUBLISHING).exists() {
            staging.finish().map_err(failed("write into", out))?;
            if is_resumed {
                return Ok(Begun::Finished(Box::new(staging.collected()?)));
            }
        }
        if is_there {
            nothing_is_lost(out, &plan)?;
        }
        let journal = staging.folder.join("journal.ndjson");
        if is_resumed {
            let resumed = Journal::resume(&journal).map_err(failed("read", &journal))?;
            let Some((journal, before)) = resumed else {
                return Err(CollectError::NothingToResume(shown(out)));
            };
            return match plan.is_same(&before) {
                true => Ok(Begun::Open(Box::new((staging, journal, before)))),
                false => Err(CollectError::AnotherPlan(shown(out))),
            };
        }
        gone(fs::remove_dir_all(&new)).map_err(failed("remove", &new))?;
        fs::create_dir_all(&new).map_err(failed("make the folder", &new))?;
        let journal = Journal::begin(&journal, &plan).map_err(failed("write", &journal))?;
        Ok(Begun::Open(Box::new((staging, journal, plan))))
    }

    /// The path of the draft of a file, which is never published; its parent folder is created.
    pub(crate) fn draft(&self, file: &str) -> Result<PathBuf, CollectError> {
        let path = self.folder.join(DRAFTS).join(file);
        make_parent(&path)?;
        Ok(path)
    }

    /// Opens a file in the staging folder.
    pub(crate) fn open(&self, file: &str) -> Result<File, CollectError> {
        let path = self.folder.join(NEW).join(file);
        File::open(&path).map_err(|error| CollectError::file("read", &path, error))
    }

    /// Makes a complete draft the file.
    pub(crate) fn keep(&self, draft: &Path, file: &str) -> Result<(), CollectError> {
        let path = self.folder.join(NEW).join(file);
        make_parent(&path)?;
        fs::rename(draft, &path).map_err(|error| CollectError::file("write", &path, error))
    }

    /// Removes a file from the staging folder, if it exists.
    pub(crate) fn discard(&self, file: &str) -> Result<(), CollectError> {
        let path = self.folder.join(NEW).join(file);
        gone(fs::remove_file(&path)).map_err(|error| CollectError::file("remove", &path, error))
    }

    /// Replaces the earlier collection with this one.
    pub(crate) fn publish(&self, collected: &Collected) -> Result<(), CollectError> {
        let publish = || -> io::Result<()> {
            let new = self.folder.join(NEW);
            let mut text = serde_json::to_string_pretty(collected)?;
            text.push('\n');
            fs::write(new.join(COLLECTED), text)?;
            let parts = PARTS.map(str::to_owned).into_iter();
            let (put, removed) = parts.partition(|part| new.join(part).exists());
            // From here on only renames are left, which another run can finish.
            let draft = self.folder.join("publishing.new");
            fs::write(&draft, serde_json::to_vec(&Publication { put, removed })?)?;
            fs::rename(&draft, self.folder.join(PUBLISHING))?;
            self.finish()
        };
        publish().map_err(|error| CollectError::file("write into", &self.out, error))
    }

    /// Carries out the renames.
    fn finish(&self) -> io::Result<()> {
        let publishing = self.folder.join(PUBLISHING);
        let (new, old) = (self.folder.join(NEW), self.folder.join("old"));
        let Publication { put, removed } = serde_json::from_slice(&fs::read(&publishing)?)?;
        fs::create_dir_all(&old)?;
        let part_of = |name: &str| PARTS.contains(&name);
        for name in removed.iter().filter(|name| part_of(name)) {
            self.set_aside(name, &old)?;
        }
        for name in put.iter().filter(|name| part_of(name)) {
            // A part that is not in the staging folder was renamed by an earlier run.
            if new.join(name).exists() {
                self.set_aside(name, &old)?;
                fs::rename(new.join(name), self.out.join(name))?;
            }
        }
        for folder in [old, new, self.folder.join(DRAFTS)] {
            gone(fs::remove_dir_all(folder))?;
        }
        gone(fs::remove_file(self.folder.join("journal.ndjson")))?;
        fs::remove_file(&publishing)
    }

    /// Moves a part of the earlier collection out of the way.
    fn set_aside(&self, name: &str, old: &Path) -> io::Result<()> {
        let (from, to) = (self.out.join(name), old.join(name));
        if !from.exists() {
            return Ok(());
        }
        match to.is_dir() {
            true => fs::remove_dir_all(&to)?,
            false => gone(fs::remove_file(&to))?,
        }
        fs::rename(from, to)
    }

    /// The account of the collection that is in place.
    fn collected(&self) -> Result<Collected, CollectError> {
        let path = self.out.join(COLLECTED);
        let read = || -> io::Result<Collected> { Ok(serde_json::from_slice(&fs::read(&path)?)?) };
        read().map_err(|error| CollectError::file("read", &path, error))
    }
}

/// Checks that a collection replaces each part of the earlier one.
///
/// # Errors
/// The earlier collection has a part that this one leaves out, and that would be removed.
fn nothing_is_lost(out: &Path, plan: &Plan) -> Result<(), CollectError> {
    let is_asked = |site: &str| {
        plan.sites
            .iter()
            .any(|(code, _)| code.eq_ignore_ascii_case(site))
    };
    let mut lost = Vec::new();
    if plan.graph.is_none() && out.join("graph").exists() {
        lost.push(out.join("graph"));
    }
    let sites = match fs::read_dir(out.join("configmgr")) {
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        sites => Some(sites.map_err(|error| CollectError::file("read", out, error))?),
    };
    for site in sites.into_iter().flatten() {
        let site = site.map_err(|error| CollectError::file("read", out, error))?;
        if site.path().is_dir() && !is_asked(&site.file_name().to_string_lossy()) {
            lost.push(site.path());
        }
    }
    match lost.first() {
        None => Ok(()),
        Some(part) => Err(CollectError::LeavesOut(shown(part))),
    }
}

/// Takes the lock of a folder, unless another program holds it.
fn lock(folder: &Path, out: &Path) -> Result<File, CollectError> {
    let path = folder.join("lock");
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).open(&path);
    let file = file.map_err(|error| CollectError::file("write", &path, error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(CollectError::Locked(shown(out))),
        Err(TryLockError::Error(error)) => Err(CollectError::file("lock", &path, error)),
    }
}

/// Makes the folder of a file.
fn make_parent(path: &Path) -> Result<(), CollectError> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    fs::create_dir_all(parent).map_err(|error| CollectError::file("make the folder", parent, error))
}

/// The result of a removal; a missing file is no error.
fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
