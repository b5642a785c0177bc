//! The place that a workspace is read from, as often as it changes.

use std::thread;
use std::time::Duration;

use tarbac_host::workspace::{LoadOptions, restless};
use tarbac_host::{Layout, LoadError, Switches, Workspace};

use crate::stamp::Stamp;

/// How often something is read again that changes while it is read, and the pause before that.
const ATTEMPTS: usize = 50;
const PAUSE: Duration = Duration::from_millis(200);

/// Where a workspace comes from, so that it can be read again.
#[derive(Clone)]
pub struct WorkspaceOrigin {
    /// Its files.
    pub layout: Layout,
    /// The readings that are switched on and off.
    pub switches: Switches,
    /// How it is read.
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
    /// Reads the workspace, and again where a file changes meanwhile: half of it would be old.
    ///
    /// # Errors
    /// It cannot be read, has errors, or changes again and again.
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
