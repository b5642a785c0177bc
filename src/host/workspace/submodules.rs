//! Submodules of git that are not checked out, in the folders of a workspace.
//!
//! A clone leaves the folder of a submodule empty, and a missing rule forbids nothing.

mod list;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::folders::metadata;
use super::{Layout, PARTS, Unreadable, unreadable};
use list::Listed;
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::shown;

/// The file in which git lists the submodules of a repository.
const LIST: &str = ".gitmodules";

/// The folder or file that makes a folder a checkout.
const CHECKOUT: &str = ".git";

/// The folders of a workspace by their real paths, and the repositories with submodules around and in them.
#[derive(Default)]
struct Parts {
    folders: BTreeSet<PathBuf>,
    /// The lists of submodules, by the folder of the repository.
    lists: BTreeMap<PathBuf, Vec<Listed>>,
}

/// The errors about submodules in the folders of a workspace, or around them, that are not checked out.
///
/// # Errors
/// A list of submodules or one of their folders cannot be read.
pub(super) fn not_checked_out(layout: &Layout) -> Result<Vec<Finding>, Unreadable> {
    let named = [&layout.entities, &layout.policies, &layout.schema];
    let mut parts = Parts::default();
    for (part, named) in PARTS.iter().zip(named) {
        match named.is_empty() {
            true => parts.add(&layout.root.join(part))?,
            false => named.iter().try_for_each(|folder| parts.add(folder))?,
        }
    }
    let mut findings = Vec::new();
    for (repository, listed) in &parts.lists {
        for submodule in listed {
            let folder = real(&repository.join(&submodule.path))?;
            if parts.meet(&folder) && !is_checked_out(&folder, repository)? {
                let path = shown(&submodule.path);
                let message = format!("the submodule `{path}` is not checked out");
                findings.push(
                    Finding::error(code::workspace::SUBMODULE, message)
                        .label(submodule.place.clone(), "listed here")
                        .help("`git submodule update --init --recursive` checks it out; in a workflow, `submodules: recursive` of actions/checkout does"),
                );
            }
        }
    }
    Ok(findings)
}

impl Parts {
    /// Adds a folder, and those to which links in it lead.
    fn add(&mut self, folder: &Path) -> Result<(), Unreadable> {
        self.add_real(real(folder)?)?;
        // What cannot be walked is an error where the files are read.
        let entries = WalkDir::new(folder).follow_links(true).into_iter();
        for entry in entries.filter_entry(is_no_checkout).flatten() {
            if entry.path_is_symlink() && entry.file_type().is_dir() {
                self.add_real(real(entry.path())?)?;
            } else if entry.file_name() == LIST
                && let Some(repository) = entry.path().parent()
            {
                self.add_list(&real(repository)?)?;
            }
        }
        Ok(())
    }

    /// Adds a folder, or a file that is named, with the lists of the repositories around it.
    fn add_real(&mut self, folder: PathBuf) -> Result<(), Unreadable> {
        for above in folder.ancestors().filter(|above| above.is_dir()) {
            self.add_list(above)?;
        }
        self.folders.insert(folder);
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
        let mut folders = self.folders.iter();
        folders.any(|folder| submodule.starts_with(folder) || folder.starts_with(submodule))
    }
}

/// Whether the folder of a submodule has files, and a checkout of its own if its repository has one. Files whose names
/// begin with a dot do not count: `.gitkeep` and `.DS_Store` are no rules.
fn is_checked_out(folder: &Path, repository: &Path) -> Result<bool, Unreadable> {
    match metadata(folder)? {
        None => return Ok(false),
        // It is no submodule any more.
        Some(metadata) if !metadata.is_dir() => return Ok(true),
        Some(_) => {}
    }
    let is_hidden = |entry: &DirEntry| entry.file_name().as_encoded_bytes().starts_with(b".");
    let entries = WalkDir::new(folder).into_iter();
    let mut files = entries
        .filter_entry(is_no_checkout)
        .flatten()
        .filter(|entry| !entry.file_type().is_dir() && !is_hidden(entry));
    let has_files = files.next().is_some();
    let is_checkout = |folder: &Path| folder.join(CHECKOUT).exists();
    Ok(has_files && (is_checkout(folder) || !is_checkout(repository)))
}

fn is_no_checkout(entry: &DirEntry) -> bool {
    entry.file_name() != OsStr::new(CHECKOUT)
}

/// The real path of a folder, or its absolute path if it does not exist.
fn real(folder: &Path) -> Result<PathBuf, Unreadable> {
    let real = folder
        .canonicalize()
        .or_else(|_| std::path::absolute(folder));
    real.map_err(|error| unreadable(folder, &error.to_string(), None))
}
