//! The arguments of `serve` for stores, and the start of following them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tarbac_fleet::{
    Announcement, Announcer, FleetError, Manifest, RefusedRevision, Replica, ReplicaState, Store,
};
use tarbac_host::workspace::LoadOptions;
use tarbac_host::{Layout, Switches, Workspace, assembly};
use tarbac_serve::{
    FollowSettings, Followed, FollowerReport, NamedSource, RevisionError, RevisionHistory,
    RevisionName, RevisionSource, RevisionSources, Settings, SourceError, SourcePoll, Stopped,
    TakeRevision, WorkspaceOrigin,
};

use super::history::History;
use crate::arguments::GlobalArgs;
use crate::command::fleet::{StorePattern, TrustArgs, cache, host_name, switches_of};
use crate::command::value::duration;
use crate::exit::Exit;
use crate::failure::{Failure, ShellError};
use crate::output::Output;
use crate::product;

/// Revisions of a store, in place of a workspace.
#[derive(Debug, Args)]
#[command(next_help_heading = "Revisions of a store")]
pub(crate) struct FollowArgs {
    /// Serve what `tarbac publish` puts into this store, and each newer revision; repeatable. URL/* is every store below.
    /// Several are each served under the last part of their URL.
    #[arg(
        long,
        value_name = "URL",
        env = "TARBAC_STORE",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub store: Vec<StorePattern>,

    /// Keep the last good revision in this folder, to start from it where the store does not answer.
    #[arg(long, value_name = "DIR", env = "TARBAC_CACHE", hide_env_values = true)]
    pub cache: Option<PathBuf>,

    /// The trusted publishers.
    #[command(flatten)]
    pub trust: TrustArgs,

    /// How often to look for a newer revision, varied by up to 20 %.
    #[arg(
        long,
        value_name = "DURATION",
        env = "TARBAC_POLL",
        hide_env_values = true,
        default_value = "15s",
        value_parser = duration
    )]
    pub poll: Duration,

    /// How long the store may fail to answer before what is served is stale.
    #[arg(
        long,
        value_name = "DURATION",
        env = "TARBAC_MAX_STALENESS",
        hide_env_values = true,
        default_value = "5m",
        value_parser = duration
    )]
    pub max_staleness: Duration,

    /// While what is served is stale, decide with it, or refuse to decide; /readyz says 503 in both cases.
    #[arg(
        long,
        value_name = "WHAT",
        env = "TARBAC_WHEN_STALE",
        hide_env_values = true,
        default_value = "serve"
    )]
    pub when_stale: WhenStaleArg,

    /// Announce in the store what is served, for `tarbac store status`.
    #[arg(long, env = "TARBAC_ANNOUNCE", hide_env_values = true)]
    pub announce: bool,

    /// The name of this replica in the store; by default that of the machine.
    #[arg(
        long,
        value_name = "NAME",
        env = "TARBAC_INSTANCE",
        hide_env_values = true
    )]
    pub instance: Option<String>,
}

/// What happens while what is served is stale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhenStaleArg {
    /// Go on deciding.
    Serve,
    /// Decide nothing.
    Refuse,
}

/// Serves stores.
pub(crate) fn run(
    global: &GlobalArgs,
    arguments: &FollowArgs,
    settings: Settings,
    is_check: bool,
    output: &mut Output,
) -> Result<Exit, Failure> {
    refuse_files(global)?;
    let trust = arguments.trust.keys()?;
    let mut sources = Sources {
        cache: arguments.cache.clone(),
        options: LoadOptions {
            cache: arguments.cache.is_some() && !global.no_cache,
            ..LoadOptions::default()
        },
        announcer: announcer(arguments)?,
        stores: Vec::new(),
        prefixes: Vec::new(),
        known: BTreeSet::new(),
    };
    for pattern in &arguments.store {
        let store = Store::open(&pattern.location, trust.clone())?;
        match pattern.is_prefix {
            true => sources.prefixes.push(store),
            false => sources.stores.push(store),
        }
    }
    let followed = match (sources.stores.as_slice(), sources.prefixes.as_slice()) {
        ([store], []) => Followed::One(sources.source(&store.clone(), arguments.cache.as_deref())?),
        _ => Followed::Several(Box::new(sources)),
    };
    if is_check {
        return check(&settings, followed, output);
    }
    let following = FollowSettings {
        poll: arguments.poll,
        max_staleness: arguments.max_staleness,
        refuse_stale: arguments.when_stale == WhenStaleArg::Refuse,
    };
    let nobody = assembly::examine(&product::rules().alone(), Vec::new(), &Switches::default())?;
    let nobody = Workspace::from_examination(nobody)?;
    Ok(
        match tarbac_serve::follow(settings, following, followed, nobody)? {
            Stopped::Gracefully => Exit::Yes,
            Stopped::AtOnce => Exit::No,
        },
    )
}

/// Refuses arguments about the files of a workspace: a revision has its own, and its readings.
fn refuse_files(global: &GlobalArgs) -> Result<(), ShellError> {
    let files = [&global.policies, &global.schema, &global.entities];
    let readings = [&global.reading, &global.no_reading];
    if files.iter().all(|files| files.is_empty()) && readings.iter().all(|names| names.is_empty()) {
        return Ok(());
    }
    Err(ShellError::Arguments {
        message: "a revision of a store has its own policies, schema, entities and readings".to_owned(),
        help: Some("leave out --policies, --schema, --entities, --reading and --no-reading; `tarbac publish` takes them".to_owned()),
    })
}

