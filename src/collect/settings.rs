//! The settings of a collection.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tarbac_tenant::exports::catalog::Cloud;

use crate::clock;
use crate::token::TokenSource;

/// The settings of a collection.
pub struct CollectSettings {
    /// The folder of exports.
    pub out: PathBuf,
    /// The program, for the account: `tarbac 0.1.0`.
    pub program: String,
    /// The cloud.
    pub cloud: Cloud,
    /// Where Microsoft Graph is, if not where the cloud has it.
    pub graph: Option<String>,
    /// Who asks Microsoft Graph; `None` where it is not asked.
    pub graph_token: Option<Arc<dyn TokenSource>>,
    /// The hierarchies.
    pub sites: Vec<SiteSettings>,
    /// The certificates in PEM that stand for the authorities of one's own, of the hierarchies.
    pub authorities: Option<Vec<u8>>,
    /// Whether the members of all groups are asked for, and not only of those that give something.
    pub has_all_groups: bool,
    /// Whether a collection that was stopped goes on.
    pub is_resumed: bool,
    /// How many requests are made at once.
    pub jobs: usize,
    /// How many instances of a class are asked for at once.
    pub rows_of_page: u64,
    /// How long one waits.
    pub waits: Waits,
    /// Who is told how far it is.
    pub progress: Arc<dyn Fn(CollectProgress<'_>) + Send + Sync>,
}

/// A hierarchy of Configuration Manager.
#[derive(Clone)]
pub struct SiteSettings {
    /// Its site code.
    pub code: String,
    /// The URL of its SMS Provider: `https://cm01.contoso.example`.
    pub url: String,
    /// Who asks.
    pub token: Option<Arc<dyn TokenSource>>,
}

impl fmt::Debug for SiteSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at {}", self.code, self.url)
    }
}

/// How long a collection waits.
#[derive(Clone)]
pub struct Waits {
    /// For the next bytes of an answer.
    pub silence: Duration,
    /// For the first bytes of an answer.
    pub answer: Duration,
    /// Before a request is first repeated; each time it is twice as long.
    pub first: Duration,
    /// How often a request is repeated.
    pub times: usize,
    /// The longest wait that a service may ask for.
    pub longest: Duration,
    /// How one waits.
    pub pause: Arc<dyn Fn(Duration) + Send + Sync>,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(60),
            // A site may think for minutes before it answers with a million rows.
            answer: Duration::from_secs(600),
            first: Duration::from_secs(1),
            times: 7,
            longest: Duration::from_secs(900),
            pause: Arc::new(clock::pause),
        }
    }
}

/// How far a collection is.
#[derive(Debug, Clone, Copy)]
pub struct CollectProgress<'p> {
    /// The export that an answer was of.
    pub export: &'p str,
    /// How many records there are, of all exports.
    pub rows: u64,
    /// How many files there are.
    pub files: u64,
}
