//! The public keys that verify JSON Web Tokens, from a file or their issuer.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use axum::http::Uri;
use jsonwebtoken::jwk::{
    AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm, PublicKeyUse,
};
use jsonwebtoken::{Algorithm, DecodingKey};
use thiserror::Error;
use tokio::sync::Mutex;
use tokio::task::JoinError;
use ureq::Agent;

use crate::app::App;
use crate::clock;
use crate::fault::ServeError;
use crate::outgoing;
use crate::settings::is_local_name;
use crate::watched::{CredentialKind, Watched};

/// The least time between two fetches, even if tokens name unknown keys.
const PAUSE: Duration = Duration::from_secs(300);

/// The least time between a failed fetch and the next.
const RETRY: Duration = Duration::from_secs(30);

/// The age at which keys are fetched again, so that revoked ones are dropped.
const STALE: Duration = Duration::from_secs(3600);

/// The time limit of a fetch.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most bytes of a key set from an issuer.
const LARGEST: u64 = 1024 * 1024;

/// The place of an issuer's keys: a file or a URL with a JSON Web Key Set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JwtKeys {
    /// A file.
    File(PathBuf),
    /// A URL with https, or with http on this machine.
    Url(String),
}

/// A text is neither a file nor a URL of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("keys are fetched with https, or with http from this machine; anything else is a file")]
pub struct NoKeys;

impl FromStr for JwtKeys {
    type Err = NoKeys;

    fn from_str(text: &str) -> Result<Self, NoKeys> {
        if !text.contains("://") {
            return match text.is_empty() {
                true => Err(NoKeys),
                false => Ok(Self::File(PathBuf::from(text))),
            };
        }
        let uri: Uri = text.parse().map_err(|_| NoKeys)?;
        match (uri.scheme_str(), uri.host()) {
            (Some("https"), Some(_)) => Ok(Self::Url(text.to_owned())),
            (Some("http"), Some(host)) if is_local_name(host) => Ok(Self::Url(text.to_owned())),
            _ => Err(NoKeys),
        }
    }
}

impl fmt::Display for JwtKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::Url(url) => formatter.write_str(url),
        }
    }
}

/// The reason why there are no keys.
#[derive(Debug, Error)]
enum KeysError {
    /// Their issuer does not answer.
    #[error(transparent)]
    Fetch(#[from] ureq::Error),
    /// The fetch was broken off.
    #[error(transparent)]
    BrokenOff(#[from] JoinError),
    #[error("it is no set of JSON Web Keys")]
    NoSet,
    #[error("it has no key with an id for RS256 or ES256")]
    NoneUsable,
}

/// The keys by their ids.
type KeysById = HashMap<String, (Algorithm, DecodingKey)>;

/// The known keys of an issuer, and their origin.
pub(super) struct KeySource {
    keys: ArcSwap<KeysById>,
    origin: Origin,
}

enum Origin {
    File(Watched),
    Url(Fetched),
}

/// The client that fetches keys from a URL.
struct Fetched {
    url: String,
    agent: Agent,
    /// The time of the last fetch, and whether it succeeded.
    last: Mutex<Option<(Instant, bool)>>,
}

impl KeySource {
    /// Reads a file of keys. Keys of a URL are fetched when the first token comes.
    pub(super) fn open(keys: JwtKeys) -> Result<Self, ServeError> {
        match keys {
            JwtKeys::File(path) => {
                let (file, contents) = Watched::open(CredentialKind::JwtKeys, vec![path])?;
                let known = by_id(contents.first().map_or(&[], Vec::as_slice));
                let known = known.map_err(|reason| file.refused(reason))?;
                Ok(Self {
                    keys: ArcSwap::from_pointee(known),
                    origin: Origin::File(file),
                })
            }
            JwtKeys::Url(url) => Ok(Self {
                keys: ArcSwap::default(),
                origin: Origin::Url(Fetched {
                    agent: outgoing::agent(&url, PATIENCE),
                    url,
                    last: Mutex::new(None),
                }),
            }),
        }
    }

    /// Reads a file of keys again if it has changed. The old keys stay if the new ones are invalid.
    pub(super) fn reload(&self, app: &App, is_forced: bool) {
        if let Origin::File(file) = &self.origin {
            file.reload(app, is_forced, |contents| {
                let known = by_id(contents.first().map_or(&[], Vec::as_slice))?;
                self.keys.store(Arc::new(known));
                Ok::<_, KeysError>(())
            });
        }
    }

    /// The key with this id, if it is for this algorithm.
    pub(super) async fn key(&self, id: &str, algorithm: Algorithm) -> Option<DecodingKey> {
        if let Origin::Url(fetched) = &self.origin {
            let is_known = self.keys.load().contains_key(id);
            self.refresh(fetched, is_known).await;
        }
        let keys = self.keys.load();
        let (of, key) = keys.get(id)?;
        (*of == algorithm).then(|| key.clone())
    }

    /// Fetches the keys if that is due.
    async fn refresh(&self, fetched: &Fetched, is_known: bool) {
        let mut last = match is_known {
            // A token with a known key does not wait for a fetch in progress.
            true => match fetched.last.try_lock() {
                Ok(last) => last,
                Err(_) => return,
            },
            false => fetched.last.lock().await,
        };
        let is_due = match *last {
            None => true,
            Some((at, true)) => at.elapsed() >= if is_known { STALE } else { PAUSE },
            Some((at, false)) => at.elapsed() >= RETRY,
        };
        if !is_due {
            return;
        }
        let (agent, url) = (fetched.agent.clone(), fetched.url.clone());
        let asked = tokio::task::spawn_blocking(move || fetch(&agent, &url)).await;
        let result = asked.unwrap_or_else(|error| Err(error.into()));
        *last = Some((clock::instant(), result.is_ok()));
        match result {
            Ok(known) => {
                tracing::info!(keys = known.len(), "the keys of tokens are fetched");
                self.keys.store(Arc::new(known));
            }
            Err(reason) => tracing::error!(%reason, "the keys of tokens cannot be fetched"),
        }
    }
}

fn fetch(agent: &Agent, url: &str) -> Result<KeysById, KeysError> {
    let mut answer = agent.get(url).call()?;
    let body = answer.body_mut().with_config().limit(LARGEST).read_to_vec();
    by_id(&body?)
}

/// The keys of a set that can verify tokens, by their ids: RSA for RS256, and P-256 for ES256.
fn by_id(text: &[u8]) -> Result<KeysById, KeysError> {
    let set: JwkSet = serde_json::from_slice(text).map_err(|_| KeysError::NoSet)?;
    let keys: KeysById = set.keys.iter().filter_map(usable).collect();
    match keys.is_empty() {
        true => Err(KeysError::NoneUsable),
        false => Ok(keys),
    }
}

fn usable(jwk: &Jwk) -> Option<(String, (Algorithm, DecodingKey))> {
    let (algorithm, named) = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => (Algorithm::RS256, KeyAlgorithm::RS256),
        AlgorithmParameters::EllipticCurve(of) if of.curve == EllipticCurve::P256 => {
            (Algorithm::ES256, KeyAlgorithm::ES256)
        }
        _ => return None,
    };
    let is_for_it = jwk.common.key_algorithm.is_none_or(|of| of == named);
    let uses = jwk.common.public_key_use.as_ref();
    let is_to_sign = uses.is_none_or(|of| *of == PublicKeyUse::Signature);
    let key = DecodingKey::from_jwk(jwk).ok()?;
    let id = jwk.common.key_id.clone()?;
    (is_for_it && is_to_sign).then_some((id, (algorithm, key)))
}
