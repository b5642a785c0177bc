//! An analysis of one workspace after the other, as rows of one table.

use std::path::Path;
use std::str::FromStr;

use clap::Args;
use tarbac_fleet::{FleetError, Location, Manifest, NoLocation, Store};

use super::{TrustArgs, cache};
use crate::arguments::{Format, GlobalArgs};
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::{Output, say};

/// A store, or every store below a prefix.
#[derive(Debug, Clone)]
pub(crate) struct StorePattern {
    /// The store or the prefix.
    pub location: Location,
    /// Whether it is a prefix.
    pub is_prefix: bool,
}

impl FromStr for StorePattern {
    type Err = NoLocation;

    fn from_str(text: &str) -> Result<Self, NoLocation> {
        let prefix = text.strip_suffix("/*");
        Ok(Self {
            location: prefix.unwrap_or(text).parse()?,
            is_prefix: prefix.is_some(),
        })
    }
}

/// The stores whose newest revisions are analysed, in place of a workspace.
#[derive(Debug, Args)]
pub(crate) struct EachArgs {
    /// Report on the newest revision in this store, with its name and number in each row; repeatable. URL/* is every
    /// store below. It goes with --format ndjson.
    #[arg(long, value_name = "URL", value_delimiter = ',')]
    pub store: Vec<StorePattern>,

    /// The trusted publishers.
    #[command(flatten)]
    pub trust: TrustArgs,
}

impl EachArgs {
    /// Runs an analysis: of the workspace, or of the newest revision of each store, one after the other.
    pub(crate) fn run(
        &self,
        global: &GlobalArgs,
        output: &mut Output,
        mut report: impl FnMut(&GlobalArgs, &mut Output) -> Result<Exit, Failure>,
    ) -> Result<Exit, Failure> {
        match self.store.is_empty() {
            true => report(global, output),
            false => each(global, self, output, &mut report),
        }
    }
}

/// Runs an analysis on the newest revision of each store, one after the other.
fn each(
    global: &GlobalArgs,
    arguments: &EachArgs,
    output: &mut Output,
    run: &mut dyn FnMut(&GlobalArgs, &mut Output) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    if global.format != Format::Ndjson {
        return Err(ShellError::Arguments {
            message: "several workspaces are reported as rows".to_owned(),
            help: Some("give --format ndjson with --store".to_owned()),
        }
        .into());
    }
    let trust = arguments.trust.keys()?;
    let mut exit = Exit::Yes;
    for pattern in &arguments.store {
        let store = Store::open(&pattern.location, trust.clone())?;
        let stores = match pattern.is_prefix {
            false => vec![store],
            true => store
                .workspaces()?
                .iter()
                .map(|name| store.below(name))
                .collect(),
        };
        for store in stores {
            let one = one(global, &store, output, run);
            output.stamp(None);
            match (one, exit) {
                (Ok(Exit::Yes), _) | (Ok(Exit::No), Exit::Unanswered) => {}
                (Ok(other), _) => exit = other,
                // The others are reported all the same.
                (Err(failure), _) => {
                    say(&format!("{}:\n", store.location()));
                    failure.report();
                    exit = Exit::Unanswered;
                }
            }
        }
    }
    Ok(exit)
}

fn one(
    global: &GlobalArgs,
    store: &Store,
    output: &mut Output,
    run: &mut dyn FnMut(&GlobalArgs, &mut Output) -> Result<Exit, Failure>,
) -> Result<Exit, Failure> {
    let newest = store
        .newest()?
        .ok_or(FleetError::NoRevision { number: 1 })?
        .manifest;
    // What one workspace takes is given back before the next.
    let cache = cache(None)?;
    cache.hold(store, &newest)?;
    output.stamp(Some(stamp(&store.name(), &newest)));
    run(&of_revision(global, &cache.tree(), &newest), output)
}

/// The arguments by which a command reads a revision.
fn of_revision(global: &GlobalArgs, tree: &Path, manifest: &Manifest) -> GlobalArgs {
    GlobalArgs {
        workspace: tree.to_owned(),
        reading: [global.reading.as_slice(), &manifest.readings.on].concat(),
        no_reading: [global.no_reading.as_slice(), &manifest.readings.off].concat(),
        no_cache: true,
        ..global.clone()
    }
}

/// The fields that each row of a workspace begins with.
fn stamp(name: &str, manifest: &Manifest) -> String {
    let fields = serde_json::json!({ "workspace": name, "number": manifest.number });
    fields.to_string()
}
