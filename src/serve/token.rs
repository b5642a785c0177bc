//! New tokens for callers.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The random bytes of a token.
const BYTES: usize = 32;

/// A token, which is shown once, and the entry with its digest for the file of callers.
pub struct NewToken {
    /// The token.
    pub token: String,
    /// The entry of its caller in the file.
    pub entry: String,
}

#[derive(Serialize)]
struct EntryWire<'a> {
    name: &'a str,
    sha256: String,
    may: [&'a str; 1],
}

impl NewToken {
    /// A token of 256 random bits for a caller, who may ask for decisions.
    ///
    /// # Errors
    /// The system has no random bits.
    pub fn new(name: &str) -> std::io::Result<Self> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
        let token = URL_SAFE_NO_PAD.encode(bytes);
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let entry = EntryWire {
            name,
            sha256: blake3::Hash::from_bytes(digest).to_hex().to_string(),
            may: ["evaluate"],
        };
        let entry = serde_json::to_string(&entry).map_err(std::io::Error::other)?;
        Ok(Self { token, entry })
    }
}
