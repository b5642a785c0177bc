//! The ways to sign in to Microsoft Entra.

mod certificate;
mod device_code;
mod http;

use std::fmt;
use std::sync::Arc;

use azure_core::cloud::{CloudConfiguration, CustomConfiguration};
use azure_core::credentials::TokenCredential;
use azure_core::http::ClientOptions;
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ClientAssertionCredential,
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
    WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use tarbac_tenant::exports::catalog::{Cloud, EXPORTS, ExportSource};
use tokio::runtime::{Builder, Runtime};

use crate::secret::Secret;
use crate::token::{SignInError, TokenSource};
use certificate::Certificate;
use device_code::DeviceCode;

/// The application that a person signs in to by default: Microsoft Graph Command Line Tools, which exists in every
/// tenant and which Connect-MgGraph uses as well.
pub const GRAPH_TOOLS: &str = "14d82eec-204b-4c2f-b7e8-296a70dab67e";

/// A way to sign in.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// A person, with a code entered in a browser.
    DeviceCode,
    /// The account that is signed in to the Azure CLI.
    AzureCli,
    /// The managed identity of the machine in Azure.
    ManagedIdentity,
    /// The workload identity, for example in Kubernetes.
    WorkloadIdentity,
    /// An application with a secret.
    ClientSecret(Secret),
    /// An application with a certificate: the certificate and its key in PEM.
    ClientCertificate(Secret),
}

/// The identity to sign in with, and the service that it is for.
pub struct Identity {
    /// The way to sign in.
    pub by: SignIn,
    /// The cloud.
    pub cloud: Cloud,
    /// The sign-in address, if not that of the cloud.
    pub login: Option<String>,
    /// The tenant: its id, or one of its domains.
    pub tenant: Option<String>,
    /// The id of the application.
    pub client: Option<String>,
    /// The service that the token is for, for example `https://graph.microsoft.com`.
    pub audience: String,
    /// The certificate authorities to trust in place of those of the machine, in PEM; for a proxy that inspects TLS.
    pub authorities: Option<Vec<u8>>,
    /// Shows the person where to enter the code.
    pub say: Arc<dyn Fn(&str) + Send + Sync>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} for {}", self.by, self.audience)
    }
}

impl Identity {
    /// The source of tokens for this identity.
    ///
    /// # Errors
    /// An argument is missing or malformed.
    pub fn source(&self) -> Result<Arc<dyn TokenSource>, SignInError> {
        let login = self.login.as_deref().unwrap_or(self.cloud.login);
        let login = login.trim_end_matches('/').to_owned();
        let credential = match &self.by {
            SignIn::DeviceCode => {
                let device = DeviceCode::new(self, login)?;
                return Ok(Arc::new(device));
            }
            SignIn::AzureCli => {
                let options = AzureCliCredentialOptions {
                    tenant_id: self.tenant.clone(),
                    ..AzureCliCredentialOptions::default()
                };
                AzureCliCredential::new(Some(options)).map(as_credential)
            }
            SignIn::ManagedIdentity => {
                let options = ManagedIdentityCredentialOptions {
                    user_assigned_id: self.client.clone().map(UserAssignedId::ClientId),
                    client_options: self.options(&login)?,
                };
                ManagedIdentityCredential::new(Some(options)).map(as_credential)
            }
            SignIn::WorkloadIdentity => {
                let options = WorkloadIdentityCredentialOptions {
                    credential_options: ClientAssertionCredentialOptions {
                        client_options: self.options(&login)?,
                    },
                    client_id: self.client.clone(),
                    tenant_id: self.tenant.clone(),
                    ..WorkloadIdentityCredentialOptions::default()
                };
                WorkloadIdentityCredential::new(Some(options)).map(as_credential)
            }
            SignIn::ClientSecret(secret) => {
                let (tenant, client) = self.application()?;
                let options = ClientSecretCredentialOptions {
                    client_options: self.options(&login)?,
                };
                let secret = secret.reveal().to_owned().into();
                ClientSecretCredential::new(&tenant, client, secret, Some(options))
                    .map(as_credential)
            }
            SignIn::ClientCertificate(pem) => {
                let (tenant, client) = self.application()?;
                let options = ClientAssertionCredentialOptions {
                    client_options: self.options(&login)?,
                };
                let certificate = Certificate::new(pem, &login, &tenant, &client)?;
                ClientAssertionCredential::new(tenant, client, certificate, Some(options))
                    .map(as_credential)
            }
        };
        let credential = credential.map_err(|error| SignInError(error.to_string()))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Arc::new(Entra {
            credential,
            scope: format!("{}/.default", self.audience),
            runtime: runtime.map_err(|error| SignInError(error.to_string()))?,
        }))
    }

    /// The client options of a credential: sign-in address and transport.
    fn options(&self, login: &str) -> Result<ClientOptions, SignInError> {
        let mut custom = CustomConfiguration::default();
        login.clone_into(&mut custom.authority_host);
        Ok(ClientOptions {
            cloud: Some(Arc::new(CloudConfiguration::Custom(custom))),
            transport: Some(http::transport(self.authorities.as_deref())?),
            ..ClientOptions::default()
        })
    }

    /// The tenant and application ids, both of which are required.
    fn application(&self) -> Result<(String, String), SignInError> {
        match (&self.tenant, &self.client) {
            (Some(tenant), Some(client)) => Ok((tenant.clone(), client.clone())),
            _ => Err(SignInError(
                "an application needs --tenant-id and --client-id".to_owned(),
            )),
        }
    }
}

fn as_credential<C: TokenCredential + 'static>(credential: Arc<C>) -> Arc<dyn TokenCredential> {
    credential
}

/// A credential of the Azure SDK.
struct Entra {
    credential: Arc<dyn TokenCredential>,
    scope: String,
    runtime: Runtime,
}

impl TokenSource for Entra {
    fn token(&self) -> Result<Secret, SignInError> {
        let scopes = [self.scope.as_str()];
        let token = self
            .runtime
            .block_on(self.credential.get_token(&scopes, None));
        let token = token.map_err(|error| SignInError(error.to_string()))?;
        Ok(Secret::new(token.token.secret()))
    }
}

/// The Graph permissions that a person is asked to consent to.
fn scopes(audience: &str) -> String {
    let mut scopes: Vec<String> = Vec::new();
    for export in &EXPORTS {
        let scope = format!("{audience}/{}", export.rights);
        if matches!(export.source, ExportSource::Graph(_)) && !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    scopes.push("offline_access".to_owned());
    scopes.join(" ")
}
