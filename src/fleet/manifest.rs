//! The manifest of a revision.

use std::collections::BTreeSet;

use crate::digest::Digest;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::FleetError;
use crate::path::is_of_workspace;
use crate::signature::{SigningKey, TrustedKeys};

/// The version of the format.
const VERSION: u64 = 1;

/// The largest manifest, and the largest total size of the files of a revision, in bytes.
pub(crate) const LARGEST: u64 = 16 * 1024 * 1024;
const LARGEST_SUM: u64 = 64 * 1024 * 1024 * 1024;

/// The part of a workspace that a publisher owns. People change policies and an import changes entities; neither
/// publication reverts the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ManifestPart {
    /// The schema, and handwritten policies.
    Policies,
    /// The entities, and imported policies.
    Entities,
}

/// A file of a revision.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileEntry {
    /// The path in a workspace, for example `entities/people.json`.
    pub path: String,
    /// The part that it belongs to.
    pub part: ManifestPart,
    /// The digest of the content.
    pub blake3: Digest,
    /// The size in bytes.
    pub size: u64,
}

/// The readings that are switched against their defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readings {
    /// The readings that are switched on.
    #[serde(default)]
    pub on: Vec<String>,
    /// The readings that are switched off.
    #[serde(default)]
    pub off: Vec<String>,
}

/// The publisher of a revision.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publisher {
    /// The program and its version.
    pub program: String,
    /// The name of the machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The git commit of the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// The manifest of a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    version: u64,
    /// The number, from 1.
    pub number: u64,
    /// The revision, as `validate` prints it for the workspace of the publisher.
    pub id: String,
    /// The number of the preceding revision; `None` for the first.
    pub parent: Option<u64>,
    /// The name of the workspace: the last part of the store's URL.
    pub workspace: String,
    /// The time of publication by the clock of the publisher, for information only.
    pub created: Timestamp,
    /// The publisher.
    pub publisher: Publisher,
    /// The message of the publisher.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The number of the revision whose content this one restores, if it is a revert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverts_to: Option<u64>,
    /// The readings.
    #[serde(default)]
    pub readings: Readings,
    /// The files, sorted by path.
    pub files: Vec<FileEntry>,
    /// Random digits, which distinguish otherwise equal manifests of two publishers.
    pub(crate) nonce: String,
}

/// The form in the store: the manifest with its bytes unchanged, and the signatures over these bytes.
#[derive(Serialize, Deserialize)]
struct Envelope {
    manifest: Box<RawValue>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    signatures: Vec<Signature>,
}

#[derive(Serialize, Deserialize)]
struct Signature {
    key: String,
    ed25519: String,
}

impl Manifest {
    /// A manifest with empty fields, except for version, number and time.
    pub(crate) fn new(number: u64, created: Timestamp) -> Self {
        Self {
            version: VERSION,
            number,
            id: String::new(),
            parent: None,
            workspace: String::new(),
            created,
            publisher: Publisher::default(),
            message: None,
            reverts_to: None,
            readings: Readings::default(),
            files: Vec::new(),
            nonce: String::new(),
        }
    }

    /// The first 16 digits of the revision, as shown in answers.
    pub fn short_id(&self) -> &str {
        self.id.get(..16).unwrap_or(&self.id)
    }

    /// The total size of all files, in bytes.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// The bytes to store, signed if there is a key.
    pub(crate) fn written(&self, key: Option<&SigningKey>) -> serde_json::Result<Vec<u8>> {
        let manifest = serde_json::value::to_raw_value(self)?;
        let signature = key.map(|key| Signature {
            key: key.name(),
            ed25519: key.sign(manifest.get().as_bytes()),
        });
        serde_json::to_vec(&Envelope {
            manifest,
            signatures: signature.into_iter().collect(),
        })
    }

    /// Reads the bytes that a store has under a number.
    ///
    /// # Errors
    /// The bytes are not a manifest of this number, or have no trusted signature for this workspace.
    pub(crate) fn read(
        bytes: &[u8],
        number: u64,
        workspace: &str,
        trust: Option<&TrustedKeys>,
    ) -> Result<Self, FleetError> {
        let wrong = |reason: String| FleetError::Manifest { number, reason };
        let untrusted = |reason: &str| FleetError::Untrusted {
            number,
            reason: reason.to_owned(),
        };
        let envelope: Envelope = serde_json::from_slice(bytes)
            .map_err(|error| wrong(format!("it is not JSON of this kind: {error}")))?;
        let signed = envelope.manifest.get();
        if let Some(trust) = trust {
            let mut signatures = envelope.signatures.iter();
            if envelope.signatures.is_empty() {
                return Err(untrusted("it has no signature"));
            }
            if !signatures.any(|of| trust.verify(signed.as_bytes(), &of.ed25519)) {
                return Err(untrusted("no signature is by a trusted key"));
            }
        }
        #[derive(Deserialize)]
        struct Versioned {
            version: u64,
        }
        let not_read = |error: serde_json::Error| wrong(error.to_string());
        let Versioned { version } = serde_json::from_str(signed).map_err(not_read)?;
        if version != VERSION {
            return Err(wrong(format!(
                "it has version {version}, and this tarbac reads {VERSION}"
            )));
        }
        let manifest: Self = serde_json::from_str(signed).map_err(not_read)?;
        if trust.is_some() && manifest.workspace != workspace {
            let other = format!("it was signed for the workspace `{}`", manifest.workspace);
            return Err(untrusted(&other));
        }
        match manifest.fault(number) {
            None => Ok(manifest),
            Some(fault) => Err(wrong(fault)),
        }
    }

    /// The first problem of the manifest, if any.
    fn fault(&self, number: u64) -> Option<String> {
        if self.number != number {
            return Some(format!("it says that it is revision {}", self.number));
        }
        let mut known = BTreeSet::new();
        for file in &self.files {
            let path = &file.path;
            if !is_of_workspace(path) {
                return Some(format!("{path:?} is no path of a workspace"));
            }
            if !known.insert(path.to_lowercase()) {
                return Some(format!("{path:?} stands twice"));
            }
        }
        let mut sum = 0_u64;
        for file in &self.files {
            sum = sum.saturating_add(file.size);
        }
        (sum > LARGEST_SUM).then(|| format!("its files have {sum} bytes"))
    }
}
