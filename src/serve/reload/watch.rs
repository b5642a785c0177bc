//! The watch over the files of a workspace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tarbac_host::Layout;

use super::Told;
use crate::stamp::roots;

/// The most links that lead from one to the next.
const LINKS: usize = 16;

/// Tells of changes for as long as it is kept.
pub(super) struct Watch {
    _watcher: Option<RecommendedWatcher>,
}

/// The folders to watch, and the paths in them that matter.
#[derive(Debug, Default)]
struct Watched {
    /// Those that are read with everything in them, and those that hold what may be replaced.
    folders: BTreeMap<PathBuf, RecursiveMode>,
    /// What may be replaced: the parts of the workspace, and the links that lead to them.
    replaceable: Vec<PathBuf>,
}

impl Watch {
    /// Watches the files of a workspace as they lie now. What cannot be watched is compared from time to time.
    pub(super) fn new(layout: &Layout, told: &Sender<Told>) -> Self {
        let told = told.clone();
        let watched = Arc::new(Watched::new(layout));
        let seen = Arc::clone(&watched);
        let tell = move |result: notify::Result<Event>| {
            let is_change = match result {
                // The reading of a file is no change of it.
                Ok(event) => {
                    !event.kind.is_access() && event.paths.iter().any(|path| seen.has(path))
                }
                // Something may be missed, such as where too much changed at once.
                Err(_) => true,
            };
            if is_change {
                // Without a reader, nobody wants to know.
                let _ = told.send(Told::Changed);
            }
        };
        let mut watcher = match notify::recommended_watcher(tell) {
            Ok(watcher) => watcher,
            Err(error) => {
                tracing::warn!(%error, "files cannot be watched; they are compared once a minute");
                return Self { _watcher: None };
            }
        };
        for (path, mode) in &watched.folders {
            if let Err(error) = watcher.watch(path, *mode) {
                tracing::debug!(%error, "a folder cannot be watched");
            }
        }
        Self {
            _watcher: Some(watcher),
        }
    }
}

impl Watched {
    fn new(layout: &Layout) -> Self {
        let mut watched = Self::default();
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        watched.add_above(absolute(&layout.root));
        for root in roots(layout) {
            let root = absolute(&root);
            if root.is_dir() {
                watched
                    .folders
                    .insert(root.clone(), RecursiveMode::Recursive);
            }
            watched.add_above(root);
        }
        watched
    }

    /// Adds the folder that a path lies in; where it is a link, also that of what it leads to.
    fn add_above(&mut self, path: PathBuf) {
        let mut next = Some(path);
        for _ in 0..LINKS {
            let Some(path) = next.take() else { break };
            let Some(folder) = path.parent() else { break };
            let watched = self.folders.entry(nearest(folder));
            watched.or_insert(RecursiveMode::NonRecursive);
            next = path.read_link().ok().map(|to| folder.join(to));
            self.replaceable.push(path);
        }
    }

    /// Whether a change at a path is one of the workspace.
    fn has(&self, path: &Path) -> bool {
        let mut recursive = self.folders.iter();
        let is_within = recursive
            .any(|(folder, mode)| *mode == RecursiveMode::Recursive && path.starts_with(folder));
        is_within || self.replaceable.iter().any(|of| of.starts_with(path))
    }
}

/// The folder, or the nearest above that is there.
fn nearest(folder: &Path) -> PathBuf {
    let mut above = folder.ancestors();
    let found = above.find(|folder| folder.is_dir());
    found.map_or_else(|| PathBuf::from("/"), Path::to_owned)
}
