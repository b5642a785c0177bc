//! The settings of a server.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use axum::http::Uri;
use axum::http::uri::Authority;
use thiserror::Error;

use crate::caller::JwtSettings;
use crate::decision_log::DecisionLogSettings;
use crate::log::LogFormat;
use crate::tls::TlsSettings;

/// The settings of a server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The addresses to listen on; at least one.
    pub listen: Vec<Listen>,
    /// A separate address for metrics, health and `/-/…`; `None` if they share the other addresses.
    pub management: Option<Listen>,
    /// The URL by which callers know the server.
    pub public_url: Option<PublicUrl>,
    /// The file of the key that signs the metadata document.
    pub metadata_key: Option<PathBuf>,
    /// Further values of the header `Host` that are accepted. A value without a port matches any port.
    pub allow_hosts: Vec<String>,
    /// The files of TLS, if the listeners have it.
    pub tls: Option<TlsSettings>,
    /// The file of callers.
    pub tokens: Option<PathBuf>,
    /// The requirements on JSON Web Tokens, if they are accepted.
    pub jwt: Option<JwtSettings>,
    /// Whether other machines may connect without TLS.
    pub insecure_http: bool,
    /// Whether callers on other machines may ask without a credential.
    pub anonymous: bool,
    /// Whether there is a page for people.
    pub page: bool,
    /// The folder of the workspace as commands are told it; `None` for the one they begin in.
    pub folder: Option<String>,
    /// Whether the files of the workspace are watched.
    pub watch: bool,
    /// The decision log, if there is one.
    pub decision_log: Option<DecisionLogSettings>,
    /// The limits.
    pub limits: Limits,
    /// The time for which the server still answers after it reports that it is not ready.
    pub drain: Duration,
    /// The time for requests in progress when the server stops.
    pub grace: Duration,
    /// The format of the server's own log.
    pub log_format: LogFormat,
    /// Called with the URL of the first address, once it is listened on.
    pub bound: Option<fn(&str)>,
}

impl Settings {
    /// The settings of a server for this machine alone, on any free port, with a page.
    pub fn local() -> Self {
        Self {
            listen: vec![Listen::Tcp(SocketAddr::from(([127, 0, 0, 1], 0)))],
            management: None,
            public_url: None,
            metadata_key: None,
            allow_hosts: Vec::new(),
            tls: None,
            tokens: None,
            jwt: None,
            insecure_http: false,
            anonymous: false,
            page: true,
            folder: None,
            bound: None,
            watch: true,
            decision_log: None,
            limits: Limits::default(),
            drain: Duration::ZERO,
            grace: Duration::from_secs(1),
            log_format: LogFormat::Human,
        }
    }

    /// Whether there is a way for callers to authenticate.
    pub(crate) fn has_callers(&self) -> bool {
        let has_certificates = self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        self.tokens.is_some() || self.jwt.is_some() || has_certificates
    }

    /// Whether there are credential files, which may change.
    pub(crate) fn has_credentials(&self) -> bool {
        self.tls.is_some() || self.metadata_key.is_some() || self.has_callers()
    }

    /// Every address.
    pub(crate) fn listeners(&self) -> impl Iterator<Item = &Listen> {
        self.listen.iter().chain(&self.management)
    }
}

/// The limits on requests, answers and connections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of a body.
    pub body: usize,
    /// The items of a batch.
    pub evaluations: usize,
    /// The results on a page of a search, if the request names no limit.
    pub page_size: usize,
    /// The most results on a page, even if the request asks for more.
    pub max_page_size: usize,
    /// The time until an answer begins.
    pub timeout: Duration,
    /// The requests that are answered at once.
    pub in_flight: usize,
    /// The open connections.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: 1024 * 1024,
            evaluations: 1000,
            page_size: 1000,
            max_page_size: 10_000,
            timeout: Duration::from_secs(30),
            in_flight: 512,
            connections: 4096,
        }
    }
}

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// An address with its port; 0 is any free one.
    Tcp(SocketAddr),
    /// A socket in the file system.
    Unix(PathBuf),
}

/// A text is no address to listen on.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("an address is like 127.0.0.1:8180, [::1]:8180, localhost:8180 or unix:/run/tarbac.sock")]
pub struct NoAddress;

impl Listen {
    /// Whether only this machine can reach it.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Tcp(address) => address.ip().is_loopback(),
            Self::Unix(_) => true,
        }
    }
}

impl FromStr for Listen {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        if let Some(path) = text.strip_prefix("unix:") {
            return match path.is_empty() {
                true => Err(NoAddress),
                false => Ok(Self::Unix(PathBuf::from(path))),
            };
        }
        let numeric = match text.strip_prefix("localhost:") {
            Some(port) => format!("127.0.0.1:{port}"),
            None => text.to_owned(),
        };
        numeric.parse().map(Self::Tcp).map_err(|_| NoAddress)
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
        }
    }
}

/// The URL by which callers know the server: https, without query and fragment. It is kept byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    text: String,
    authority: Authority,
}

/// A text is no valid public URL.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "a public URL is like https://pdp.example.com/tenant: https, with a host, without query, fragment or user"
)]
pub struct NoPublicUrl;

impl PublicUrl {
    /// The URL as it was given.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host, with the port if the URL has one.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The path under which everything is mounted, without a slash at its end; empty for the root.
    pub fn path(&self) -> &str {
        let after = self.text.get("https://".len()..).unwrap_or_default();
        let path = after.find('/').and_then(|at| after.get(at..));
        path.unwrap_or_default().trim_end_matches('/')
    }

    /// The URL of a workspace below it.
    #[must_use]
    pub(crate) fn below(&self, name: &str) -> Self {
        Self {
            text: self.join(&format!("/{name}")),
            authority: self.authority.clone(),
        }
    }

    /// The URL of a path below it.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.text.trim_end_matches('/'))
    }
}

impl FromStr for PublicUrl {
    type Err = NoPublicUrl;

    fn from_str(text: &str) -> Result<Self, NoPublicUrl> {
        let is_plain = |path: &str| {
            let allowed = |of: char| of.is_ascii_alphanumeric() || "/-._~".contains(of);
            path.chars().all(allowed) && !path.split('/').any(|part| matches!(part, "." | ".."))
        };
        let uri: Uri = text.parse().map_err(|_| NoPublicUrl)?;
        let authority = uri.authority().ok_or(NoPublicUrl)?;
        let is_right = text.starts_with("https://")
            && !text.contains(['?', '#', '@'])
            && !uri.path().contains("//")
            && is_plain(uri.path());
        match is_right {
            true => Ok(Self {
                text: text.to_owned(),
                authority: authority.clone(),
            }),
            false => Err(NoPublicUrl),
        }
    }
}

/// Whether a host name is `localhost` or a loopback address.
pub(crate) fn is_local_name(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
