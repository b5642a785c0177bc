//! The settings of a server, each with its bounds.

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

/// How a workspace is served.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The addresses; at least one.
    pub listen: Vec<Listen>,
    /// The address of metrics, health and `/-/…`; `None` for those of everything else.
    pub management: Option<Listen>,
    /// The URL by which callers know the server.
    pub public_url: Option<PublicUrl>,
    /// The file of the key that signs the document about the endpoints.
    pub metadata_key: Option<PathBuf>,
    /// Further values of the header `Host`, without a port for any port.
    pub allow_hosts: Vec<String>,
    /// The files of TLS, if the listeners have it.
    pub tls: Option<TlsSettings>,
    /// The file of callers.
    pub tokens: Option<PathBuf>,
    /// The check of JSON Web Tokens.
    pub jwt: Option<JwtSettings>,
    /// Whether plain HTTP may leave the machine.
    pub insecure_http: bool,
    /// Whether callers off the machine need not say who they are.
    pub anonymous: bool,
    /// Whether the files are watched.
    pub watch: bool,
    /// Where decisions are logged, if they are.
    pub decision_log: Option<DecisionLogSettings>,
    /// The limits.
    pub limits: Limits,
    /// How long the server answers on after it says that it is not ready.
    pub drain: Duration,
    /// How long requests get that are being answered when the server stops.
    pub grace: Duration,
    /// How the log of the server is written.
    pub log_format: LogFormat,
}

impl Settings {
    /// Whether there is anything by which a caller can say who it is.
    pub(crate) fn has_callers(&self) -> bool {
        let has_certificates = self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        self.tokens.is_some() || self.jwt.is_some() || has_certificates
    }

    /// Whether there is a file of credentials, which may change.
    pub(crate) fn has_credentials(&self) -> bool {
        self.tls.is_some() || self.metadata_key.is_some() || self.has_callers()
    }

    /// Every address.
    pub(crate) fn listeners(&self) -> impl Iterator<Item = &Listen> {
        self.listen.iter().chain(&self.management)
    }
}

/// The most that a request may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of a body.
    pub body: usize,
    /// The items of a batch.
    pub evaluations: usize,
    /// The results of a page of a search whose request names no limit.
    pub page_size: usize,
    /// The results of a page, whatever the request names.
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

/// A text is no address.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("an address is like 127.0.0.1:8180, [::1]:8180, localhost:8180 or unix:/run/tarbac.sock")]
pub struct NoAddress;

impl Listen {
    /// Whether only this machine reaches it.
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

/// A text is no URL that a server can be known by.
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

/// Whether a name in a header `Host` is that of this machine for itself.
pub(crate) fn is_local_name(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
