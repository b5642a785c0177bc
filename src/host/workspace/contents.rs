//! The files that make up a workspace, for a copy of it elsewhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::consistent_read::consistently;
use super::folders::files;
use super::{Layout, LoadError, gone, manifest, rule_files, transaction, unreadable};
use crate::record::Origin;
use tarbac_diagnostic::source::{Source, shown};

/// The text of a manifest by which a folder stands alone.
const ALONE: &str = "replaces: shipped\n";

/// The folder for rules that ship.
const SHIPPED: &str = "shipped";

/// A file of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartFile {
    /// The path, with `/` between its parts, for example `entities/people.json`.
    pub path: String,
    /// Whether it describes a tenant: entities, and the rules that an import made and nobody changed.
    pub is_of_tenant: bool,
    /// The content.
    pub content: PartContent,
}

/// The content of a file of a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartContent {
    /// That of a file.
    OnDisk(PathBuf),
    /// A text, of a rule that ships or a manifest.
    Text(String),
}

/// The files that a workspace is read from, along with the rules in force that ship. Put together in another folder they
/// have the same revision, by whichever program they are read.
///
/// # Errors
/// A file cannot be read, or the rules in force are not known.
pub fn contents(layout: &Layout) -> Result<Vec<PartFile>, LoadError> {
    consistently(layout, |_| contents_once(layout))
}

fn contents_once(layout: &Layout) -> Result<Vec<PartFile>, LoadError> {
    let texts = rule_files::texts(layout, &mut Vec::new())?;
    gone::find(layout, &texts)?;
    let record = transaction::record_of(&layout.root)?.map(|(record, _)| record);
    let mut found = Vec::new();
    let parts: [(&str, &[PathBuf], &[&str], &[_]); 3] = [
        ("entities", &layout.entities, &["json"], &[]),
        (
            "policies",
            &layout.policies,
            &["cedar", "json"],
            &texts.policies,
        ),
        (
            "schema",
            &layout.schema,
            &["cedarschema", "json"],
            &texts.schema,
        ),
    ];
    for (part, named, extensions, in_force) in parts {
        let default = layout.root.join(part);
        let mut known = BTreeSet::new();
        for path in files(named, &default, extensions, &mut Vec::new())? {
            let name = within(&path, named, &default)?;
            let name = unique(&mut known, part, &name);
            let written = record.as_ref().and_then(|record| record.files.get(&name));
            let written = written.filter(|_| named.is_empty() && part == "policies");
            let is_made = written.is_some_and(|written| {
                written.origin == Origin::Tenant && has_digest(&path, written)
            });
            found.push(PartFile {
                is_of_tenant: part == "entities" || is_made,
                path: name,
                content: PartContent::OnDisk(path),
            });
        }
        let shipped = in_force
            .iter()
            .filter(|source| layout.shipped.holds(source));
        found.extend(shipped.map(|source| shipped_file(part, source)));
        if part != "entities" {
            found.push(PartFile {
                path: format!("{part}/{}", manifest::NAME),
                is_of_tenant: false,
                content: PartContent::Text(ALONE.to_owned()),
            });
        }
    }
    found.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(found)
}

fn has_digest(path: &Path, written: &crate::record::WrittenFile) -> bool {
    let text = super::text::held(path);
    text.is_ok_and(|source| crate::record::digest(source.text()) == written.digest)
}

fn shipped_file(part: &str, source: &Source) -> PartFile {
    let name = source.name.split_once(&format!("/{part}/"));
    let name = name.map_or(source.name.as_str(), |(_, name)| name);
    PartFile {
        path: format!("{part}/{SHIPPED}/{name}"),
        is_of_tenant: false,
        content: PartContent::Text(source.text().to_owned()),
    }
}

/// The path of a file within its part of a workspace.
fn within(path: &Path, named: &[PathBuf], default: &Path) -> Result<String, LoadError> {
    let mut roots = named.iter().map(PathBuf::as_path).chain([default]);
    let within = roots.find_map(|root| {
        path.strip_prefix(root)
            .ok()
            .filter(|rest| rest.file_name().is_some())
    });
    let within = within
        .or_else(|| path.file_name().map(Path::new))
        .unwrap_or(path);
    let parts: Option<Vec<&str>> = within
        .components()
        .map(|part| part.as_os_str().to_str())
        .collect();
    parts.map(|parts| parts.join("/")).ok_or_else(|| {
        let reason = format!("the name of `{}` is not UTF-8", shown(path));
        unreadable(path, &reason, None).into()
    })
}

/// A path that no file before has: files of several folders may have one name.
fn unique(known: &mut BTreeSet<String>, part: &str, name: &str) -> String {
    let mut path = format!("{part}/{name}");
    let mut number = 1;
    while !known.insert(path.to_lowercase()) {
        number += 1;
        path = format!("{part}/{number}/{name}");
    }
    path
}
