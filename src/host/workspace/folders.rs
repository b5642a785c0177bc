//! The files in the folders of a workspace.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::{Unreadable, is_workspace, left_behind, manifest, transaction, unreadable};
use tarbac_diagnostic::source::shown;

/// The folder in which git keeps the data of a checkout, or the file that says where it is.
pub(super) const GIT: &str = ".git";

/// The files of a part of a workspace, sorted. A named file is included in any case; files in folders with other
/// extensions are added to `passed_over`.
pub(super) fn files(
    named: &[PathBuf],
    default: &Path,
    extensions: &[&str],
    passed_over: &mut Vec<PathBuf>,
) -> Result<Vec<PathBuf>, Unreadable> {
    let mut found = Vec::new();
    if named.is_empty() && is_folder(default)? {
        walk(default, extensions, &mut found, passed_over)?;
    }
    for root in named {
        match is_named_folder(root)? {
            true => walk(root, extensions, &mut found, passed_over)?,
            false => found.push(root.clone()),
        }
    }
    Ok(found)
}

/// The metadata of a path; `None` only if it is certain that nothing is there.
///
/// # Errors
/// The metadata cannot be read, or a link leads nowhere.
pub(super) fn metadata(path: &Path) -> Result<Option<Metadata>, Unreadable> {
    let is_absent = |error: &io::Error| error.kind() == io::ErrorKind::NotFound;
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if is_absent(&error) => match fs::symlink_metadata(path) {
            Ok(_) => Err(unreadable(path, "the link leads nowhere", None)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(unreadable(path, &error.to_string(), None)),
        },
        Err(error) => Err(unreadable(path, &error.to_string(), None)),
    }
}

/// Whether a path that was named is a folder.
///
/// # Errors
/// Nothing is there, or the metadata cannot be read.
pub(super) fn is_named_folder(path: &Path) -> Result<bool, Unreadable> {
    let metadata =
        fs::metadata(path).map_err(|error| unreadable(path, &error.to_string(), None))?;
    Ok(metadata.is_dir())
}

/// Whether a folder of a workspace exists.
///
/// # Errors
/// Something else is there, or the metadata cannot be read.
pub(super) fn is_folder(path: &Path) -> Result<bool, Unreadable> {
    match metadata(path)? {
        None => Ok(false),
        Some(metadata) if metadata.is_dir() => Ok(true),
        Some(metadata) if metadata.is_file() => {
            let reason = "it is a file where a folder is expected";
            Err(unreadable(path, reason, None))
        }
        Some(_) => Err(unreadable(path, "it is not a folder", None)),
    }
}

/// The files in a folder, at any depth; those with other extensions are added to `passed_over`.
pub(super) fn walk(
    root: &Path,
    extensions: &[&str],
    found: &mut Vec<PathBuf>,
    passed_over: &mut Vec<PathBuf>,
) -> Result<(), Unreadable> {
    // The folders of tarbac itself lie beside the parts of a workspace. A folder with such a name in another place is
    // like any other, or its rules would be out of force.
    let left_out = |path: &Path| {
        transaction::is_aside(path) && path.parent().is_some_and(is_workspace)
            || is_behind_links(path)
    };
    walk_unless(root, extensions, &left_out, found, passed_over)
}

/// Whether a folder holds only the targets of links beside it, as in a mounted ConfigMap of Kubernetes: files are
/// links to `..data/FILE`, and `..data` is a link too. The files are read through the links, so all are in force.
fn is_behind_links(path: &Path) -> bool {
    let is_named_so = path
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b".."));
    let Some(folder) = path.parent().filter(|_| is_named_so) else {
        return false;
    };
    let data = folder.join("..data");
    let Ok(target) = data.read_link() else {
        return false;
    };
    let is_linked = |entry: io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| folder.join(entry.file_name()).is_symlink())
    };
    (path == data || path == folder.join(target))
        && fs::read_dir(&data).is_ok_and(|mut entries| entries.all(is_linked))
}

/// The files in a folder, except in subfolders that are `left_out`.
pub(super) fn walk_unless(
    root: &Path,
    extensions: &[&str],
    left_out: &dyn Fn(&Path) -> bool,
    found: &mut Vec<PathBuf>,
    passed_over: &mut Vec<PathBuf>,
) -> Result<(), Unreadable> {
    let entries = WalkDir::new(root)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| {
            entry.depth() == 0
                || !is_of_git(entry) && (!entry.file_type().is_dir() || !left_out(entry.path()))
        });
    for entry in entries {
        let entry = match entry {
            Err(error) if error.path().is_some_and(left_behind::is_left_behind) => continue,
            entry => entry.map_err(|error| walk_error(root, &error))?,
        };
        let is_known = entry.path().extension().is_some_and(|extension| {
            extensions
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        });
        let kind = entry.file_type();
        // A manifest is a file too.
        let is_file_by_name = is_known || manifest::is_called(entry.path());
        if kind.is_dir() {
            if is_file_by_name {
                let reason = "it is a folder where a file is expected";
                return Err(unreadable(entry.path(), reason, None));
            }
        } else if !is_known || left_behind::is_left_behind(entry.path()) {
            passed_over.push(entry.into_path());
        } else if kind.is_file() {
            found.push(entry.into_path());
        } else {
            // To read a pipe could take forever.
            return Err(unreadable(entry.path(), "it is not a regular file", None));
        }
    }
    Ok(())
}

/// Whether git keeps its own data there: a branch may be called `x.cedar`, and is no rule.
pub(super) fn is_of_git(entry: &DirEntry) -> bool {
    entry.file_name() == OsStr::new(GIT)
}

pub(super) fn walk_error(root: &Path, error: &walkdir::Error) -> Unreadable {
    let path = error.path().unwrap_or(root);
    match (error.loop_ancestor(), error.io_error()) {
        (Some(ancestor), _) => unreadable(
            path,
            &format!("the link leads back to `{}`", shown(ancestor)),
            Some("remove the link, or let it lead elsewhere"),
        ),
        (None, Some(error)) => unreadable(path, &error.to_string(), None),
        (None, None) => unreadable(path, &error.to_string(), None),
    }
}
