//! Submodules of git that are not checked out, in the folders of a workspace.
//!
//! A clone leaves the folder of a submodule empty, and a missing rule forbids nothing.

mod list;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::folders::{GIT, is_of_git, metadata};
use super::places::{self, real};
use super::{Unreadable, git, unreadable};
use list::Listed;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source, shown};

/// The file in which the Finder of macOS keeps how it shows a folder, in each that it has shown.
const OF_FINDER: &str = ".DS_Store";

/// The file in which git lists the submodules of a repository.
const LIST: &str = ".gitmodules";

/// The repositories around and in the places of a workspace.
#[derive(Default)]
struct Repositories {
    /// The real paths of the places.
    places: BTreeSet<PathBuf>,
    /// The lists of submodules, by the folder of the repository.
    lists: BTreeMap<PathBuf, Vec<Listed>>,
    /// The folders without files, by their real paths.
    empty: BTreeSet<PathBuf>,
}

/// The errors about submodules in the folders of a workspace, or around them, that are not checked out.
///
/// # Errors
/// A list of submodules or one of their folders cannot be read, or git cannot be asked about a folder without files.
pub(super) fn not_checked_out(places: &[places::Place]) -> Result<Vec<Finding>, Unreadable> {
    let repositories = Repositories::of(places)?;
    let mut findings = Vec::new();
    let mut known = BTreeSet::new();
    for (repository, listed) in &repositories.lists {
        for submodule in listed {
            let folder = real(&repository.join(&submodule.path))?;
            if repositories.meet(&folder) && !is_checked_out(&folder, repository)? {
                let message = format!(
                    "the submodule `{}` is not checked out",
                    shown(&submodule.path)
                );
                findings.push(
                    Finding::error(code::workspace::SUBMODULE, message)
                        .label(submodule.place.clone(), "listed here")
                        .help("`git submodule update --init --recursive` checks it out; in a workflow, `submodules: recursive` of actions/checkout does"),
                );
            }
            known.insert(folder);
        }
    }
    for folder in repositories.unlisted(&known)? {
        let message = format!(
            "`{}` is a submodule, and no .gitmodules says where it comes from",
            shown(&folder)
        );
        let place = Place::new(&Source::held(shown(&folder), ""), 0..0);
        findings.push(
            Finding::error(code::workspace::SUBMODULE, message)
                .label(place, "this folder is empty")
                .help("`git submodule add` lists a repository in another; `git rm --cached` forgets it, and then its files can be added"),
        );
    }
    Ok(findings)
}

impl Repositories {
    fn of(places: &[places::Place]) -> Result<Self, Unreadable> {
        let mut repositories = Self::default();
        for place in places {
            let around = place.real.ancestors().filter(|above| above.is_dir());
            for above in around {
                repositories.add_list(above)?;
            }
            repositories.look_in(&place.path)?;
            repositories.places.insert(place.real.clone());
        }
        Ok(repositories)
    }

    /// Adds the lists of submodules in a folder, and the folders without files.
    fn look_in(&mut self, folder: &Path) -> Result<(), Unreadable> {
        let (mut folders, mut filled) = (Vec::new(), BTreeSet::new());
        // What cannot be walked is an error where the files are read.
        let entries = WalkDir::new(folder).follow_links(true).into_iter();
        for entry in entries.filter_entry(|entry| !is_of_git(entry)).flatten() {
            let path = entry.path();
            if entry.file_type().is_dir() {
                folders.push(path.to_owned());
            } else if entry.file_name() != OsStr::new(OF_FINDER) {
                let around = path.ancestors().skip(1);
                filled.extend(
                    around
                        .take_while(|above| above.starts_with(folder))
                        .map(Path::to_owned),
                );
            }
            if entry.file_name() == LIST
                && let Some(repository) = path.parent()
            {
                self.add_list(&real(repository)?)?;
            }
        }
        for empty in folders.iter().filter(|folder| !filled.contains(*folder)) {
            self.empty.insert(real(empty)?);
        }
        Ok(())
    }

    fn add_list(&mut self, repository: &Path) -> Result<(), Unreadable> {
        let path = repository.join(LIST);
        let is_file = metadata(&path)?.is_some_and(|of| of.is_file());
        if is_file && !self.lists.contains_key(repository) {
            self.lists.insert(repository.to_owned(), list::read(&path)?);
        }
        Ok(())
    }

    /// Whether a submodule is in a folder of the workspace, or around one.
    fn meet(&self, submodule: &Path) -> bool {
        let mut places = self.places.iter();
        places.any(|place| submodule.starts_with(place) || place.starts_with(submodule))
    }

    /// The folders without files that are submodules for git, and not among those that a list has.
    fn unlisted(&self, listed: &BTreeSet<PathBuf>) -> Result<Vec<PathBuf>, Unreadable> {
        let is_outermost = |folder: &&PathBuf| {
            let around = folder.parent();
            around.is_none_or(|around| !self.empty.contains(around))
        };
        let mut unlisted = Vec::new();
        for folder in self.empty.iter().filter(is_outermost) {
            if !listed.contains(folder) && folder.ancestors().any(is_repository) {
                let submodules = git::submodules_at(folder).map_err(|error| {
                    let reason = format!(
                        "it is empty, and git does not say whether it is a submodule: {error}"
                    );
                    unreadable(
                        folder,
                        &reason,
                        Some("remove the folder, or see what `git status` says"),
                    )
                })?;
                let submodules = submodules.into_iter();
                unlisted.extend(submodules.filter(|folder| !listed.contains(folder)));
            }
        }
        Ok(unlisted)
    }
}

/// Whether the folder of a submodule has files, and a checkout of its own if its repository has one; or is no submodule
/// any more, and the list still has it.
fn is_checked_out(folder: &Path, repository: &Path) -> Result<bool, Unreadable> {
    let has_files = match metadata(folder)? {
        None => false,
        Some(metadata) if !metadata.is_dir() => return Ok(true),
        Some(_) => {
            let entries = WalkDir::new(folder).into_iter();
            let mut entries = entries.filter_entry(|entry| !is_of_git(entry)).flatten();
            entries.any(|entry| !entry.file_type().is_dir() && !is_hidden(&entry))
        }
    };
    let is_whole = has_files && (is_checkout(folder) || !is_checkout(repository));
    let is_forgotten = || {
        let known = is_repository(repository).then(|| git::submodules_at(folder));
        known.is_some_and(|known| known.is_ok_and(|known| known.is_empty()))
    };
    Ok(is_whole || is_forgotten())
}

/// Whether git has its data in a folder, or says there where they are.
fn is_checkout(folder: &Path) -> bool {
    folder.join(GIT).exists()
}

/// Whether git has a repository in a folder, so that it can be asked.
fn is_repository(folder: &Path) -> bool {
    let data = folder.join(GIT);
    data.join("HEAD").exists() || data.metadata().is_ok_and(|of| of.is_file() && of.len() > 0)
}

/// Whether a file is none that people write: `.gitkeep` and `.DS_Store` are no rules.
fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}
