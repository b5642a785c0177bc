//! The policies, the schema and the sample tenant that ship in the binary.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use blake3::Hash;
use rust_embed::Embed;

use crate::bundle::{Rules, Texts};
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
        ..Texts::default()
    }
}

/// What the rules in these texts are.
pub fn rules(texts: &Texts) -> Rules {
    let shipped = self::texts();
    let mut is_more = !texts.links.is_empty();
    for (shipped, given) in [
        (shipped.schema, &texts.schema),
        (shipped.policies, &texts.policies),
    ] {
        let known: BTreeSet<&Source> = given.iter().map(Arc::as_ref).collect();
        if !shipped.iter().all(|source| known.contains(source.as_ref())) {
            return Rules::Own;
        }
        is_more |= known.len() > shipped.len();
    }
    match is_more {
        true => Rules::ShippedAndCustom,
        false => Rules::Shipped,
    }
}

/// Whether a source is one of those in the binary, and no file of a workspace.
pub fn holds(source: &Source) -> bool {
    source.name.starts_with(PREFIX) && is_shipped(source.text())
}

/// Whether a digest, as [`crate::record::digest`] takes it, is that of a policy or schema file that shipped before
/// workspaces had records of what was written into them. There will be no more of these.
pub fn shipped_before_records(digest: &Hash) -> bool {
    let mut lines = include_str!("shipped/before-records.txt").lines();
    lines.any(|line| line == digest.to_hex().as_str())
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
