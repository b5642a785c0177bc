//! Warnings about unread policy files beside a workspace, and about an enclosing workspace.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::folders::GIT;
use super::{LISTED, Layout, PARTS, is_workspace, manifest, regular, transaction};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Place, Source, shown};

/// The most entries of a folder that are searched.
const LOOKED_AT: usize = 10_000;

/// The greatest depth of a folder that is searched.
const DEEPEST: usize = 16;

/// Parts of the names of folders that people put policies or schema into, or rename them to.
const MISTAKEN: [&str; 9] = [
    "authority",
    "cedar",
    "concern",
    "custom",
    "guardrail",
    "polic",
    "role",
    "rule",
    "schema",
];

/// The names of folders whose policies are not meant for the workspace.
const OTHERS: [&str; 6] = [
    "doc",
    "docs",
    "example",
    "examples",
    "node_modules",
    "target",
];

/// Files that systems put into a folder.
const OF_SYSTEMS: [&str; 2] = ["desktop.ini", "thumbs.db"];

/// Adds the policies, schema files and manifests beside the parts of a workspace. A folder with a name like that of a
/// part is searched at any depth, another one only at its top. Errors are ignored, because none of these files matters
/// to a decision.
pub(super) fn look(layout: &Layout, passed_over: &mut Vec<PathBuf>) {
    // Files that are named on the command line are the right ones.
    let mut named = [&layout.policies, &layout.schema, &layout.entities].into_iter();
    if named.any(|named| !named.is_empty()) {
        if layout.policies.is_empty() {
            let entities = layout.entities.iter();
            passed_over.extend(entities.flat_map(|entities| policies_beside(layout, entities)));
        }
        return;
    }
    let plain = |path: &Path| PathBuf::from(shown(path));
    let others: BTreeSet<PathBuf> = layout.others.iter().map(|other| plain(other)).collect();
    let entries = entries(&layout.root).into_iter();
    let mut beside = Vec::new();
    for path in entries.filter(|path| !others.contains(&plain(path))) {
        let name = called(&path);
        if !path.is_dir() {
            if is_cedar(&name) || manifest::is_called(&path) {
                beside.push(path);
            }
            continue;
        }
        let is_part = PARTS.iter().any(|read| path.ends_with(read));
        let is_like = is_like_a_part(&name);
        let is_others = OTHERS.contains(&name.as_str()) || name.starts_with('.');
        if is_part || transaction::is_aside(&path) || (is_others && !is_like) {
            continue;
        }
        let has = |part: &str| path.join(part).is_dir();
        // Another workspace has rules of its own; a folder without `entities/` may be one where rules were put aside.
        if has("entities") && !is_like {
            continue;
        }
        let depth = match is_like || has("policies") || has("schema") {
            true => DEEPEST,
            false => 1,
        };
        let within = WalkDir::new(&path).min_depth(1).max_depth(depth);
        let within = within.sort_by_file_name().into_iter().take(LOOKED_AT);
        let within = within.filter_map(Result::ok).map(DirEntry::into_path);
        beside.extend(within.filter(|path| is_cedar(&called(path)) && !path.is_dir()));
    }
    if beside.is_empty() {
        return;
    }
    // A part may be a link to a folder beside it, or contain one.
    let read = read_files(&layout.root);
    beside.retain(|path| {
        path.canonicalize()
            .map_or(true, |real| !read.contains(&real))
    });
    passed_over.extend(beside);
}

/// The policies of the workspace that named entities belong to, without those that are in force.
fn policies_beside(layout: &Layout, entities: &Path) -> Vec<PathBuf> {
    let mut around = entities.ancestors().skip(1);
    let workspace = around.find(|folder| folder.join("entities").is_dir());
    let policies = workspace.map(|folder| folder.join("policies")).into_iter();
    let is_elsewhere = |policies: &PathBuf| {
        let read = layout.root.join("policies").canonicalize().ok();
        policies.is_dir() && policies.canonicalize().ok() != read
    };
    let found = policies.filter(is_elsewhere).flat_map(|policies| {
        let within = WalkDir::new(policies)
            .max_depth(DEEPEST)
            .sort_by_file_name();
        let within = within.into_iter().take(LOOKED_AT).filter_map(Result::ok);
        within.map(DirEntry::into_path)
    });
    let is_shipped = |path: &Path| {
        let mut text = String::new();
        let read = regular::open(path).and_then(|mut file| file.read_to_string(&mut text));
        read.is_ok() && layout.shipped.has_text(&text)
    };
    found
        .filter(|path| is_cedar(&called(path)) && !path.is_dir() && !is_shipped(path))
        .collect()
}

