//! The policies, the schema, the sample tenant and the documentation that ship in the binary.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use blake3::Hash;
use rust_embed::Embed;
use serde_json::Value;

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
        Arc::new(Shipped::new(files.concat()).with_schema_in_json(schema_in_json()))
    };
    Arc::clone(RULES.get_or_init(read))
}

/// Whether a digest, as [`crate::record::digest`] takes it, is that of a policy or schema file that shipped before
/// workspaces had records of what was written into them. There will be no more of these.
pub fn shipped_before_records(digest: &Hash) -> bool {
    let mut lines = include_str!("shipped/before-records.txt").lines();
    lines.any(|line| line == digest.to_hex().as_str())
}

#[expect(
    clippy::expect_used,
    reason = "the text is a part of the program, and a schema of nothing would be an answer"
)]
fn schema_in_json() -> BTreeMap<String, Value> {
    serde_json::from_str(include_str!("shipped/schema.json")).expect("the schema is JSON")
}

fn files<Folder: Embed>(prefix: &str) -> Vec<TextFile> {
    let mut files: Vec<TextFile> = Folder::iter()
        // What a run of the suites left beside a snapshot is no part of the sample.
        .filter(|path| !path.ends_with(".snap.new"))
        // Pages show pictures, which are no texts.
        .filter(|path| !path.ends_with(".png"))
        .map(|path| TextFile {
            text: text(Folder::get(&path).map(|file| file.data.into_owned())),
            path: format!("{prefix}{path}"),
        })
        .collect();
    files.sort_by(|one, other| one.path.cmp(&other.path));
    files
}

/// The text of a file in the binary.
#[expect(
    clippy::expect_used,
    reason = "the rules without one of their files are other rules: a forbid that is left out is an allow"
)]
fn text(bytes: Option<Vec<u8>>) -> String {
    let bytes = bytes.expect("a file that is listed is there");
    String::from_utf8(bytes).expect("each file that ships is UTF-8")
}

#[cfg(test)]
mod tests {
    #[test]
    #[should_panic(expected = "each file that ships is UTF-8")]
    fn a_file_that_is_no_text_is_not_left_out() {
        super::text(Some(vec![0xFF]));
    }
}
