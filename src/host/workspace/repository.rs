//! The git repository around a folder: the files in its index, and questions to git.
//!
//! Git is asked in the folder that has the data of the repository, never in one below it: a change that is proposed
//! may put files there that git would take for a repository, with a configuration that names programs to run.

use std::collections::BTreeSet;
use std::io;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::process::Command;

use gix_index::File;
use gix_index::decode::Options;
use gix_index::entry::{Flags, Mode};
use gix_index::hash::Kind;

use super::folders::GIT;
use super::text::held;
use super::{Unreadable, regular, unreadable};

/// A repository of git with files on disk.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Repository {
    /// The folder of the files.
    pub top: PathBuf,
    /// The folder of git's data.
    data: PathBuf,
}

/// An entry of the index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tracked {
    pub path: PathBuf,
    pub kind: TrackedKind,
}

/// The kind of an entry of the index, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TrackedKind {
    /// A file or link that git expects on disk.
    File,
    /// A file or link that git does not miss on disk: it is left out of a sparse checkout, or assumed to be unchanged.
    Unmissed,
    /// A folder that is left out of a sparse checkout with all that is in it.
    LeftOut,
    /// A submodule.
    Submodule,
}

/// The variables that tell git which repository is meant, and where it may look for one. A hook of git names the
/// repository that it runs for.
const OF_REPOSITORY: [&str; 8] = [
    "GIT_CEILING_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
];

/// Settings with which git runs no program that a configuration names, and takes no folder for a repository that is
/// not called `.git`.
const RUN_NOTHING: [&str; 9] = [
    "--literal-pathspecs",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "protocol.allow=never",
    "-c",
    "protocol.ext.allow=never",
    "-c",
    "safe.bareRepository=explicit",
];

impl Repository {
    /// The innermost repository around a real path.
    ///
    /// # Errors
    /// The data of git cannot be read.
    pub(super) fn around(real: &Path) -> Result<Option<Self>, Unreadable> {
        for top in real.ancestors() {
            let repository = Self::at(top)?;
            if repository.is_some() {
                return Ok(repository);
            }
        }
        Ok(None)
    }

    /// The repository whose files are in this folder, if git has its data there or says where they are.
    ///
    /// # Errors
    /// The data of git cannot be read.
    pub(super) fn at(top: &Path) -> Result<Option<Self>, Unreadable> {
        let mut data = top.join(GIT);
        if data.is_file() {
            // A worktree or a submodule says where its data are.
            let said = held(&data)?;
            match said.text().trim().strip_prefix("gitdir: ") {
                Some(elsewhere) => data = top.join(elsewhere),
                None => return Ok(None),
            }
        }
        // The file may be a link to a branch that is packed.
        let head = data.join("HEAD");
        match head.symlink_metadata() {
            Ok(head) if !head.is_dir() => Ok(Some(Self {
                top: top.to_owned(),
                data,
            })),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let help = "let whoever runs this read the data of git";
                Err(unreadable(&head, &error.to_string(), Some(help)))
            }
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// The entries of the index at these real paths, below them or around them.
    ///
    /// # Errors
    /// The index cannot be read.
    pub(super) fn tracked(
        &self,
        places: &BTreeSet<PathBuf>,
    ) -> Result<BTreeSet<Tracked>, Unreadable> {
        let index = self.index()?;
        let entries = index.iter().flat_map(|index| {
            let entries = index.entries().iter();
            entries.map(|entry| {
                let path = path_of(entry.path(index));
                let is_unmissed = Flags::SKIP_WORKTREE | Flags::ASSUME_VALID;
                Tracked {
                    path: self.top.join(path),
                    kind: match entry.mode {
                        Mode::COMMIT => TrackedKind::Submodule,
                        Mode::DIR => TrackedKind::LeftOut,
                        _ if entry.flags.intersects(is_unmissed) => TrackedKind::Unmissed,
                        _ => TrackedKind::File,
                    },
                }
            })
        });
        Ok(entries
            .filter(|tracked| meets_any(places, &tracked.path))
            .collect())
    }

    /// The index; `None` if nothing was ever added.
    fn index(&self) -> Result<Option<File>, Unreadable> {
        let path = self.data.join("index");
        match regular::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(&path, &error.to_string(), None)),
            Ok(_) => {}
        }
        // The digest at its end tells which of the two kinds the repository has.
        let options = Options::default();
        let read = |kind| File::at(&path, kind, false, options);
        let index = read(Kind::Sha1).or_else(|error| read(Kind::Sha256).map_err(|_| error));
        index.map(Some).map_err(|error| {
            let reason = format!("the index of git cannot be read: {error}");
            let help = "see what `git status` says; `git read-tree HEAD` writes it anew";
            unreadable(&path, &reason, Some(help))
        })
    }

    /// A git command.
    pub(super) fn git(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        for variable in OF_REPOSITORY {
            command.env_remove(variable);
        }
        // What a partial clone lacks would be fetched by a program that its configuration names.
        command.env("GIT_NO_LAZY_FETCH", "1");
        command.arg("-C").arg(&self.top).args(RUN_NOTHING);
        command.args(arguments);
        command
    }
}

/// Whether a path is in one of these places, at it, or around it.
pub(super) fn meets_any(places: &BTreeSet<PathBuf>, path: &Path) -> bool {
    // What is below a path comes right after it.
    let mut after = places.range::<Path, _>((Bound::Included(path), Bound::Unbounded));
    after.next().is_some_and(|place| place.starts_with(path))
        || path.ancestors().any(|above| places.contains(above))
}

/// The path of an entry of the index; that of a folder has a slash at its end.
#[cfg(unix)]
fn path_of(entry: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    let entry = entry.strip_suffix(b"/").unwrap_or(entry);
    Path::new(std::ffi::OsStr::from_bytes(entry))
}

/// The path of an entry of the index; that of a folder has a slash at its end.
#[cfg(not(unix))]
fn path_of(entry: &[u8]) -> PathBuf {
    let entry = entry.strip_suffix(b"/").unwrap_or(entry);
    String::from_utf8_lossy(entry).into_owned().into()
}
