//! The metrics of credential files.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::watched::CredentialKind;

/// The numbers of reloads, and the expiry of the server's certificate.
#[derive(Debug, Clone, Default)]
pub(crate) struct CredentialFigures {
    reloads: Family<ReloadLabels, Counter>,
    expiry: Family<NoLabels, Gauge>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReloadLabels {
    file: &'static str,
    result: &'static str,
}

/// The empty label set of a metric that is left out if there is no certificate.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NoLabels {}

impl CredentialFigures {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let figures = Self::default();
        registry.register(
            "tarbac_credential_reloads",
            "Readings of files with credentials that had changed",
            figures.reloads.clone(),
        );
        registry.register(
            "tarbac_tls_certificate_expiry_timestamp_seconds",
            "Until when the certificate of the server is valid",
            figures.expiry.clone(),
        );
        for kind in [
            CredentialKind::Tokens,
            CredentialKind::Tls,
            CredentialKind::JwtKeys,
            CredentialKind::MetadataKey,
        ] {
            for result in ["ok", "invalid"] {
                let file = kind.word();
                drop(
                    figures
                        .reloads
                        .get_or_create(&ReloadLabels { file, result }),
                );
            }
        }
        figures
    }

    /// Counts a reload of credential files, which were taken or refused.
    pub(crate) fn reloaded(&self, kind: CredentialKind, is_taken: bool) {
        let labels = ReloadLabels {
            file: kind.word(),
            result: if is_taken { "ok" } else { "invalid" },
        };
        self.reloads.get_or_create(&labels).inc();
    }

    /// Sets the expiry of the server's certificate, in seconds since 1970.
    pub(crate) fn certificate(&self, expiry: i64) {
        self.expiry.get_or_create(&NoLabels {}).set(expiry);
    }
}
