//! The revisions of a store that records are decided again with.

use std::collections::BTreeMap;
use std::io::BufRead;

use clap::Args;
use tarbac_analysis::replay::{RecordedRevision, Replay, Replayer, WhyNot, revision_of};
use tarbac_fleet::{FleetError, Store};
use tarbac_host::{Engine, Workspace};
use thiserror::Error;

use super::{NO_LOG, ReplayArgs, some_at_a_time};
use crate::arguments::GlobalArgs;
use crate::command::fleet::{StorePattern, TrustArgs, load_revision};
use crate::command::note_warnings;
use crate::failure::{Failure, ShellError};

/// So many revisions are kept in memory: those of servers that are not equally far come by turns.
const KEPT: usize = 2;

/// Revisions of a store, in place of a workspace.
#[derive(Debug, Args)]
pub(crate) struct OfStoreArgs {
    /// Decide with revisions of this store.
    #[arg(long, value_name = "URL")]
    pub store: Option<StorePattern>,

    /// The trusted publishers.
    #[command(flatten)]
    pub trust: TrustArgs,

    /// Decide each record with the revision that it names; --store URL/* has those of all workspaces below.
    #[arg(long, requires = "store", conflicts_with = "new")]
    pub each_revision: bool,
}

impl OfStoreArgs {
    fn open(&self, pattern: &StorePattern) -> Result<Store, Failure> {
        Ok(Store::open(&pattern.location, self.trust.keys()?)?)
    }
}

/// The revision that all records are decided with; `None` where no store is named.
pub(super) fn one_revision(
    global: &GlobalArgs,
    arguments: &ReplayArgs,
) -> Result<Option<Workspace>, Failure> {
    let Some(pattern) = &arguments.of_store.store else {
        return Ok(None);
    };
    let wrong = |message: &str, help: &str| ShellError::Arguments {
        message: message.to_owned(),
        help: Some(help.to_owned()),
    };
    if pattern.is_prefix {
        let help = "give the store of one workspace, or --each-revision";
        return Err(wrong("each workspace has revisions of its own", help).into());
    }
    let store = arguments.of_store.open(pattern)?;
    let newest = || FleetError::NoRevision { number: 1 };
    let revision = match &arguments.new {
        None => store.newest()?.ok_or_else(newest)?,
        Some(number) => {
            let help = "`tarbac store log` lists the revisions";
            let number = number.parse();
            let number = number.map_err(|_| wrong("NEW is no number of a revision", help))?;
            let found = store.revision(number)?;
            found.ok_or(FleetError::NoRevision { number })?
        }
    };
    let workspace = load_revision(global, &store, &revision.manifest)??;
    note_warnings(&workspace);
    Ok(Some(workspace))
}

/// Decides each record with the revision that it names; gives the newest of them as well.
///
/// # Errors
/// The log or a store cannot be read, or no revision is to be had.
pub(super) fn each_revision(
    global: &GlobalArgs,
    arguments: &ReplayArgs,
    lines: Box<dyn BufRead>,
) -> Result<(Replay, Engine), Failure> {
    let mut revisions = Revisions::open(global, &arguments.of_store)?;
    let mut replay = Replay::default();
    // Somebody whom one revision does not know may be in another.
    let mut unknown = None;
    let decided = some_at_a_time(lines, |lines| {
        let mut groups: BTreeMap<RecordedRevision, Vec<(u64, String)>> = BTreeMap::new();
        for (number, line) in lines {
            match revision_of(line) {
                Ok(None) => {}
                Ok(Some(revision)) => {
                    let group = groups.entry(revision).or_default();
                    group.push((*number, line.clone()));
                }
                Err(why) => replay.refuse(*number, why),
            }
        }
        for (revision, lines) in groups {
            match revisions.engine(&revision)? {
                Ok(engine) => match arguments.only.given().about([engine, engine]) {
                    Ok(about) => {
                        Replayer::new(engine, about).replay(&lines, &mut replay);
                        replay.revisions.insert(revision);
                    }
                    Err(failure) => unknown = Some(failure),
                },
                Err(error) => {
                    for (number, _) in &lines {
                        let message = error.to_string();
                        replay.refuse(*number, WhyNot::NoRevision { message });
                    }
                }
            }
        }
        Ok(())
    });
    decided.map_err(|stopped| {
        stopped.at(|error| ShellError::file_or("read", &arguments.log, error, NO_LOG))
    })?;
    replay.sort();
    match (replay.revisions.is_empty(), unknown, revisions.newest()) {
        (true, Some(failure), _) => Err(failure.into()),
        (_, _, Some(engine)) => Ok((replay, engine)),
        (_, _, None) => Err(nothing(&replay).into()),
    }
}

