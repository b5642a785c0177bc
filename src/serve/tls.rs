//! TLS: the server's certificate, and the authorities that sign certificates of clients.

use std::path::PathBuf;
use std::sync::Arc;

use axum_server::tls_rustls::RustlsConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};
use thiserror::Error;

use crate::app::App;
use crate::caller::expiry;
use crate::fault::ServeError;
use crate::metrics::CredentialFigures;
use crate::watched::{CredentialKind, Watched};

/// The protocols, the preferred one first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The files of TLS, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// The certificate of the server, followed by the intermediate ones.
    pub certificate: PathBuf,
    /// The private key of the server.
    pub key: PathBuf,
    /// The certificates of the authorities that sign those of clients.
    pub client_ca: Option<PathBuf>,
}

/// The reason why files of TLS cannot be used.
#[derive(Debug, Error)]
enum InvalidTls {
    #[error("a file is missing")]
    Missing,
    #[error("{0} holds no certificate in PEM")]
    NoCertificate(&'static str),
    #[error("the key is no private key in PEM")]
    NoKey,
    #[error("the certificate and the key do not go together: {0}")]
    Mismatch(rustls::Error),
    #[error(transparent)]
    Rustls(#[from] rustls::Error),
    #[error(transparent)]
    ClientVerifier(#[from] VerifierBuilderError),
}

/// The TLS configuration of the listeners.
pub(crate) struct Tls {
    files: Watched,
    config: RustlsConfig,
}

/// The cryptographic library.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// A file cannot be read or is invalid, or the certificate and the key do not match.
    pub(crate) fn open(
        settings: &TlsSettings,
        figures: &CredentialFigures,
    ) -> Result<Self, ServeError> {
        let TlsSettings {
            certificate, key, ..
        } = settings;
        let paths = [certificate, key].into_iter().chain(&settings.client_ca);
        let (files, contents) = Watched::open(CredentialKind::Tls, paths.cloned().collect())?;
        let config = config(&contents, figures).map_err(|reason| files.refused(reason))?;
        Ok(Self {
            files,
            config: RustlsConfig::from_config(config),
        })
    }

    /// Reads the files again if they have changed, for new connections. Invalid files leave the old configuration.
    pub(crate) fn reload(&self, app: &App, is_forced: bool) {
        self.files.reload(app, is_forced, |contents| {
            let config = config(contents, &app.metrics.credentials)?;
            self.config.reload_from_config(config);
            Ok::<_, InvalidTls>(())
        });
    }

    /// The configuration for a listener.
    pub(crate) fn config(&self) -> RustlsConfig {
        self.config.clone()
    }
}

/// The configuration from the files, or the reason why they are invalid.
fn config(
    contents: &[Vec<u8>],
    figures: &CredentialFigures,
) -> Result<Arc<ServerConfig>, InvalidTls> {
    let [certificate, key, client_ca @ ..] = contents else {
        return Err(InvalidTls::Missing);
    };
    let chain = certificates(certificate, "the certificate")?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| InvalidTls::NoKey)?;
    let expiry = chain.first().and_then(|first| expiry(first));
    let builder =
        ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let builder = match client_ca {
        [] => builder.with_no_client_auth(),
        [client_ca, ..] => {
            let mut roots = RootCertStore::empty();
            for root in certificates(client_ca, "the certificate of clients")? {
                roots.add(root)?;
            }
            // A caller may have a token instead, and a probe nothing.
            let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider())
                .allow_unauthenticated()
                .build()?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(InvalidTls::Mismatch)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).into();
    if let Some(expiry) = expiry {
        figures.certificate(expiry);
    }
    Ok(Arc::new(config))
}

fn certificates(
    pem: &[u8],
    what: &'static str,
) -> Result<Vec<CertificateDer<'static>>, InvalidTls> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(InvalidTls::NoCertificate(what)),
    }
}
