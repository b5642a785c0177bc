//! Credential files, read again when they change.

#![expect(
    clippy::disallowed_methods,
    reason = "whoever runs the server names the files of its credentials"
)]

use std::fmt::Display;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use blake3::{Hash, Hasher};

use crate::app::App;
use crate::fault::ServeError;

/// The kind of credential files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CredentialKind {
    /// The tokens of callers.
    Tokens,
    /// The certificate and the key of the server, and the authorities of clients.
    Tls,
    /// The keys of JSON Web Tokens.
    JwtKeys,
    /// The key that signs the metadata document.
    MetadataKey,
}

/// Credential files that are replaced together.
pub(crate) struct Watched {
    kind: CredentialKind,
    paths: Vec<PathBuf>,
    state: Mutex<Seen>,
}

/// Digests of the files.
struct Seen {
    /// The digest when they were last taken or refused.
    used: Hash,
    /// The digest at the last check.
    last: Hash,
}

impl CredentialKind {
    /// The word in metrics and in the log.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Tokens => "tokens",
            Self::Tls => "tls",
            Self::JwtKeys => "jwt_keys",
            Self::MetadataKey => "metadata_key",
        }
    }
}

impl Watched {
    /// Reads files for the first time.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) fn open(
        kind: CredentialKind,
        paths: Vec<PathBuf>,
    ) -> Result<(Self, Vec<Vec<u8>>), ServeError> {
        let read = paths.iter().map(|path| {
            fs::read(path).map_err(|reason| ServeError::CredentialFile {
                path: path.display().to_string(),
                reason: reason.to_string(),
            })
        });
        let contents = read.collect::<Result<Vec<_>, _>>()?;
        let state = digest(&Ok(contents.clone()));
        let watched = Self {
            kind,
            paths,
            state: Mutex::new(Seen {
                used: state,
                last: state,
            }),
        };
        Ok((watched, contents))
    }

    /// The error that the files are invalid.
    pub(crate) fn refused(&self, reason: impl Display) -> ServeError {
        let paths = self.paths.iter().map(|path| path.display().to_string());
        ServeError::CredentialFile {
            path: paths.collect::<Vec<_>>().join("`, `"),
            reason: reason.to_string(),
        }
    }

    /// Reads the files, and passes them to `take` if they differ from the last ones passed and have not changed since
    /// the last check: several files are not replaced at once. If forced, it does not wait for that. Refused files are
    /// logged and counted, and change nothing.
    pub(crate) fn reload<E: Display>(
        &self,
        app: &App,
        is_forced: bool,
        take: impl FnOnce(&[Vec<u8>]) -> Result<(), E>,
    ) {
        let read: io::Result<Vec<Vec<u8>>> = self.paths.iter().map(fs::read).collect();
        let now = digest(&read);
        {
            let mut seen = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            let rests = std::mem::replace(&mut seen.last, now) == now;
            if now == seen.used || !(rests || is_forced) {
                return;
            }
            seen.used = now;
        }
        let taken = match read {
            Ok(contents) => take(&contents).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let file = self.kind.word();
        app.metrics.credentials.reloaded(self.kind, taken.is_ok());
        match taken {
            Ok(()) => tracing::info!(file, "credentials are read again"),
            Err(reason) => {
                tracing::error!(file, reason, "credentials changed and are not taken");
            }
        }
    }
}

/// The digest of the files, or of the error if one is unreadable.
fn digest(read: &io::Result<Vec<Vec<u8>>>) -> Hash {
    let mut hasher = Hasher::new();
    match read {
        Ok(contents) => {
            for content in contents {
                hasher.update(blake3::hash(content).as_bytes());
            }
        }
        Err(error) => {
            hasher.update(error.to_string().as_bytes());
        }
    }
    hasher.finalize()
}
