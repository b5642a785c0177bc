//! The rules and entities of a workspace in a revision of git.

use std::collections::BTreeSet;
use std::io::Cursor;
use std::path::Path;

use super::baseline::{Baseline, wrong};
use super::git::{CommittedFile, files_of};
use super::rules::{self, RuleFiles};
use super::{Layout, LoadError, PARTS, Unreadable, astray, gone, manifest};
use crate::bundle::Texts;
use crate::record;
use tarbac_diagnostic::finding::{self, Finding};
use tarbac_diagnostic::source::Source;
use tarbac_store::Input;

/// The texts and entities of a workspace in a revision, with findings.
pub(super) fn revision(
    layout: &Layout,
    revision: &str,
) -> Result<(Texts, Vec<Input>, Vec<Finding>), LoadError> {
    let Committed { files, record } = committed(layout, revision, &PARTS)?;
    let names = names(&files);
    if files.is_empty() {
        let reason = "it has neither policies/ nor schema/ nor entities/ in this folder";
        return Err(wrong(revision, reason).into());
    }
    let (entities, texts): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|file| file.name.starts_with("entities/"));
    let (entities, others): (Vec<_>, Vec<_>) = entities
        .into_iter()
        .partition(|file| file.is_of("json") && !file.is_left_behind());
    let others = others
        .iter()
        .filter(|file| !file.is_no_matter(layout))
        .map(|file| format!("{revision}:{}", file.name));
    let others = astray::told(others);
    let entities = entities.into_iter();
    let entities = entities.map(|file| {
        let name = format!("{revision}:{}", file.name);
        let reader = Box::new(Cursor::new(file.content.clone()));
        let text = String::from_utf8_lossy(&file.content).into_owned();
        Input {
            source: Source::held(name, text),
            reader,
        }
    });
    let entities = entities.collect();
    let mut texts = texts_of(layout, revision, texts)?;
    texts.not_read.extend(others);
    let told = gone_of(revision, &PARTS, record, &names, &mut texts)?;
    Ok((texts, entities, told))
}

pub(super) fn names(files: &[CommittedFile]) -> BTreeSet<String> {
    files.iter().map(|file| file.name.clone()).collect()
}

/// The findings about missing files of these parts in a revision, as for files on disk.
pub(super) fn gone_of(
    revision: &str,
    parts: &[&str],
    record: Option<CommittedFile>,
    names: &BTreeSet<String>,
    texts: &mut Texts,
) -> Result<Vec<Finding>, LoadError> {
    let Some(record) = record else {
        return Ok(Vec::new());
    };
    let record = record.held(revision)?;
    let (missing, findings) = gone::look_in(parts, &record, names, texts).map_err(|error| {
        wrong(
            revision,
            &format!("of its file `{}`, {error}", record::FILE),
        )
    })?;
    if finding::any_error(&findings) {
        return Err(LoadError::Invalid(findings));
    }
    let missing = missing.iter().map(|path| format!("{revision}:{path}"));
    texts.missing.extend(missing);
    texts.not_read.extend(texts.missing.iter().cloned());
    Ok(findings)
}

/// The policies and schema of a workspace in a revision.
pub(super) fn of_revision(layout: &Layout, revision: &str) -> Result<Baseline, LoadError> {
    let parts = ["policies", "schema"];
    let Committed { files, record } = committed(layout, revision, &parts)?;
    let (names, is_bare) = (names(&files), files.is_empty());
    let mut texts = texts_of(layout, revision, files)?;
    let findings = gone_of(revision, &parts, record, &names, &mut texts)?;
    Ok(Baseline {
        is_bare,
        texts,
        has_own_schema: true,
        findings,
    })
}

/// The files of some parts of a workspace in a revision.
pub(super) struct Committed {
    files: Vec<CommittedFile>,
    /// The record of the workspace.
    record: Option<CommittedFile>,
}

/// The files of some parts of a workspace in a revision, with the record.
pub(super) fn committed(
    layout: &Layout,
    revision: &str,
    parts: &[&str],
) -> Result<Committed, Unreadable> {
    let with_record = [parts, &[record::FILE]].concat();
    let mut files = files_of(layout, revision, &with_record)?;
    let at = files.iter().position(|file| file.name == record::FILE);
    Ok(Committed {
        record: at.map(|at| files.swap_remove(at)),
        files,
    })
}

/// The texts of the rules in force in a revision with these policy and schema files.
pub(super) fn texts_of(
    layout: &Layout,
    revision: &str,
    files: Vec<CommittedFile>,
) -> Result<Texts, LoadError> {
    let (mut policies, mut schema) = (RuleFiles::default(), RuleFiles::default());
    let mut wrong = Vec::new();
    let mut not_read = Vec::new();
    let mut is_custom = true;
    for file in files {
        let folder = match file.name.starts_with("policies/") {
            true => "policies",
            false => "schema",
        };
        let part = match folder {
            "policies" => &mut policies,
            _ => &mut schema,
        };
        if manifest::is_called(Path::new(&file.name)) {
            if file.name != format!("{folder}/{}", manifest::NAME) {
                let name = format!("{revision}:{}", file.name);
                wrong.push(manifest::misplaced(&name, folder));
                continue;
            }
            match manifest::replaces(&file.held(revision)?) {
                Ok(replaces) => part.replaces |= replaces,
                Err(finding) => wrong.push(finding),
            }
            continue;
        }
        let list = match folder {
            _ if file.is_no_matter(layout) => continue,
            "policies" if file.is_of("cedar") => &mut part.sources,
            "policies" if file.is_of("json") => &mut part.links,
            "schema" if file.is_schema() => {
                is_custom &= file.name.starts_with("schema/custom/");
                &mut part.sources
            }
            _ => {
                not_read.push(format!("{revision}:{}", file.name));
                continue;
            }
        };
        list.push(file.held(revision)?);
    }
    if !wrong.is_empty() {
        return Err(LoadError::Invalid(wrong));
    }
    schema.is_custom = is_custom;
    let mut texts = rules::in_force(policies, schema, &layout.shipped);
    texts.not_read = astray::told(not_read.into_iter());
    Ok(texts)
}
