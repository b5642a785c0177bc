//! The completeness of a checkout: submodules, and files that are left out.
//!
//! A clone leaves the folder of a submodule empty, a sparse checkout leaves files out, and a missing rule forbids
//! nothing.

mod list;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::Unreadable;
use super::folders::{GIT, is_of_git, metadata};
use super::git::is_of;
use super::places::{self, real};
use super::repository::{Repository, Tracked, TrackedKind, meets_any};
use list::Listed;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{self, Source, shown};

/// The file in which git lists the submodules of a repository.
const LIST: &str = ".gitmodules";

/// The repositories around and in the places of a workspace.
#[derive(Default)]
struct Checkouts {
    /// The real paths of the places.
    places: BTreeSet<PathBuf>,
    repositories: BTreeSet<Repository>,
    /// The lists of submodules, by the folder of the repository. A copy without the data of git has a list as well.
    lists: BTreeMap<PathBuf, Vec<Listed>>,
}

/// The errors about parts of a workspace that git has and that are not on disk.
///
/// # Errors
/// The index of a repository, a list of submodules or one of their folders cannot be read.
pub(super) fn incomplete(places: &[places::Place]) -> Result<Vec<Finding>, Unreadable> {
    let checkouts = Checkouts::of(places)?;
    let mut findings = Vec::new();
    let mut left_out = BTreeSet::new();
    for repository in &checkouts.repositories {
        for Tracked { path, kind } in repository.tracked(&checkouts.places)? {
            match kind {
                TrackedKind::File => {}
                TrackedKind::Submodule => {
                    if !path.join(GIT).exists() || !has_files(&path)? {
                        findings.push(not_checked_out(&path, checkouts.place_in_a_list(&path)));
                    }
                }
                // A page is no rule.
                TrackedKind::Unmissed if path.symlink_metadata().is_ok() || is_of(&path, "md") => {}
                TrackedKind::Unmissed | TrackedKind::LeftOut => {
                    left_out.insert(path);
                }
            }
        }
    }
    for (folder, listed) in &checkouts.lists {
        // The index knows what a submodule is; a copy without it has only the list.
        if Repository::at(folder)?.is_some() {
            continue;
        }
        for submodule in listed {
            let path = real(&folder.join(&submodule.path))?;
            if meets_any(&checkouts.places, &path) && !is_copied(&path, folder)? {
                findings.push(not_checked_out(&path, Some(submodule.place.clone())));
            }
        }
    }
    findings.extend(not_on_disk(&left_out));
    Ok(findings)
}

impl Checkouts {
    fn of(places: &[places::Place]) -> Result<Self, Unreadable> {
        let mut checkouts = Self::default();
        for place in places {
            for above in place.real.ancestors().filter(|above| above.is_dir()) {
                checkouts.look_at(above)?;
            }
            // What cannot be walked is an error where the files are read.
            let entries = WalkDir::new(&place.path).follow_links(true).into_iter();
            for entry in entries.filter_entry(|entry| !is_of_git(entry)).flatten() {
                if entry.file_type().is_dir() {
                    checkouts.look_at(&real(entry.path())?)?;
                }
            }
            checkouts.places.insert(place.real.clone());
        }
        Ok(checkouts)
    }

    /// Adds the repository whose files are in a folder, and its list of submodules.
    fn look_at(&mut self, folder: &Path) -> Result<(), Unreadable> {
        self.repositories.extend(Repository::at(folder)?);
        let path = folder.join(LIST);
        let is_file = metadata(&path)?.is_some_and(|of| of.is_file());
        if is_file && !self.lists.contains_key(folder) {
            self.lists.insert(folder.to_owned(), list::read(&path)?);
        }
        Ok(())
    }

    /// The place where a submodule is listed.
    fn place_in_a_list(&self, path: &Path) -> Option<source::Place> {
        let listed = self.lists.iter().flat_map(|(folder, listed)| {
            let listed = listed.iter();
            listed.map(move |listed| (folder.join(&listed.path), &listed.place))
        });
        let mut is_it = listed.filter(|(listed, _)| listed == path);
        is_it.next().map(|(_, place)| place.clone())
    }
}

/// Whether the folder of a submodule has files that people write: `.gitkeep` and `.DS_Store` are no rules.
fn has_files(folder: &Path) -> Result<bool, Unreadable> {
    if !metadata(folder)?.is_some_and(|of| of.is_dir()) {
        return Ok(false);
    }
    let is_hidden = |entry: &DirEntry| entry.file_name().as_encoded_bytes().starts_with(b".");
    let entries = WalkDir::new(folder).into_iter();
    let mut entries = entries.filter_entry(|entry| !is_of_git(entry)).flatten();
    Ok(entries.any(|entry| !entry.file_type().is_dir() && !is_hidden(&entry)))
}

/// Whether the files of a submodule were copied with those of the repository, whose data are not here.
fn is_copied(submodule: &Path, folder: &Path) -> Result<bool, Unreadable> {
    let is_file = metadata(submodule)?.is_some_and(|of| !of.is_dir());
    let has_data = |folder: &Path| folder.join(GIT).exists();
    let is_whole = || Ok(has_files(submodule)? && (has_data(submodule) || !has_data(folder)));
    Ok(is_file || is_whole()?)
}

fn not_checked_out(submodule: &Path, listed: Option<source::Place>) -> Finding {
    let finding = |message: String| Finding::error(code::workspace::SUBMODULE, message);
    match listed {
        Some(place) => finding(format!(
            "the submodule `{}` is not checked out",
            shown(submodule)
        ))
        .label(place, "listed here")
        .help("`git submodule update --init --recursive` checks it out; in a workflow, `submodules: recursive` of actions/checkout does"),
        None => finding(format!(
            "`{}` is a submodule that is not checked out, and no .gitmodules says where it comes from",
            shown(submodule)
        ))
        .label(whole(submodule), "a submodule for git")
        .help("`git submodule add` lists a repository in another; `git rm --cached` forgets it, and then its files can be added"),
    }
}

/// The error about files that are left out of a checkout, if there are any.
fn not_on_disk(files: &BTreeSet<PathBuf>) -> Option<Finding> {
    let first = files.first()?;
    let more = match files.len() {
        1 => "is".to_owned(),
        count => format!("and {} more are", count - 1),
    };
    let message = format!("`{}` {more} left out of this checkout", shown(first));
    Some(
        Finding::error(code::workspace::SPARSE, message)
            .label(whole(first), "in git, and not on disk")
            .help("`git sparse-checkout add` with the folder of the workspace checks it out whole, as does `git sparse-checkout disable`; a single file comes back with `git update-index --no-skip-worktree --no-assume-unchanged` and `git checkout`"),
    )
}

fn whole(path: &Path) -> source::Place {
    source::Place::new(&Source::held(shown(path), ""), 0..0)
}
