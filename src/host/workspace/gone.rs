//! Files that tarbac wrote and that are missing, empty, or overwritten with something else.
//!
//! A missing rule forbids nothing, and nobody notices: a folder was renamed, a file was emptied, or a merge went
//! wrong. If the missing rule could have forbidden something, nothing is decided.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use blake3::Hash;

use super::places::{self, Owner, Place};
use super::{LISTED, Layout, LoadError, PARTS, Unreadable, transaction, unreadable};
use crate::bundle::{OnRecord, Texts, ids_in, replaces_any};
use crate::record::{self, NoRecord, Origin, Record, State};
use tarbac_diagnostic::code;
use tarbac_diagnostic::finding::{self, Finding};
use tarbac_diagnostic::source::{self, Source, shown};

/// Folders that contain only roles: if one is missing, nobody may do more.
const ROLES: [&str; 2] = ["policies/custom/", "policies/roles/"];

/// The missing files of a workspace.
#[derive(Debug, Default)]
pub(super) struct Gone {
    /// The names of the files.
    pub names: Vec<String>,
    /// The findings about them, none of which is an error.
    pub findings: Vec<Finding>,
    /// What the records say of policies.
    pub on_record: OnRecord,
}

/// Finds the missing files of the parts that are read. A rule that is still in force, under another name or because it
/// ships, is not missing.
///
/// # Errors
/// A missing file may have forbidden something, or the search fails.
pub(super) fn find(layout: &Layout, texts: &Texts) -> Result<Gone, LoadError> {
    let mut gone = Gone::default();
    for ((part, root), places) in recorded(layout)? {
        // While a change is under way there is no settled record, and everything is read again.
        let Some((record, text)) = transaction::record_of(&root)? else {
            continue;
        };
        let is_there = |path: &str| is_there(&root.join(path));
        let names = |path: &str| names(&places, path);
        let paths = missing(&names, &record, is_there, texts)?;
        gone.names
            .extend(paths.iter().map(|path| shown(&root.join(path))));
        if part == "policies" {
            gone.on_record
                .roles
                .extend(roles_of_tenant(&places, &record, texts));
            gone.on_record.removed.extend(record.removed);
        }
        let record = Source::held(shown(&root.join(record::FILE)), text);
        gone.findings
            .extend(findings_of(part, &paths, &record, HELP));
    }
    match finding::any_error(&gone.findings) {
        true => Err(LoadError::Invalid(gone.findings)),
        false => Ok(gone),
    }
}

/// Finds the missing files of parts, given the record and the names of the existing files. Returns their paths and all
/// findings, including errors.
///
/// # Errors
/// The text is not a record.
pub(super) fn look_in(
    parts: &[&str],
    record: &Arc<Source>,
    names: &BTreeSet<String>,
    texts: &Texts,
) -> Result<(Vec<String>, Vec<Finding>), NoRecord> {
    let (mut gone, mut findings) = (Vec::new(), Vec::new());
    // In a revision, a change that was under way stays unfinished.
    if let State::Settled(read) = State::read(record.text())? {
        for part in parts {
            let is_there = |path: &str| Ok::<_, NoRecord>(names.contains(path));
            let before = record.name.strip_suffix(record::FILE).unwrap_or_default();
            let names = |path: &str| {
                let is_read = Path::new(path).starts_with(part);
                Vec::from_iter(is_read.then(|| format!("{before}{path}")))
            };
            let paths = missing(&names, &read, is_there, texts)?;
            findings.extend(findings_of(part, &paths, record, HELP_OF_REVISION));
            gone.extend(paths);
        }
    }
    Ok((gone, findings))
}

/// The findings about missing files of a part: one for roles, one for others.
fn findings_of<'a>(
    part: &'a str,
    paths: &[String],
    record: &'a Arc<Source>,
    help: &'a str,
) -> impl Iterator<Item = Finding> + use<'a> {
    let (roles, others): (Vec<&String>, Vec<&String>) =
        paths.iter().partition(|path| is_role(path));
    let of = |paths: &[&String]| finding_of(part, paths, record, help);
    [of(&roles), of(&others)].into_iter().flatten()
}