/// The error where no record could be decided again.
fn nothing(replay: &Replay) -> ShellError {
    let first = replay.not_replayed.first();
    let why = match first.map(|first| (first.line, &first.why)) {
        Some((line, WhyNot::NoRevision { message } | WhyNot::NoRecord { message })) => {
            format!("line {line}: {message}")
        }
        _ => "the log has no record".to_owned(),
    };
    ShellError::Arguments {
        message: format!("no record names a revision that is to be had; {why}"),
        help: Some(
            "is it the log of a server of this store? `tarbac store log` lists the revisions"
                .to_owned(),
        ),
    }
}

/// The reason why there is no revision to decide a record with.
#[derive(Debug, Clone, Error)]
enum NoEngine {
    /// It cannot be used, in a sentence.
    #[error("{0}")]
    Unusable(String),
    #[error("revision {number} has errors")]
    Invalid { number: u64 },
    #[error("revision {number} of the store is {found}, and the record names {named}")]
    Another {
        number: u64,
        found: String,
        named: String,
    },
    #[error("it is of the workspace `{0}`, which is not here")]
    Elsewhere(String),
    #[error("it names no workspace")]
    NoWorkspace,
}

impl From<FleetError> for NoEngine {
    fn from(error: FleetError) -> Self {
        Self::Unusable(error.to_string())
    }
}

/// Revisions, of which some are kept in memory.
struct Revisions<'g> {
    global: &'g GlobalArgs,
    store: Store,
    /// The workspaces below the store, if it is a prefix.
    workspaces: Option<Vec<String>>,
    /// The last ones, the latest at the end; or why they are not to be had.
    kept: Vec<(RecordedRevision, Result<Engine, NoEngine>)>,
}

impl<'g> Revisions<'g> {
    fn open(global: &'g GlobalArgs, arguments: &OfStoreArgs) -> Result<Self, Failure> {
        let pattern = arguments.store.as_ref();
        let pattern = pattern.ok_or_else(|| ShellError::Arguments {
            message: "there is no --store".to_owned(),
            help: None,
        })?;
        let store = arguments.open(pattern)?;
        let workspaces = pattern.is_prefix.then(|| store.workspaces());
        Ok(Self {
            global,
            workspaces: workspaces.transpose()?,
            store,
            kept: Vec::new(),
        })
    }

    /// The engine of a revision, or why there is none.
    ///
    /// # Errors
    /// The store does not answer.
    fn engine(
        &mut self,
        revision: &RecordedRevision,
    ) -> Result<Result<&Engine, NoEngine>, Failure> {
        let place = self.kept.iter().position(|(of, _)| of == revision);
        let (name, engine) = match place {
            Some(place) => self.kept.remove(place),
            None => (revision.clone(), self.read(revision)?),
        };
        while self.kept.len() >= KEPT {
            drop(self.kept.remove(0));
        }
        self.kept.push((name, engine));
        let last = self.kept.last().map(|(_, engine)| engine.as_ref());
        Ok(match last {
            Some(engine) => engine.map_err(Clone::clone),
            None => Err(FleetError::NoRevision {
                number: revision.number,
            }
            .into()),
        })
    }

    fn read(&self, revision: &RecordedRevision) -> Result<Result<Engine, NoEngine>, Failure> {
        let number = revision.number;
        let store = match self.store_of(revision.workspace.as_deref()) {
            Ok(store) => store,
            Err(error) => return Ok(Err(error)),
        };
        let manifest = match store.revision(number) {
            Ok(Some(found)) => found.manifest,
            Ok(None) => return Ok(Err(FleetError::NoRevision { number }.into())),
            Err(error) if error.is_passing() => return Err(error.into()),
            Err(error) => return Ok(Err(error.into())),
        };
        let engine = match load_revision(self.global, &store, &manifest) {
            Ok(Ok(workspace)) => workspace.engine,
            Ok(Err(_)) => return Ok(Err(NoEngine::Invalid { number })),
            Err(error) if error.is_passing() => return Err(error.into()),
            Err(error) => return Ok(Err(error.into())),
        };
        let found = engine.provenance().revision_id();
        Ok(match found == revision.id {
            true => Ok(engine),
            false => Err(NoEngine::Another {
                number,
                found: found.to_owned(),
                named: revision.id.clone(),
            }),
        })
    }

    /// The store of a workspace.
    fn store_of(&self, workspace: Option<&str>) -> Result<Store, NoEngine> {
        match (&self.workspaces, workspace) {
            (None, None) => Ok(self.store.clone()),
            (None, Some(name)) if name == self.store.name() => Ok(self.store.clone()),
            (Some(names), Some(name)) if names.iter().any(|of| of == name) => {
                Ok(self.store.below(name))
            }
            (_, Some(name)) => Err(NoEngine::Elsewhere(name.to_owned())),
            (Some(_), None) => Err(NoEngine::NoWorkspace),
        }
    }

    /// The last engine that was read.
    fn newest(self) -> Option<Engine> {
        let mut kept = self.kept.into_iter().rev();
        kept.find_map(|(_, engine)| engine.ok())
    }
}
