//! The suites and specs of a workspace.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folders::{files, is_folder, is_named_folder, walk, walk_unless};
use super::places::{Place, real};
use super::text::held;
use super::{Layout, LoadError, Unreadable, checkout, is_workspace};
use tarbac_diagnostic::source::Source;

/// A file under `tests/`.
#[derive(Debug, Clone)]
pub struct SuiteFile {
    /// The path.
    pub path: PathBuf,
    /// The text.
    pub source: Arc<Source>,
    /// Whether the suite is to be run; otherwise other suites can use it.
    pub wanted: bool,
}

/// The suite files of a workspace: those under `tests/`, and the files and folders in `named`. If some are named, only
/// those are to be run.
///
/// A folder under `tests/` that is a workspace itself is skipped, because its suites are its own.
///
/// # Errors
/// A file cannot be read, or a named file does not exist.
pub fn suite_files(layout: &Layout, named: &[PathBuf]) -> Result<Vec<SuiteFile>, Unreadable> {
    let extensions = ["yaml", "yml"];
    // Two names may lead to the same file.
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut wanted = Vec::new();
    for root in named {
        match is_named_folder(root)? {
            true => walk(root, &extensions, &mut wanted, &mut Vec::new())?,
            false => wanted.push(root.clone()),
        }
    }
    let is_wanted: BTreeSet<PathBuf> = wanted.iter().map(|path| real(path)).collect();
    let mut paths = Vec::new();
    let mut add = |folder: &Path, left_out: &dyn Fn(&Path) -> bool| match is_folder(folder)? {
        true => walk_unless(folder, &extensions, left_out, &mut paths, &mut Vec::new()),
        false => Ok(()),
    };
    add(&layout.root.join("tests"), &is_workspace)?;
    // A named file may use suites beside it.
    for path in &wanted {
        let folder = path.parent().filter(|folder| *folder != Path::new(""));
        add(folder.unwrap_or(Path::new(".")), &|_| true)?;
    }
    paths.extend(wanted);
    let mut seen = BTreeSet::new();
    paths.retain(|path| seen.insert(real(path)));
    let mut files = paths
        .into_iter()
        .map(|path| {
            Ok(SuiteFile {
                source: held(&path)?,
                wanted: named.is_empty() || is_wanted.contains(&real(&path)),
                path,
            })
        })
        .collect::<Result<Vec<SuiteFile>, Unreadable>>()?;
    files.sort_by(|one, other| one.source.name.cmp(&other.source.name));
    Ok(files)
}

/// The specs of a workspace: the policy files under `tests/specs/`, or the files and folders in `named` instead.
///
/// # Errors
/// A file cannot be read, or a named file does not exist.
pub fn spec_files(
    layout: &Layout,
    named: &[PathBuf],
) -> Result<Vec<(PathBuf, Arc<Source>)>, Unreadable> {
    let folder = layout.root.join("tests").join("specs");
    files(named, &folder, &["cedar"], &mut Vec::new())?
        .into_iter()
        .map(|path| {
            let source = held(&path)?;
            Ok((path, source))
        })
        .collect()
}

/// Checks that whatever git has under `tests/` is on disk: suites and specs that are not there would pass.
///
/// # Errors
/// Something is not on disk, or git's index cannot be read.
pub fn complete_suites(layout: &Layout) -> Result<(), LoadError> {
    let path = layout.root.join("tests");
    let place = Place {
        part: "tests",
        real: real(&path)?,
        path,
    };
    let incomplete = checkout::incomplete(&[place])?;
    match incomplete.is_empty() {
        true => Ok(()),
        false => Err(LoadError::Invalid(incomplete)),
    }
}
