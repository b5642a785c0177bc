//! The signed assertion with which an application proves its certificate.

use std::fmt;

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::clock;
use crate::secret::Secret;
use crate::token::SignInError;

/// The lifetime of an assertion, in seconds.
const LIFETIME: i64 = 300;

/// A certificate with its private key.
pub(super) struct Certificate {
    header: Header,
    key: EncodingKey,
    audience: String,
    client: String,
}

/// The claims of an assertion. Source: the page of Microsoft Entra on certificate credentials.
#[derive(Serialize)]
struct Claims<'c> {
    aud: &'c str,
    iss: &'c str,
    sub: &'c str,
    jti: String,
    nbf: i64,
    exp: i64,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the certificate of {}", self.client)
    }
}

impl Certificate {
    /// Reads the certificate and its RSA key from a text in PEM.
    pub(super) fn new(
        pem: &Secret,
        login: &str,
        tenant: &str,
        client: &str,
    ) -> Result<Self, SignInError> {
        let wrong = |what: &str| SignInError(format!("the file of the certificate has no {what}"));
        let text = pem.reveal().as_bytes();
        let certificate =
            CertificateDer::from_pem_slice(text).map_err(|_| wrong("certificate in PEM"))?;
        let key = private_key(pem.reveal()).map(|key| EncodingKey::from_rsa_pem(key.as_bytes()));
        let key = key.and_then(Result::ok);
        let key = key.ok_or_else(|| wrong("RSA key in PEM"))?;
        let mut header = Header::new(Algorithm::PS256);
        header.x5t_s256 = Some(URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate)));
        Ok(Self {
            header,
            key,
            audience: format!("{login}/{tenant}/oauth2/v2.0/token"),
            client: client.to_owned(),
        })
    }
}

/// The section of a text in PEM that begins with the private key.
fn private_key(text: &str) -> Option<&str> {
    let begin = text.match_indices("-----BEGIN ").find(|(at, _)| {
        let line = text.get(*at..).and_then(|rest| rest.lines().next());
        line.is_some_and(|line| line.ends_with("PRIVATE KEY-----"))
    });
    text.get(begin?.0..)
}

#[async_trait]
impl ClientAssertion for Certificate {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let failed = |why: String| Error::with_message(ErrorKind::Credential, why);
        let now = clock::now().as_second();
        let mut number = [0; 16];
        getrandom::fill(&mut number).map_err(|error| failed(error.to_string()))?;
        let claims = Claims {
            aud: &self.audience,
            iss: &self.client,
            sub: &self.client,
            jti: URL_SAFE_NO_PAD.encode(number),
            nbf: now,
            exp: now + LIFETIME,
        };
        jsonwebtoken::encode(&self.header, &claims, &self.key)
            .map_err(|error| failed(error.to_string()))
    }
}
