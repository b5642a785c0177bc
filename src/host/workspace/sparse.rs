//! Files that a sparse checkout of git leaves out, in the folders of a workspace.
//!
//! They are a part of the workspace in git and are not on disk, and a missing rule forbids nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::folders::{GIT, metadata};
use super::text::held;
use super::{Layout, Unreadable, git, places, unreadable};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source, shown};

/// The file in which git keeps which files a checkout has, in the folder of its data.
const PATTERNS: &str = "info/sparse-checkout";

/// The error about files in the folders of a workspace that a sparse checkout leaves out.
///
/// # Errors
/// Git cannot be asked about a sparse checkout.
pub(super) fn left_out(layout: &Layout) -> Result<Option<Finding>, Unreadable> {
    let mut left_out = BTreeSet::new();
    for place in places::of(layout)? {
        let mut around = place.real.ancestors();
        let repository = around.find_map(|above| Some((above, patterns_of(above)?)));
        let Some((repository, patterns)) = repository else {
            continue;
        };
        if metadata(&patterns)?.is_some() {
            let files = git::left_out(repository, &place.real).map_err(|error| {
                let reason = format!(
                    "{} says that files are left out, and git does not say which: {error}",
                    shown(&patterns)
                );
                unreadable(&place.path, &reason, Some("see what `git status` says"))
            })?;
            left_out.extend(files.into_iter().filter(|file| !file.exists()));
        }
    }
    let Some(first) = left_out.first() else {
        return Ok(None);
    };
    let message = match left_out.len() {
        1 => format!("a sparse checkout leaves `{}` out", shown(first)),
        count => format!(
            "a sparse checkout leaves `{}` and {} more out",
            shown(first),
            count - 1
        ),
    };
    let place = Place::new(&Source::held(shown(first), ""), 0..0);
    Ok(Some(
        Finding::error(code::workspace::SPARSE, message)
            .label(place, "in git, and not on disk")
            .help("`git sparse-checkout add` with the folder of the workspace checks it out whole, as does `git sparse-checkout disable`"),
    ))
}

/// The path of the patterns of a sparse checkout, if a folder has a repository.
fn patterns_of(folder: &Path) -> Option<PathBuf> {
    let data = folder.join(GIT);
    if data.is_dir() {
        return Some(data.join(PATTERNS));
    }
    // A worktree or a submodule says where its data are.
    let said = held(&data).ok()?;
    let elsewhere = said.text().trim().strip_prefix("gitdir: ")?;
    Some(folder.join(elsewhere).join(PATTERNS))
}
