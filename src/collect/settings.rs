//! The settings of a collection.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tarbac_tenant::exports::catalog::Cloud;

use crate::clock;
use crate::secret::Secret;
use crate::token::TokenSource;

/// The settings of a collection.
pub struct CollectSettings {
    /// The folder of exports to write.
    pub out: PathBuf,
    /// The program and its version, for the account of the collection: `tarbac 0.1.0`.
    pub program: String,
    /// The cloud.
    pub cloud: Cloud,
    /// The address of Microsoft Graph, if not that of the cloud.
    pub graph: Option<String>,
    /// The source of tokens for Microsoft Graph; `None` to leave Graph out.
    pub graph_token: Option<Arc<dyn TokenSource>>,
    /// The hierarchies to collect.
    pub sites: Vec<SiteSettings>,
    /// The certificate authorities to trust for the hierarchies, in place of those of the machine, in PEM.
    pub authorities: Option<Vec<u8>>,
    /// Whether the members of all groups are collected, and not only of those that give a role or permission.
    pub has_all_groups: bool,
    /// Whether an interrupted collection is resumed.
    pub is_resumed: bool,
    /// The number of parallel requests.
    pub jobs: usize,
    /// The number of instances per page of a class.
    pub rows_of_page: u64,
    /// The timeouts and delays.
    pub waits: Waits,
    /// Is called with the progress after every saved file.
    pub progress: Arc<dyn Fn(CollectProgress<'_>) + Send + Sync>,
}

/// A hierarchy of Configuration Manager.
#[derive(Clone)]
pub struct SiteSettings {
    /// Its site code.
    pub code: String,
    /// The URL of its SMS Provider: `https://cm01.contoso.example`.
    pub url: String,
    /// The way to sign in.
    pub sign_in: SiteSignIn,
}

/// A way to sign in to the AdminService of a hierarchy.
#[derive(Clone)]
pub enum SiteSignIn {
    /// A token of Microsoft Entra.
    Token(Arc<dyn TokenSource>),
    /// Windows-integrated sign-in (Negotiate, NTLM).
    Windows(WindowsAccount),
}

/// An account for Windows-integrated sign-in.
#[derive(Debug, Clone)]
pub enum WindowsAccount {
    /// The account that runs the program; outside Windows, the one whose Kerberos ticket is there.
    Current,
    /// An account with its password.
    Named {
        /// The name of the account: `CONTOSO\collect` or `collect@contoso.example`.
        name: String,
        /// The password.
        password: Secret,
    },
}

impl fmt::Debug for SiteSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at {}", self.code, self.url)
    }
}

/// The timeouts and delays of a collection.
#[derive(Clone)]
pub struct Waits {
    /// The longest pause between bytes of an answer.
    pub silence: Duration,
    /// The longest time until the first bytes of an answer.
    pub answer: Duration,
    /// The delay before the first repetition; it doubles with each further one.
    pub first: Duration,
    /// The most repetitions of a request.
    pub times: usize,
    /// The longest delay that a service may ask for.
    pub longest: Duration,
    /// Sleeps for a delay.
    pub pause: Arc<dyn Fn(Duration) + Send + Sync>,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            silence: Duration::from_secs(60),
            // A site may take minutes before it answers with a million rows.
            answer: Duration::from_secs(600),
            first: Duration::from_secs(1),
            times: 7,
            longest: Duration::from_secs(900),
            pause: Arc::new(clock::pause),
        }
    }
}

/// The progress of a collection.
#[derive(Debug, Clone, Copy)]
pub struct CollectProgress<'p> {
    /// The export of the last saved file.
    pub export: &'p str,
    /// The records collected so far, of all exports.
    pub rows: u64,
    /// The files saved so far.
    pub files: u64,
    /// The calls done so far.
    pub done: usize,
    /// The calls known so far; the answers may lead to more.
    pub known: usize,
}
