//! The errors of a store.

use std::io;
use std::path::Path;

use thiserror::Error;

/// The reason why a store cannot be read or written.
#[derive(Debug, Error)]
pub enum FleetError {
    /// The store does not answer, or refuses the request.
    #[error("cannot {what} in the store: {}", shown(.reason))]
    Store {
        /// The attempted operation, for example ``read `revisions/…` ``.
        what: String,
        /// The error of the store.
        reason: object_store::Error,
    },
    /// A file of a revision is not in the store.
    #[error("the blob {digest} is not in the store")]
    NoBlob {
        /// The digest.
        digest: String,
    },
    /// A blob does not have the content that its name states.
    #[error("the blob {digest} is damaged: {reason}")]
    Damaged {
        /// The expected digest.
        digest: String,
        /// The problem.
        reason: String,
    },
    /// A manifest cannot be used.
    #[error("the manifest of revision {number} is wrong: {reason}")]
    Manifest {
        /// The number.
        number: u64,
        /// The problem.
        reason: String,
    },
    /// A manifest has no signature by a trusted key.
    #[error("revision {number} is not trusted: {reason}")]
    Untrusted {
        /// The number.
        number: u64,
        /// The problem.
        reason: String,
    },
    /// The revision does not exist.
    #[error("the store has no revision {number}")]
    NoRevision {
        /// The number.
        number: u64,
    },
    /// The store has lost the served revision, and has no newer one.
    #[error("the store has neither revision {number} any more nor a newer one")]
    Lost {
        /// The number.
        number: u64,
    },
    /// Other publishers created the next revision first, several times in a row.
    #[error("others published first, {0} times in a row")]
    Contended(u32),
    /// A local file cannot be read or written.
    #[error("cannot {what} `{path}`: {reason}")]
    File {
        /// The attempted operation, as a verb.
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
    /// Another program uses the folder of the cache.
    #[error("the cache `{0}` is used by another program")]
    InUse(String),
}

/// The first line of the message of a store: at most 300 characters, none of them a control character.
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

    /// Whether a later try may succeed: the error does not say that content is wrong.
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
