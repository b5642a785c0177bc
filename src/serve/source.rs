//! Revisions that a server takes from a store.

use std::time::Duration;

use jiff::Timestamp;

use crate::origin::WorkspaceOrigin;

/// What a revision of a store is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevisionName {
    /// Its number.
    pub number: u64,
    /// When it was published, by the clock of whoever did.
    pub created: Timestamp,
}

/// Begins to serve a revision, which is read from a folder; otherwise what is wrong with it.
pub type TakeRevision<'t> = &'t mut dyn FnMut(&WorkspaceOrigin, RevisionName) -> Result<(), String>;

/// What a look into a store has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourcePoll {
    /// The greatest number that the store is known to have.
    pub newest: u64,
    /// The revisions that cannot be taken and were not told before, each with the reason.
    pub rejected: Vec<(u64, String)>,
}

/// How a server is that follows a store, for whoever looks after it.
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
    /// Where the store is, for people.
    fn place(&self) -> String;

    /// Takes the newest revision that is good, if it is newer than the one that was taken.
    ///
    /// # Errors
    /// The store does not answer, in a sentence.
    fn poll(&mut self, take: TakeRevision<'_>) -> Result<SourcePoll, String>;

    /// Takes the last good revision that is kept on this machine.
    ///
    /// # Errors
    /// There is none, in a sentence.
    fn take_kept(&mut self, take: TakeRevision<'_>) -> Result<(), String>;

    /// Tells others how the server is, if it is to.
    ///
    /// # Errors
    /// The store does not take it, in a sentence.
    fn report(&mut self, report: &FollowerReport) -> Result<(), String>;

    /// Tells others that the server stops.
    fn leave(&mut self);
}

/// A store, and the name of its workspace.
pub type NamedSource = (String, Box<dyn RevisionSource>);

/// Several workspaces in one process.
pub trait RevisionSources: Send {
    /// The workspaces that are not followed yet, each with its name: the first part of its paths.
    ///
    /// # Errors
    /// The store does not answer, in a sentence.
    fn added(&mut self) -> Result<Vec<NamedSource>, String>;
}

/// The stores that a server follows.
pub enum Followed {
    /// One, whose workspace is everything that is served.
    One(Box<dyn RevisionSource>),
    /// Several, each under a path of its own.
    Several(Box<dyn RevisionSources>),
}

/// How a store is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FollowSettings {
    /// The pause between two looks into it.
    pub poll: Duration,
    /// How long it may be silent.
    pub max_staleness: Duration,
    /// Whether nothing is decided while what is served is stale.
    pub refuse_stale: bool,
}
