//! The places that the parts of a workspace are read from, by their real paths.
//!
//! A part may be a link, have links in it, or be named with `--policies` and the like. Its files then belong to another
//! workspace too, with a record of its own and perhaps a change under way.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::{Layout, PARTS, Unreadable, unreadable};

/// A folder or file that is read with all that is in it.
#[derive(Debug)]
pub(super) struct Place {
    /// The part of the workspace that has it: one of [`PARTS`].
    pub part: &'static str,
    /// The path by which it is read.
    pub path: PathBuf,
    /// Its real path.
    pub real: PathBuf,
}

/// A workspace that a place belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner {
    /// The folder of the workspace.
    pub root: PathBuf,
    /// The place in it, beginning with the name of a part.
    pub within: PathBuf,
}

/// The most links that are followed from one to the next.
const LINKS: usize = 40;

/// Adds the places of a path: where it really is, and each link on the way there, which may lie in one more workspace.
fn add(places: &mut Vec<Place>, part: &'static str, path: &Path) -> Result<(), Unreadable> {
    let mut place = |real: PathBuf| {
        places.push(Place {
            part,
            path: path.to_owned(),
            real,
        });
    };
    place(real(path)?);
    let mut link = path.to_owned();
    for _ in 0..LINKS {
        let Ok(target) = link.read_link() else { break };
        link = link.parent().unwrap_or(Path::new("")).join(target);
        place(unfollowed(&link)?);
    }
    Ok(())
}

/// The workspaces that a real path belongs to: those that have a folder around it with the name of a part.
pub(super) fn owners(real: &Path) -> impl Iterator<Item = Owner> {
    let parts = real.ancestors();
    let parts = parts.filter(|above| PARTS.iter().any(|part| above.ends_with(part)));
    parts.filter_map(|part| {
        let root = part.parent()?;
        Some(Owner {
            root: root.to_owned(),
            within: real.strip_prefix(root).ok()?.to_owned(),
        })
    })
}

/// The places of all parts: each folder or file that is named, or else the folder of the part, and what links in it
/// lead to.
///
/// # Errors
/// The current folder is not known.
pub(super) fn of(layout: &Layout) -> Result<Vec<Place>, Unreadable> {
    let named = [&layout.entities, &layout.policies, &layout.schema];
    let mut places = Vec::new();
    for (part, named) in PARTS.into_iter().zip(named) {
        let default = [layout.root.join(part)];
        let paths = if named.is_empty() {
            &default[..]
        } else {
            named
        };
        for path in paths {
            add(&mut places, part, path)?;
            // What cannot be walked is an error where the files are read.
            for entry in WalkDir::new(path).follow_links(true).into_iter().flatten() {
                if entry.path_is_symlink() {
                    add(&mut places, part, entry.path())?;
                }
            }
        }
    }
    Ok(places)
}

/// The real path of a file or folder. Of one that does not exist, the folder around it may be a link.
pub(super) fn real(path: &Path) -> Result<PathBuf, Unreadable> {
    let is_here = path.as_os_str().is_empty();
    let path = if is_here { Path::new(".") } else { path };
    path.canonicalize().or_else(|_| unfollowed(path))
}

/// The path of a file or folder in the real path of the folder around it. If it is a link, it is not followed.
fn unfollowed(path: &Path) -> Result<PathBuf, Unreadable> {
    let absolute = std::path::absolute(path);
    let absolute = absolute.map_err(|error| unreadable(path, &error.to_string(), None))?;
    let around = absolute.parent().and_then(|of| of.canonicalize().ok());
    Ok(match around.zip(absolute.file_name()) {
        Some((around, name)) => around.join(name),
        None => absolute,
    })
}

/// The workspaces that are read, by the paths that are told: this one, and those that its places belong to.
///
/// # Errors
/// The current folder is not known.
pub(super) fn roots(layout: &Layout) -> Result<BTreeSet<PathBuf>, Unreadable> {
    let this = real(&layout.root)?;
    let mut roots = BTreeSet::from([layout.root.clone()]);
    for place in of(layout)? {
        let owners = owners(&place.real).map(|owner| owner.root);
        roots.extend(owners.filter(|root| *root != this));
    }
    Ok(roots)
}
