//! The draft of an import: its files, compared with the workspace and validated.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::Source;
use tarbac_host::record::{self, KeptFile, Origin, Record, Refresh, Situation, Step, WrittenFile};
use tarbac_host::workspace::{Draft, PARTS, examine, files_in, found};
use tarbac_host::{Layout, Switches};
use tarbac_tenant::import;
use tarbac_tenant::import::Imported;

use super::super::starters;
use super::ImportArgs;
use crate::failure::{Failure, ShellError};
use crate::output::waiting;
use crate::product;

/// Writes the files into a draft, and compares them with the workspace.
pub(super) fn prepare(
    imported: &Imported,
    draft: &Draft,
    record: Option<&Record>,
    arguments: &ImportArgs,
    out: &Path,
) -> Result<Refresh, Failure> {
    let failed = |error| ShellError::file("write into", out, error);
    let bar = waiting("writing");
    let create = |path: &str| {
        bar.set_message(format!("writing {path}"));
        let file = bar.wrap_write(draft.create(path)?);
        Ok(BufWriter::with_capacity(1 << 18, file))
    };
    imported.write(create).map_err(failed)?;
    bar.finish_and_clear();
    let new = new_record(imported, draft);
    let before = record.iter().flat_map(|record| record.files.keys());
    let known: BTreeSet<&String> = before.chain(new.files.keys()).collect();
    let take = taken(&arguments.take, &known)?;
    let there = files_in(out, &PARTS, &known)
        .map_err(|error| ShellError::file("read what is in", out, error))?;
    let mut refresh = Refresh::new(&Situation {
        record,
        found: &there,
        new: &new,
        present: imported.present(),
        nothing: record::digest(import::NOTHING),
        is_partial: imported.is_partial(),
        take: &take,
        adopt: arguments.force,
        has_shipped: &product::shipped_before_records,
    });
    // The draft shows the current text of files that stay.
    let stays = refresh.kept.iter().chain(&refresh.conflicts);
    for KeptFile { path, .. } in stays.filter(|kept| new.files.contains_key(&kept.path)) {
        draft.forget(path).map_err(failed)?;
    }
    let is_removed = |path: &&String| !refresh.removed.contains(path);
    draft
        .show(out, there.keys().filter(is_removed))
        .map_err(failed)?;
    if record.is_none() {
        add_first_files(draft, &mut refresh, out).map_err(failed)?;
    }
    Ok(refresh)
}

/// The record of an import whose files are in a draft.
fn new_record(imported: &Imported, draft: &Draft) -> Record {
    let shipped = product::rules();
    let shipped: BTreeMap<&str, blake3::Hash> = shipped
        .files()
        .iter()
        .map(|file| (file.path.as_str(), record::digest(&file.text)))
        .collect();
    let files = draft.digests().into_iter().map(|(path, digest)| {
        let origin = match shipped.get(path.as_str()) == Some(&digest) {
            true => Origin::Shipped,
            false => Origin::Tenant,
        };
        (path, WrittenFile { origin, digest })
    });
    Record {
        files: files.collect(),
        exports: imported.exports().clone(),
        ..Record::default()
    }
}

/// The paths of `--take` in the form of the record.
fn taken(named: &[String], known: &BTreeSet<&String>) -> Result<Vec<String>, Failure> {
    let paths = named.iter().map(|named| {
        let path = named.replace('\\', "/");
        let path = path.trim_start_matches("./").trim_end_matches('/');
        let is_in = |known: &&&String| {
            let rest = known.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match known.iter().any(|known| is_in(&known)) {
            true => Ok(path.to_owned()),
            false => Err(ShellError::Arguments {
                message: format!("nothing was imported: an import writes no file `{named}`"),
                help: Some(
                    "give a path within the workspace, as policies/custom/script-runner.cedar"
                        .to_owned(),
                ),
            }
            .into()),
        }
    });
    paths.collect()
}

/// Adds the first files of a repository that do not exist.
fn add_first_files(draft: &Draft, refresh: &mut Refresh, out: &Path) -> io::Result<()> {
    let ignored = tarbac_host::bundle::TextFile {
        path: ".gitignore".to_owned(),
        text: starters::gitignore(""),
    };
    let has_suites = out.join("tests").symlink_metadata().is_ok();
    let files = starters::without_rules().into_iter().chain([ignored]);
    for file in files.filter(|file| !has_suites || !file.path.starts_with("tests/")) {
        if found(out, &file.path)?.is_some() {
            continue;
        }
        draft.create(&file.path)?.write_all(file.text.as_bytes())?;
        refresh.steps.push(Step {
            path: file.path.clone(),
            before: None,
            after: Some(record::digest(&file.text)),
        });
        refresh.added.push(file.path);
    }
    refresh.added.sort();
    Ok(())
}

/// Refuses a workspace that would have errors.
pub(super) fn check(draft: &Draft, refresh: &Refresh, out: &Path) -> Result<(), Failure> {
    let bar = waiting("validating");
    let examination = examine(
        &Layout::new(draft.folder(), product::rules()),
        &Switches::default(),
    )?;
    bar.finish_and_clear();
    if examination.engine.is_some() {
        return Ok(());
    }
    let is_theirs = refresh.kept.is_empty();
    let so = match is_theirs {
        true => "The exports make a workspace with errors, so it was not written.",
        false => {
            "The exports and the files that are kept make a workspace with errors, so nothing was written."
        }
    };
    let findings = examination.findings.into_iter();
    let findings = findings.map(|finding| relocated(finding, draft.folder(), out));
    Err(Failure::Invalid(findings.collect(), so))
}

/// A finding with the paths of the workspace instead of the draft.
fn relocated(mut finding: Finding, from: &Path, to: &Path) -> Finding {
    let name = |path: &Path| path.to_string_lossy().replace('\\', "/");
    let (from, to) = (name(from), name(to));
    for label in &mut finding.labels {
        let source = &label.place.source;
        if let Some(rest) = source.name.strip_prefix(&from) {
            label.place.source = Arc::new(Source {
                name: format!("{to}{rest}"),
                text: source.text.clone(),
            });
        }
    }
    finding
}
