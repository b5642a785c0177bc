//! `tarbac serve`: decisions over HTTP.

mod callers;
mod decision_log;
#[cfg(feature = "fleet")]
mod follow;
#[cfg(feature = "fleet")]
mod history;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use tarbac_diagnostic::finding::Finding;
use tarbac_host::excerpt::Excerpts;
use tarbac_report as render;
use tarbac_serve::{Limits, Listen, LogFormat, PublicUrl, Settings, Stopped, WorkspaceOrigin};

use super::value::{bytes, duration};
use super::{layout, note_warnings, reading, switches};
use crate::arguments::format::format_fixed;
use crate::arguments::{Format, GlobalArgs};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{self, Output, error_style};
use callers::CallerArgs;
use decision_log::DecisionLogArgs;
#[cfg(feature = "fleet")]
use follow::FollowArgs;

/// The heading of the limits in the help.
const LIMITS: &str = "Limits";

/// Serve decisions over HTTP, by AuthZEN 1.0.
///
/// A program asks with POST /access/v1/evaluation whether a person may do something to a device, and gets
/// {"decision":true} or {"decision":false}. The workspace has to be without errors; its warnings go to standard error. A
/// listener on this machine answers everybody on it. Other addresses need TLS and callers, or --insecure-http and
/// --anonymous.
///
/// Exit status: 0 stopped as asked, 1 stopped at once by a second signal, 2 could not serve.
#[derive(Debug, Args)]
#[command(arg = format_fixed(&[Format::Human]), after_help = "\
Examples:
  tarbac serve
  tarbac serve -C contoso --listen 127.0.0.1:0 --management 127.0.0.1:9180
  tarbac serve --listen unix:/run/tarbac/pdp.sock
  tarbac serve --listen 0.0.0.0:8443 --tls-cert pdp.pem --tls-key pdp.key --tokens callers.json
  tarbac serve --decision-log /var/log/tarbac/decisions.ndjson --decision-log-omit /context/ip
  tarbac serve --store az://contosopdp/revisions/contoso --cache /var/cache/tarbac --announce
  tarbac serve --check                     what would be served?
  tarbac help serving                      the page on serving")]
pub(crate) struct ServeArgs {
    /// Listen on this address; repeatable. Port 0 is any free one, and unix:PATH a socket in the file system.
    #[arg(
        long,
        value_name = "ADDR",
        env = "TARBAC_LISTEN",
        hide_env_values = true,
        value_delimiter = ',',
        default_value = "127.0.0.1:8180"
    )]
    pub listen: Vec<Listen>,

    /// Answer health, metrics and /-/… on this address, and not where decisions are answered.
    #[arg(
        long,
        value_name = "ADDR",
        env = "TARBAC_MANAGEMENT",
        hide_env_values = true
    )]
    pub management: Option<Listen>,

    /// The public https URL of the server; all endpoints are below its path.
    #[arg(
        long,
        value_name = "URL",
        env = "TARBAC_PUBLIC_URL",
        hide_env_values = true
    )]
    pub public_url: Option<PublicUrl>,

    /// Sign the document about the endpoints with this key: ES256, a private key in PEM (PKCS #8).
    #[arg(
        long,
        value_name = "FILE",
        env = "TARBAC_METADATA_KEY",
        hide_env_values = true,
        requires = "public_url"
    )]
    pub metadata_key: Option<PathBuf>,

    /// Answer requests for this host too, without a port for any port; repeatable.
    #[arg(
        long,
        value_name = "HOST",
        env = "TARBAC_ALLOW_HOST",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub allow_host: Vec<String>,

    /// Accept plain HTTP from other machines.
    #[arg(long, env = "TARBAC_INSECURE_HTTP", hide_env_values = true)]
    pub insecure_http: bool,

    /// Accept requests without credentials from other machines.
    #[arg(long, env = "TARBAC_ANONYMOUS", hide_env_values = true)]
    pub anonymous: bool,

    /// Serve no page for people, only the endpoints for programs.
    #[arg(long, env = "TARBAC_NO_PAGE", hide_env_values = true)]
    pub no_page: bool,

    /// Serve the files as they are now, and do not watch them.
    #[arg(long, env = "TARBAC_NO_WATCH", hide_env_values = true)]
    pub no_watch: bool,

    /// Check the configuration and the workspace, say what would be served, and exit.
    #[arg(long)]
    pub check: bool,

    /// How long to go on answering after a signal to stop, while /readyz says 503.
    #[arg(
        long,
        value_name = "DURATION",
        env = "TARBAC_DRAIN",
        hide_env_values = true,
        default_value = "5s",
        value_parser = duration
    )]
    pub drain: Duration,

    /// How long to wait after that for the requests that are being answered.
    #[arg(
        long,
        value_name = "DURATION",
        env = "TARBAC_GRACE",
        hide_env_values = true,
        default_value = "30s",
        value_parser = duration
    )]
    pub grace: Duration,

    /// The format of the log on standard error; RUST_LOG sets its level.
    #[arg(
        long,
        value_name = "FORMAT",
        env = "TARBAC_LOG_FORMAT",
        hide_env_values = true,
        default_value = "human"
    )]
    pub log_format: LogFormatArg,

    /// TLS, and who may ask.
    #[command(flatten)]
    pub callers: CallerArgs,

    /// The decision log.
    #[command(flatten)]
    pub decision_log: DecisionLogArgs,

    /// Revisions of a store.
    #[cfg(feature = "fleet")]
    #[command(flatten)]
    pub follow: FollowArgs,

    /// The limits of requests.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormatArg {
    /// A line for people.
    Human,
    /// A JSON object a line.
    Json,
}

