//! Submodules of git that are not checked out, in the folders of a workspace.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folders::metadata;
use super::text::held;
use super::{Layout, PARTS, Unreadable, unreadable};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source, shown};

/// The file in which git lists the submodules of a repository.
const LIST: &str = ".gitmodules";

/// The errors about submodules in the folders of a workspace, or around them, that have no file: a clone leaves the
/// folder of a submodule empty, and a missing rule forbids nothing.
///
/// # Errors
/// The list of submodules or one of their folders cannot be read.
pub(super) fn not_checked_out(layout: &Layout) -> Result<Vec<Finding>, Unreadable> {
    let named = [&layout.entities, &layout.policies, &layout.schema];
    let folders = PARTS
        .iter()
        .zip(named)
        .flat_map(|(part, named)| match named.is_empty() {
            true => vec![layout.root.join(part)],
            false => named.clone(),
        });
    let mut findings: Vec<Finding> = Vec::new();
    for folder in folders {
        // A folder that is not there has no file either.
        let real = folder
            .canonicalize()
            .or_else(|_| std::path::absolute(&folder));
        let folder = real.map_err(|error| unreadable(&folder, &error.to_string(), None))?;
        let Some(repository) = folder.ancestors().find(|above| above.join(".git").exists()) else {
            continue;
        };
        let list = repository.join(LIST);
        if metadata(&list)?.is_none() {
            continue;
        }
        let list = held(&list)?;
        for (place, path) in submodules(&list) {
            let submodule = repository.join(&path);
            let is_part = submodule.starts_with(&folder) || folder.starts_with(&submodule);
            if is_part && is_empty(&submodule)? {
                let message = format!("the submodule `{}` is not checked out", shown(&path));
                let finding = Finding::error(code::workspace::SUBMODULE, message)
                    .label(place, "listed here")
                    .help("`git submodule update --init --recursive` checks it out; in a workflow, `submodules: recursive` of actions/checkout does");
                if !findings.contains(&finding) {
                    findings.push(finding);
                }
            }
        }
    }
    Ok(findings)
}

/// The paths of the submodules of a list, each with its place.
fn submodules(list: &Arc<Source>) -> impl Iterator<Item = (Place, PathBuf)> {
    let mut end = 0;
    let lines = list.text().split_inclusive('\n').map(move |line| {
        end += line.len();
        (end - line.len(), line)
    });
    lines.filter_map(|(start, line)| {
        let (key, path) = line.split_once('=')?;
        let path = path.trim().trim_matches('"');
        let place = Place::new(list, start..start + line.trim_end().len());
        (key.trim() == "path").then(|| (place, PathBuf::from(path)))
    })
}

/// Whether a folder has no entry, or is not there.
fn is_empty(folder: &Path) -> Result<bool, Unreadable> {
    if metadata(folder)?.is_none() {
        return Ok(true);
    }
    let entries = fs::read_dir(folder);
    let mut entries = entries.map_err(|error| unreadable(folder, &error.to_string(), None))?;
    Ok(entries.next().is_none())
}
