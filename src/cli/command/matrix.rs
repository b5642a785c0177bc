//! `tarbac matrix`: what each role permits, or what each person may do.

use cedar_policy::EntityUid;
use clap::Args;
use tarbac_analysis::Matrix;
use tarbac_host::lookup::{Lookup, Name, NameError, RequestPart};
use tarbac_host::{Engine, Workspace};
use tarbac_report::matrix as render;

use super::candidates;
use super::suppose::{ChangesArgs, suppose, write_premises};
use crate::arguments::format::{TABLE, format_among};
use crate::arguments::{Format, GlobalArgs, offered};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::Output;

/// Show what each role permits, or what each person may do.
///
/// Without --principal and --resource: permissions × roles, by the policies in force. With one of them, or --all: people ×
/// permissions, in a block for each device; each cell has its deciding policy.
#[derive(Debug, Args)]
#[command(arg = format_among(TABLE), after_help = "\
Examples:
  tarbac matrix --format markdown
  tarbac matrix --principal ada@contoso.example --resource WS-TST-001 --resource WS-BER-014
  tarbac matrix --resource WS-BER-014      everybody on one device
  tarbac matrix --all --format csv         everybody on everything")]
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

/// The most cells of a matrix.
const MOST_CELLS: usize = 1_000_000;

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &MatrixArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let (Workspace { engine, .. }, premises) = suppose(global, &arguments.changes)?;
    let of_roles =
        !arguments.all && arguments.principal.is_empty() && arguments.resource.is_empty();
    let matrix = match of_roles {
        true => Matrix::of_roles(&engine),
        false => of_people(&engine, arguments)?,
    };
    write_premises(&premises, global.format, output)?;
    output.write(&match global.format {
        Format::Markdown => render::markdown(&matrix),
        Format::Json => render::document(&matrix, &premises, engine.provenance()),
        Format::Csv => {
            render::csv(&matrix, &premises).map_err(|error| Failure::Output(error.into()))?
        }
        _ => tarbac_analysis::matrix::table(&matrix, output.width()),
    })?;
    Ok(Exit::Yes)
}

fn of_people(engine: &Engine, arguments: &MatrixArgs) -> Result<Matrix, Failure> {
    let names = Lookup::new(engine);
    let principals = chosen(&names, RequestPart::Principal, &arguments.principal)?;
    let resources = chosen(&names, RequestPart::Resource, &arguments.resource)?;
    let permissions = engine.bundle().vocabulary().permissions().count();
    let cells = principals
        .len()
        .saturating_mul(resources.len())
        .saturating_mul(permissions);
    if cells > MOST_CELLS {
        return Err(ShellError::Arguments {
            message: format!(
                "{} principals on {} resources are up to {cells} cells, more than the {MOST_CELLS} of one matrix",
                principals.len(),
                resources.len()
            ),
            help: Some("name fewer with --principal and --resource, or decide them with check --requests".to_owned()),
        }
        .into());
    }
    Ok(Matrix::of_people(engine, &principals, &resources))
}

/// The named entities, or all of a kind.
fn chosen(
    names: &Lookup,
    part: RequestPart,
    named: &[String],
) -> Result<Vec<EntityUid>, NameError> {
    if named.is_empty() {
        return Ok(names.all(part));
    }
    named
        .iter()
        .map(|text| {
            let name = Name::from(text.as_str());
            let found = match part {
                RequestPart::Resource => names.any_resource(&name),
                RequestPart::Principal | RequestPart::Action => names.any_principal(&name),
            };
            found.map_err(|error| names.suggest(error, None))
        })
        .collect()
}
