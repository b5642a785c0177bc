//! Requests with a token, or without sign-in.

use std::sync::Arc;

use ureq::http::Response;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use super::{Answer, Request, Transport, Unanswered};
use crate::fault::CollectError;
use crate::secret::Secret;
use crate::settings::Waits;

/// A client that sends tokens.
pub(crate) struct Direct(Agent);

impl Direct {
    /// A client for a service.
    ///
    /// # Errors
    /// The file of authorities has no certificate.
    pub(crate) fn new(
        base: &str,
        authorities: Option<&[u8]>,
        may_use_proxy: bool,
        waits: &Waits,
    ) -> Result<Self, CollectError> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A redirect would send the token to another host.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .https_only(base.starts_with("https:"))
            .timeout_connect(Some(waits.silence))
            .timeout_recv_response(Some(waits.answer))
            .timeout_per_read(Some(waits.silence))
            .tls_config(tls(authorities)?);
        let config = match may_use_proxy {
            true => config,
            false => config.proxy(None),
        };
        Ok(Self(Agent::new_with_config(config.build())))
    }

    fn respond(
        &self,
        url: &str,
        request: Request<'_>,
        token: Option<&Secret>,
    ) -> Result<Response<Body>, ureq::Error> {
        let bearer = token.map(|token| format!("Bearer {}", token.reveal()));
        match request {
            Request::Get => {
                let mut builder = self.0.get(url).header("Accept", "application/json");
                if let Some(bearer) = bearer {
                    builder = builder.header("Authorization", bearer);
                }
                builder.call()
            }
            Request::Post(body) => {
                let mut builder = self.0.post(url).header("Accept", "application/json");
                if let Some(bearer) = bearer {
                    builder = builder.header("Authorization", bearer);
                }
                builder.content_type("application/json").send(body)
            }
        }
    }
}

impl Transport for Direct {
    fn send(
        &self,
        url: &str,
        request: Request<'_>,
        token: Option<&Secret>,
    ) -> Result<Answer, Unanswered> {
        let response = self.respond(url, request, token);
        let response = response.map_err(|error| Unanswered {
            reason: error.to_string(),
            is_lasting: is_lasting(&error),
        })?;
        let retry_after = response.headers().get("retry-after");
        Ok(Answer {
            status: response.status().as_u16(),
            retry_after: retry_after.and_then(|text| Some(text.to_str().ok()?.to_owned())),
            body: Box::new(response.into_body().into_reader()),
        })
    }

    fn credential(&self) -> &'static str {
        "the token"
    }
}

/// The TLS settings: trust in the given authorities, or else in those of the machine.
pub(crate) fn tls(authorities: Option<&[u8]>) -> Result<TlsConfig, CollectError> {
    let roots = match authorities {
        None => RootCerts::PlatformVerifier,
        Some(pem) => {
            let certificates = parse_pem(pem).filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            });
            let certificates: Vec<_> = certificates.collect();
            if certificates.is_empty() {
                let why = "the file of authorities has no certificate in PEM".to_owned();
                return Err(CollectError::Internal(why));
            }
            RootCerts::Specific(Arc::new(certificates))
        }
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    Ok(TlsConfig::builder()
        .root_certs(roots)
        .unversioned_rustls_crypto_provider(provider)
        .build())
}

/// Whether an error is permanent, so that repeating the request cannot help.
fn is_lasting(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::BadUri(_) | ureq::Error::Http(_) | ureq::Error::InvalidProxyUrl => true,
        ureq::Error::Rustls(rustls::Error::InvalidCertificate(_)) => true,
        ureq::Error::Io(error) => {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
            matches!(inner, Some(rustls::Error::InvalidCertificate(_)))
        }
        _ => false,
    }
}