/// The names of the files of roles that are as an import made them of a tenant.
fn roles_of_tenant(places: &Places, record: &Record, texts: &Texts) -> Vec<String> {
    let files = record.files.iter();
    let roles = files.filter(|(path, file)| is_role(path) && file.origin == Origin::Tenant);
    let roles = roles.flat_map(|(path, file)| {
        let names = names(places, path).into_iter();
        names.map(|name| (name, file.digest))
    });
    let roles: BTreeMap<String, Hash> = roles.collect();
    let is_as_written = |source: &&Arc<Source>| {
        let written = roles.get(&source.name);
        written.is_some_and(|written| *written == record::digest(source.text()))
    };
    let as_written = texts.policies.iter().filter(is_as_written);
    as_written.map(|source| source.name.clone()).collect()
}

/// The names by which a file of the record is read; none if it is not read.
fn names(places: &Places, path: &str) -> Vec<String> {
    let names = places.iter().filter_map(|(within, place)| {
        let below = Path::new(path).strip_prefix(within).ok()?;
        // With nothing, a slash would be added.
        let is_it = below.as_os_str().is_empty();
        Some(shown(&if is_it {
            place.clone()
        } else {
            place.join(below)
        }))
    });
    names.collect()
}

fn is_role(path: &str) -> bool {
    ROLES.iter().any(|folder| path.starts_with(folder))
}

/// The places in a workspace that a part is read from, each with the path by which it is read.
type Places = BTreeMap<PathBuf, PathBuf>;

/// The parts, each with the workspaces that it is read from.
fn recorded(layout: &Layout) -> Result<BTreeMap<(&'static str, PathBuf), Places>, Unreadable> {
    let named = [&layout.entities, &layout.policies, &layout.schema];
    let mut recorded: BTreeMap<(&str, PathBuf), Places> = BTreeMap::new();
    for (part, named) in PARTS.into_iter().zip(named) {
        if named.is_empty() {
            // It may be a link: the record beside it counts nevertheless.
            let places = recorded.entry((part, layout.root.clone())).or_default();
            places.insert(part.into(), layout.root.join(part));
        }
    }
    for Place { part, path, real } in places::of(layout)? {
        // Of a folder that is linked file by file, a missing file has no link.
        let is_within = path.is_symlink() && !named.iter().any(|named| named.contains(&path));
        if is_within
            && real.is_file()
            && let (Some(around), Some(real)) = (path.parent(), real.parent())
        {
            for Owner { root, within } in places::owners(real) {
                let places = recorded.entry((part, root)).or_default();
                places.entry(within).or_insert_with(|| around.to_owned());
            }
        }
        for Owner { root, within } in places::owners(&real) {
            // By the path that was given, if it leads there, so that its files have the names that are told.
            let given = path.ancestors().nth(within.iter().count());
            let given = given.filter(|_| path.ends_with(&within));
            let root = match given {
                Some(given) if places::real(given)? == root => given.to_owned(),
                _ => root,
            };
            let places = recorded.entry((part, root)).or_default();
            places.insert(within, path.clone());
        }
    }
    Ok(recorded)
}

/// Whether anything exists at a path.
fn is_there(place: &Path) -> Result<bool, Unreadable> {
    match place.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(error) if is_absent(&error) => Ok(false),
        Err(error) => Err(unreadable(place, &error.to_string(), None)),
    }
}

/// The recorded files that are read and missing, or that have no policies any more. `names` gives the names by which a
/// file is read.
fn missing<E>(
    names: &dyn Fn(&str) -> Vec<String>,
    record: &Record,
    is_there: impl Fn(&str) -> Result<bool, E>,
    texts: &Texts,
) -> Result<Vec<String>, E> {
    let mut missing = Vec::new();
    let policies = texts.policies.iter();
    let emptied = policies.filter(|source| has_only_comments(source.text()));
    let emptied: HashSet<String> = emptied.map(|source| plain(&source.name)).collect();
    let rules = RulesInForce::of(texts);
    for path in record.files.keys() {
        let names = names(path);
        if names.is_empty() || path.ends_with(".md") || record.is_removed(path) {
            continue;
        }
        let is_emptied = names.iter().any(|name| emptied.contains(&plain(name)));
        if !is_there(path)? || is_emptied || rules.lack_all_of(path, &names) {
            missing.push(path.clone());
        }
    }
    if !missing.is_empty() {
        let sources = texts.policies.iter().chain(&texts.schema);
        let in_force: HashSet<Hash> = sources
            .map(|source| record::digest(source.text()))
            .collect();
        missing.retain(|path| {
            let written = record.files.get(path);
            written.is_none_or(|written| !in_force.contains(&written.digest))
        });
    }
    Ok(missing)
}

