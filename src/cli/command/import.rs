//! `tarbac import`: makes a workspace of the exports of a live tenant, or refreshes one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;
use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::Source;
use tarbac_host::record::{self, Kept, Origin, Record, Refresh, Situation, Step, Written};
use tarbac_host::workspace::{
    Draft, PARTS, Transaction, examine, files_in, found, is_workspace, recorded,
};
use tarbac_host::{Engine, Layout, Switches, assembly};
use tarbac_report as render;
use tarbac_report::import::Change;
use tarbac_tenant::import;
use tarbac_tenant::import::{Imported, Report};
use thiserror::Error;

use super::exports_in;
use super::starters;
use crate::arguments::format::format_among;
use crate::arguments::{Format, GlobalArgs};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{self, Output, bytes, waiting};
use crate::product;

/// Make a workspace of the exports of a live tenant.
///
/// EXPORTS is a folder with files that were exported from Microsoft Graph, Configuration Manager and
/// the admin center; --how lists them and how to get each. JSON, one document, several or one a line,
/// plain or compressed with gzip. The workspace has the people, groups, roles, hierarchies and devices
/// of the tenant, a copy of the rules in which built-in roles are as the tenant has them, and a file
/// for each custom role.
///
/// What the exports do not say gives nobody anything, and is said: what could not be joined, what was
/// assumed, and what is worth a look. The workspace is written whole or not at all.
///
/// A workspace that is there is refreshed: files that an import wrote, by the record tarbac-files.json, and
/// none that somebody wrote or changed. Where the exports have something new for a file that somebody has
/// changed, nothing is imported, and the files are named. The same where a whole export is missing that the last
/// import read, or nothing would be left of a kind of data: put the files of a refresh over those of the last
/// one, or say --drop-missing.
///
/// Exit status: 0 imported, 2 an export is refused or missing, somebody's changes are in the way, or the
/// workspace cannot be written.
#[derive(Debug, Args)]
#[command(arg = format_among(&[Format::Human, Format::Json, Format::Markdown])
    .help("Write the answer for people or for programs; markdown with --how only"), after_help = "\
Examples:
  tarbac import --how
  tarbac import --how --script > collect.ps1
  tarbac import exports --out contoso
  tarbac import exports --out contoso --dry-run
  tarbac import exports --out contoso --take policies/custom/script-runner.cedar
  tarbac import exports --out contoso --format json > report.json
  tarbac help importing                    the page on imports")]
pub(crate) struct ImportArgs {
    /// The folder of exports.
    #[arg(required_unless_present = "how")]
    pub exports: Option<PathBuf>,

    /// Write the workspace into this folder.
    #[arg(long, value_name = "DIR", required_unless_present = "how")]
    pub out: Option<PathBuf>,

    /// Show what would be added, changed and removed, and write nothing.
    #[arg(long)]
    pub dry_run: bool,

    /// Write this file or folder of the workspace as the import has it, although somebody has changed it;
    /// repeatable.
    #[arg(long, value_name = "PATH")]
    pub take: Vec<String>,

    /// Take the entities of a workspace without tarbac-files.json for those of an import, and replace them.
    #[arg(long)]
    pub force: bool,

    /// Import although data that the workspace has are in the exports no more: they are removed.
    #[arg(long)]
    pub drop_missing: bool,

    /// The moment at which eligible memberships are looked at, instead of the present: one that has ended by
    /// then or not begun is none.
    #[arg(long, value_name = "DATETIME", value_parser = moment)]
    pub now: Option<Timestamp>,

    /// List every name in the report.
    #[arg(long)]
    pub all: bool,

    /// List the files of an export with the call that gives each, and import nothing.
    #[arg(long, conflicts_with_all = ["exports", "out", "dry_run", "take", "force", "drop_missing", "now", "all"])]
    pub how: bool,

    /// Write the script of PowerShell that collects them.
    #[arg(long, requires = "how")]
    pub script: bool,
}

/// The value of `--now` is no timestamp.
#[derive(Debug, Clone, Copy, Error)]
#[error("it is no moment; write it as 2026-11-23T08:05:00Z")]
struct NoTimestamp;

fn moment(text: &str) -> Result<Timestamp, NoTimestamp> {
    tarbac_tenant::exports::moment(text).ok_or(NoTimestamp)
}

