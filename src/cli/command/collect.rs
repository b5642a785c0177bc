//! `tarbac collect`: the exports of a live tenant.

mod every;
mod sign_in;
mod site;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, value_parser};
use tarbac_collect::{
    CollectProgress, CollectSettings, SiteSettings, Waits, collect, pseudonymize,
};
use tarbac_report as render;
use tarbac_tenant::exports::catalog::{self, CLOUDS, Cloud};
use tarbac_tenant::exports::{CallState, Collected, STAGING};

use super::value::interval;
use crate::arguments::format::format_among;
use crate::arguments::{Format, GlobalArgs};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{self, Output};
use sign_in::SignInArgs;
use site::SiteUrl;

/// How many instances of a class are asked for at once.
const ROWS_OF_PAGE: u64 = 50_000;

/// Collect the exports of a live tenant from Microsoft Graph and Configuration Manager.
///
/// Downloads every export that `tarbac import` reads, with all pages, and saves the answers compressed. Nothing is changed
/// in the tenant. The folder keeps the last collection until the new one is complete; --resume goes on with a collection
/// that was stopped. If a call is refused, its export is missing, the permission that it needs is named, and the other
/// exports are collected; collected.json lists the outcome of every call.
///
/// On a terminal, you sign in with a code in a browser. Without a terminal, choose a sign-in method with --sign-in. The
/// AdminService is asked as the Windows account that runs tarbac, or with --configmgr-user as another.
///
/// Exit status: 0 everything is there, 1 something was refused, 2 nothing was collected.
#[derive(Debug, Args)]
#[command(arg = format_among(&[Format::Human, Format::Json, Format::Markdown])
    .help("Write the permissions for people or for programs; json and markdown with --permissions only"), after_help = "\
Examples:
  tarbac collect --permissions
  tarbac collect --out exports
  tarbac collect --out exports --configmgr P01=https://cm01.contoso.example
  tarbac collect --out exports --resume
  tarbac collect --out exports --sign-in client-certificate --tenant-id contoso.example \\
    --client-id 00000000-0000-4000-8000-000000000001 --client-certificate-file app.pem
  tarbac collect --out exports --every 1h --import tenant
  tarbac collect --script > collect.ps1
  tarbac collect --pseudonymize exports --out shareable
  tarbac help collecting                   the page on collections")]
pub(crate) struct CollectArgs {
    /// Write the exports into this folder.
    #[arg(long, value_name = "DIR", required_unless_present_any = ["permissions", "script"])]
    pub out: Option<PathBuf>,

    /// Go on with the collection that was stopped.
    #[arg(long)]
    pub resume: bool,

    /// Collect a hierarchy from the AdminService of its SMS Provider; repeatable.
    #[arg(long, value_name = "SITE=URL")]
    pub configmgr: Vec<SiteUrl>,

    /// Collect nothing from Microsoft Graph.
    #[arg(long, requires = "configmgr")]
    pub no_graph: bool,

    /// Collect the members of all groups, not only of groups that give a role or permission.
    #[arg(long)]
    pub all_groups: bool,

    /// Take this tenant.json, with the settings that no service reports.
    #[arg(long, value_name = "FILE")]
    pub tenant: Option<PathBuf>,

    /// Take this devices.csv from the admin center.
    #[arg(long, value_name = "FILE")]
    pub devices: Option<PathBuf>,

    /// The cloud of the tenant.
    #[arg(long, value_name = "CLOUD", default_value = "global", value_parser = cloud_names())]
    pub cloud: String,

    /// The number of requests at once.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = value_parser!(u8).range(1..=64))]
    pub jobs: u8,

    /// Who signs in.
    #[command(flatten)]
    pub sign_in: SignInArgs,

    /// Collect again and again, at this interval.
    #[arg(long, value_name = "DURATION", value_parser = interval)]
    pub every: Option<Duration>,

    /// Import each collection into this workspace.
    #[arg(long, value_name = "DIR")]
    pub import: Option<PathBuf>,

    /// Write a copy of these exports in which names and ids are made up, and collect nothing.
    #[arg(long, value_name = "EXPORTS", requires = "out", conflicts_with_all = ["permissions", "script", "resume", "every", "import", "configmgr"])]
    pub pseudonymize: Option<PathBuf>,

    /// List the permissions that the calls take, and collect nothing.
    #[arg(long, conflicts_with_all = ["out", "resume", "script"])]
    pub permissions: bool,

    /// Write a PowerShell script that collects the same, and collect nothing.
    #[arg(long, conflicts_with_all = ["out", "resume"])]
    pub script: bool,
}

fn cloud_names() -> clap::builder::PossibleValuesParser {
    CLOUDS.map(|cloud| cloud.name).into()
}

