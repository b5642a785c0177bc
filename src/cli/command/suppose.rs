//! Workspaces with hypothetical changes.

use clap::Args;
use tarbac_analysis::change::what_if::{self, Change, Premises};
use tarbac_host::Workspace;
use tarbac_report as render;

use super::{candidates, load, switches};
use crate::arguments::{Format, GlobalArgs, offered};
use crate::failure::Failure;
use crate::output::Output;

/// Hypothetical changes of the tenant. Nothing is written.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Changes to suppose")]
pub(crate) struct ChangesArgs {
    /// Turn Use Intune RBAC on or off, for every tenant or the named one.
    #[arg(
        long,
        value_name = "[TENANT=]on|off",
        add = offered(candidates::settings("use-intune-rbac"))
    )]
    use_intune_rbac: Vec<String>,

    /// Select or clear Enforce Configuration Manager RBAC, for every hierarchy or the named one; repeatable.
    #[arg(
        long,
        value_name = "[HIERARCHY=]on|off",
        add = offered(candidates::settings("enforce-configmgr-rbac"))
    )]
    enforce_configmgr_rbac: Vec<String>,

    /// Update the sites of every hierarchy or the named one; repeatable.
    #[arg(
        long,
        value_name = "[HIERARCHY=]VERSION",
        add = offered(candidates::settings("site-version"))
    )]
    site_version: Vec<String>,

    /// Opt every tenant or the named one in to Scoped permissions: on tenant-attached devices, an assignment then gives nothing
    /// unless it has the scope tag Default or no scope tag.
    #[arg(
        long,
        value_name = "[TENANT=]on|off",
        add = offered(candidates::settings("scoped-permissions"))
    )]
    scoped_permissions: Vec<String>,

    /// Assign an Intune role to a person or group; repeatable.
    #[arg(long, value_name = "NAME=ROLE", add = offered(candidates::holdings))]
    grant: Vec<String>,

    /// Remove a person or group from every assignment and group that gives it an Intune role; repeatable.
    #[arg(long, value_name = "NAME=ROLE", add = offered(candidates::holdings))]
    revoke: Vec<String>,

    /// Set an attribute, for example 'P01.version=2403', or the truth of a Cedar expression, for example
    /// 'ada@contoso.example has configMgr=false' or 'ada@contoso.example in Infrastructure=true'; repeatable.
    #[arg(long, value_name = "FACT=VALUE")]
    set: Vec<String>,
}

impl ChangesArgs {
    /// The changes, in the order of the flags.
    pub(crate) fn all(&self) -> Vec<Change> {
        let flags = [
            ("use-intune-rbac", &self.use_intune_rbac),
            ("enforce-configmgr-rbac", &self.enforce_configmgr_rbac),
            ("site-version", &self.site_version),
            ("scoped-permissions", &self.scoped_permissions),
        ];
        let flags = flags.into_iter().flat_map(|(flag, values)| {
            values.iter().map(move |value| Change::Flag {
                flag: flag.to_owned(),
                value: value.clone(),
            })
        });
        flags
            .chain(self.set.iter().cloned().map(Change::Set))
            .chain(self.grant.iter().cloned().map(Change::Grant))
            .chain(self.revoke.iter().cloned().map(Change::Revoke))
            .collect()
    }
}

/// The workspace with these changes, and the premises of answers.
pub(crate) fn suppose(
    global: &GlobalArgs,
    changes: &ChangesArgs,
) -> Result<(Workspace, Premises), Failure> {
    let mut workspace = load(global)?;
    let changes = changes.all();
    if changes.is_empty() {
        return Ok((workspace, Premises::default()));
    }
    let invalid = |findings| Failure::Invalid(findings, "Nothing was decided.");
    let (engine, premises) =
        what_if::suppose(&workspace.engine, &changes, &switches(global)?).map_err(invalid)?;
    workspace.engine = engine;
    Ok((workspace, premises))
}

/// Writes the premises before an answer for people. Answers for programs have them themselves.
pub(crate) fn write_premises(
    premises: &Premises,
    format: Format,
    output: &mut Output,
) -> Result<(), Failure> {
    let text = match format {
        Format::Human => render::premises::human(premises, output.width()),
        Format::Markdown => render::premises::markdown(premises),
        Format::Json | Format::Ndjson | Format::Csv | Format::Html => return Ok(()),
    };
    output.write(&text)
}
