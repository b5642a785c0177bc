//! `tarbac what`: the permissions of a person.

use clap::Args;
use tarbac_analysis::inquiry::{self, WhatInquiry};
use tarbac_analysis::who_what::What as Answer;
use tarbac_host::Workspace;
use tarbac_host::decision::Decision;
use tarbac_report as render;

use super::candidates;
use super::context::ContextArgs;
use super::suppose::{ChangesArgs, suppose, write_premises};
use crate::arguments::format::{ROWS, format_among};
use crate::arguments::{Format, GlobalArgs, offered};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::Output;

/// List the permissions of a person.
///
/// Devices with the same decisions for the same reasons are listed together. Each decision is that of check.
///
/// Exit status: 0 something is allowed, 1 nothing is, 2 a decision is indeterminate.
#[derive(Debug, Args)]
#[command(arg = format_among(ROWS), after_help = "\
Examples:
  tarbac what ada@contoso.example
  tarbac what ada@contoso.example WS-BER-014
  tarbac what karin@contoso.example --all --format json
  tarbac help access                       the page on access")]
pub(crate) struct WhatArgs {
    /// The person: a user principal name, an id, or a Cedar UID.
    #[arg(add = offered(candidates::principals))]
    pub principal: String,

    /// The device or tenant: its name, its id, or its Cedar UID. Without it, everything.
    #[arg(add = offered(candidates::resources))]
    pub resource: Option<String>,

    /// List every device.
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
    arguments: &WhatArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (Workspace { engine, .. }, premises) = suppose(global, &arguments.changes)?;
    let named = match arguments.all {
        true => usize::MAX,
        false => render::who_what::LISTED,
    };
    let inquiry = WhatInquiry {
        principal: arguments.principal.clone(),
        resource: arguments.resource.clone(),
        context: arguments.context.given()?,
    };
    let (what, called) = inquiry::what(&engine, &inquiry, named)?;
    write_premises(&premises, global.format, output)?;
    match global.format {
        Format::Json => output.write(&render::who_what::what_document(
            &what,
            &called,
            &premises,
            engine.provenance(),
        ))?,
        Format::Csv => output.write_sheet(render::who_what::what_csv(&what, &premises))?,
        Format::Markdown => output.write(&render::who_what::what_markdown(&what))?,
        _ => {
            let text = render::who_what::what(&what, &called.name, output.width());
            output.write(&text)?;
            output.write(&render::glossary::paragraph(
                &text,
                &[&engine],
                output.width(),
            ))?;
        }
    }
    Ok(exit(&what))
}

fn exit(what: &Answer) -> Exit {
    let decided = |decision: Decision| {
        let mut decisions = what.alike.iter().flat_map(|alike| &alike.decisions);
        decisions.any(|decided| decided.decision == decision)
    };
    match (decided(Decision::Indeterminate), decided(Decision::Allow)) {
        (true, _) => Exit::Unanswered,
        (false, true) => Exit::Yes,
        (false, false) => Exit::No,
    }
}
