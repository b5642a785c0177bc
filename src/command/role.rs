//! `tarbac role`: roles, for Microsoft Graph.

use tarbac::names::{Name, Names};
use tarbac::{RoleDefinition, render, role};

use super::output::Output;
use super::{Exit, Failure, ShellError, load};
use crate::cli::{Global, Role, RoleCommand};

pub fn run(global: &Global, arguments: &Role, output: &mut Output) -> Result<Exit, Failure> {
    match &arguments.command {
        RoleCommand::Export(export) => self::export(global, &export.role, output),
    }
}

/// Writes the request body that creates or updates a role.
fn export(global: &Global, name: &str, output: &mut Output) -> Result<Exit, Failure> {
    let engine = load(global)?.engine;
    let role_type = role::role_type(engine.bundle().vocabulary());
    let role_type = role_type.ok_or_else(|| ShellError::Arguments {
        message: "the schema says of no entity type that its entities are roles".to_owned(),
        help: Some(
            "annotate it with `@graph(\"deviceAndAppManagementRoleDefinition\")`".to_owned(),
        ),
    })?;
    let role = Names::of(&engine).of_type(&role_type, &Name::from(name))?;
    let definition = RoleDefinition::of(&engine, &role)
        .map_err(|findings| Failure::Invalid(findings, "The role is not exported."))?;
    output.write(&render::json(&definition))?;
    Ok(Exit::Yes)
}
