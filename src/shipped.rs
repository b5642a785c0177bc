//! The policies, the schema and the sample tenant that ship in the binary.

use std::sync::{Arc, OnceLock};

use blake3::Hash;
use rust_embed::Embed;

use crate::bundle::{File, Shipped};

#[derive(Embed)]
#[folder = "policies/"]
struct Policies;

#[derive(Embed)]
#[folder = "schema/"]
struct Schema;

#[derive(Embed)]
#[folder = "tests/contoso/"]
struct Contoso;

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

/// The policies and the schema, with what else a repository of a tenant begins with: a suite whose snapshot is to be
/// accepted, and a workflow. Sorted by path.
pub fn bare() -> Vec<File> {
    let mut all = starters();
    all.extend(policies());
    all.extend(schema());
    all.sort_by(|one, other| one.path.cmp(&other.path));
    all
}

/// What a repository of a tenant begins with, beside rules and data.
pub fn starters() -> Vec<File> {
    let mut files = files::<Contoso>("");
    files.retain(|file| [WORKFLOW, SUITE_SCHEMA].contains(&file.path.as_str()));
    files.push(File {
        path: "tests/everybody.yaml".to_owned(),
        text: FIRST_SUITE.to_owned(),
    });
    files
}

/// The workflow that runs the checks of a workspace.
const WORKFLOW: &str = ".github/workflows/tarbac.yml";

/// What editors know of suites.
const SUITE_SCHEMA: &str = "tests/suite.schema.json";

/// A suite that fits every tenant. Of those that no policy tells apart it shows one.
const FIRST_SUITE: &str = "\
# yaml-language-server: $schema=suite.schema.json
# One of each kind of people and devices that the policies can tell apart. `tarbac test --accept` keeps the
# table in everybody.snap: look at it first.
suite: Everybody on everything
snapshot: { principals: classes, actions: all, resources: classes }
";

/// What git passes over in a workspace.
pub const IGNORED: [&str; 3] = [".tarbac/", ".tarbac-*", "*.snap.new"];

/// The `.gitignore` of a workspace: what was there, and what is missing of [`IGNORED`].
pub fn gitignore(before: &str) -> String {
    let missing = IGNORED
        .into_iter()
        .filter(|line| !before.lines().any(|known| known.trim() == *line));
    let missing: Vec<&str> = missing.collect();
    let mut text = before.to_owned();
    if missing.is_empty() {
        return text;
    }
    if !text.is_empty() {
        text += match text.ends_with('\n') {
            true => "\n",
            false => "\n\n",
        };
    }
    text += "# What tarbac keeps beside a workspace, or leaves where it is stopped.\n";
    for line in missing {
        text += &format!("{line}\n");
    }
    text
}

/// The rules that ship, read once.
pub fn rules() -> Arc<Shipped> {
    static RULES: OnceLock<Arc<Shipped>> = OnceLock::new();
    let read = || Arc::new(Shipped::of([policies(), schema()].concat()));
    Arc::clone(RULES.get_or_init(read))
}

/// Whether a digest, as [`crate::record::digest`] takes it, is that of a policy or schema file that shipped before
/// workspaces had records of what was written into them. There will be no more of these.
pub fn shipped_before_records(digest: &Hash) -> bool {
    let mut lines = include_str!("shipped/before-records.txt").lines();
    lines.any(|line| line == digest.to_hex().as_str())
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
