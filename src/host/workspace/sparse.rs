//! Files that a sparse checkout of git leaves out, in the folders of a workspace.
//!
//! They are a part of the workspace in git and are not on disk, and a missing rule forbids nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::folders::GIT;
use super::text::held;
use super::{Unreadable, git, places, unreadable};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source, shown};

/// The file in which git keeps which files a sparse checkout has, in the folder of its data.
const PATTERNS: &str = "info/sparse-checkout";

/// The error about files in the folders of a workspace that a sparse checkout leaves out.
///
/// # Errors
/// Git cannot be asked about a sparse checkout.
pub(super) fn left_out(places: &[places::Place]) -> Result<Option<Finding>, Unreadable> {
    let mut left_out = BTreeSet::new();
    for place in places {
        let mut around = place.real.ancestors();
        let repository = around.find_map(|above| Some((above, data_of(above)?)));
        if let Some((repository, data)) = repository
            && is_sparse(&data)
        {
            let files = git::left_out(repository, &place.real).map_err(|error| {
                let reason = format!(
                    "it is in a sparse checkout, and git does not say what that leaves out: {error}"
                );
                let help = "`git sparse-checkout disable` checks everything out";
                unreadable(&place.path, &reason, Some(help))
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

/// Whether a checkout may be sparse: it has patterns, which stay when it is made whole, and a configuration turns them on.
fn is_sparse(data: &Path) -> bool {
    let configurations = ["config.worktree", "config", "../../config"];
    let mut configurations = configurations.iter().map(|file| data.join(file));
    data.join(PATTERNS).exists()
        && configurations.any(|file| held(&file).is_ok_and(|source| turns_on(source.text())))
}

/// Whether a configuration of git turns sparse checkouts on.
fn turns_on(configuration: &str) -> bool {
    let mut lines = configuration
        .lines()
        .map(|line| line.replace([' ', '\t'], ""));
    lines.any(|line| line.eq_ignore_ascii_case("sparseCheckout=true"))
}

/// The folder of the data of git, if a folder has a repository.
fn data_of(folder: &Path) -> Option<PathBuf> {
    let data = folder.join(GIT);
    if data.is_dir() {
        return Some(data);
    }
    // A worktree or a submodule says where its data are.
    let said = held(&data).ok()?;
    let elsewhere = said.text().trim().strip_prefix("gitdir: ")?;
    Some(folder.join(elsewhere))
}
