//! `tarbac explain`: the reasons of a decision, and the changes that would reverse it.

use clap::Args;
use tarbac_analysis::inquiry;
use tarbac_host::Workspace;
use tarbac_report::{self as render, explanation};

use super::candidates;
use super::context::ContextArgs;
use super::suppose::{ChangesArgs, suppose, write_premises};
use crate::arguments::format::{DOCUMENTS, format_among};
use crate::arguments::{Format, GlobalArgs, offered};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Explain a decision, and find the changes that would reverse it.
///
/// Shows the authority and the settings that put it in force. For an allow: the path from the person to the role and the
/// policy. For a deny: every rule that refused, with the values that it read, and the smallest changes that would make
/// it an allow; each of them has been tried.
///
/// Exit status: as for check.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac explain ada@contoso.example \"View client details\" WS-TST-001
  tarbac explain ada@contoso.example viewClientDetails WS-BER-014 --format json
  tarbac explain ada@contoso.example viewClientDetails WS-BER-014 --enforce-configmgr-rbac P01=off")]
pub(crate) struct ExplainArgs {
    /// The person: a user principal name, an id, or a Cedar UID.
    #[arg(add = offered(candidates::principals))]
    pub principal: String,

    /// The permission: its id, its documented name, or its id in Microsoft Graph.
    #[arg(add = offered(candidates::actions))]
    pub action: String,

    /// The device or tenant: its name, its id, or its Cedar UID.
    #[arg(add = offered(candidates::resources))]
    pub resource: String,

    /// The context of the request.
    #[command(flatten)]
    pub context: ContextArgs,

    /// The changes to suppose.
    #[command(flatten)]
    pub changes: ChangesArgs,
}

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &ExplainArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (Workspace { engine, .. }, premises) = suppose(global, &arguments.changes)?;
    let request = inquiry::request(
        &engine,
        [&arguments.principal, &arguments.action, &arguments.resource],
        &arguments.context.given()?,
    )?;
    let explanation = tarbac_analysis::explain(&engine, &request);
    write_premises(&premises, global.format, output)?;
    output.write(&match global.format {
        Format::Json => render::json(&explanation::wire(&explanation, &premises)),
        _ => explanation::human(&explanation, output.width()),
    })?;
    Ok(explanation.answer.outcome.decision.into())
}
