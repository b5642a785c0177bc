//! Announcements: the state of each replica, published for operators.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::FleetError;
use crate::path::REPLICAS;
use crate::store::Store;

/// A replica is silent if its last announcement is older.
const SILENT: Duration = Duration::from_secs(180);

/// The longest name of a replica, in bytes.
const LONGEST: usize = 128;

/// The state of a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplicaState {
    /// The replica serves the newest revision that it knows.
    Ok,
    /// The replica has not reached the store for too long.
    Stale,
    /// The replica knows a newer revision that it cannot serve.
    Rejecting,
}

/// The announcement of a replica.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// The name of the replica.
    pub instance: String,
    /// The number of the revision that it serves.
    pub number: u64,
    /// The first 16 digits of the revision.
    pub id: String,
    /// The time since when it serves the revision, by its own clock.
    pub since: Timestamp,
    /// The state.
    pub state: ReplicaState,
    /// The version of the program.
    pub version: String,
}

/// A replica, as read from the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Heard {
    /// Its last announcement.
    #[serde(flatten)]
    pub said: Announcement,
    /// The age of the announcement, by the clock of the store.
    pub seconds: u64,
    /// Whether the announcement is too old.
    pub silent: bool,
}

/// The announcer of one replica, which writes its file in the store.
#[derive(Debug, Clone)]
pub struct Announcer {
    file: String,
}

impl Announcer {
    /// An announcer for the replica with this name.
    ///
    /// # Errors
    /// The name has characters that some storage does not accept, or is too long.
    pub fn new(instance: &str) -> Result<Self, FleetError> {
        let is_plain = |of: char| of.is_ascii_alphanumeric() || "-_.".contains(of);
        let is_name =
            !instance.is_empty() && instance.len() <= LONGEST && !instance.starts_with('.');
        match is_name && instance.chars().all(is_plain) {
            true => Ok(Self {
                file: format!("{instance}.json"),
            }),
            false => Err(FleetError::Key(format!(
                "`{instance}` is no name of a replica: letters, digits, `-`, `_` and `.`"
            ))),
        }
    }

    /// The name of the replica.
    pub fn instance(&self) -> &str {
        self.file.trim_end_matches(".json")
    }

    /// Writes the announcement.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn say(&self, store: &Store, announcement: &Announcement) -> Result<(), FleetError> {
        let text = serde_json::to_string(announcement).unwrap_or_default();
        store.put_replica(&self.file, text)
    }

    /// Removes the announcement, when the replica stops.
    ///
    /// # Errors
    /// The store cannot be written.
    pub fn leave(&self, store: &Store) -> Result<(), FleetError> {
        store.remove(vec![store.replica_path(&self.file)])
    }
}

/// The replicas of a store, by name. `now`, the time of this machine, is used if the store names no time.
///
/// # Errors
/// The store does not answer.
pub fn heard(store: &Store, now: Timestamp) -> Result<Vec<Heard>, FleetError> {
    let listed = store.listed(REPLICAS)?;
    let told = listed.iter().map(|meta| meta.last_modified.timestamp());
    let now = store.time(now).as_second();
    let now = told.max().unwrap_or_default().max(now);
    let mut all = Vec::new();
    for meta in listed {
        let Some(bytes) = store.small(&meta.location)? else {
            continue;
        };
        // A file that is no announcement was written by another program.
        let Ok(said) = serde_json::from_slice(&bytes) else {
            continue;
        };
        let seconds = now.saturating_sub(meta.last_modified.timestamp());
        let seconds = u64::try_from(seconds).unwrap_or_default();
        all.push(Heard {
            said,
            seconds,
            silent: seconds > SILENT.as_secs(),
        });
    }
    all.sort_by(|left, right| left.said.instance.cmp(&right.said.instance));
    Ok(all)
}
