//! The HTTP client for requests that the server itself sends.

use std::time::Duration;

use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig};

use crate::tls;

/// A client for a URL, with the trusted certificates of the system. For an https URL, it refuses plain HTTP.
pub(crate) fn agent(url: &str, patience: Duration) -> Agent {
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(tls::provider())
        .build();
    let config = Agent::config_builder()
        .https_only(url.starts_with("https:"))
        .timeout_global(Some(patience))
        .tls_config(tls)
        .build();
    Agent::new_with_config(config)
}
