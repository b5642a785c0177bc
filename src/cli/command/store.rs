//! `tarbac store`: the revisions of a store, and the decision points that read it.

mod change;
mod compare;
mod look;

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::context::ContextArgs;
use super::fleet::StoreAtArgs;
use super::impact::scope::ScopeArgs;
use crate::arguments::GlobalArgs;
use crate::arguments::format::{DOCUMENTS, REPORTS, format_among, format_fixed};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Look after the revisions in a store.
#[derive(Debug, Args)]
#[command(arg = format_fixed(DOCUMENTS), after_help = "\
Examples:
  tarbac store status --store az://contosopdp/revisions/contoso
  tarbac store log --store file:///srv/tarbac/contoso
  tarbac store diff 41 42 --store file:///srv/tarbac/contoso
  tarbac help fleet                        the page on many decision points")]
pub(crate) struct StoreArgs {
    /// The subcommand.
    #[command(subcommand)]
    pub command: StoreCommand,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    Status(StatusArgs),
    Log(LogArgs),
    Diff(StoreDiffArgs),
    Revert(RevertArgs),
    Prune(PruneArgs),
}

/// Show the newest revision, and the state of the replicas that use --announce.
///
/// Exit status: 0 every replica serves what it should, 1 one is stale, rejects a revision, or has said nothing for 3
/// minutes, 2 could not answer.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac store status --store az://contosopdp/revisions/contoso
  tarbac store status --store file:///srv/tarbac/contoso --format json")]
pub(crate) struct StatusArgs {
    /// The store.
    #[command(flatten)]
    pub at: StoreAtArgs,
}

/// List the revisions, the newest first.
///
/// Exit status: 0 listed, 2 could not answer.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac store log --store file:///srv/tarbac/contoso --limit 100")]
pub(crate) struct LogArgs {
    /// The store.
    #[command(flatten)]
    pub at: StoreAtArgs,

    /// The number of revisions to list.
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: usize,
}

/// Show who gains and loses access between two revisions.
///
/// The report is that of `tarbac diff`.
///
/// Exit status: 0 nothing changes, 1 somebody gains or loses something, 2 could not answer.
#[derive(Debug, Args)]
#[command(arg = format_among(REPORTS), after_help = "\
Examples:
  tarbac store diff 41 --store file:///srv/tarbac/contoso
  tarbac store diff 41 42 --action runScript --store file:///srv/tarbac/contoso")]
pub(crate) struct StoreDiffArgs {
    /// The store.
    #[command(flatten)]
    pub at: StoreAtArgs,

    /// The number of the revision before.
    pub old: u64,

    /// The number of the revision after; by default the newest.
    pub new: Option<u64>,

    /// Show every row, and every device with the collections it is in.
    #[arg(long)]
    pub all: bool,

    /// The context of the requests.
    #[command(flatten)]
    pub context: ContextArgs,

    /// The limits of the comparison.
    #[command(flatten)]
    pub only: ScopeArgs,
}

/// Publish the content of an earlier revision again, under the next number.
///
/// Exit status: 0 published, or nothing to publish; 1 refused for its errors, 2 could not publish.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac store revert 41 --store file:///srv/tarbac/contoso --message \"undo 42\"")]
pub(crate) struct RevertArgs {
    /// The store.
    #[command(flatten)]
    pub at: StoreAtArgs,

    /// The number of the revision.
    pub number: u64,

    /// The message of the revision, like that of a commit.
    #[arg(short, long, value_name = "TEXT")]
    pub message: Option<String>,

    /// Sign with the private key in this file (Ed25519, PEM).
    #[arg(long, value_name = "FILE", env = "TARBAC_SIGN", hide_env_values = true)]
    pub sign: Option<PathBuf>,
}

/// Remove old revisions, and the files that no revision has.
///
/// A file that no revision has is left for a day, as a publication may be about to use it.
///
/// Exit status: 0 done, 2 could not remove everything.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac store prune --keep 200 --store az://contosopdp/revisions/contoso")]
pub(crate) struct PruneArgs {
    /// The store.
    #[command(flatten)]
    pub at: StoreAtArgs,

    /// The number of revisions to keep, at least one.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub keep: usize,
}

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &StoreArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match &arguments.command {
        StoreCommand::Status(status) => look::status(global, status, output),
        StoreCommand::Log(log) => look::log(global, log, output),
        StoreCommand::Diff(diff) => compare::diff(global, diff, output),
        StoreCommand::Revert(revert) => change::revert(global, revert, output),
        StoreCommand::Prune(prune) => change::prune(global, prune, output),
    }
}
