//! Replicas that say how they are, for whoever looks after them.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::FleetError;
use crate::path::REPLICAS;
use crate::store::Store;

/// A replica that has said nothing for so long is silent.
const SILENT: Duration = Duration::from_secs(180);

/// The longest name of a replica.
const LONGEST: usize = 128;

/// How a replica is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplicaState {
    /// It serves the newest revision that it knows.
    Ok,
    /// It has not heard from the store for too long.
    Stale,
    /// It knows a newer revision that it cannot take.
    Rejecting,
}

/// What a replica says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// Its name.
    pub instance: String,
    /// The number of the revision that it serves.
    pub number: u64,
    /// The first 16 digits of the revision.
    pub id: String,
    /// When it began to serve that, by its clock.
    pub since: Timestamp,
    /// How it is.
    pub state: ReplicaState,
    /// The version of the program.
    pub version: String,
}

/// A replica as it was heard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Heard {
    /// What it said last.
    #[serde(flatten)]
    pub said: Announcement,
    /// How long ago, by the clock of the store.
    pub seconds: u64,
    /// Whether that is too long ago.
    pub silent: bool,
}

/// The place in which a replica says how it is.
#[derive(Debug, Clone)]
pub struct Announcer {
    file: String,
}

impl Announcer {
    /// The place of a replica with this name.
    ///
    /// # Errors
    /// The name is none that every storage takes.
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

    /// Says how the replica is.
    ///
    /// # Errors
    /// The store does not take it.
    pub fn say(&self, store: &Store, announcement: &Announcement) -> Result<(), FleetError> {
        let text = serde_json::to_string(announcement).unwrap_or_default();
        store.put_replica(&self.file, text)
    }

    /// Says nothing more: the replica stops.
    ///
    /// # Errors
    /// The store does not take it.
    pub fn leave(&self, store: &Store) -> Result<(), FleetError> {
        store.remove(vec![store.replica_path(&self.file)])
    }
}

/// The replicas of a store, by name. `now` is the time of this machine, which counts where the store names none.
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
        // What is none was written by something else.
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
