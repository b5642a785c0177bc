//! The files and options from which a workspace is loaded and reloaded.

use std::thread;
use std::time::Duration;

use tarbac_host::workspace::{LoadOptions, restless};
use tarbac_host::{Layout, LoadError, Switches, Workspace};

use crate::stamp::Stamp;

/// The most attempts to load a workspace whose files change meanwhile, and the pause before the next.
const ATTEMPTS: usize = 50;
const PAUSE: Duration = Duration::from_millis(200);

/// The files and options of a workspace, kept to load it again.
#[derive(Clone)]
pub struct WorkspaceOrigin {
    /// Its files.
    pub layout: Layout,
    /// The readings that are switched on or off.
    pub switches: Switches,
    /// The options of the load.
    pub options: LoadOptions,
}

/// A workspace that was read while none of its files changed.
#[derive(Debug)]
pub struct Loaded {
    /// The workspace.
    pub workspace: Workspace,
    pub(crate) stamp: Stamp,
}

impl WorkspaceOrigin {
    /// Loads the workspace, and again if a file changes meanwhile, so that old and new files do not mix.
    ///
    /// # Errors
    /// The workspace cannot be read, has errors, or keeps changing.
    pub fn load(&self) -> Result<Loaded, LoadError> {
        let mut stamp = Stamp::new(&self.layout);
        for _ in 0..ATTEMPTS {
            let read = Workspace::load_by(&self.layout, &self.switches, &self.options);
            let after = Stamp::new(&self.layout);
            if after == stamp {
                return read.map(|workspace| Loaded { workspace, stamp });
            }
            stamp = after;
            thread::sleep(PAUSE);
        }
        Err(restless(&self.layout.root).into())
    }
}
