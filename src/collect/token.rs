//! Tokens, and the sources that they come from.

use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use thiserror::Error;

use crate::secret::Secret;

/// Why nobody can sign in. It says nothing secret.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct SignInError(pub String);

/// Where tokens come from.
pub trait TokenSource: Send + Sync {
    /// A token that is not the one that has expired.
    ///
    /// # Errors
    /// Nobody can sign in.
    fn token(&self) -> Result<Secret, SignInError>;
}

/// A program of one's own that prints a token: the token alone, or JSON with `accessToken` or `access_token`.
#[derive(Debug, Clone)]
pub struct TokenCommand(pub String);

/// A token as `az account get-access-token` and OAuth write it.
#[derive(Deserialize)]
struct Printed {
    #[serde(alias = "accessToken", alias = "token")]
    access_token: String,
}

impl TokenSource for TokenCommand {
    fn token(&self) -> Result<Secret, SignInError> {
        let failed = |why: String| SignInError(format!("the command of the token {why}"));
        let (shell, flag) = match cfg!(windows) {
            true => ("cmd", "/C"),
            false => ("sh", "-c"),
        };
        let ran = Command::new(shell)
            .arg(flag)
            .arg(&self.0)
            .stdin(Stdio::null())
            // What it has to say goes to whoever started this.
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| failed(format!("cannot be run: {error}")))?;
        if !ran.status.success() {
            return Err(failed(format!("ended with {}", ran.status)));
        }
        let text = String::from_utf8(ran.stdout)
            .map_err(|_| failed("printed something that is no text".to_owned()))?;
        let text = text.trim();
        let token = match text.starts_with('{') {
            true => {
                serde_json::from_str::<Printed>(text)
                    .map_err(|_| failed("printed JSON without `accessToken`".to_owned()))?
                    .access_token
            }
            false => text.to_owned(),
        };
        // A token is one word; anything else is a message, which may say something secret.
        match token.is_empty() || token.contains(char::is_whitespace) {
            true => Err(failed("printed no token".to_owned())),
            false => Ok(Secret::new(&token)),
        }
    }
}

/// The token of a service, kept until it is not accepted any more.
pub(crate) struct Tokens<'s> {
    source: Option<&'s dyn TokenSource>,
    kept: Mutex<Option<Secret>>,
}

impl<'s> Tokens<'s> {
    pub(crate) fn new(source: Option<&'s dyn TokenSource>) -> Self {
        Self {
            source,
            kept: Mutex::new(None),
        }
    }

    /// A token; another one than that which was not accepted. `None` where nobody signs in.
    pub(crate) fn get(&self, unaccepted: Option<&Secret>) -> Result<Option<Secret>, SignInError> {
        let Some(source) = self.source else {
            return Ok(None);
        };
        // Whoever comes while another one renews it waits for that.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none() || kept.as_ref() == unaccepted {
            *kept = Some(source.token()?);
        }
        Ok(kept.clone())
    }
}

/// What a token says about itself; nothing is believed of it but for the account of a collection.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Claims {
    #[serde(default)]
    tid: Option<String>,
    #[serde(default)]
    upn: Option<String>,
    #[serde(default)]
    unique_name: Option<String>,
    #[serde(default)]
    app_displayname: Option<String>,
    #[serde(default)]
    appid: Option<String>,
}

impl Claims {
    /// The claims of a token; none where it is not to be read.
    pub(crate) fn read(token: &Secret) -> Self {
        let part = token.reveal().split('.').nth(1).unwrap_or_default();
        let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('='));
        let claims = bytes
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        claims.unwrap_or_default()
    }

    /// The tenant.
    pub(crate) fn tenant(&self) -> Option<String> {
        self.tid.clone()
    }

    /// The person, or else the application.
    pub(crate) fn account(&self) -> Option<String> {
        let person = self.upn.clone().or_else(|| self.unique_name.clone());
        person.or_else(|| {
            let name = self.app_displayname.as_deref().unwrap_or("application");
            Some(format!("{name} ({})", self.appid.as_deref()?))
        })
    }
}
