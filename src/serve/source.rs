//! Revisions that a server takes from a store.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use thiserror::Error;

use crate::origin::WorkspaceOrigin;

/// The name of a revision of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevisionName {
    /// Its number.
    pub number: u64,
    /// When it was published, by the clock of whoever did.
    pub created: Timestamp,
}

/// The reason why a revision cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RevisionError {
    /// Its files cannot be read, or have errors: these, in sentences.
    #[error("{0}")]
    Invalid(String),
    /// The program has a bug.
    #[error("the reading of the workspace ended in a panic")]
    Panic,
}

/// The reason why nothing comes from a store.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SourceError {
    /// The store does not answer, or refuses a request; the reason in a sentence.
    #[error("{0}")]
    Silent(String),
    /// The copy on this machine cannot be served; the reason in a sentence.
    #[error("{0}")]
    NotKept(String),
    /// It has no revision.
    #[error("it has no revision")]
    Empty,
    /// Its newest revision cannot be served.
    #[error("revision {number} cannot be taken: {reason}")]
    Rejected {
        /// The number.
        number: u64,
        /// The reason, in a sentence.
        reason: String,
    },
    /// Neither the store nor this machine has a revision that can be served.
    #[error("{there}; and of what was kept here: {here}")]
    Nothing {
        /// The error of the store.
        there: Box<SourceError>,
        /// The error of the copy on this machine.
        here: Box<SourceError>,
    },
    /// A revision of it cannot be read.
    #[error(transparent)]
    Revision(#[from] RevisionError),
    /// Two stores have the same name.
    #[error("two stores are called `{0}`, which is their path")]
    SameName(String),
}

/// Begins to serve a revision, which is read from a folder; otherwise what is wrong with it.
pub type TakeRevision<'t> =
    &'t mut dyn FnMut(&WorkspaceOrigin, RevisionName) -> Result<(), RevisionError>;

/// The result of polling a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourcePoll {
    /// The greatest number that the store is known to have.
    pub newest: u64,
    /// The revisions that cannot be taken and were not told before, each with the reason.
    pub rejected: Vec<(u64, String)>,
}

/// The state of a follower, for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowerReport {
    /// The number that is served.
    pub number: u64,
    /// The first 16 digits of the revision.
    pub id: String,
    /// When it began to be served.
    pub since: Timestamp,
    /// Whether the store has not answered for too long.
    pub is_stale: bool,
    /// Whether a newer revision is known that cannot be taken.
    pub is_rejecting: bool,
}

/// A store that revisions are taken from. Each call waits until it is done.
pub trait RevisionSource: Send {
    /// The place of the store, for people.
    fn place(&self) -> String;

    /// Takes the newest revision that is good, if it is newer than the one that was taken.
    ///
    /// # Errors
    /// The store does not answer.
    fn poll(&mut self, take: TakeRevision<'_>) -> Result<SourcePoll, SourceError>;

    /// Takes the last good revision that is kept on this machine.
    ///
    /// # Errors
    /// There is none, or it cannot be served.
    fn take_kept(&mut self, take: TakeRevision<'_>) -> Result<(), SourceError>;

    /// Tells others how the server is, if it is to.
    ///
    /// # Errors
    /// The store does not take it.
    fn report(&mut self, report: &FollowerReport) -> Result<(), SourceError>;

    /// Tells others that the server stops.
    fn leave(&mut self);

    /// The questions of people to the store.
    fn history(&self) -> Arc<dyn RevisionHistory>;
}

/// A revision in the history of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PastRevision {
    /// Its number.
    pub number: u64,
    /// The description of the revision, or the reason why it cannot be used.
    #[serde(flatten, serialize_with = "about")]
    pub about: Result<RevisionAbout, RevisionError>,
}

/// The description of a revision, by its manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RevisionAbout {
    /// The first 16 digits of the revision.
    pub id: String,
    /// When it was published, by the clock of whoever did.
    pub created: Timestamp,
    /// The program that published it, and where.
    pub publisher: String,
    /// The message of its publisher.
    pub message: Option<String>,
    /// The number whose content it has again, if it is a revert.
    pub reverts_to: Option<u64>,
}

/// The state of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplicaCondition {
    /// It serves the newest revision that it knows.
    Ok,
    /// It has not heard from the store for too long.
    Stale,
    /// It knows a newer revision that it cannot take.
    Rejecting,
    /// It has not been heard of for too long.
    Silent,
}

/// A replica as it was heard of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HeardReplica {
    /// Its name.
    pub instance: String,
    /// The number of the revision that it serves.
    pub number: u64,
    /// The first 16 digits of the revision.
    pub id: String,
    /// When it began to serve that, by its clock.
    pub since: Timestamp,
    /// Its state.
    pub state: ReplicaCondition,
    /// The time since its last report, by the clock of the store.
    pub seconds: u64,
    /// The version of its program.
    pub version: String,
}

/// The history of a store, beside what is served of it. Each call waits until it is done.
pub trait RevisionHistory: Send + Sync {
    /// The place of the store, for people.
    fn place(&self) -> String;

    /// The numbers of all revisions, rising.
    ///
    /// # Errors
    /// The store does not answer.
    fn numbers(&self) -> Result<Vec<u64>, SourceError>;

    /// A revision.
    ///
    /// # Errors
    /// The store does not answer.
    fn revision(&self, number: u64) -> Result<PastRevision, SourceError>;

    /// The replicas that say how they are, by name.
    ///
    /// # Errors
    /// The store does not answer.
    fn replicas(&self) -> Result<Vec<HeardReplica>, SourceError>;

    /// Fetches the files of a revision, and gives them to `read`; they are gone afterwards.
    ///
    /// # Errors
    /// There is no such revision, the store does not answer, or `read` fails.
    fn fetch(&self, number: u64, read: TakeRevision<'_>) -> Result<(), SourceError>;
}

/// Writes what a revision is, or `error`.
fn about<S: Serializer>(
    about: &Result<RevisionAbout, RevisionError>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Known<'a> {
        Is(&'a RevisionAbout),
        IsNot { error: String },
    }
    let known = match about {
        Ok(about) => Known::Is(about),
        Err(error) => Known::IsNot {
            error: error.to_string(),
        },
    };
    known.serialize(serializer)
}

/// A store, and the name of its workspace.
pub type NamedSource = (String, Box<dyn RevisionSource>);

/// Several workspaces in one process.
pub trait RevisionSources: Send {
    /// The workspaces that are not followed yet, each with its name: the first part of its paths.
    ///
    /// # Errors
    /// The store does not answer.
    fn added(&mut self) -> Result<Vec<NamedSource>, SourceError>;
}

/// The stores that a server follows.
pub enum Followed {
    /// One, whose workspace is everything that is served.
    One(Box<dyn RevisionSource>),
    /// Several, each under a path of its own.
    Several(Box<dyn RevisionSources>),
}

/// The settings for following a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowSettings {
    /// The pause between two looks into it.
    pub poll: Duration,
    /// The longest time without an answer of the store.
    pub max_staleness: Duration,
    /// Whether nothing is decided while what is served is stale.
    pub refuse_stale: bool,
}
