//! The signature of the metadata document, and the public key that verifies it.

use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jsonwebtoken::jwk::{Jwk, JwkSet, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode, get_current_timestamp};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Serialize;
use thiserror::Error;

use super::metadata::{Metadata, for_an_hour};
use crate::app::App;
use crate::fault::{self, Fault, ServeError};
use crate::openapi::Faults;
use crate::watched::{CredentialKind, Watched};

/// The only signature algorithm.
const ALGORITHM: Algorithm = Algorithm::ES256;

/// The key that signs the metadata document.
pub(crate) struct MetadataKey {
    file: Watched,
    signer: ArcSwap<Signer>,
}

struct Signer {
    key: EncodingKey,
    public: Jwk,
}

/// A file has no key that can sign.
#[derive(Debug, Error)]
#[error("it is no private key of the curve P-256 in PEM (PKCS #8)")]
struct NoSigningKey;

/// The claims of the signed document.
#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    iat: u64,
    #[serde(flatten)]
    metadata: &'a Metadata<'a>,
}

impl MetadataKey {
    /// Reads the key file.
    ///
    /// # Errors
    /// The file cannot be read, or holds no private key of the curve P-256.
    pub(crate) fn open(path: PathBuf) -> Result<Self, ServeError> {
        let (file, contents) = Watched::open(CredentialKind::MetadataKey, vec![path])?;
        let signer = signer(&contents).map_err(|reason| file.refused(reason))?;
        Ok(Self {
            file,
            signer: ArcSwap::from_pointee(signer),
        })
    }

    /// Reads the file again if it has changed. The old key stays if the new one is invalid.
    pub(crate) fn reload(&self, app: &App, is_forced: bool) {
        self.file.reload(app, is_forced, |contents| {
            self.signer.store(Arc::new(signer(contents)?));
            Ok::<_, NoSigningKey>(())
        });
    }

    /// The document as a JSON Web Token.
    ///
    /// # Errors
    /// The library refuses to sign. Only the log has the reason.
    pub(super) fn sign(&self, metadata: &Metadata<'_>) -> Result<String, Fault> {
        let claims = Claims {
            iss: metadata.policy_decision_point,
            iat: get_current_timestamp(),
            metadata,
        };
        self.signer.load().sign(&claims).map_err(|error| {
            tracing::error!(%error, "the document about the endpoints cannot be signed");
            Fault::broken()
        })
    }
}

impl Signer {
    fn sign(&self, claims: &impl Serialize) -> jsonwebtoken::errors::Result<String> {
        let mut header = Header::new(ALGORITHM);
        header.kid.clone_from(&self.public.common.key_id);
        encode(&header, claims, &self.key)
    }
}

/// The signer with the key of a file.
fn signer(contents: &[Vec<u8>]) -> Result<Signer, NoSigningKey> {
    let pem = contents.first().ok_or(NoSigningKey)?;
    let key = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| NoSigningKey)?;
    let key = EncodingKey::from_ec_der(key.secret_pkcs8_der());
    let mut public = Jwk::from_encoding_key(&key, ALGORITHM).map_err(|_| NoSigningKey)?;
    let thumbprint = public.thumbprint(ThumbprintHash::SHA256);
    public.common.key_id = Some(thumbprint.map_err(|_| NoSigningKey)?);
    public.common.public_key_use = Some(PublicKeyUse::Signature);
    let signer = Signer { key, public };
    signer.sign(&()).map_err(|_| NoSigningKey)?;
    Ok(signer)
}

/// The keys that check the signed document.
#[utoipa::path(get, path = super::path::KEYS, responses((status = 200, description = "A set of JSON Web Keys", body = Object), Faults), tag = "AuthZEN")]
pub(crate) async fn keys(State(app): State<Arc<App>>) -> Result<Response, Fault> {
    let Some(key) = &app.metadata_key else {
        let message = "the server was given no --metadata-key";
        return Err(Fault::new(StatusCode::NOT_FOUND, message));
    };
    let keys = vec![key.signer.load().public.clone()];
    Ok(for_an_hour(fault::json(StatusCode::OK, &JwkSet { keys })))
}
