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

/// Prove that the policies are what the specs say, in every possible tenant.
///
/// A spec is a rule that must hold whoever asks and whatever the settings are, written as a Cedar
/// policy under `tests/specs/`: everything a `permit` matches must be allowed, everything a `forbid`
/// matches must be refused. A solver looks for a tenant in which it does not hold; the smallest that
/// it finds is shown as a list of facts, after plain Cedar has decided about it. Without being asked,
/// policies are found that can fail or that change nothing.
///
/// With --compare, the policies are compared with those of another workspace, of a policy folder or
/// of a revision of git: what any of them allows and the other refuses, under the readings in force.
///
/// The solver is cvc5, a program of its own: --solver, else the variable CVC5, else `cvc5` on the
/// PATH.
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
    /// Prove the specs of these files and folders; all under `tests/specs/` without.
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Prove only specs that have this in their id or doc; repeatable, and all of them must be there.
    #[arg(long, value_name = "TEXT")]
    pub filter: Vec<String>,

    /// Compare with OLD instead: a workspace, a folder or file of policies, or a revision of git.
    ///
    /// A path that exists is taken before a revision of the same name. What is said of decisions is
    /// compared and listed as well; it grants nothing, so it lets pass.
    #[arg(long, value_name = "OLD", conflicts_with_all = ["paths", "filter", "mutate", "save_counterexamples"])]
    pub compare: Option<String>,

    /// With --compare, let pass that less is allowed than by OLD.
    #[arg(long, requires = "compare")]
    pub allow_less: bool,

    /// With --compare, let pass that more is allowed than by OLD.
    #[arg(long, requires = "compare")]
    pub allow_more: bool,

    /// Change the policies one small way at a time and see whether a spec is refuted.
    ///
    /// A change that refutes none is proved equivalent, or shown with what it decides otherwise.
    #[arg(long)]
    pub mutate: bool,

    /// With --mutate, change the policies in the binary too, not only those of the workspace.
    #[arg(long, requires = "mutate")]
    pub shipped: bool,

    /// Write each counterexample as a case of a suite into this folder: it fails until it is mended.
    #[arg(long, value_name = "DIR")]
    pub save_counterexamples: Option<PathBuf>,

    /// Treat warnings as refuted.
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

    /// The most seconds that one question may take the solver.
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds, help_heading = "Solver")]
    pub timeout: Duration,

    /// How many solvers work at once; as many as there are processors without.
    #[arg(long, value_name = "N", help_heading = "Solver")]
    pub jobs: Option<NonZeroUsize>,

    /// What else is written.
    #[command(flatten)]
    pub reports: ReportsArgs,
}

/// The solver where none is named.
const SOLVER: &str = "cvc5";

/// A variable that is empty names no solver.
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
