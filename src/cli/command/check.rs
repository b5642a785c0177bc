//! `tarbac check`: the decision of one request, or of a stream of requests.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tarbac_analysis::inquiry;
use tarbac_host::Workspace;
use tarbac_report as render;

use super::candidates;
use super::context::ContextArgs;
use super::requests;
use super::suppose::{ChangesArgs, suppose};
use crate::arguments::format::{DOCUMENTS, format_among};
use crate::arguments::{Format, GlobalArgs, offered};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{self, Output};

/// Decide whether a person has a permission on a device or tenant.
///
/// Prints one line: ALLOW with the policies that permit it, DENY with the rule that refuses it and the message of the
/// admin center, or INDETERMINATE with the error. Notes go to standard error.
///
/// With --requests, each line of the file is a JSON object {"id"?, "principal", "action", "resource", "context"?}; the
/// parts are named as on the command line, or as {"type", "id"}. The answers are in the order of the lines, each with the
/// id of its request, a string or a number. A bad line is answered indeterminate and does not stop the others.
///
/// Exit status: 0 allow, 1 deny, 2 indeterminate or could not answer. With --requests: 0 every answer is allow or deny, 2
/// otherwise.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac check ada@contoso.example \"View client details\" WS-TST-001
  tarbac check ada@contoso.example runScript 'ConfigMgr::Device::\"TST-16777220\"' --format json
  tarbac check olivia@contoso.example Roles/Update contoso --no-reading entra-administrators
  tarbac check --requests requests.ndjson > answers.ndjson
  tarbac check --requests requests.ndjson --answer decision
  some-program | tarbac check --requests -
  tarbac help workspace                    the page on workspaces and many requests")]
pub(crate) struct CheckArgs {
    /// The person: a user principal name, an id, or a Cedar UID.
    #[arg(
        required_unless_present = "requests",
        conflicts_with = "requests",
        add = offered(candidates::principals)
    )]
    pub principal: Option<String>,

    /// The permission: its id, its documented name, or its id in Microsoft Graph.
    #[arg(
        required_unless_present = "requests",
        conflicts_with = "requests",
        add = offered(candidates::actions)
    )]
    pub action: Option<String>,

    /// The device or tenant: its name, its id, or its Cedar UID.
    #[arg(
        required_unless_present = "requests",
        conflicts_with = "requests",
        add = offered(candidates::resources)
    )]
    pub resource: Option<String>,

    /// The context of the request.
    #[command(flatten)]
    pub context: ContextArgs,

    /// Answer the requests of this file, one on each line; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["context", "now"])]
    pub requests: Option<PathBuf>,

    /// The content of each answer.
    #[arg(
        long,
        value_name = "ANSWER",
        default_value = "full",
        requires = "requests",
        conflicts_with = "principal"
    )]
    pub answer: AnswerKind,

    /// The number of threads; by default one for each processor.
    #[arg(
        long,
        value_name = "N",
        requires = "requests",
        conflicts_with = "principal"
    )]
    pub jobs: Option<NonZeroUsize>,

    /// The changes to suppose.
    #[command(flatten)]
    pub changes: ChangesArgs,
}

/// The content of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AnswerKind {
    /// The answer of check, with authority, notices and messages.
    Full,
    /// The decision with the policies that determine it; several times as fast. An error in a notice or message makes only a
    /// full answer indeterminate.
    Decision,
}

pub(crate) fn run(
    global: &GlobalArgs,
    check: &CheckArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (Workspace { engine, .. }, premises) = suppose(global, &check.changes)?;
    if let Some(path) = &check.requests {
        return requests::run(&engine, &premises, path, (check.answer, check.jobs), output);
    }
    let (Some(principal), Some(action), Some(resource)) =
        (&check.principal, &check.action, &check.resource)
    else {
        return Err(ShellError::Arguments {
            message: "a request has a principal, an action and a resource".to_owned(),
            help: None,
        }
        .into());
    };
    let request = inquiry::request(
        &engine,
        [principal, action, resource],
        &check.context.given()?,
    )?;
    let answer = engine.answer(&request);
    output::note(&render::answer::notes(&answer));
    output::note(&render::answer::notes_of_premises(&premises));
    output.write(&match global.format {
        Format::Json => render::answer::document(&answer, &engine, &premises),
        _ => render::answer::human(&answer, &premises, output.style()),
    })?;
    Ok(answer.outcome.decision.into())
}
