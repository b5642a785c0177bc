//! Notifications about changes to the files of a workspace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};
use tarbac_host::Layout;

use super::Told;
use crate::stamp::roots;

/// The longest chain of symbolic links that is followed.
const LINKS: usize = 16;

/// A watcher that sends notifications until it is dropped.
pub(super) struct Watch {
    _watcher: Option<RecommendedWatcher>,
}

/// The folders to watch, and the paths in them that matter.
#[derive(Debug, Default)]
struct Watched {
    /// The folders of the workspace (recursive), and those that hold a replaceable path.
    folders: BTreeMap<PathBuf, RecursiveMode>,
    /// The paths that may be replaced: parts of the workspace, and the links that lead to them.
    replaceable: Vec<PathBuf>,
}

impl Watch {
    /// Watches the present files of a workspace. Changes in a folder that cannot be watched are found by comparison.
    pub(super) fn new(layout: &Layout, told: &Sender<Told>) -> Self {
        let told = told.clone();
        let watched = Arc::new(Watched::new(layout));
        let seen = Arc::clone(&watched);
        let tell = move |result: notify::Result<Event>| {
            let is_change = match result {
                // Reading a file does not change it.
                Ok(event) => {
                    !event.kind.is_access() && event.paths.iter().any(|path| seen.has(path))
                }
                // Events may have been lost, for example because there were too many at once.
                Err(_) => true,
            };
            if is_change {
                // The receiver is gone only when the process ends.
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

    /// Adds the parent folder of a path; for a symbolic link, also the parent folder of its target.
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

    /// Whether a change at a path concerns the workspace.
    fn has(&self, path: &Path) -> bool {
        let mut recursive = self.folders.iter();
        let is_within = recursive
            .any(|(folder, mode)| *mode == RecursiveMode::Recursive && path.starts_with(folder));
        is_within || self.replaceable.iter().any(|of| of.starts_with(path))
    }
}

/// The folder, or its nearest ancestor that exists.
fn nearest(folder: &Path) -> PathBuf {
    let mut above = folder.ancestors();
    let found = above.find(|folder| folder.is_dir());
    found.map_or_else(|| PathBuf::from("/"), Path::to_owned)
}
