//! The errors of a store.

use std::io;
use std::path::Path;

use thiserror::Error;

/// The reason why something cannot be read from a store, or written to it.
#[derive(Debug, Error)]
pub enum FleetError {
    /// The store does not answer, or refuses.
    #[error("cannot {what} in the store: {}", shown(.reason))]
    Store {
        /// What was tried, for example ``read `revisions/…` ``.
        what: String,
        /// What the store says.
        reason: object_store::Error,
    },
    /// A file of a revision is not in the store.
    #[error("the blob {digest} is not in the store")]
    NoBlob {
        /// The digest.
        digest: String,
    },
    /// A file of a revision is not what its name says.
    #[error("the blob {digest} is damaged: {reason}")]
    Damaged {
        /// The digest that it has to have.
        digest: String,
        /// What is wrong.
        reason: String,
    },
    /// A manifest cannot be used.
    #[error("the manifest of revision {number} is wrong: {reason}")]
    Manifest {
        /// The number.
        number: u64,
        /// What is wrong.
        reason: String,
    },
    /// A manifest is not signed by anybody who is trusted.
    #[error("revision {number} is not trusted: {reason}")]
    Untrusted {
        /// The number.
        number: u64,
        /// What is wrong.
        reason: String,
    },
    /// There is no such revision.
    #[error("the store has no revision {number}")]
    NoRevision {
        /// The number.
        number: u64,
    },
    /// A store has neither the revision that it had nor a newer one.
    #[error("the store has neither revision {number} any more nor a newer one")]
    Lost {
        /// The number.
        number: u64,
    },
    /// Others were first, again and again.
    #[error("others published first, {0} times in a row")]
    Contended(u32),
    /// A local file cannot be read or written.
    #[error("cannot {what} `{path}`: {reason}")]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: String,
        /// The reason.
        reason: io::Error,
    },
    /// A file changed while it was read.
    #[error("`{0}` changed while it was read")]
    Restless(String),
    /// A key cannot be used.
    #[error("{0}")]
    Key(String),
    /// Another program uses the folder.
    #[error("the cache `{0}` is used by another program")]
    InUse(String),
}

/// The message of a store in one line, without the parts of its answer that are markup.
fn shown(error: &object_store::Error) -> String {
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    let line: String = line
        .chars()
        .filter(|of| !of.is_control())
        .take(300)
        .collect();
    line.trim_end_matches([':', ' ']).to_owned()
}

impl FleetError {
    pub(crate) fn store(what: impl Into<String>, reason: object_store::Error) -> Self {
        let what = what.into();
        Self::Store { what, reason }
    }

    pub(crate) fn file(what: &'static str, path: &Path, reason: io::Error) -> Self {
        let path = path.display().to_string();
        Self::File { what, path, reason }
    }

    /// Whether the same may succeed later, as nothing says that the content is wrong.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Store { .. }
            | Self::File { .. }
            | Self::Restless(_)
            | Self::InUse(_)
            | Self::Lost { .. } => true,
            Self::NoBlob { .. }
            | Self::Damaged { .. }
            | Self::Manifest { .. }
            | Self::Untrusted { .. }
            | Self::NoRevision { .. }
            | Self::Contended(_)
            | Self::Key(_) => false,
        }
    }
}
