//! `tarbac role`: roles, for Microsoft Graph.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use tarbac_host::lookup::{Lookup, Name};
use tarbac_host::roles;
use tarbac_report as render;
use tarbac_tenant::exports::Folder;
use tarbac_tenant::exports::graph::RoleDefinitionRow;
use tarbac_tenant::graph_role::Difference;
use tarbac_tenant::{RoleDefinition, graph_role};

use super::output::Output;
use super::{Exit, Failure, ShellError, exports_in, load};
use crate::cli::{Format, Global, Role, RoleCommand};

/// The file of the role definitions in a folder of exports.
const DEFINITIONS: &str = "graph/roleDefinitions";

pub fn run(global: &Global, arguments: &Role, output: &mut Output) -> Result<Exit, Failure> {
    match &arguments.command {
        RoleCommand::Export(export) => self::export(global, &export.role, output),
        RoleCommand::Diff(diff) => self::diff(global, &diff.exports, output),
    }
}

/// Writes the request body that creates or updates a role.
fn export(global: &Global, name: &str, output: &mut Output) -> Result<Exit, Failure> {
    let engine = load(global)?.engine;
    let role_type = roles::role_type(engine.bundle().vocabulary());
    let role_type = role_type.ok_or_else(|| ShellError::Arguments {
        message: "the schema says of no entity type that its entities are roles".to_owned(),
        help: Some(
            "annotate it with `@graph(\"deviceAndAppManagementRoleDefinition\")`".to_owned(),
        ),
    })?;
    let role = Lookup::of(&engine).of_type(&role_type, &Name::from(name))?;
    let definition = RoleDefinition::for_role(&engine, &role)
        .map_err(|findings| Failure::Invalid(findings, "The role is not exported."))?;
    output.write(&render::json(&definition))?;
    Ok(Exit::Yes)
}

/// Says what the policies and the role definitions of a tenant disagree on.
fn diff(global: &Global, exports: &Path, output: &mut Output) -> Result<Exit, Failure> {
    let engine = load(global)?.engine;
    let files = exports_in(exports, |file: File| Box::new(file) as Box<dyn Read + Send>)?;
    let folder = Folder::of(&files)?;
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
    Ok(match differences.iter().all(Difference::is_none) {
        true => Exit::Yes,
        false => Exit::No,
    })
}
