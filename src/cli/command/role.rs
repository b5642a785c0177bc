//! `tarbac role`: roles in the form of Microsoft Graph.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use tarbac_host::lookup::{Lookup, Name};
use tarbac_host::roles;
use tarbac_report as render;
use tarbac_tenant::exports::Folder;
use tarbac_tenant::exports::graph::RoleDefinitionRow;
use tarbac_tenant::graph_role::RoleDifference;
use tarbac_tenant::{RoleDefinition, graph_role};

use super::candidates;
use super::{exports_in, load};
use crate::arguments::format::{DOCUMENTS, format_among, format_fixed};
use crate::arguments::{Format, GlobalArgs, offered};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::Output;

/// Compare roles with a tenant, and export them to it.
#[derive(Debug, Args)]
#[command(arg = format_fixed(DOCUMENTS), after_help = "\
Examples:
  tarbac role export \"Script Runner\" > role.json
  tarbac role diff exports
  tarbac help importing                    the page on imports, and on roles")]
pub(crate) struct RoleArgs {
    /// The subcommand.
    #[command(subcommand)]
    pub command: RoleCommand,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub(crate) enum RoleCommand {
    Export(RoleExportArgs),
    Diff(RoleDiffArgs),
}

/// Write the request body that creates or updates a custom role of Intune.
///
/// The body is for `POST` and `PATCH` of `deviceManagement/roleDefinitions`. It has the name of the role, the docs of its
/// policies as description, and the permissions that they give. A role of Intune has no conditions and no refusals: if
/// a policy of the role has one, it is named and nothing is written. An update removes all other permissions that the
/// role has in the tenant.
///
/// Exit status: 0 written, 2 the role does not exist, or cannot be a role of Intune.
#[derive(Debug, Args)]
#[command(arg = format_fixed(DOCUMENTS), after_help = "\
Examples:
  tarbac role export \"Script Runner\"
  tarbac role export \"Script Runner\" > role.json
  az rest --method post --body @role.json \\
    --url https://graph.microsoft.com/v1.0/deviceManagement/roleDefinitions")]
pub(crate) struct RoleExportArgs {
    /// The role: its name, or its id.
    #[arg(add = offered(candidates::roles))]
    pub role: String,
}

/// Compare the roles of the policies with the role definitions of a tenant.
///
/// EXPORTS is a folder of exports. Only `graph/roleDefinitions.json` is read; `tarbac import --how` shows the call for it.
/// Imported custom roles are compared by all of their permissions, other roles by those in the schema.
///
/// Exit status: 0 equal, 1 different, 2 could not answer.
#[derive(Debug, Args)]
#[command(arg = format_among(DOCUMENTS), after_help = "\
Examples:
  tarbac role diff exports
  tarbac -C contoso role diff exports --format json
  tarbac help importing                    the page on imports, and on roles")]
pub(crate) struct RoleDiffArgs {
    /// The folder of exports.
    pub exports: PathBuf,
}

/// The file of the role definitions in a folder of exports.
const DEFINITIONS: &str = "graph/roleDefinitions";

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &RoleArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match &arguments.command {
        RoleCommand::Export(export) => self::export(global, &export.role, output),
        RoleCommand::Diff(diff) => self::diff(global, &diff.exports, output),
    }
}

/// Writes the request body that creates or updates a role.
fn export(global: &GlobalArgs, name: &str, output: &mut Output) -> Result<Exit, Failure> {
    let engine = load(global)?.engine;
    let role_type = roles::role_type(engine.bundle().vocabulary());
    let role_type = role_type.ok_or_else(|| ShellError::Arguments {
        message: "no entity type of the schema is marked as the type of roles".to_owned(),
        help: Some(
            "annotate it with `@graph(\"deviceAndAppManagementRoleDefinition\")`".to_owned(),
        ),
    })?;
    let role = Lookup::new(&engine).of_type(&role_type, &Name::from(name))?;
    let definition = RoleDefinition::for_role(&engine, &role)
        .map_err(|findings| Failure::Invalid(findings, "The role is not exported."))?;
    output.write(&render::json(&definition))?;
    Ok(Exit::Yes)
}

/// Writes the differences between the policies and the role definitions of a tenant.
fn diff(global: &GlobalArgs, exports: &Path, output: &mut Output) -> Result<Exit, Failure> {
    let engine = load(global)?.engine;
    let files = exports_in(exports, |file: File| Box::new(file) as Box<dyn Read + Send>)?;
    let folder = Folder::new(&files)?;
    let mut rows: Vec<RoleDefinitionRow> = Vec::new();
    let is_there = folder.records(DEFINITIONS, |row| {
        rows.push(row);
        Ok(())
    })?;
    if !is_there {
        return Err(folder
            .missing(DEFINITIONS, "nothing else has the roles")
            .into());
    }
    let differences = graph_role::differences(&engine, &rows);
    output.write(&match global.format {
        Format::Json => render::role::document(&differences, engine.provenance()),
        _ => render::role::human(&differences, output.style()),
    })?;
    Ok(match differences.iter().all(RoleDifference::is_none) {
        true => Exit::Yes,
        false => Exit::No,
    })
}
