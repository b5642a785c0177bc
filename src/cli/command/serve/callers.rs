//! The arguments of TLS and of callers.

use std::path::PathBuf;

use clap::Args;
use tarbac_serve::{JwtKeys, JwtSettings, TlsSettings};

use crate::failure::ShellError;

/// Where Entra ID is.
const ENTRA: &str = "https://login.microsoftonline.com";

/// TLS, and who may ask.
#[derive(Debug, Args)]
#[command(next_help_heading = "TLS and callers")]
pub(crate) struct CallerArgs {
    /// Speak TLS with the certificate in this file (PEM), which is read again when it changes.
    #[arg(
        long,
        value_name = "FILE",
        env = "TARBAC_TLS_CERT",
        hide_env_values = true,
        requires = "tls_key"
    )]
    pub tls_cert: Option<PathBuf>,

    /// The key of the certificate (PEM).
    #[arg(
        long,
        value_name = "FILE",
        env = "TARBAC_TLS_KEY",
        hide_env_values = true,
        requires = "tls_cert"
    )]
    pub tls_key: Option<PathBuf>,

    /// Accept client certificates signed by these authorities (PEM); the file of --tokens has the rights of each client.
    #[arg(
        long,
        value_name = "FILE",
        env = "TARBAC_TLS_CLIENT_CA",
        hide_env_values = true,
        requires = "tls_cert"
    )]
    pub tls_client_ca: Option<PathBuf>,

    /// The file of callers, with digests of their tokens and their rights; `tarbac token` writes a line of it.
    #[arg(
        long,
        value_name = "FILE",
        env = "TARBAC_TOKENS",
        hide_env_values = true
    )]
    pub tokens: Option<PathBuf>,

    /// Take JSON Web Tokens of this issuer.
    #[arg(
        long,
        value_name = "URL",
        env = "TARBAC_JWT_ISSUER",
        hide_env_values = true,
        conflicts_with = "entra_tenant"
    )]
    pub jwt_issuer: Option<String>,

    /// Take JSON Web Tokens for this audience alone; repeatable.
    #[arg(
        long,
        value_name = "AUDIENCE",
        env = "TARBAC_JWT_AUDIENCE",
        hide_env_values = true,
        value_delimiter = ','
    )]
    pub jwt_audience: Vec<String>,

    /// The keys of the issuer: a file or a URL with a set of JSON Web Keys.
    #[arg(
        long,
        value_name = "FILE|URL",
        env = "TARBAC_JWT_KEYS",
        hide_env_values = true
    )]
    pub jwt_keys: Option<JwtKeys>,

    /// Take tokens that this tenant of Entra ID issues to applications.
    #[arg(
        long,
        value_name = "ID",
        env = "TARBAC_ENTRA_TENANT",
        hide_env_values = true
    )]
    pub entra_tenant: Option<String>,
}

impl CallerArgs {
    pub(super) fn tls(&self) -> Option<TlsSettings> {
        Some(TlsSettings {
            certificate: self.tls_cert.clone()?,
            key: self.tls_key.clone()?,
            client_ca: self.tls_client_ca.clone(),
        })
    }

    /// The check of JSON Web Tokens.
    ///
    /// # Errors
    /// Only a part of it is given.
    pub(super) fn jwt(&self) -> Result<Option<JwtSettings>, ShellError> {
        let (issuer, keys) = match (&self.jwt_issuer, &self.entra_tenant) {
            (None, None) if self.jwt_audience.is_empty() && self.jwt_keys.is_none() => {
                return Ok(None);
            }
            (None, None) => return Err(lacking("--jwt-issuer or --entra-tenant")),
            (Some(issuer), _) => {
                let keys = self.jwt_keys.clone();
                (issuer.clone(), keys.ok_or_else(|| lacking("--jwt-keys"))?)
            }
            (None, Some(tenant)) => {
                let keys = format!("{ENTRA}/{tenant}/discovery/v2.0/keys");
                let keys = self.jwt_keys.clone().unwrap_or(JwtKeys::Url(keys));
                (format!("{ENTRA}/{tenant}/v2.0"), keys)
            }
        };
        let given = |text: &String| !text.is_empty();
        if !given(&issuer)
            || self
                .entra_tenant
                .as_ref()
                .is_some_and(|tenant| !is_id(tenant))
        {
            return Err(lacking("a tenant or an issuer that is one"));
        }
        if self.jwt_audience.is_empty() || !self.jwt_audience.iter().all(given) {
            return Err(lacking("--jwt-audience"));
        }
        Ok(Some(JwtSettings {
            issuer,
            audiences: self.jwt_audience.clone(),
            keys,
            tenant: self.entra_tenant.clone(),
        }))
    }
}

/// Whether a text can be the id of a tenant, as it stands in a URL.
fn is_id(tenant: &str) -> bool {
    let is_digit = |of: char| of.is_ascii_hexdigit() || of == '-';
    !tenant.is_empty() && tenant.chars().all(is_digit)
}

/// JSON Web Tokens are not checked by halves.
fn lacking(what: &str) -> ShellError {
    ShellError::Arguments {
        message: format!("JSON Web Tokens cannot be checked without {what}"),
        help: Some(
            "issuer, audience and keys go together: --jwt-issuer, --jwt-audience and --jwt-keys, or --entra-tenant and --jwt-audience"
                .to_owned(),
        ),
    }
}