/// The policies that are in force, as far as it shows in their texts.
struct RulesInForce<'t> {
    texts: &'t Texts,
    ids: OnceCell<HashSet<&'t str>>,
}

impl<'t> RulesInForce<'t> {
    fn of(texts: &'t Texts) -> Self {
        Self {
            texts,
            ids: OnceCell::new(),
        }
    }

    /// Whether a file ships, and none of its policies is in force, nor one that says that it is in the place of one.
    /// `names` are those by which the file is read.
    fn lack_all_of(&self, path: &str, names: &[String]) -> bool {
        let policies = &self.texts.policies;
        let names: Vec<String> = names.iter().map(|name| plain(name)).collect();
        let is_it = |source: &&Arc<Source>| names.contains(&plain(&source.name));
        let mut files = self.texts.shipped.files().iter();
        let Some(shipped) = files.find(|file| file.path == path) else {
            return false;
        };
        let is_as_shipped = |source: &Arc<Source>| source.text() == shipped.text;
        let ids: Vec<&str> = ids_in(&shipped.text).collect();
        if ids.is_empty() || policies.iter().any(is_as_shipped) {
            return false;
        }
        let in_force = self.ids.get_or_init(|| {
            let texts = policies.iter();
            texts.flat_map(|source| ids_in(source.text())).collect()
        });
        let mut changed = policies.iter().filter(is_it);
        let mut is_replaced = || changed.any(|source| replaces_any(source, &ids));
        !ids.iter().any(|id| in_force.contains(id)) && !is_replaced()
    }
}

/// A name with the separator of the record, whatever that of the system is.
fn plain(name: &str) -> String {
    name.replace('\\', "/")
}

/// Whether a policy file has no policies.
fn has_only_comments(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    lines.all(|line| line.is_empty() || line.starts_with("//"))
}

fn is_absent(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

/// The finding about missing files of a part, if there are any.
fn finding_of(part: &str, paths: &[&String], record: &Arc<Source>, help: &str) -> Option<Finding> {
    let first = paths.first()?;
    let may_forbid = part != "entities" && !is_role(first);
    let message = match paths.len() {
        1 => format!("tarbac wrote `{first}`, and it is gone, empty or overwritten"),
        count => format!(
            "tarbac wrote {}, and these {count} are gone, empty or overwritten",
            listed(paths)
        ),
    };
    let finding = match may_forbid {
        true => Finding::error(code::workspace::GONE, message),
        false => Finding::warning(code::workspace::GONE, message),
    };
    let quoted = format!("\"{first}\"");
    let at = record.text().find(&quoted).unwrap_or_default();
    let place = source::Place::new(record, at..at + quoted.len());
    Some(finding.label(place, "written by init or import").help(help))
}

/// The help for a workspace.
const HELP: &str = "put back what git has, or import again with `--take PATH`; a policy in the place of others names them in its `@changed(\"…\")`; what was removed on purpose stands in a list \"removed\" of tarbac-files.json, as a file or a folder such as \"policies/roles/\"";

/// The help for a revision, which cannot be changed.
const HELP_OF_REVISION: &str = "take a revision that has it; what was removed on purpose stands in a list \"removed\" of the tarbac-files.json of the revision";

fn listed(paths: &[&String]) -> String {
    let (first, more) = paths.split_at(paths.len().min(LISTED));
    let first: Vec<String> = first.iter().map(|path| format!("`{path}`")).collect();
    match more.len() {
        0 => first.join(", "),
        count => format!("{} and {count} more", first.join(", ")),
    }
}
