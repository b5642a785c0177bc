//! Signatures of manifests, by Ed25519.

use std::fmt;
use std::path::Path;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};

use crate::error::FleetError;

/// What a signature is over, before the bytes of the manifest: a signature of this kind is one of nothing else.
const CONTEXT: &[u8] = b"tarbac revision manifest 1\0";

/// The beginning of a public Ed25519 key as files have it (RFC 8410); 32 bytes follow.
const PUBLIC_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// A key that signs manifests, as `openssl genpkey -algorithm ed25519` makes it.
pub struct SigningKey {
    pair: Ed25519KeyPair,
}

/// The keys whose signatures are trusted.
#[derive(Clone)]
pub struct TrustedKeys {
    /// 32 bytes each.
    keys: Vec<Vec<u8>>,
}

/// The name of a key: the first digits of its digest.
fn name(key: &[u8]) -> String {
    let digest = blake3::hash(key).to_hex();
    digest.get(..16).unwrap_or_default().to_owned()
}

fn signed(manifest: &[u8]) -> Vec<u8> {
    [CONTEXT, manifest].concat()
}

impl SigningKey {
    /// Reads a private key in PEM.
    ///
    /// # Errors
    /// The file cannot be read, or holds no such key.
    pub fn read(path: &Path) -> Result<Self, FleetError> {
        let wrong = || {
            let path = path.display();
            FleetError::Key(format!("`{path}` holds no private Ed25519 key in PEM"))
        };
        let key = PrivatePkcs8KeyDer::from_pem_slice(&text(path)?).map_err(|_| wrong())?;
        let pair = Ed25519KeyPair::from_pkcs8(key.secret_pkcs8_der()).map_err(|_| wrong())?;
        Ok(Self { pair })
    }

    /// The name of the public key.
    pub(crate) fn name(&self) -> String {
        name(self.pair.public_key().as_ref())
    }

    /// The signature of the bytes of a manifest, in hexadecimal digits.
    pub(crate) fn sign(&self, manifest: &[u8]) -> String {
        let signature = self.pair.sign(&signed(manifest));
        let bytes = signature.as_ref().iter();
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.name())
    }
}

impl fmt::Debug for TrustedKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.keys.iter().map(|key| name(key));
        formatter.debug_set().entries(names).finish()
    }
}

impl TrustedKeys {
    /// Reads public keys in PEM, as `openssl pkey -pubout` writes them; one file may hold several.
    ///
    /// # Errors
    /// The file cannot be read, holds no key, or one that is of another kind.
    pub fn read(path: &Path) -> Result<Self, FleetError> {
        let wrong = || {
            let path = path.display();
            FleetError::Key(format!("`{path}` holds no public Ed25519 keys in PEM"))
        };
        let text = text(path)?;
        let mut keys = Vec::new();
        for key in SubjectPublicKeyInfoDer::pem_slice_iter(&text) {
            let key = key.map_err(|_| wrong())?;
            let raw = key.as_ref().strip_prefix(&PUBLIC_PREFIX);
            keys.push(
                raw.filter(|raw| raw.len() == 32)
                    .ok_or_else(wrong)?
                    .to_vec(),
            );
        }
        match keys.is_empty() {
            true => Err(wrong()),
            false => Ok(Self { keys }),
        }
    }

    /// Whether one of these keys made the signature.
    pub(crate) fn verify(&self, manifest: &[u8], signature: &str) -> bool {
        let Some(signature) = bytes(signature) else {
            return false;
        };
        let signed = signed(manifest);
        let mut keys = self.keys.iter();
        keys.any(|key| {
            UnparsedPublicKey::new(&ED25519, key)
                .verify(&signed, &signature)
                .is_ok()
        })
    }
}

/// The bytes that hexadecimal digits say.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let pair = str::from_utf8(pair)
            .ok()
            .filter(|_| pair.iter().all(u8::is_ascii_hexdigit))?;
        u8::from_str_radix(pair, 16).ok()
    };
    match rest.is_empty() {
        true => pairs.iter().map(byte).collect(),
        false => None,
    }
}

#[expect(clippy::disallowed_methods, reason = "keys are read from files")]
fn text(path: &Path) -> Result<Vec<u8>, FleetError> {
    std::fs::read(path).map_err(|reason| FleetError::file("read", path, reason))
}
