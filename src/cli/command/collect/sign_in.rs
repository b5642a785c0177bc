//! The arguments that say who signs in. No argument is a secret.

use std::fs;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use tarbac_collect::{
    Identity, Secret, SignIn, SiteSignIn, TokenCommand, TokenSource, WindowsAccount,
};
use tarbac_tenant::exports::catalog::Cloud;

use crate::failure::{Failure, ShellError};
use crate::output::say;

/// The heading in the help.
const HEADING: &str = "Sign-in";

/// A way to sign in to Microsoft Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignInArg {
    /// A person, with a code in a browser.
    DeviceCode,
    /// The account of the Azure CLI; its tokens may not be allowed to read Intune.
    AzureCli,
    /// The managed identity of this machine in Azure.
    ManagedIdentity,
    /// The identity of this workload, as in Kubernetes.
    WorkloadIdentity,
    /// An application with the secret in --client-secret-file.
    ClientSecret,
    /// An application with the certificate in --client-certificate-file.
    ClientCertificate,
}

/// Who signs in.
#[derive(Debug, Args)]
pub(crate) struct SignInArgs {
    /// The sign-in method for Microsoft Graph; on a terminal, a device code by default.
    #[arg(long, value_name = "HOW", help_heading = HEADING, conflicts_with = "token_command")]
    pub sign_in: Option<SignInArg>,

    /// The tenant: its id, or a domain of it.
    #[arg(long, value_name = "ID", help_heading = HEADING)]
    pub tenant_id: Option<String>,

    /// The application, or the managed identity.
    #[arg(long, value_name = "ID", help_heading = HEADING)]
    pub client_id: Option<String>,

    /// The file with the secret of the application.
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    pub client_secret_file: Option<PathBuf>,

    /// The file with the certificate of the application and its key, in PEM.
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    pub client_certificate_file: Option<PathBuf>,

    /// A command that prints a token for Microsoft Graph, run each time that one is needed.
    #[arg(long, value_name = "COMMAND", help_heading = HEADING)]
    pub token_command: Option<String>,

    /// A command that prints a token for the AdminService.
    #[arg(long, value_name = "COMMAND", help_heading = HEADING, conflicts_with = "configmgr_user")]
    pub configmgr_token_command: Option<String>,

    /// The Windows account for the AdminService, as CONTOSO\collect; by default the one that runs tarbac.
    #[arg(long, value_name = "NAME", help_heading = HEADING, requires = "configmgr_password_file")]
    pub configmgr_user: Option<String>,

    /// The file with the password of that account.
    #[arg(long, value_name = "FILE", help_heading = HEADING, requires = "configmgr_user")]
    pub configmgr_password_file: Option<PathBuf>,

    /// The CA certificates, in PEM, that issued those of the SMS Providers.
    #[arg(long, value_name = "FILE", help_heading = HEADING)]
    pub ca: Option<PathBuf>,

    /// The URL of Microsoft Graph; by default that of the cloud.
    #[arg(long, value_name = "URL", help_heading = HEADING)]
    pub graph: Option<String>,

    /// The URL of the sign-in service; by default that of the cloud.
    #[arg(long, value_name = "URL", help_heading = HEADING)]
    pub login: Option<String>,
}

impl SignInArgs {
    /// Who asks Microsoft Graph.
    pub(super) fn source(&self, cloud: Cloud) -> Result<Arc<dyn TokenSource>, Failure> {
        if let Some(command) = &self.token_command {
            return Ok(Arc::new(TokenCommand(command.clone())));
        }
        let by = match self.sign_in {
            Some(SignInArg::DeviceCode) => SignIn::DeviceCode,
            Some(SignInArg::AzureCli) => SignIn::AzureCli,
            Some(SignInArg::ManagedIdentity) => SignIn::ManagedIdentity,
            Some(SignInArg::WorkloadIdentity) => SignIn::WorkloadIdentity,
            Some(SignInArg::ClientSecret) => {
                let file = self.client_secret_file.as_deref();
                SignIn::ClientSecret(Secret::new(&text_of(file, "--client-secret-file")?))
            }
            Some(SignInArg::ClientCertificate) => {
                let file = self.client_certificate_file.as_deref();
                SignIn::ClientCertificate(Secret::new(&text_of(file, "--client-certificate-file")?))
            }
            None if io::stderr().is_terminal() => SignIn::DeviceCode,
            None => {
                return Err(ShellError::Arguments {
                    message: "there is no terminal to sign in at".to_owned(),
                    help: Some("say who signs in, with --sign-in or --token-command".to_owned()),
                }
                .into());
            }
        };
        let identity = Identity {
            by,
            cloud,
            login: self.login.clone(),
            tenant: self.tenant_id.clone(),
            client: self.client_id.clone(),
            audience: cloud.graph.to_owned(),
            authorities: None,
            say: Arc::new(|message| say(&format!("{message}\n"))),
        };
        let source = identity.source();
        source.map_err(|error| tarbac_collect::CollectError::SignIn(error).into())
    }

    /// Who asks the AdminService.
    pub(super) fn of_sites(&self) -> Result<SiteSignIn, Failure> {
        if let Some(command) = &self.configmgr_token_command {
            return Ok(SiteSignIn::Token(Arc::new(TokenCommand(command.clone()))));
        }
        Ok(SiteSignIn::Windows(match &self.configmgr_user {
            None => WindowsAccount::Current,
            Some(name) => WindowsAccount::Named {
                name: name.clone(),
                password: Secret::password(&text_of(
                    self.configmgr_password_file.as_deref(),
                    "--configmgr-password-file",
                )?),
            },
        }))
    }
}

/// The text of a file with a secret.
#[expect(clippy::disallowed_methods, reason = "the shell reads files")]
fn text_of(file: Option<&Path>, option: &str) -> Result<String, Failure> {
    let Some(file) = file else {
        return Err(ShellError::Arguments {
            message: format!("there is no {option}"),
            help: None,
        }
        .into());
    };
    let text = fs::read_to_string(file);
    text.map_err(|error| ShellError::file("read", file, error).into())
}