/// How many files that are in the way are listed.
const LISTED: usize = 20;

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &ImportArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (Some(exports), Some(out)) = (&arguments.exports, &arguments.out) else {
        output.write(&match global.format {
            _ if arguments.script => render::import::script(),
            Format::Json => render::import::catalog_document(),
            Format::Markdown => render::import::catalog_markdown(),
            _ => render::import::catalog(),
        })?;
        return Ok(Exit::Yes);
    };
    look(out)?;
    #[expect(
        clippy::disallowed_methods,
        reason = "what is eligible depends on the time, which comes in here"
    )]
    let now = arguments.now.unwrap_or_else(Timestamp::now);
    let imported = read(exports, &shipped_engine()?, now)?;
    let (report, refresh) = match arguments.dry_run {
        true => try_out(imported, arguments, out)?,
        false => write(imported, arguments, out)?,
    };
    let change = Change {
        refresh: &refresh,
        is_tried: arguments.dry_run,
        is_refused: is_refused(&refresh, arguments),
    };
    output.write(&match global.format {
        Format::Json => render::import::document(&report, &change, out),
        _ => render::import::human(&report, &change, out, arguments.all, output.style()),
    })?;
    Ok(match change.is_refused {
        true => Exit::Unanswered,
        false => Exit::Yes,
    })
}

/// Whether something is in the way of writing.
fn is_refused(refresh: &Refresh, arguments: &ImportArgs) -> bool {
    let loses = !refresh.lost.is_empty() && !arguments.drop_missing;
    loses || !refresh.conflicts.is_empty()
}

/// Refuses a folder that is neither a workspace nor about to be one.
fn look(out: &Path) -> Result<(), Failure> {
    let refuse = |why: &str, help: String| {
        Err(ShellError::Arguments {
            message: format!("nothing was imported, because `{}` {why}", out.display()),
            help: Some(help),
        }
        .into())
    };
    let entries = match fs::read_dir(out) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !out.is_symlink() => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(ShellError::file("read", out, error).into());
        }
        Err(_) => {
            let help = "choose another one with --out".to_owned();
            return refuse("is no folder", help);
        }
    };
    let mut names = entries.flatten().map(|entry| entry.file_name());
    let is_repository = out.join(".git").exists();
    if is_workspace(out)
        || is_repository
        || names.all(|name| name.to_string_lossy().starts_with('.'))
    {
        return Ok(());
    }
    let help = format!(
        "choose another folder with --out, or begin with `tarbac init --bare {}`",
        out.display()
    );
    refuse("is there and is no workspace", help)
}

/// The policies and the schema that ship, without anybody in sight.
fn shipped_engine() -> Result<Engine, Failure> {
    let examination =
        assembly::examine(&product::rules().alone(), Vec::new(), &Switches::default())?;
    let so = "The policies that ship have errors.";
    examination
        .engine
        .ok_or(Failure::Invalid(examination.findings, so))
}

fn read(exports: &Path, shipped: &Engine, now: Timestamp) -> Result<Imported, Failure> {
    let bar = bytes("reading");
    let wrap = |file: File| Box::new(bar.wrap_read(file)) as Box<dyn Read + Send>;
    let files = exports_in(exports, wrap)?;
    bar.set_length(files.size().unwrap_or_default());
    let imported = import::import(&files, shipped, now);
    bar.finish_and_clear();
    Ok(imported?)
}

/// Finds out what would be written, and writes nothing.
fn try_out(
    imported: Imported,
    arguments: &ImportArgs,
    out: &Path,
) -> Result<(Report, Refresh), Failure> {
    let (record, finished) = recorded(out)?;
    finished.iter().for_each(output::warning);
    let draft = Draft::temporary()
        .map_err(|error| ShellError::file("make a folder in", &std::env::temp_dir(), error))?;
    let refresh = prepare(&imported, &draft, record.as_ref(), arguments, out)?;
    if !is_refused(&refresh, arguments) {
        check(&draft, &refresh, out)?;
    }
    Ok((imported.into_report(), refresh))
}

/// Writes the workspace, if it has no errors and nothing is in the way.
fn write(
    imported: Imported,
    arguments: &ImportArgs,
    out: &Path,
) -> Result<(Report, Refresh), Failure> {
    let wait = || {
        let text = format!("waiting: another program writes into {}\n", out.display());
        output::note(&text);
    };
    let transaction = Transaction::begin(out, wait)?;
    transaction.finished().into_iter().for_each(output::warning);
    let (draft, record) = (transaction.draft(), transaction.record());
    let refresh = prepare(&imported, draft, record, arguments, out)?;
    if !refresh.conflicts.is_empty() {
        return Err(in_the_way(&refresh.conflicts, record.is_some(), out));
    }
    if is_refused(&refresh, arguments) {
        return Err(loses(&refresh.lost, out));
    }
    check(draft, &refresh, out)?;
    transaction
        .commit(refresh.steps.clone(), refresh.record.clone())
        .map_err(|error| ShellError::file("write into", out, error))?;
    Ok((imported.into_report(), refresh))
}

