//! Tokens and their sources.

use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use thiserror::Error;

use crate::secret::Secret;

/// The reason why sign-in failed. It contains no secret.
#[derive(Debug, Error)]
#[error("{0}")]
pub struct SignInError(pub String);

/// A source of tokens.
pub trait TokenSource: Send + Sync {
    /// A new token, in place of one that has expired.
    ///
    /// # Errors
    /// Sign-in failed.
    fn token(&self) -> Result<Secret, SignInError>;
}

/// A command that prints a token: the token alone, or JSON with `accessToken` or `access_token`.
#[derive(Debug, Clone)]
pub struct TokenCommand(pub String);

/// A token in the JSON of `az account get-access-token` or OAuth.
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
            // The messages of the command go to the terminal.
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
        // A token is one word. Anything else is a message, which is not shown because it may contain a secret.
        match token.is_empty() || token.contains(char::is_whitespace) {
            true => Err(failed("printed no token".to_owned())),
            false => Ok(Secret::new(&token)),
        }
    }
}

/// The token of a service, kept until the service rejects it.
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

    /// The current token, or a new one if the current one is `unaccepted`. `None` for a service without sign-in.
    pub(crate) fn get(&self, unaccepted: Option<&Secret>) -> Result<Option<Secret>, SignInError> {
        let Some(source) = self.source else {
            return Ok(None);
        };
        // The lock is held while a token is renewed, so that other requests wait for the new one.
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none() || kept.as_ref() == unaccepted {
            let new = source.token()?;
            let tenant = |token: &Secret| Claims::read(token).tenant();
            if let (Some(before), Some(now)) = (kept.as_ref().and_then(tenant), tenant(&new))
                && before != now
            {
                let why = format!(
                    "the new token is for the tenant {now}, and the collection was begun in {before}"
                );
                return Err(SignInError(why));
            }
            *kept = Some(new);
        }
        Ok(kept.clone())
    }
}

/// The claims of a token. They are not verified, and used only for the account of a collection.
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
    /// The claims of a token; empty if they cannot be read.
    pub(crate) fn read(token: &Secret) -> Self {
        let part = token.reveal().split('.').nth(1).unwrap_or_default();
        let bytes = URL_SAFE_NO_PAD.decode(part.trim_end_matches('='));
        let claims = bytes
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok());
        claims.unwrap_or_default()
    }

    /// The id of the tenant.
    pub(crate) fn tenant(&self) -> Option<String> {
        self.tid.clone()
    }

    /// The name of the person, or else of the application.
    pub(crate) fn account(&self) -> Option<String> {
        let person = self.upn.clone().or_else(|| self.unique_name.clone());
        person.or_else(|| {
            let name = self.app_displayname.as_deref().unwrap_or("application");
            Some(format!("{name} ({})", self.appid.as_deref()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Tokens for these tenants, one after the other.
    struct OfTenants(&'static [&'static str], AtomicUsize);

    impl TokenSource for OfTenants {
        fn token(&self) -> Result<Secret, SignInError> {
            let next = self.1.fetch_add(1, Ordering::Relaxed);
            let tenant = self.0.get(next).copied().unwrap_or_default();
            let claims = format!("{{\"tid\":\"{tenant}\",\"nonce\":{next}}}");
            Ok(Secret::new(&format!(
                "h.{}.s",
                URL_SAFE_NO_PAD.encode(claims)
            )))
        }
    }

    #[test]
    fn a_renewed_token_is_for_the_same_tenant() -> Result<(), SignInError> {
        for (tenants, is_taken) in [(["a", "a"].as_slice(), true), (&["a", "b"], false)] {
            let source = OfTenants(tenants, AtomicUsize::new(0));
            let tokens = Tokens::new(Some(&source));
            let first = tokens.get(None)?;
            assert_eq!(tokens.get(first.as_ref()).is_ok(), is_taken);
        }
        Ok(())
    }
}
