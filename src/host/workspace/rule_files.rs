//! The policy and schema files of a workspace.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::consistent_read::{consistently, finished_change};
use super::folders::files;
use super::rules::{self, RuleFiles};
use super::text::held;
use super::{Layout, LoadError, Unreadable, Workspace, checkout, gone, manifest, places};
use crate::assembly;
use crate::bundle::{Switches, Texts};
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::{Source, shown};

/// The texts of the rules in force in a workspace.
///
/// # Errors
/// A file cannot be read or is not on disk, or a manifest is wrong.
pub(super) fn texts(layout: &Layout, passed_over: &mut Vec<PathBuf>) -> Result<Texts, LoadError> {
    let incomplete = checkout::incomplete(&places::of(layout)?)?;
    if !incomplete.is_empty() {
        return Err(LoadError::Invalid(incomplete));
    }
    let policies = part(
        &layout.policies,
        &layout.root.join("policies"),
        &["cedar", "json"],
        passed_over,
    )?;
    let schema = part(
        &layout.schema,
        &layout.root.join("schema"),
        &["cedarschema", "json"],
        passed_over,
    )?;
    Ok(rules::in_force(policies, schema, &layout.shipped))
}

/// The files of one part of a workspace, policies or schema, with their manifests.
pub(super) fn part(
    named: &[PathBuf],
    default: &Path,
    extensions: &[&str],
    passed_over: &mut Vec<PathBuf>,
) -> Result<RuleFiles, LoadError> {
    let mut others = Vec::new();
    let paths = files(named, default, extensions, &mut others)?;
    let default = [default.to_owned()];
    let folders = match named {
        [] => &default,
        named => named,
    };
    let mut part = RuleFiles {
        is_custom: !paths.is_empty()
            && paths.iter().all(|path| {
                let within = folders.iter().find_map(|root| path.strip_prefix(root).ok());
                within.is_some_and(|within| within.starts_with("custom"))
            }),
        ..RuleFiles::default()
    };
    let mut wrong = Vec::new();
    for path in others {
        if !manifest::is_called(&path) {
            passed_over.push(path);
            continue;
        }
        let root = folders.iter().find(|root| path.starts_with(root));
        let root = root.map_or(path.as_path(), PathBuf::as_path);
        if !folders.iter().any(|root| path == root.join(manifest::NAME)) {
            wrong.push(manifest::misplaced(&shown(&path), &shown(root)));
            continue;
        }
        match manifest::replaces(&held(&path)?) {
            Ok(replaces) => part.replaces |= replaces,
            Err(finding) => wrong.push(finding),
        }
    }
    if !wrong.is_empty() {
        return Err(LoadError::Invalid(wrong));
    }
    for path in paths {
        let source = held(&path)?;
        // A schema may be in JSON.
        match is_json(&path) && extensions.contains(&"cedar") {
            true => part.links.push(source),
            false => part.sources.push(source),
        }
    }
    Ok(part)
}

/// Loads the policies and schema of a workspace, without its entities.
///
/// # Errors
/// Those of [`Workspace::load`].
pub fn rules(layout: &Layout, switches: &Switches) -> Result<Workspace, LoadError> {
    consistently(layout, |finished| {
        let mut texts = texts(layout, &mut Vec::new())?;
        texts.missing = gone::find(layout, &texts)?.names;
        texts.not_read.clone_from(&texts.missing);
        let mut examination = assembly::examine(&texts, Vec::new(), switches)?;
        examination.findings.extend(finished_change(finished));
        Workspace::from_examination(examination)
    })
}

/// The policy files of a workspace without the rules that ship, for use without a schema; and the finding about an
/// interrupted change that was completed, if there was one.
///
/// # Errors
/// A file cannot be read.
pub fn own_policies(layout: &Layout) -> Result<(Texts, Option<Finding>), Unreadable> {
    consistently(layout, |finished| {
        Ok((own_policies_once(layout)?, finished_change(finished)))
    })
}

pub(super) fn own_policies_once(layout: &Layout) -> Result<Texts, Unreadable> {
    let mut texts = Texts::default();
    let folder = layout.root.join("policies");
    for path in files(
        &layout.policies,
        &folder,
        &["cedar", "json"],
        &mut Vec::new(),
    )? {
        let source = held(&path)?;
        match is_json(&path) {
            true => texts.links.push(source),
            false => texts.policies.push(source),
        }
    }
    Ok(texts)
}

pub(super) fn is_json(path: &Path) -> bool {
    let extension = path.extension();
    extension.is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// The policy files of a workspace with their texts, for rewriting them; empty if only the rules that ship are used.
/// And the finding about an interrupted change that was completed, if there was one.
///
/// # Errors
/// A file cannot be read.
pub fn policy_files(layout: &Layout) -> Result<(Vec<PolicyFile>, Option<Finding>), Unreadable> {
    consistently(layout, |finished| {
        Ok((policy_files_once(layout)?, finished_change(finished)))
    })
}

/// The path of a policy file, and its text.
pub type PolicyFile = (PathBuf, Arc<Source>);

pub(super) fn policy_files_once(layout: &Layout) -> Result<Vec<PolicyFile>, Unreadable> {
    let folder = layout.root.join("policies");
    files(&layout.policies, &folder, &["cedar"], &mut Vec::new())?
        .into_iter()
        .filter(|path| !is_json(path))
        .map(|path| {
            let source = held(&path)?;
            Ok((path, source))
        })
        .collect()
}
