//! The file of callers: digests of tokens, names of certificates, and rights.

use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use tarbac_analysis::decision_log::CallerBy;
use tarbac_host::json::StrictJson;
use thiserror::Error;

use super::{Caller, Right, Rights};
use crate::app::App;
use crate::fault::ServeError;
use crate::watched::{CredentialKind, Watched};

/// The bytes of a digest.
const DIGEST: usize = 32;

/// The file of callers, read again when it changes.
pub(super) struct TokenFile {
    file: Watched,
    entries: ArcSwap<Vec<Entry>>,
}

/// A caller in the file.
struct Entry {
    name: String,
    digest: Option<[u8; DIGEST]>,
    certificate: Option<String>,
    rights: Rights,
    /// The workspaces that it may ask, if not all.
    workspaces: Option<Arc<[String]>>,
}

/// The file in JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileWire {
    callers: Vec<EntryWire>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryWire {
    name: String,
    sha256: Option<String>,
    certificate: Option<String>,
    may: Vec<RightWire>,
    workspaces: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum RightWire {
    Evaluate,
    Search,
    Explore,
    Operate,
}

impl From<RightWire> for Right {
    fn from(right: RightWire) -> Self {
        match right {
            RightWire::Evaluate => Self::Evaluate,
            RightWire::Search => Self::Search,
            RightWire::Explore => Self::Explore,
            RightWire::Operate => Self::Operate,
        }
    }
}

impl TokenFile {
    pub(super) fn open(path: PathBuf) -> Result<Self, ServeError> {
        let (file, contents) = Watched::open(CredentialKind::Tokens, vec![path])?;
        let entries = entries(&contents).map_err(|reason| file.refused(reason))?;
        Ok(Self {
            file,
            entries: ArcSwap::from_pointee(entries),
        })
    }

    /// Reads the file again if it has changed. The old callers stay if the new file is invalid.
    pub(super) fn reload(&self, app: &App, is_forced: bool) {
        self.file.reload(app, is_forced, |contents| {
            self.entries.store(entries(contents)?.into());
            Ok::<_, InvalidTokens>(())
        });
    }

    /// The caller with this token, and with this name if one is given. All entries are compared in constant time, so
    /// that the time of an answer tells nothing about them.
    pub(super) fn caller(&self, token: &str, name: Option<&str>) -> Option<Caller> {
        let digest: [u8; DIGEST] = Sha256::digest(token.as_bytes()).into();
        let entries = self.entries.load();
        let mut found = u32::MAX;
        for (number, entry) in (0..).zip(entries.iter()) {
            let of_entry = entry.digest.unwrap_or_default();
            let has_token = Choice::from(u8::from(entry.digest.is_some()));
            let is_named = match name {
                None => Choice::from(1),
                Some(name) => entry.name.as_bytes().ct_eq(name.as_bytes()),
            };
            let is_it = of_entry.ct_eq(&digest) & has_token & is_named;
            found.conditional_assign(&number, is_it);
        }
        let entry = entries.get(usize::try_from(found).ok()?)?;
        Some(entry.caller(CallerBy::Token))
    }

    /// The caller with this name in its certificate.
    pub(super) fn certified(&self, name: &str) -> Option<Caller> {
        let entries = self.entries.load();
        let entry = entries
            .iter()
            .find(|entry| entry.certificate.as_deref() == Some(name))?;
        Some(entry.caller(CallerBy::Certificate))
    }
}

impl Entry {
    fn caller(&self, by: CallerBy) -> Caller {
        Caller {
            rights: self.rights,
            workspaces: self.workspaces.clone(),
            ..Caller::named(&self.name, by)
        }
    }
}

/// The fault of a file of tokens; its message quotes nothing of the file.
#[derive(Debug, Error)]
enum InvalidTokens {
    #[error("it is no JSON, or has a key twice: line {line}, column {column}")]
    Json { line: usize, column: usize },
    #[error(
        "each of its `callers` has a `name`, `sha256` or `certificate`, and in `may` evaluate, \
         search, explore and operate"
    )]
    Form,
    /// A caller, counted from 1, and what is wrong with it.
    #[error("caller {number} {what}")]
    Caller { number: usize, what: &'static str },
}

/// The callers of a file.
fn entries(contents: &[Vec<u8>]) -> Result<Vec<Entry>, InvalidTokens> {
    let text = contents.first().map(Vec::as_slice).unwrap_or_default();
    let StrictJson(value) = serde_json::from_slice(text).map_err(|error| InvalidTokens::Json {
        line: error.line(),
        column: error.column(),
    })?;
    let file: FileWire = serde_json::from_value(value).map_err(|_| InvalidTokens::Form)?;
    let mut entries: Vec<Entry> = Vec::new();
    for (number, entry) in (1..).zip(file.callers) {
        let of = |what: &'static str| InvalidTokens::Caller { number, what };
        let digest = match &entry.sha256 {
            None => None,
            Some(text) => Some(digest(text).ok_or_else(|| of("has no SHA-256 of 64 digits"))?),
        };
        if digest.is_none() && entry.certificate.is_none() {
            return Err(of("has neither `sha256` nor `certificate`"));
        }
        if entry.name.is_empty() || entry.certificate.as_deref() == Some("") {
            return Err(of("has an empty name"));
        }
        let is_double = |other: &Entry| {
            digest.is_some() && other.digest == digest
                || entry.certificate.is_some() && other.certificate == entry.certificate
        };
        if entries.iter().any(is_double) {
            return Err(of("has the token or the certificate of another"));
        }
        entries.push(Entry {
            name: entry.name,
            digest,
            certificate: entry.certificate,
            rights: entry.may.into_iter().map(Right::from).collect(),
            workspaces: entry.workspaces.map(Arc::from),
        });
    }
    Ok(entries)
}

/// A digest in hexadecimal digits.
fn digest(text: &str) -> Option<[u8; DIGEST]> {
    let hash = blake3::Hash::from_hex(text.to_ascii_lowercase()).ok()?;
    Some(*hash.as_bytes())
}
