//! The policies, the schema, the sample tenant and the documentation that ship in the binary.

use std::sync::{Arc, OnceLock};

use blake3::Hash;
use rust_embed::Embed;

use tarbac_host::bundle::{Shipped, TextFile};

#[derive(Embed)]
#[folder = "policies/"]
struct Policies;

#[derive(Embed)]
#[folder = "schema/"]
struct Schema;

#[derive(Embed)]
#[folder = "tests/contoso/"]
struct Contoso;

#[derive(Embed)]
#[folder = "docs/"]
struct Docs;

/// The pages of the documentation, `TOPIC.md`, sorted by path.
pub fn pages() -> Vec<TextFile> {
    files::<Docs>("")
}

/// The sample tenant: a workspace without the rules, sorted by path.
pub fn sample() -> Vec<TextFile> {
    files::<Contoso>("")
}

/// The rules that ship, read once.
pub fn rules() -> Arc<Shipped> {
    static RULES: OnceLock<Arc<Shipped>> = OnceLock::new();
    let read = || {
        let files = [files::<Policies>("policies/"), files::<Schema>("schema/")];
        let in_json = serde_json::from_str(include_str!("shipped/schema.json"));
        Arc::new(Shipped::new(files.concat()).with_schema_in_json(in_json.unwrap_or_default()))
    };
    Arc::clone(RULES.get_or_init(read))
}

/// Whether a digest, as [`crate::record::digest`] takes it, is that of a policy or schema file that shipped before
/// workspaces had records of what was written into them. There will be no more of these.
pub fn shipped_before_records(digest: &Hash) -> bool {
    let mut lines = include_str!("shipped/before-records.txt").lines();
    lines.any(|line| line == digest.to_hex().as_str())
}

fn files<Folder: Embed>(prefix: &str) -> Vec<TextFile> {
    let mut files: Vec<TextFile> = Folder::iter()
        // What a run of the suites left beside a snapshot is no part of the sample.
        .filter(|path| !path.ends_with(".snap.new"))
        .filter_map(|path| {
            let text = String::from_utf8(Folder::get(&path)?.data.into_owned()).ok()?;
            Some(TextFile {
                path: format!("{prefix}{path}"),
                text,
            })
        })
        .collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}
