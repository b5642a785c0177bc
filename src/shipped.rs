//! The policies, the schema and the sample tenant that ship in the binary.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use rust_embed::Embed;

use crate::bundle::Texts;
use crate::source::Source;

#[derive(Embed)]
#[folder = "policies/"]
struct Policies;

#[derive(Embed)]
#[folder = "schema/"]
struct Schema;

#[derive(Embed)]
#[folder = "tests/contoso/"]
struct Contoso;

/// What the names of sources in the binary begin with.
const PREFIX: &str = "shipped/";

/// A file that ships, with its path in a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The path, with `/` between its parts, for example `policies/authority.cedar`.
    pub path: String,
    /// What stands in it.
    pub text: String,
}

/// The policies, with their README, sorted by path.
pub fn policies() -> Vec<File> {
    files::<Policies>("policies/")
}

/// The schema, sorted by path.
pub fn schema() -> Vec<File> {
    files::<Schema>("schema/")
}

/// A whole workspace: policies, schema and the sample tenant, sorted by path.
pub fn workspace() -> Vec<File> {
    let mut all = files::<Contoso>("");
    all.extend(policies());
    all.extend(schema());
    all.sort_by(|one, other| one.path.cmp(&other.path));
    all
}

/// What ships, as the texts of a bundle.
pub fn texts() -> Texts {
    let sources = |files: Vec<File>, extension: &str| {
        files
            .into_iter()
            .filter(|file| file.path.ends_with(extension))
            .map(|file| Source::held(format!("{PREFIX}{}", file.path), file.text))
            .collect::<Vec<Arc<Source>>>()
    };
    Texts {
        schema: sources(schema(), ".cedarschema"),
        policies: sources(policies(), ".cedar"),
        links: Vec::new(),
    }
}

/// Whether a source is one of those in the binary, and no file of a workspace.
pub fn holds(source: &Source) -> bool {
    source.name.starts_with(PREFIX) && is_shipped(source.text())
}

/// Whether a text is, to the letter, a policy or schema file that ships.
pub fn is_shipped(text: &str) -> bool {
    static TEXTS: OnceLock<BTreeSet<String>> = OnceLock::new();
    TEXTS
        .get_or_init(|| {
            policies()
                .into_iter()
                .chain(schema())
                .map(|file| file.text)
                .collect()
        })
        .contains(text)
}

fn files<Folder: Embed>(prefix: &str) -> Vec<File> {
    let mut files: Vec<File> = Folder::iter()
        // What a run of the suites left beside a snapshot is no part of the sample.
        .filter(|path| !path.ends_with(".snap.new"))
        .filter_map(|path| {
            let text = String::from_utf8(Folder::get(&path)?.data.into_owned()).ok()?;
            Some(File {
                path: format!("{prefix}{path}"),
                text,
            })
        })
        .collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}
