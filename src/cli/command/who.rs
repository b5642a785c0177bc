//! `tarbac who`: the people who have a permission on a device or tenant.

use clap::Args;
use tarbac_analysis::inquiry::{self, WhoInquiry};
use tarbac_host::Workspace;
use tarbac_report as render;

use super::candidates;
use super::context::ContextArgs;
use super::suppose::{ChangesArgs, suppose, write_premises};
use crate::arguments::format::{ROWS, format_among};
use crate::arguments::{Format, GlobalArgs, offered};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// List the people who have a permission on a device or tenant.
///
/// Each person is listed with the path that gives the permission: group, role assignment and role. With --may-not, the
/// others are listed too, grouped by the reasons of the refusal. Each decision is that of check.
///
/// Exit status: 0 somebody is allowed, 1 nobody is, 2 a decision is indeterminate.
#[derive(Debug, Args)]
#[command(arg = format_among(ROWS), after_help = "\
Examples:
  tarbac who \"Run script\" WS-TST-001
  tarbac who runScript WS-BER-014 --may-not --all
  tarbac who runScript WS-TST-001 --eligible
  tarbac who runScript WS-BER-014 --enforce-configmgr-rbac P01=off
  tarbac who Roles/Update contoso --format json
  tarbac help access                       the page on access")]
pub(crate) struct WhoArgs {
    /// The permission: its id, its documented name, or its id in Microsoft Graph.
    #[arg(add = offered(candidates::actions))]
    pub action: String,

    /// The device or tenant: its name, its id, or its Cedar UID.
    #[arg(add = offered(candidates::resources))]
    pub resource: String,

    /// List the people who are not allowed too, with the reasons.
    #[arg(long)]
    pub may_not: bool,

    /// List separately the people who would be allowed after activating an eligible membership.
    #[arg(long)]
    pub eligible: bool,

    /// List every person, not only the first ones.
    #[arg(long)]
    pub all: bool,

    /// The context of the requests.
    #[command(flatten)]
    pub context: ContextArgs,

    /// The changes to suppose.
    #[command(flatten)]
    pub changes: ChangesArgs,
}

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &WhoArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (Workspace { engine, .. }, premises) = suppose(global, &arguments.changes)?;
    let named = match (global.format, arguments.all) {
        (Format::Human, false) => render::who_what::LISTED,
        _ => usize::MAX,
    };
    let inquiry = WhoInquiry {
        action: arguments.action.clone(),
        resource: arguments.resource.clone(),
        eligible: arguments.eligible,
        context: arguments.context.given()?,
    };
    let (who, asked) = inquiry::who(&engine, &inquiry, named)?;
    write_premises(&premises, global.format, output)?;
    match global.format {
        Format::Json => {
            let provenance = engine.provenance();
            output.write(&render::who_what::document(&who, &premises, provenance))?
        }
        Format::Csv => output.write_sheet(render::who_what::who_csv(&who, &premises))?,
        Format::Markdown => {
            output.write(&render::who_what::who_markdown(&who, arguments.may_not))?;
        }
        _ => {
            let shown = (arguments.may_not, arguments.all);
            let text = render::who_what::human(&who, &asked, shown, output.width());
            output.write(&text)?;
            output.write(&render::glossary::paragraph(
                &text,
                &[&engine],
                output.width(),
            ))?;
        }
    }
    Ok(match (who.unknown.is_empty(), who.may.is_empty()) {
        (false, _) => Exit::Unanswered,
        (true, false) => Exit::Yes,
        (true, true) => Exit::No,
    })
}