/// Writes everything aside, and compares it with what is there.
fn prepare(
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
        (path, Written { origin, digest })
    });
    let new = Record {
        files: files.collect(),
        exports: imported.exports().clone(),
        ..Record::default()
    };
    let before = record.iter().flat_map(|record| record.files.keys());
    let known: BTreeSet<&String> = before.chain(new.files.keys()).collect();
    let take = taken(&arguments.take, &known)?;
    let there = files_in(out, &PARTS, &known)
        .map_err(|error| ShellError::file("read what is in", out, error))?;
    let mut refresh = Refresh::of(&Situation {
        record,
        found: &there,
        new: &new,
        is_expected: &|export| imported.is_of_tenant(export),
        nothing: record::digest(import::NOTHING),
        is_partial: imported.is_partial(),
        take: &take,
        adopt: arguments.force,
        has_shipped: &product::shipped_before_records,
    });
    // What is not written is seen as it is.
    let stays = refresh.kept.iter().chain(&refresh.conflicts);
    for Kept { path, .. } in stays.filter(|kept| new.files.contains_key(&kept.path)) {
        draft.forget(path).map_err(failed)?;
    }
    let is_removed = |path: &&String| !refresh.removed.contains(path);
    draft
        .show(out, there.keys().filter(is_removed))
        .map_err(failed)?;
    if record.is_none() {
        begin(draft, &mut refresh, out).map_err(failed)?;
    }
    Ok(refresh)
}

/// The paths of `--take`, as the record has them.
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

/// Adds what the repository of a tenant begins with, where nothing of it is there.
fn begin(draft: &Draft, refresh: &mut Refresh, out: &Path) -> io::Result<()> {
    let ignored = tarbac_host::bundle::File {
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
fn check(draft: &Draft, refresh: &Refresh, out: &Path) -> Result<(), Failure> {
    let bar = waiting("validating");
    let examination = examine(
        &Layout::of(draft.folder(), product::rules()),
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
    let findings = findings.map(|finding| placed(finding, draft.folder(), out));
    Err(Failure::Invalid(findings.collect(), so))
}

/// A finding at the places where the files will be.
fn placed(mut finding: Finding, from: &Path, to: &Path) -> Finding {
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

/// Says which data the workspace has that the exports have no more.
fn loses(lost: &[String], out: &Path) -> Failure {
    let mut lines: Vec<String> = lost
        .iter()
        .take(LISTED)
        .map(|lost| format!("  {}", render::import::lost(lost)))
        .collect();
    let more = lost.len().saturating_sub(LISTED);
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    ShellError::Arguments {
        message: format!(
            "nothing was imported into `{}`, because it has data that the exports lack, which would be removed:\n{}",
            out.display(),
            lines.join("\n")
        ),
        help: Some("put what is missing beside the other exports, anew or as it was exported last; where the tenant has it no more, --drop-missing removes it".to_owned()),
    }
    .into()
}

/// Says which files somebody has changed that were to be written.
fn in_the_way(conflicts: &[Kept], has_record: bool, out: &Path) -> Failure {
    let mut lines: Vec<String> = conflicts
        .iter()
        .take(LISTED)
        .map(|kept| format!("  {}: {}", kept.path, render::import::why(kept.why)))
        .collect();
    let more = conflicts.len().saturating_sub(LISTED);
    if more > 0 {
        lines.push(format!("  and {more} more"));
    }
    let is_adoption = |kept: &Kept| kept.path.starts_with("entities/");
    let help = match !has_record && conflicts.iter().all(is_adoption) {
        true => {
            "where they are those of an import that kept no record, --force replaces them; what else is in the workspace stays"
        }
        false => {
            "move what you wrote into a file of its own, or give up what is there with --take PATH; --dry-run shows everything"
        }
    };
    ShellError::Arguments {
        message: format!(
            "nothing was imported into `{}`, because it would overwrite what somebody wrote:\n{}",
            out.display(),
            lines.join("\n")
        ),
        help: Some(help.to_owned()),
    }
    .into()
}
