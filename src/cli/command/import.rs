//! `tarbac import`: a workspace from the exports of a live tenant, new or refreshed.

mod draft;
mod refusal;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use tarbac_host::record::Refresh;
use tarbac_host::workspace::{Draft, Transaction, is_workspace, recorded};
use tarbac_host::{Engine, Switches, assembly};
use tarbac_report as render;
use tarbac_report::import::ImportChanges;
use tarbac_tenant::exports::whole_collection;
use tarbac_tenant::import;
use tarbac_tenant::import::{ImportReport, Imported};
use thiserror::Error;

use super::{exports_in, starters};
use crate::arguments::format::format_among;
use crate::arguments::{Format, GlobalArgs};
use crate::clock;
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{self, Output, bytes};
use crate::product;
use draft::{check, prepare};
use refusal::{conflict_failure, loss_failure};

/// Make a workspace from the exports of a live tenant, or refresh one.
///
/// EXPORTS is a folder with files from Microsoft Graph, Configuration Manager and the admin center; --how lists them, with
/// the call for each. A file is JSON (one document, several, or one on each line), plain or compressed with gzip. The
/// workspace has the people, groups, roles, hierarchies and devices of the tenant, a copy of the rules with the built-in
/// roles of the tenant, and a file for each custom role.
///
/// Nobody gets access from data that the exports lack. The report lists records that could not be joined, assumptions, and
/// things to look at. The workspace is written whole or not at all.
///
/// An existing workspace is refreshed. Its record tarbac-files.json tells files of an import from files that people wrote
/// or changed, which stay. Nothing is imported if the exports would change a file that somebody changed too; these files
/// are named. Nothing is imported either if an export of the last import or a declared hierarchy is missing, or if no data
/// of some kind would be left: put new exports over those of the last import, or use --drop-missing.
///
/// Exit status: 0 imported, 2 an export is refused or missing, changes of people are in the way, or the workspace cannot
/// be written.
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

    /// List the files that would be added, changed and removed, and write nothing.
    #[arg(long)]
    pub dry_run: bool,

    /// Overwrite this file or folder of the workspace, although somebody changed it; repeatable.
    #[arg(long, value_name = "PATH")]
    pub take: Vec<String>,

    /// Replace the entities of a workspace that has no tarbac-files.json.
    #[arg(long)]
    pub force: bool,

    /// Import although the exports lack data of the workspace; these data are removed.
    #[arg(long)]
    pub drop_missing: bool,

    /// The time at which an eligible membership must be in force, by default now.
    #[arg(long, value_name = "DATETIME", value_parser = moment)]
    pub now: Option<Timestamp>,

    /// List every name in the report.
    #[arg(long)]
    pub all: bool,

    /// List the exports with the call for each, and import nothing.
    #[arg(long, conflicts_with_all = ["exports", "out", "dry_run", "take", "force", "drop_missing", "now", "all"])]
    pub how: bool,

    /// Write a PowerShell script that collects the exports.
    #[arg(long, requires = "how")]
    pub script: bool,
}

/// The value of `--now` is no timestamp.
#[derive(Debug, Clone, Copy, Error)]
#[error("it is not a timestamp; write it as 2026-11-23T08:05:00Z")]
struct NoTimestamp;

fn moment(text: &str) -> Result<Timestamp, NoTimestamp> {
    tarbac_tenant::exports::moment(text).ok_or(NoTimestamp)
}

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
    check_target(out)?;
    let now = arguments.now.unwrap_or_else(clock::now);
    let imported = read(exports, &shipped_engine()?, now)?;
    let (report, refresh) = match arguments.dry_run {
        true => dry_run(imported, arguments, out)?,
        false => write(imported, arguments, out)?,
    };
    let change = ImportChanges {
        refresh: &refresh,
        is_tried: arguments.dry_run,
        is_refused: is_refused(&refresh, arguments),
    };
    output.write(&match global.format {
        Format::Json => render::import::document(&report, &change, out),
        _ => {
            let text = render::import::human(&report, &change, out, arguments.all, output.style());
            let is_new = !arguments.dry_run && starters::has_workflow(&refresh.added);
            let workflow = is_new.then(|| starters::about_workflow(out));
            text + &workflow.unwrap_or_default()
        }
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

/// Refuses a folder that is not empty, no repository, and no workspace.
fn check_target(out: &Path) -> Result<(), Failure> {
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
            return refuse("is not a folder", help);
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
    refuse("exists and is not a workspace", help)
}

/// An engine of the policies and the schema that ship, without entities.
fn shipped_engine() -> Result<Engine, Failure> {
    let examination =
        assembly::examine(&product::rules().alone(), Vec::new(), &Switches::default())?;
    let so = "The policies that ship have errors.";
    examination
        .engine
        .ok_or(Failure::Invalid(examination.findings, so))
}

fn read(exports: &Path, shipped: &Engine, now: Timestamp) -> Result<Imported, Failure> {
    let collection = whole_collection(exports)?;
    let bar = bytes("reading");
    let wrap = |file: File| Box::new(bar.wrap_read(file)) as Box<dyn Read + Send>;
    let files = exports_in(exports, wrap)?;
    bar.set_length(files.size().unwrap_or_default());
    let imported = import::import(&files, shipped, now);
    bar.finish_and_clear();
    // Whoever reads while one collection takes the place of another reads of both.
    match whole_collection(exports)? == collection {
        true => Ok(imported?),
        false => Err(ShellError::Arguments {
            message: format!(
                "a new collection came into `{}` meanwhile",
                exports.display()
            ),
            help: Some("import again".to_owned()),
        }
        .into()),
    }
}

/// A dry run.
fn dry_run(
    imported: Imported,
    arguments: &ImportArgs,
    out: &Path,
) -> Result<(ImportReport, Refresh), Failure> {
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

/// Writes the workspace if it has no errors and no file is in the way.
fn write(
    imported: Imported,
    arguments: &ImportArgs,
    out: &Path,
) -> Result<(ImportReport, Refresh), Failure> {
    let wait = || {
        let text = format!("waiting: another program writes into {}\n", out.display());
        output::note(&text);
    };
    let transaction = Transaction::begin(out, wait)?;
    transaction.finished().into_iter().for_each(output::warning);
    let (draft, record) = (transaction.draft(), transaction.record());
    let refresh = prepare(&imported, draft, record, arguments, out)?;
    if !refresh.conflicts.is_empty() {
        return Err(conflict_failure(&refresh.conflicts, record.is_some(), out));
    }
    if is_refused(&refresh, arguments) {
        return Err(loss_failure(&refresh.lost, out));
    }
    check(draft, &refresh, out)?;
    transaction
        .commit(refresh.steps.clone(), refresh.record.clone())
        .map_err(|error| ShellError::file("write into", out, error))?;
    Ok((imported.into_report(), refresh))
}
