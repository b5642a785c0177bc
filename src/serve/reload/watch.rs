//! The watch over the files of a workspace.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::time::Duration;

use notify_debouncer_full::notify::{RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, RecommendedCache, new_debouncer};
use tarbac_host::Layout;

use super::Told;
use crate::stamp::roots;

/// The pause that ends a change: editors save in several steps.
const SETTLING: Duration = Duration::from_millis(500);

/// The most links that lead from one to the next.
const LINKS: usize = 16;

/// Tells of changes for as long as it is kept.
pub(super) struct Watch {
    _debouncer: Option<Debouncer<RecommendedWatcher, RecommendedCache>>,
}

impl Watch {
    /// Watches the files of a workspace as they lie now. What cannot be watched is compared from time to time.
    pub(super) fn new(layout: &Layout, told: &Sender<Told>) -> Self {
        let told = told.clone();
        let tell = move |result: DebounceEventResult| {
            let is_change = match result {
                // The reading of a file is no change of it.
                Ok(events) => events.iter().any(|event| !event.kind.is_access()),
                // Something may be missed, such as where too much changed at once.
                Err(_) => true,
            };
            if is_change {
                // Without a reader, nobody wants to know.
                let _ = told.send(Told::Changed);
            }
        };
        let mut debouncer = match new_debouncer(SETTLING, None, tell) {
            Ok(debouncer) => debouncer,
            Err(error) => {
                tracing::warn!(%error, "files cannot be watched; they are compared once a minute");
                return Self { _debouncer: None };
            }
        };
        for (path, mode) in watched(layout) {
            if let Err(error) = debouncer.watch(&path, mode) {
                tracing::debug!(%error, "a folder cannot be watched");
            }
        }
        Self {
            _debouncer: Some(debouncer),
        }
    }
}

/// The folders to watch: those that are read with everything in them, and, for what may be replaced or be a link, the
/// folders that these lie in.
fn watched(layout: &Layout) -> BTreeMap<PathBuf, RecursiveMode> {
    let mut watched = BTreeMap::new();
    let mut above = vec![layout.root.clone()];
    for root in roots(layout) {
        if root.is_dir() {
            watched.insert(root.clone(), RecursiveMode::Recursive);
        }
        above.push(root);
    }
    for path in above {
        for folder in holding(&path) {
            let folder = nearest(&folder);
            watched.entry(folder).or_insert(RecursiveMode::NonRecursive);
        }
    }
    watched
}

/// The folder that a path lies in; where it is a link, also that of what it leads to.
fn holding(path: &Path) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    let mut next = std::path::absolute(path).ok();
    for _ in 0..LINKS {
        let Some(path) = next.take() else { break };
        let Some(folder) = path.parent() else { break };
        folders.push(folder.to_owned());
        next = path.read_link().ok().map(|to| folder.join(to));
    }
    folders
}

/// The folder, or the nearest above that is there.
fn nearest(folder: &Path) -> PathBuf {
    let mut above = folder.ancestors();
    let found = above.find(|folder| folder.is_dir());
    found.map_or_else(|| PathBuf::from("/"), Path::to_owned)
}
