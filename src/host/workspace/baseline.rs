//! The baseline of a comparison: another workspace, a policy folder or a revision of git.

use std::path::Path;
use std::sync::Arc;

use super::consistent_read::{consistently, finished_change};
use super::folders::{files, is_folder, metadata};
use super::git::is_commit;
use super::revision::{of_revision, revision};
use super::rule_files::texts;
use super::{Layout, LoadError, LoadOptions, Unreadable, examine_by, gone, unreadable};
use crate::assembly::{self, Examination};
use crate::bundle::{Switches, Texts};
use tarbac_diagnostic::finding::{self, Finding};

/// The policies and schema of an earlier state.
#[derive(Debug)]
pub struct Baseline {
    /// The texts; without a schema in the earlier state, with that of the workspace.
    pub texts: Texts,
    /// Whether the schema is that of the earlier state.
    pub has_own_schema: bool,
    /// Whether the earlier state has neither policies nor schema of its own, so that only the rules that ship are in
    /// force.
    pub is_bare: bool,
    /// Findings about the earlier state.
    pub findings: Vec<Finding>,
}

/// Reads the earlier state that a workspace is compared with.
///
/// A folder with `policies/`, `schema/` or `entities/` is a workspace; another folder, or a file, contains policies;
/// any other name is a revision of the git repository around the workspace.
///
/// # Errors
/// A file cannot be read, a manifest is wrong, or there is no such revision.
pub fn earlier(layout: &Layout, old: &str) -> Result<Baseline, LoadError> {
    let Some(of) = on_disk(layout, old)? else {
        return of_revision(layout, old);
    };
    let has_own_schema = of.policies.is_empty();
    let has = |part: &str| of.root.join(part).is_dir();
    let (texts, findings) = consistently(&of, |finished| {
        let texts = texts(&of, &mut Vec::new())?;
        let mut findings = gone::find(&of, &texts)?.findings;
        findings.extend(finished_change(finished));
        Ok::<_, LoadError>((texts, findings))
    })?;
    Ok(Baseline {
        is_bare: has_own_schema && !has("policies") && !has("schema"),
        texts,
        has_own_schema,
        findings,
    })
}

/// The layout of a state on disk: another workspace, or this one with other policies. `None` if there is no such file
/// or folder; the name may be a revision.
///
/// # Errors
/// The name is also that of a revision, or there are no policies.
fn on_disk(layout: &Layout, name: &str) -> Result<Option<Layout>, Unreadable> {
    let path = Path::new(name);
    if !may_be_on_disk(path) || metadata(path)?.is_none() {
        return Ok(None);
    }
    if is_commit(layout, name) {
        let help = format!("say `./{name}` for the one, or `refs/heads/{name}` for the other");
        let reason = "it is there, and a revision of git has the same name";
        return Err(unreadable(path, reason, Some(&help)));
    }
    for part in ["entities", "policies", "schema"] {
        if path.is_dir() && is_folder(&path.join(part))? {
            return Ok(Some(Layout::new(path, Arc::clone(&layout.shipped))));
        }
    }
    let policies = vec![path.to_owned()];
    let found = files(&policies, path, &["cedar"], &mut Vec::new())?;
    if found.is_empty() {
        return Err(wrong(name, "it is a folder without policies"));
    }
    Ok(Some(Layout {
        policies,
        ..layout.clone()
    }))
}

/// Whether a name can be that of a file. The name of a revision may begin with the name of a file, or be too long for
/// one.
fn may_be_on_disk(path: &Path) -> bool {
    use std::io::ErrorKind::{InvalidFilename, NotADirectory};
    let error = std::fs::symlink_metadata(path).err();
    error.is_none_or(|error| !matches!(error.kind(), NotADirectory | InvalidFilename))
}

/// Whether a state is complete by itself, as another workspace or a revision is, and uses nothing of this workspace.
///
/// # Errors
/// Those of [`state`].
pub fn stands_alone(layout: &Layout, name: &str) -> Result<bool, Unreadable> {
    let of = on_disk(layout, name)?;
    Ok(of.is_none_or(|of| of == Layout::new(name, Arc::clone(&layout.shipped))))
}

/// Examines another state of a workspace. A workspace or a revision comes with its own entities; policies alone are
/// joined with the entities of this workspace.
///
/// # Errors
/// A file cannot be read, there is no such revision, or a switch names a reading that does not exist.
pub fn state(
    layout: &Layout,
    name: &str,
    switches: &Switches,
    options: &LoadOptions,
) -> Result<Examination, LoadError> {
    match on_disk(layout, name)? {
        Some(of) => examine_by(&of, switches, options),
        None => match revision(layout, name) {
            Err(LoadError::Invalid(findings)) => Ok(Examination::without_rules(findings)),
            revision => {
                let (texts, entities, findings) = revision?;
                let mut examination = assembly::examine(&texts, entities, switches)?;
                examination.findings.extend(findings);
                finding::sort(&mut examination.findings);
                Ok(examination)
            }
        },
    }
}

pub(super) fn wrong(revision: &str, reason: &str) -> Unreadable {
    let help =
        "name a workspace, a folder or file of policies, or a revision of git such as HEAD or main";
    unreadable(Path::new(revision), reason, Some(help))
}