/// The files in the parts of a workspace, by their real paths.
fn read_files(root: &Path) -> BTreeSet<PathBuf> {
    let within = |part| WalkDir::new(root.join(part)).follow_links(true);
    let entries = PARTS.iter().flat_map(within).filter_map(Result::ok);
    let files = entries.filter(|entry| !entry.file_type().is_dir());
    files
        .filter_map(|entry| entry.path().canonicalize().ok())
        .collect()
}

/// The parts of the workspace around the folder, if the folder itself is none: then the rules that ship are in force,
/// and nothing of these parts.
pub(super) fn above(layout: &Layout) -> Vec<PathBuf> {
    let is_named = !layout.policies.is_empty() && !layout.entities.is_empty();
    if is_named || is_workspace(&layout.root) {
        return Vec::new();
    }
    let Ok(real) = layout.root.canonicalize() else {
        return Vec::new();
    };
    // A repository within another one is separate.
    let repository = real
        .ancestors()
        .position(|folder| folder.join(GIT).exists());
    let folders = real.ancestors().enumerate().skip(1);
    let mut folders = folders.take(repository.unwrap_or(usize::MAX));
    let Some((depth, folder)) = folders.find(|(_, folder)| is_workspace(folder)) else {
        return Vec::new();
    };
    // The path to that workspace, in the form that the user would type.
    let is_here = layout.root == Path::new(".") || layout.root == Path::new("");
    let lexical = layout.root.ancestors().nth(depth);
    let lexical = lexical.filter(|path| {
        Path::new(".")
            .join(path)
            .canonicalize()
            .is_ok_and(|path| path == folder)
    });
    let root = match lexical {
        _ if is_here => std::iter::repeat_n("..", depth).collect(),
        Some(path) => path.to_owned(),
        None => folder.to_owned(),
    };
    let parts = PARTS.iter().map(|part| root.join(part));
    parts.filter(|part| part.is_dir()).collect()
}

/// The finding about a folder that lies in a workspace with these parts.
pub(super) fn inside(layout: &Layout, above: &[PathBuf]) -> Option<Finding> {
    let folder = above.first()?.parent()?;
    let folder = match folder == Path::new("") {
        true => ".".to_owned(),
        false => shown(folder),
    };
    let root = shown(&layout.root);
    let message = format!("`{root}` lies in the workspace `{folder}`, of which nothing is read");
    let place = Place::new(&Source::held(root, ""), 0..0);
    let finding = Finding::warning(code::workspace::INSIDE, message);
    let help = format!("did you mean `-C {folder}`?");
    Some(finding.label(place, "this folder").help(help))
}

/// The names of unread files, without duplicates and files that editors and systems hide.
pub(super) fn told(names: impl Iterator<Item = String>) -> Vec<String> {
    let is_told = |name: &String| {
        let called = called(Path::new(name));
        let is_hidden = called.starts_with('.');
        let is_of_system = OF_SYSTEMS.contains(&called.as_str());
        !is_of_system && (!is_hidden || is_cedar(&called))
    };
    let mut names: Vec<String> = names.filter(is_told).collect();
    names.sort();
    names.dedup();
    names
}

/// Whether the name of a file has an extension of Cedar's, even with something after it.
fn is_cedar(called: &str) -> bool {
    called.contains(".cedar")
}

/// Whether the name of a folder suggests policies or schema, or is similar to that of a part.
fn is_like_a_part(called: &str) -> bool {
    let is_near = |part: &&str| strsim::damerau_levenshtein(part, called) <= 2;
    MISTAKEN.iter().any(|part| called.contains(part)) || PARTS.iter().any(is_near)
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries
        .take(LOOKED_AT)
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect()
}

/// The name of a file or folder, in lower case.
fn called(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().to_lowercase()
}

/// The findings about unread files: a forbid in one holds nobody back.
pub(super) fn not_read(names: &[String]) -> impl Iterator<Item = Finding> {
    // To name one more file is as short as to count one.
    let (named, others) = match names.len() {
        count if count <= LISTED + 1 => (names, [].as_slice()),
        _ => names.split_at(LISTED),
    };
    let one = |name: &String| {
        let message = format!("`{name}` is not read: no file of its kind is expected there");
        (name.clone(), message)
    };
    let rest = others.first().map(|name| {
        let message = format!("{} more files are not read, like `{name}`", others.len());
        (name.clone(), message)
    });
    let told: Vec<(String, String)> = named.iter().map(one).chain(rest).collect();
    told.into_iter().map(|(name, message)| {
        // The file is not read for an excerpt either, since it may be a pipe.
        let place = Place::new(&Source::held(name, ""), 0..0);
        Finding::warning(code::workspace::NOT_READ, message)
            .label(place, "this file")
            .help("policies end in `.cedar`, links of templates and entities in `.json`, schema in `.cedarschema` or `.json`; they stand in `policies/`, `entities/` and `schema/`")
    })
}
