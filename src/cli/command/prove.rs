//! `tarbac prove`: specs, comparisons and mutants, put to a solver.

#[cfg(feature = "prove")]
mod compare;
#[cfg(feature = "prove")]
mod results;
#[cfg(feature = "prove")]
mod run;
#[cfg(feature = "prove")]
mod saved;

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::{OsStringValueParser, TypedValueParser as _};
use thiserror::Error;

use super::report::ReportsArgs;
use crate::arguments::format::{DOCUMENTS, format_among};
#[cfg(not(feature = "prove"))]
use crate::{
    arguments::GlobalArgs,
    exit::Exit,
    failure::{Failure, ShellError},
    output::Output,
};

#[cfg(feature = "prove")]
pub(crate) use compare::SCHEMA as COMPARE_SCHEMA;
#[cfg(feature = "prove")]
pub(crate) use results::SCHEMA;
#[cfg(feature = "prove")]
pub(crate) use run::run;

#[cfg(not(feature = "prove"))]
pub(crate) fn run(_: &GlobalArgs, _: &ProveArgs, _: &mut Output) -> Result<Exit, Failure> {
    Err(ShellError::left_out("prove"))
}

/// Prove that the policies satisfy the specs in every possible tenant.
///
/// A spec is a rule that must hold for every person and all settings, written as a Cedar policy under `tests/specs/`:
/// every request that a `permit` matches must be allowed, every request that a `forbid` matches must be refused. A
/// solver searches for a tenant in which a spec does not hold. The smallest one that it finds is decided by plain Cedar
/// and shown as a list of facts. Policies that can raise an error, or that change no decision, are reported too.
///
/// With --compare, the policies are compared with those of another workspace, a folder of policies, or a revision of git:
/// the requests that one side allows and the other refuses, under the readings in force.
///
/// The solver is the program cvc5: --solver, else the variable CVC5, else `cvc5` on the PATH.
///
/// Exit status: 0 all proved, 1 something refuted, 2 something not proved, or no solver.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac prove
  tarbac prove tests/specs/roles.cedar --filter run-script
  tarbac prove --save-counterexamples tests/found && tarbac test tests/found
  tarbac prove --mutate                    do the specs say everything?
  tarbac prove --compare main              does this change open anything?
  tarbac prove --compare HEAD --allow-less
  tarbac help proving                      the page on proofs")]
pub(crate) struct ProveArgs {
    /// Prove the specs of these files and folders; by default all under `tests/specs/`.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Prove only specs with this text in their id or doc; if repeated, with all of the texts.
    #[arg(long, value_name = "TEXT")]
    pub filter: Vec<String>,

    /// Compare with OLD: a workspace, a folder or file of policies, or a revision of git.
    ///
    /// An existing path is preferred to a revision of the same name. Questions about decisions are compared and listed too;
    /// they grant nothing, so a difference does not fail.
    #[arg(long, value_name = "OLD", conflicts_with_all = ["paths", "filter", "mutate", "save_counterexamples"])]
    pub compare: Option<String>,

    /// With --compare, accept that less is allowed than by OLD.
    #[arg(long, requires = "compare")]
    pub allow_less: bool,

    /// With --compare, accept that more is allowed than by OLD.
    #[arg(long, requires = "compare")]
    pub allow_more: bool,

    /// Try mutants: change the policies one small way at a time, and see whether a spec is refuted.
    ///
    /// A mutant that refutes no spec is proved equivalent, or shown with a decision that it changes.
    #[arg(long)]
    pub mutate: bool,

    /// With --mutate, change the policies that ship too, not only those of the workspace.
    #[arg(long, requires = "mutate")]
    pub shipped: bool,

    /// Write each counterexample as a case of a suite into this folder; it fails until the policies are mended.
    #[arg(long, value_name = "DIR")]
    pub save_counterexamples: Option<PathBuf>,

    /// Treat warnings as failures.
    #[arg(long)]
    pub deny_warnings: bool,

    /// The solver.
    #[arg(
        long,
        value_name = "PATH",
        env = "CVC5",
        default_value = SOLVER,
        value_parser = OsStringValueParser::new().map(solver),
        help_heading = "Solver"
    )]
    pub solver: PathBuf,

    /// The time limit of one question to the solver, in seconds.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds, help_heading = "Solver")]
    pub timeout: Duration,

    /// The number of solvers at the same time; by default one for each processor.
    #[arg(long, value_name = "N", help_heading = "Solver")]
    pub jobs: Option<NonZeroUsize>,

    /// Further reports.
    #[command(flatten)]
    pub reports: ReportsArgs,
}

/// The default solver.
const SOLVER: &str = "cvc5";

/// An empty variable names no solver.
fn solver(named: OsString) -> PathBuf {
    match named.is_empty() {
        true => SOLVER.into(),
        false => named.into(),
    }
}

/// The value of `--timeout` is no duration.
#[derive(Debug, Clone, Copy, Error)]
#[error("a number of seconds above 0 is wanted")]
struct NoSeconds;

fn seconds(text: &str) -> Result<Duration, NoSeconds> {
    text.parse()
        .ok()
        .filter(|seconds: &f64| *seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or(NoSeconds)
}
