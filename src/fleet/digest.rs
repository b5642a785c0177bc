//! Digests of file contents.

use std::fmt;

use blake3::Hash;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A BLAKE3 digest, written as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of some bytes.
    pub(crate) fn hash(text: &[u8]) -> Self {
        blake3::hash(text).into()
    }

    /// The digest written in hexadecimal digits.
    pub(crate) fn from_hex(digits: &str) -> Option<Self> {
        Hash::from_hex(digits).ok().map(Self::from)
    }
}

impl From<Hash> for Digest {
    fn from(hash: Hash) -> Self {
        Self(*hash.as_bytes())
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&Hash::from_bytes(self.0).to_hex())
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let digits = String::deserialize(deserializer)?;
        Self::from_hex(&digits)
            .ok_or_else(|| de::Error::custom("a digest has 64 hexadecimal digits"))
    }
}
