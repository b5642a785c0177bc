//! The store that the arguments name, and the revisions in it.

mod each;

use std::path::{Path, PathBuf};

use clap::Args;
use miette::Diagnostic;
use tarbac_fleet::{
    Cache, FleetError, Location, Manifest, Published, Publisher, Readings, Store, TrustedKeys,
};
use tarbac_host::excerpt::Excerpts;
use tarbac_host::{Layout, LoadError, Switches, Workspace, workspace};
use tarbac_report as render;
use tarbac_report::store::{Publication, PublicationResult};
use thiserror::Error;

use super::{layout, reading};
use crate::arguments::GlobalArgs;
use crate::failure::Failure;
use crate::output::{error_style, say};
use crate::product;

pub(crate) use each::{EachArgs, StorePattern};

/// The publishers whose revisions are used.
#[derive(Debug, Args)]
pub(crate) struct TrustArgs {
    /// Use only revisions that one of the public keys in this file has signed (Ed25519, PEM).
    #[arg(
        long,
        value_name = "FILE",
        env = "TARBAC_TRUST",
        hide_env_values = true
    )]
    pub trust: Option<PathBuf>,
}

impl TrustArgs {
    /// The keys of the publishers; `None` if every publisher is trusted.
    pub(crate) fn keys(&self) -> Result<Option<TrustedKeys>, Failure> {
        Ok(self.trust.as_deref().map(TrustedKeys::read).transpose()?)
    }
}

/// A store, and the publishers whose revisions in it are used.
#[derive(Debug, Args)]
pub(crate) struct StoreAtArgs {
    /// The store: az://ACCOUNT/CONTAINER/PREFIX, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or file:///FOLDER.
    #[arg(long, value_name = "URL", env = "TARBAC_STORE", hide_env_values = true)]
    pub store: Location,

    /// The trusted publishers.
    #[command(flatten)]
    pub trust: TrustArgs,
}

/// What cannot be done with a store.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
#[diagnostic(code(store::failed))]
struct StoreFailure {
    message: String,
    #[help]
    help: Option<String>,
}

impl From<FleetError> for Failure {
    fn from(error: FleetError) -> Self {
        let help = match &error {
            FleetError::Store { .. } => Some(
                "credentials are taken from the environment; `tarbac help fleet` has the variables",
            ),
            FleetError::Damaged { .. } | FleetError::NoBlob { .. } => Some(
                "publish the whole workspace with --repair, or revert to a revision that is whole",
            ),
            FleetError::NoRevision { .. } => Some("`tarbac store log` lists the revisions"),
            FleetError::Contended(_) => Some("run the command again"),
            FleetError::Lost { .. } => Some("is the folder of the store mounted?"),
            FleetError::Restless(_) => Some("wait until nothing changes the workspace"),
            FleetError::Key(_) => Some("`openssl genpkey -algorithm ed25519` makes a key"),
            FleetError::InUse(_) => Some("give each program a folder of its own"),
            FleetError::Untrusted { .. }
            | FleetError::Manifest { .. }
            | FleetError::File { .. } => None,
        };
        Self::Error(Box::new(StoreFailure {
            message: error.to_string(),
            help: help.map(str::to_owned),
        }))
    }
}

impl StoreAtArgs {
    /// The store, to read from.
    pub(crate) fn open(&self) -> Result<Store, Failure> {
        Ok(Store::open(&self.store, self.trust.keys()?)?)
    }

    /// The store, to write to.
    pub(crate) fn make(&self) -> Result<Store, Failure> {
        Ok(Store::make(&self.store, self.trust.keys()?)?)
    }
}

/// The cache in a folder, or one for this run.
pub(crate) fn cache(folder: Option<&Path>) -> Result<Cache, FleetError> {
    match folder {
        Some(folder) => Cache::open(folder),
        None => Cache::temporary(),
    }
}

/// Readings as the host has them.
pub(crate) fn switches_of(readings: &Readings) -> Switches {
    Switches {
        on: readings.on.clone(),
        off: readings.off.clone(),
    }
}

/// Reads the workspace of a revision. Without `keep`, nothing is kept of it for a later run.
pub(crate) fn load_tree(
    global: &GlobalArgs,
    tree: &Path,
    readings: &Readings,
    keep: bool,
) -> Result<Workspace, LoadError> {
    let layout = Layout::new(tree, product::rules());
    reading(global, |options| {
        let mut options = options.clone();
        options.cache &= keep;
        Workspace::load_by(&layout, &switches_of(readings), &options)
    })
}

/// The workspace of a revision in a store, or the errors in it.
///
/// # Errors
/// The store does not answer, or a file of the revision is missing or damaged.
pub(crate) fn load_revision(
    global: &GlobalArgs,
    store: &Store,
    manifest: &Manifest,
) -> Result<Result<Workspace, LoadError>, FleetError> {
    let cache = cache(None)?;
    cache.hold(store, manifest)?;
    Ok(load_tree(global, &cache.tree(), &manifest.readings, false))
}

/// Says what is wrong with a revision; files are named as in a workspace.
pub(crate) fn say_errors(error: LoadError, tree: &Path) -> Option<Failure> {
    let LoadError::Invalid(findings) = error else {
        return Some(error.into());
    };
    let style = error_style();
    let text = render::findings::human(&findings, &Excerpts::read(&findings), style);
    let summary = render::findings::summary(&findings, style);
    let prefix = format!("{}/", tree.display());
    say(&format!("{text}\n{summary}").replace(&prefix, ""));
    None
}

/// Who publishes from here.
pub(crate) fn publisher(global: &GlobalArgs) -> Publisher {
    Publisher {
        program: format!("tarbac {}", env!("CARGO_PKG_VERSION")),
        host: host_name(),
        commit: workspace::commit(&layout(global)),
    }
}

/// Who published something, in words.
pub(crate) fn published_by(publisher: &Publisher) -> String {
    let host = publisher.host.as_ref().map(|host| format!(" on {host}"));
    let commit = publisher.commit.as_ref();
    let commit = commit.and_then(|commit| commit.get(..12));
    let commit = commit.map(|commit| format!(", commit {commit}"));
    let parts = [Some(publisher.program.clone()), host, commit];
    parts.into_iter().flatten().collect()
}

/// The name of this machine, where the environment or the system has one.
#[expect(
    clippy::disallowed_methods,
    reason = "the shell looks at the environment"
)]
pub(crate) fn host_name() -> Option<String> {
    let named = ["HOSTNAME", "COMPUTERNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok());
    let named = named.or_else(|| std::fs::read_to_string("/etc/hostname").ok());
    named
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
}

/// A publication as programs get it.
pub(crate) fn publication(published: &Published) -> Publication {
    let (result, manifest) = match published {
        Published::New(manifest) => (PublicationResult::Published, manifest),
        Published::Unchanged(manifest) => (PublicationResult::Unchanged, manifest),
    };
    Publication {
        result,
        number: manifest.number,
        id: manifest.id.clone(),
        reverts_to: manifest.reverts_to,
        files: manifest.files.len(),
        bytes: manifest.size(),
    }
}

/// A revision in a line: its number, and the first digits of what it is.
pub(crate) fn in_short(manifest: &Manifest) -> String {
    format!("revision {} ({})", manifest.number, manifest.short_id())
}