/// The limits of requests.
#[derive(Debug, Args)]
#[command(next_help_heading = LIMITS)]
pub(crate) struct LimitArgs {
    /// The bytes of a body, for example 512KiB.
    #[arg(
        long,
        value_name = "SIZE",
        env = "TARBAC_MAX_BODY",
        hide_env_values = true,
        default_value = "1MiB",
        value_parser = bytes
    )]
    pub max_body: usize,

    /// The items of a batch.
    #[arg(
        long,
        value_name = "N",
        env = "TARBAC_MAX_EVALUATIONS",
        hide_env_values = true,
        default_value = "1000"
    )]
    pub max_evaluations: NonZeroUsize,

    /// The results of a page of a search that names no limit.
    #[arg(
        long,
        value_name = "N",
        env = "TARBAC_PAGE_SIZE",
        hide_env_values = true,
        default_value = "1000"
    )]
    pub page_size: NonZeroUsize,

    /// The most results of a page.
    #[arg(
        long,
        value_name = "N",
        env = "TARBAC_MAX_PAGE_SIZE",
        hide_env_values = true,
        default_value = "10000"
    )]
    pub max_page_size: NonZeroUsize,

    /// The longest time until a response begins.
    #[arg(
        long,
        value_name = "DURATION",
        env = "TARBAC_TIMEOUT",
        hide_env_values = true,
        default_value = "30s",
        value_parser = duration
    )]
    pub timeout: Duration,

    /// The most requests at the same time; further ones get 503.
    #[arg(
        long,
        value_name = "N",
        env = "TARBAC_MAX_IN_FLIGHT",
        hide_env_values = true,
        default_value_t = Limits::default().in_flight
    )]
    pub max_in_flight: usize,

    /// The open connections; one more is closed.
    #[arg(
        long,
        value_name = "N",
        env = "TARBAC_MAX_CONNECTIONS",
        hide_env_values = true,
        default_value_t = Limits::default().connections
    )]
    pub max_connections: usize,
}

impl ServeArgs {
    fn settings(&self, folder: &Path) -> Result<Settings, ShellError> {
        Ok(Settings {
            listen: self.listen.clone(),
            management: self.management.clone(),
            public_url: self.public_url.clone(),
            metadata_key: self.metadata_key.clone(),
            allow_hosts: self.allow_host.clone(),
            tls: self.callers.tls(),
            tokens: self.callers.tokens.clone(),
            jwt: self.callers.jwt()?,
            insecure_http: self.insecure_http,
            anonymous: self.anonymous,
            page: !self.no_page,
            folder: folder_argument(folder),
            watch: !self.no_watch,
            decision_log: self.decision_log.settings(),
            limits: Limits {
                body: self.limits.max_body,
                evaluations: self.limits.max_evaluations.get(),
                page_size: self.limits.page_size.get(),
                max_page_size: self.limits.max_page_size.get(),
                timeout: self.limits.timeout,
                in_flight: self.limits.max_in_flight,
                connections: self.limits.max_connections,
            },
            drain: self.drain,
            grace: self.grace,
            log_format: match self.log_format {
                LogFormatArg::Human => LogFormat::Human,
                LogFormatArg::Json => LogFormat::Json,
            },
            bound: None,
        })
    }
}

pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &ServeArgs,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let settings = arguments.settings(&global.workspace)?;
    #[cfg(feature = "fleet")]
    if !arguments.follow.store.is_empty() {
        return follow::run(global, &arguments.follow, settings, arguments.check, output);
    }
    let mut origin = WorkspaceOrigin {
        layout: layout(global),
        switches: switches(global)?,
        options: tarbac_host::workspace::LoadOptions::default(),
    };
    let loaded = reading(global, |options| {
        origin.options = options.clone();
        origin.load()
    })?;
    // A later reading has no terminal to show its progress on.
    origin.options.progress = None;
    let workspace = &loaded.workspace;
    note_warnings(workspace);
    note_findings(&workspace.warnings);
    if arguments.check {
        output.write(&tarbac_serve::check(&settings, workspace)?)?;
        return Ok(Exit::Yes);
    }
    match tarbac_serve::serve(settings, origin, loaded)? {
        Stopped::Gracefully => Ok(Exit::Yes),
        Stopped::AtOnce => Ok(Exit::No),
    }
}

/// The folder of a workspace as commands have to be told it; `None` for the one that they begin in.
pub(crate) fn folder_argument(folder: &Path) -> Option<String> {
    (folder != Path::new(".")).then(|| folder.display().to_string())
}

/// Writes findings as `validate` does, as a note.
fn note_findings(findings: &[Finding]) {
    if findings.is_empty() {
        return;
    }
    let style = error_style();
    let text = render::findings::human(findings, &Excerpts::read(findings), style);
    let summary = render::findings::summary(findings, style);
    output::note(&format!("{text}\n{summary}"));
}
