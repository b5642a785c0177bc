//! Files of a workspace that are not read although somebody may count on them: those of another ending than is
//! expected where they lie, and policies and schema that lie where none are looked for.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Layout, manifest};

/// How many entries of a folder are looked at.
const LOOKED_AT: usize = 10_000;

/// The folders of a workspace that are read as a whole.
const READ: [&str; 3] = ["entities", "policies", "schema"];

/// What other folders are called in which people put policies: those within `policies/`, and that of the specs.
const MISTAKEN: [&str; 11] = [
    "authority",
    "concerns",
    "configmgr",
    "custom",
    "findings",
    "guardrails",
    "notices",
    "policy",
    "roles",
    "rules",
    "tests",
];

/// Adds the policies, schema and manifests that lie beside the folders of a workspace, or in one that is called
/// nearly so. What cannot be looked at is passed over: none of it matters to a decision.
pub(super) fn look(layout: &Layout, passed_over: &mut Vec<PathBuf>) {
    // Whoever names files means these.
    let mut named = [&layout.policies, &layout.schema, &layout.entities].into_iter();
    if named.any(|named| !named.is_empty()) {
        return;
    }
    for path in entries(&layout.root) {
        let called = called(&path);
        if !path.is_dir() {
            if is_cedar(&called) || manifest::is_called(&path) {
                passed_over.push(path);
            }
        } else if !READ.iter().any(|read| path.ends_with(read)) && is_like_a_part(&called) {
            let within = entries(&path).into_iter();
            passed_over.extend(within.filter(|path| is_cedar(&self::called(path))));
        }
    }
}

/// The names of files, each once, without those of which nobody expects anything: notes, and what editors and
/// systems hide.
pub(super) fn told(names: impl Iterator<Item = String>) -> Vec<String> {
    let is_told = |name: &String| {
        let called = called(Path::new(name));
        let is_plain = called.starts_with('.') || called.ends_with(".md");
        !is_plain || is_cedar(&called)
    };
    let mut names: Vec<String> = names.filter(is_told).collect();
    names.sort();
    names.dedup();
    names
}

/// Whether a file is called as one of Cedar, whatever was put behind it.
fn is_cedar(called: &str) -> bool {
    called.contains(".cedar")
}

/// Whether a folder is called as one that may hold policies or schema, or nearly so.
fn is_like_a_part(called: &str) -> bool {
    let is_near = |part: &&str| strsim::damerau_levenshtein(part, called) <= 2;
    MISTAKEN.contains(&called) || READ.iter().any(is_near)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries
        .take(LOOKED_AT)
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}

/// What a file or folder is called, in lower case.
fn called(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().to_lowercase()
}
