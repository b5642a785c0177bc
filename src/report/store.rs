//! The revisions of a store, for programs.

use schemars::JsonSchema;
use serde::Serialize;

use super::{VERSION, json};
use crate::schema;

/// The JSON Schema of a publication.
pub const PUBLISH_SCHEMA: fn() -> String = schema::text::<Document<Publication>>;

/// The JSON Schema of the state of a store.
pub const STATUS_SCHEMA: fn() -> String = schema::text::<Document<StoreStatus>>;

/// The JSON Schema of the revisions of a store.
pub const LOG_SCHEMA: fn() -> String = schema::text::<Document<StoreLog>>;

/// The JSON Schema of what was removed from a store.
pub const PRUNE_SCHEMA: fn() -> String = schema::text::<Document<Pruning>>;

/// The result of `publish` or `store revert`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Publication {
    /// Whether there is a new revision.
    pub result: PublicationResult,
    /// Its number; that of the newest revision where there is none.
    pub number: u64,
    /// The revision, as `validate` prints it.
    pub id: String,
    /// The number whose content it has again, if it is a revert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reverts_to: Option<u64>,
    /// The number of its files.
    pub files: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// Whether there is a new revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PublicationResult {
    /// There is.
    Published,
    /// The newest revision has that content already.
    Unchanged,
}

impl PublicationResult {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Unchanged => "unchanged",
        }
    }
}

/// The state of a store and of those who read it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StoreStatus {
    /// The number of revisions.
    pub revisions: usize,
    /// The newest, if there is one.
    pub newest: Option<StoredRevision>,
    /// The replicas that say how they are, by name.
    pub replicas: Vec<ReplicaStatus>,
}

/// A replica.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReplicaStatus {
    /// Its name.
    pub instance: String,
    /// The number of the revision that it serves.
    pub number: u64,
    /// The first 16 digits of that revision.
    pub id: String,
    /// Since when, in UTC, by its clock.
    pub since: String,
    /// How it is.
    pub state: AnnouncedCondition,
    /// The version of the program.
    pub version: String,
    /// How many seconds ago it said so, by the clock of the store.
    pub seconds: u64,
    /// Whether that is too long ago.
    pub silent: bool,
}

/// How a replica is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "ReplicaCondition")]
pub enum AnnouncedCondition {
    /// It serves the newest revision that it knows.
    Ok,
    /// It has not heard from the store for too long.
    Stale,
    /// It knows a newer revision that it cannot take.
    Rejecting,
}

/// The revisions of a store.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StoreLog {
    /// The newest first.
    pub revisions: Vec<StoreLogEntry>,
}

/// A revision, or why it cannot be used.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum StoreLogEntry {
    /// A revision.
    Revision(Box<StoredRevision>),
    /// One that cannot be used.
    Unusable {
        /// Its number.
        number: u64,
        /// Why not.
        error: String,
    },
}

/// A revision of a store.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StoredRevision {
    /// The number; 1 is the first.
    pub number: u64,
    /// The revision, as `validate` prints it.
    pub id: String,
    /// The number of the revision before, if there was one.
    pub parent: Option<u64>,
    /// The number whose content it has again, if it is a revert.
    pub reverts_to: Option<u64>,
    /// When it was published, in UTC, by the clock of the publisher.
    pub created: String,
    /// Who published it.
    pub publisher: StorePublisher,
    /// What the publisher says about it.
    pub message: Option<String>,
    /// The readings that go with it.
    pub readings: StoredReadings,
    /// The number of files of each part.
    pub files: StoredFiles,
    /// The bytes of all files.
    pub bytes: u64,
}

/// Who published a revision.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StorePublisher {
    /// The program and its version.
    pub program: String,
    /// The name of the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The commit of git that the workspace was at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// The readings that are switched on and off.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct StoredReadings {
    /// Those that are in force though they are not by default.
    pub on: Vec<String>,
    /// Those that are not in force though they are by default.
    pub off: Vec<String>,
}

/// The number of files of each part.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct StoredFiles {
    /// The schema, and the policies that people wrote.
    pub policies: usize,
    /// The entities, and the policies that an import made.
    pub entities: usize,
}

/// What was removed from a store.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
pub struct Pruning {
    /// The number of revisions.
    pub revisions: usize,
    /// The number of files that no revision had.
    pub blobs: usize,
    /// The number of replicas that are gone.
    pub replicas: usize,
}

#[derive(Serialize, JsonSchema)]
struct Document<T> {
    version: u32,
    /// The command that wrote it.
    command: String,
    #[serde(flatten)]
    content: T,
}

/// The document of a command about a store.
pub fn document(command: &str, content: impl Serialize) -> String {
    json(&Document {
        version: VERSION,
        command: command.to_owned(),
        content,
    })
}
