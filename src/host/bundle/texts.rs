//! The texts that a bundle is read from, and the origin of their rules.

use std::sync::Arc;

use blake3::{Hash, Hasher};
use serde::Serialize;

use super::Shipped;
use tarbac_diagnostic::source::Source;

/// The texts that a bundle is read from.
#[derive(Debug, Default, Clone)]
pub struct Texts {
    /// Schema files in Cedar's schema format or its JSON format.
    pub schema: Vec<Arc<Source>>,
    /// Policy files in Cedar's policy format.
    pub policies: Vec<Arc<Source>>,
    /// Files with links of policy templates, in the format of `cedar link`.
    pub links: Vec<Arc<Source>>,
    /// The names of the workspace's files that are not read, including the missing ones.
    pub not_read: Vec<String>,
    /// The names of files that tarbac wrote and that are missing.
    pub missing: Vec<String>,
    /// The rules that ship with the program, whether they are in force or not.
    pub shipped: Arc<Shipped>,
}

/// The origin of the rules in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RulesOrigin {
    /// The rules that ship, and no others.
    Shipped,
    /// The rules that ship, and others of the workspace.
    ShippedAndCustom,
    /// The rules of the workspace, in place of those that ship.
    Own,
}

impl RulesOrigin {
    /// The word in JSON: `shipped`, `shipped-and-custom` or `own`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Shipped => "shipped",
            Self::ShippedAndCustom => "shipped-and-custom",
            Self::Own => "own",
        }
    }
}

impl Texts {
    /// The digest of the texts, independent of the names and order of the files.
    pub(super) fn identity(&self) -> Hash {
        let mut hasher = Hasher::new();
        for files in [&self.schema, &self.policies, &self.links] {
            let hashes = files
                .iter()
                .map(|file| blake3::hash(file.text().as_bytes()));
            let mut hashes: Vec<[u8; 32]> = hashes.map(Into::into).collect();
            hashes.sort_unstable();
            hasher.update(&(hashes.len() as u64).to_le_bytes());
            hasher.update(hashes.as_flattened());
        }
        hasher.finalize()
    }
}
