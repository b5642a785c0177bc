//! The texts that a bundle is read from, and what the rules in them are.

use std::sync::Arc;

use blake3::{Hash, Hasher};
use serde::Serialize;

use super::Shipped;
use tarbac_diagnostic::source::Source;

/// The texts a bundle is read from.
#[derive(Debug, Default, Clone)]
pub struct Texts {
    /// Files in Cedar's schema format, or in its JSON format.
    pub schema: Vec<Arc<Source>>,
    /// Files in Cedar's policy format.
    pub policies: Vec<Arc<Source>>,
    /// Files that link policy templates, in the format of `cedar link`.
    pub links: Vec<Arc<Source>>,
    /// The names of files that lie beside them, or beside the entities, and are not read; with the missing ones.
    pub not_read: Vec<String>,
    /// The names of files that were written and are not there.
    pub missing: Vec<String>,
    /// What ships with the program, whether it is in force or not.
    pub shipped: Arc<Shipped>,
}

/// What the rules of a workspace are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rules {
    /// Those that ship, and no others.
    Shipped,
    /// Those that ship, and others beside them.
    ShippedAndCustom,
    /// Those of the workspace, in place of what ships.
    Own,
}

impl Rules {
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
    /// The digest of what stands in them, whatever the files are called and in whichever order they are.
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