impl CollectArgs {
    fn cloud(&self) -> Cloud {
        let [global, ..] = CLOUDS;
        let mut clouds = CLOUDS.into_iter();
        clouds
            .find(|cloud| cloud.name == self.cloud)
            .unwrap_or(global)
    }
}

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &CollectArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let Some(out) = &arguments.out else {
        output.write(&match global.format {
            _ if arguments.script => render::import::script(),
            Format::Json => render::collect::manifest(),
            Format::Markdown => render::collect::permissions_markdown(),
            _ => render::collect::permissions(),
        })?;
        return Ok(Exit::Yes);
    };
    if let Some(exports) = &arguments.pseudonymize {
        for file in pseudonymize(exports, out)? {
            output::note(&format!(
                "note: {file} is left out: what it names is not known\n"
            ));
        }
        output.write(&format!(
            "wrote {} with made-up names and ids\n",
            out.display()
        ))?;
        return Ok(Exit::Yes);
    }
    let settings = settings(arguments, out)?;
    let Some(pause) = arguments.every else {
        let (exit, collected) = once(arguments, &settings, out)?;
        let left = render::collect::LEFT.into_iter();
        let left: Vec<&str> = left.filter(|file| !out.join(file).exists()).collect();
        let text = render::collect::human(&collected, out, &left, output.style());
        output.write(&text)?;
        if let Some(workspace) = &arguments.import {
            every::import(out, workspace, output)?;
        }
        return Ok(exit);
    };
    every::run(arguments, settings, out, pause, output)
}

/// One collection, with what a person declares beside it.
fn once(
    arguments: &CollectArgs,
    settings: &CollectSettings,
    out: &Path,
) -> Result<(Exit, Collected), Failure> {
    let declared = [
        (&arguments.tenant, catalog::TENANT),
        (&arguments.devices, catalog::DEVICES),
    ];
    let mut texts = Vec::new();
    for (file, name) in declared {
        if let Some(file) = file {
            let bytes = read(file)?;
            texts.push((name, bytes));
        }
    }
    let collected = collect(settings)?;
    for (name, bytes) in texts {
        put(out, name, &bytes)?;
    }
    let is_lost = |export: &str| {
        let known = catalog::export_at(export);
        known.is_none_or(|export| !export.is_optional)
    };
    let is_lacking = collected.calls.iter().any(|call| match call.state {
        CallState::Collected => false,
        CallState::Refused => true,
        CallState::Failed => is_lost(&call.export),
    });
    Ok((if is_lacking { Exit::No } else { Exit::Yes }, collected))
}

/// Puts a file beside the exports, as a whole.
#[expect(clippy::disallowed_methods, reason = "the shell writes files")]
fn put(out: &Path, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let (draft, path) = (out.join(STAGING).join(name), out.join(name));
    let written = fs::write(&draft, bytes).and_then(|()| fs::rename(&draft, &path));
    written.map_err(|error| ShellError::file("write", &path, error).into())
}

#[expect(clippy::disallowed_methods, reason = "the shell reads files")]
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| ShellError::file("read", path, error).into())
}

fn settings(arguments: &CollectArgs, out: &Path) -> Result<CollectSettings, Failure> {
    let cloud = arguments.cloud();
    let sign_in = &arguments.sign_in;
    let graph_token = match arguments.no_graph {
        true => None,
        false => Some(sign_in.source(cloud)?),
    };
    let of_sites = sign_in.of_sites()?;
    let (mut codes, mut sites) = (BTreeSet::new(), arguments.configmgr.iter());
    if let Some(site) = sites.find(|site| !codes.insert(site.code.to_ascii_uppercase())) {
        return Err(ShellError::Arguments {
            message: format!("--configmgr names {} twice", site.code),
            help: Some("a hierarchy is collected from one SMS Provider".to_owned()),
        }
        .into());
    }
    let sites = arguments.configmgr.iter().map(|site| SiteSettings {
        code: site.code.clone(),
        url: site.url.clone(),
        sign_in: of_sites.clone(),
    });
    let authorities = sign_in.ca.as_deref().map(read).transpose()?;
    let bar = output::progress("collecting");
    Ok(CollectSettings {
        out: out.to_owned(),
        program: concat!("tarbac ", env!("CARGO_PKG_VERSION")).to_owned(),
        cloud,
        graph: sign_in.graph.clone(),
        graph_token,
        sites: sites.collect(),
        authorities,
        has_all_groups: arguments.all_groups,
        is_resumed: arguments.resume,
        jobs: usize::from(arguments.jobs),
        rows_of_page: ROWS_OF_PAGE,
        waits: Waits::default(),
        progress: Arc::new(move |progress: CollectProgress<'_>| {
            bar.set_length(progress.known as u64);
            bar.set_position(progress.done as u64);
            bar.set_message(format!("collected {} records", progress.rows));
        }),
    })
}
