//! `tarbac explain`: why a decision is what it is, and what would change it.

use clap::Args;
use tarbac_host::Workspace;
use tarbac_report::{self as render, explanation};

use super::candidates;
use super::check::request;
use super::context::ContextArgs;
use super::suppose::{ChangesArgs, say_premises, suppose};
use crate::arguments::format::{DOCUMENTS, format_among};
use crate::arguments::{Format, GlobalArgs, offered};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Explain a decision: who decides, why, and what would change it.
///
/// Shows which authority is in force and what makes it so; for an allow, the path from the person
/// to the role and the policy; for a deny, every rule that refused with the values it read, and the
/// smallest changes that would make it an allow, each one tried.
///
/// Exit status: that of check.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac explain ada@contoso.example \"View client details\" WS-TST-001
  tarbac explain ada@contoso.example viewClientDetails WS-BER-014 --format json
  tarbac explain ada@contoso.example viewClientDetails WS-BER-014 --enforce-configmgr-rbac P01=off")]
pub(crate) struct ExplainArgs {
    /// Who asks: a user principal name, an id, or a Cedar UID.
    #[arg(add = offered(candidates::principals))]
    pub principal: String,

    /// What for: the id, the documented name or the Graph id of a permission.
    #[arg(add = offered(candidates::actions))]
    pub action: String,

    /// On what: the name, the id or the Cedar UID of a device or tenant.
    #[arg(add = offered(candidates::resources))]
    pub resource: String,

    /// What else is known about the request.
    #[command(flatten)]
    pub context: ContextArgs,

    /// What is supposed.
    #[command(flatten)]
    pub changes: ChangesArgs,
}

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &ExplainArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (Workspace { engine, .. }, premises) = suppose(global, &arguments.changes)?;
    let request = request(
        &engine,
        [&arguments.principal, &arguments.action, &arguments.resource],
        &arguments.context,
    )?;
    let explanation = tarbac_analysis::explain(&engine, &request);
    say_premises(&premises, global.format, output)?;
    output.write(&match global.format {
        Format::Json => render::json(&explanation::wire(&explanation, &premises)),
        _ => explanation::human(&explanation, output.width()),
    })?;
    Ok(explanation.answer.outcome.decision.into())
}