fn announcer(arguments: &FollowArgs) -> Result<Option<Announcer>, Failure> {
    if !arguments.announce {
        return Ok(None);
    }
    let named = arguments.instance.clone().or_else(host_name);
    let Some(instance) = named else {
        return Err(ShellError::Arguments {
            message: "the name of this machine is not known".to_owned(),
            help: Some("give one with --instance".to_owned()),
        }
        .into());
    };
    Ok(Some(Announcer::new(&instance)?))
}

/// Says what would be served.
fn check(settings: &Settings, followed: Followed, output: &mut Output) -> Result<Exit, Failure> {
    let wrong = |message: String| ShellError::Arguments {
        message,
        help: None,
    };
    let sources = match followed {
        Followed::One(source) => vec![(String::new(), source)],
        Followed::Several(mut sources) => {
            let added = sources.added();
            added.map_err(|error| wrong(error.to_string()))?
        }
    };
    for (_, mut source) in sources {
        let mut said = None;
        let polled = source.poll(&mut |origin, name| {
            let loaded = Workspace::load_by(&origin.layout, &origin.switches, &origin.options);
            let loaded = loaded.map_err(|error| RevisionError::Invalid(error.to_string()))?;
            said = Some((name.number, tarbac_serve::check(settings, &loaded)));
            Ok(())
        });
        let place = source.place();
        match (said, polled) {
            (Some((number, said)), _) => output.write(&format!("{place} {number}: {}", said?))?,
            (None, Err(error)) => return Err(wrong(format!("{place}: {error}")).into()),
            (None, Ok(_)) => {
                return Err(wrong(format!("{place} has no revision that can be served")).into());
            }
        }
    }
    Ok(Exit::Yes)
}

/// Several stores, and those below prefixes.
struct Sources {
    cache: Option<PathBuf>,
    options: LoadOptions,
    announcer: Option<Announcer>,
    stores: Vec<Store>,
    prefixes: Vec<Store>,
    known: BTreeSet<String>,
}

impl Sources {
    fn source(
        &self,
        store: &Store,
        folder: Option<&Path>,
    ) -> Result<Box<dyn RevisionSource>, FleetError> {
        Ok(Box::new(Source {
            replica: Replica::new(store.clone(), cache(folder)?),
            options: self.options.clone(),
            announcer: self.announcer.clone(),
        }))
    }
}

impl RevisionSources for Sources {
    fn added(&mut self) -> Result<Vec<NamedSource>, SourceError> {
        let mut found: Vec<Store> = self.stores.drain(..).collect();
        for prefix in &self.prefixes {
            let names = prefix.workspaces().map_err(silent)?;
            let names = names.iter().filter(|name| !self.known.contains(*name));
            found.extend(names.map(|name| prefix.below(name)));
        }
        let mut added = Vec::new();
        for store in found {
            let name = store.name();
            if !self.known.insert(name.clone()) {
                return Err(SourceError::SameName(name));
            }
            let folder = self.cache.as_ref().map(|cache| cache.join(&name));
            let source = self.source(&store, folder.as_deref());
            added.push((name, source.map_err(not_kept)?));
        }
        Ok(added)
    }
}

/// A store of one workspace.
struct Source {
    replica: Replica,
    options: LoadOptions,
    announcer: Option<Announcer>,
}

/// Gives a revision to whoever reads it.
pub(super) fn given(
    options: &LoadOptions,
    tree: &Path,
    manifest: &Manifest,
    take: TakeRevision<'_>,
) -> Result<(), RefusedRevision> {
    let origin = WorkspaceOrigin {
        layout: Layout::new(tree, product::rules()),
        switches: switches_of(&manifest.readings),
        options: options.clone(),
    };
    let name = RevisionName {
        number: manifest.number,
        created: manifest.created,
    };
    take(&origin, name).map_err(|error| RefusedRevision(error.to_string()))
}

pub(super) fn silent(error: FleetError) -> SourceError {
    SourceError::Silent(error.to_string())
}

fn not_kept(error: FleetError) -> SourceError {
    SourceError::NotKept(error.to_string())
}

impl RevisionSource for Source {
    fn place(&self) -> String {
        self.replica.store().location().to_string()
    }

    fn poll(&mut self, take: TakeRevision<'_>) -> Result<SourcePoll, SourceError> {
        let options = &self.options;
        let polled = self
            .replica
            .poll(&mut |tree, manifest| given(options, tree, manifest, take));
        let polled = polled.map_err(silent)?;
        Ok(SourcePoll {
            newest: self.replica.newest(),
            rejected: polled.rejected,
        })
    }

    fn take_kept(&mut self, take: TakeRevision<'_>) -> Result<(), SourceError> {
        let options = &self.options;
        let taken = self
            .replica
            .take_kept(&mut |tree, manifest| given(options, tree, manifest, take));
        taken.map(drop).map_err(not_kept)
    }

    fn report(&mut self, report: &FollowerReport) -> Result<(), SourceError> {
        let Some(announcer) = &self.announcer else {
            return Ok(());
        };
        let announcement = Announcement {
            instance: announcer.instance().to_owned(),
            number: report.number,
            id: report.id.clone(),
            since: report.since,
            state: match (report.is_stale, report.is_rejecting) {
                (true, _) => ReplicaState::Stale,
                (false, true) => ReplicaState::Rejecting,
                (false, false) => ReplicaState::Ok,
            },
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let said = announcer.say(self.replica.store(), &announcement);
        said.map_err(silent)
    }

    fn leave(&mut self) {
        if let Some(announcer) = &self.announcer {
            // Whoever looks after the fleet sees that it is silent.
            drop(announcer.leave(self.replica.store()));
        }
    }

    fn history(&self) -> Arc<dyn RevisionHistory> {
        Arc::new(History::new(self.replica.store().clone()))
    }
}
