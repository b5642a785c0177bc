//! `tarbac matrix`: what each role permits, or what each person may do.

use clap::Args;
use tarbac_analysis::inquiry::{self, ContextInquiry, MatrixInquiry};
use tarbac_host::Workspace;
use tarbac_report::matrix as render;

use super::candidates;
use super::colophon::colophon;
use super::suppose::{ChangesArgs, suppose, write_premises};
use crate::arguments::format::{TABLE, format_among};
use crate::arguments::{Format, GlobalArgs, offered};
use crate::clock;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// Show what each role permits, or what each person may do.
///
/// Without --principal and --resource: permissions × roles, by the policies in force. With one of them, or --all: people ×
/// permissions, in a block for each device; each cell has its deciding policy.
///
/// Exit status: 0 written, 2 could not answer.
#[derive(Debug, Args)]
#[command(arg = format_among(TABLE), after_help = "\
Examples:
  tarbac matrix --format markdown
  tarbac matrix --principal ada@contoso.example --resource WS-TST-001 --resource WS-BER-014
  tarbac matrix --resource WS-BER-014      everybody on one device
  tarbac matrix --all --format csv         everybody on everything
  tarbac matrix --format html > roles.html a page that needs nothing else")]
pub(crate) struct MatrixArgs {
    /// Show this person; repeatable. With --resource alone, everybody.
    #[arg(long, value_name = "PRINCIPAL", add = offered(candidates::principals))]
    pub principal: Vec<String>,

    /// Show this device or tenant; repeatable. With --principal alone, all of them.
    #[arg(long, value_name = "RESOURCE", add = offered(candidates::resources))]
    pub resource: Vec<String>,

    /// Show everybody on everything.
    #[arg(long, conflicts_with_all = ["principal", "resource"])]
    pub all: bool,

    /// The changes to suppose.
    #[command(flatten)]
    pub changes: ChangesArgs,
}

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &MatrixArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (Workspace { engine, .. }, premises) = suppose(global, &arguments.changes)?;
    let inquiry = MatrixInquiry {
        principals: arguments.principal.clone(),
        resources: arguments.resource.clone(),
        all: arguments.all,
        context: ContextInquiry::at(clock::datetime()),
    };
    let matrix = inquiry::matrix(&engine, &inquiry)?;
    write_premises(&premises, global.format, output)?;
    output.write(&match global.format {
        Format::Markdown => render::markdown(&matrix),
        Format::Json => render::document(&matrix, &premises, engine.provenance()),
        Format::Csv => {
            render::csv(&matrix, &premises).map_err(|error| Failure::Output(error.into()))?
        }
        Format::Html => render::html(&matrix, &premises, &colophon(&engine, None), &engine),
        _ => tarbac_analysis::matrix::table(&matrix, output.width()),
    })?;
    Ok(Exit::Yes)
}
