//! The device code flow: sign-in of a person with a code in a browser.
//!
//! Source: RFC 8628, and the page of Microsoft Entra on the device authorization grant. The Azure SDK for Rust does
//! not implement this flow.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::Agent;

use super::{GRAPH_TOOLS, Identity, http, scopes};
use crate::client::is_private;
use crate::clock;
use crate::secret::Secret;
use crate::token::{SignInError, TokenSource};

/// The grant type of RFC 8628.
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The increase of the polling interval when the server answers `slow_down` (RFC 8628, 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// The largest accepted answer, in bytes.
const LARGEST: u64 = 1024 * 1024;

/// The sign-in of a person. The refresh token is kept in memory only.
pub(super) struct DeviceCode {
    agent: Agent,
    /// The address that issues codes and tokens.
    endpoint: String,
    client: String,
    scopes: String,
    say: Arc<dyn Fn(&str) + Send + Sync>,
    refresh: Mutex<Option<Secret>>,
}

#[derive(Deserialize)]
struct Code {
    device_code: String,
    expires_in: u64,
    #[serde(default = "usual")]
    interval: u64,
    message: String,
}

fn usual() -> u64 {
    5
}

#[derive(Deserialize)]
struct Grant {
    access_token: String,
    #[serde(default)]
    refresh_token: Option<String>,
}

#[derive(Deserialize)]
struct Fault {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// An answer: the requested value, or an OAuth error.
enum Answered<T> {
    Yes(T),
    No(Fault),
}

impl fmt::Debug for DeviceCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a person at {}", self.endpoint)
    }
}

impl DeviceCode {
    pub(super) fn new(identity: &Identity, login: String) -> Result<Self, SignInError> {
        if !is_private(&login) {
            let why = format!("`{login}` is no address to sign in at: it has to have https");
            return Err(SignInError(why));
        }
        let tenant = identity.tenant.as_deref().unwrap_or("organizations");
        Ok(Self {
            agent: http::agent(identity.authorities.as_deref())?,
            endpoint: format!("{login}/{tenant}/oauth2/v2.0"),
            client: identity.client.as_deref().unwrap_or(GRAPH_TOOLS).to_owned(),
            scopes: scopes(&identity.audience),
            say: identity.say.clone(),
            refresh: Mutex::new(None),
        })
    }

    /// Posts a form.
    fn ask<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<Answered<T>, SignInError> {
        let url = format!("{}/{path}", self.endpoint);
        let failed = |why: &dyn fmt::Display| SignInError(format!("{url}: {why}"));
        let sent = self.agent.post(&url).send_form(form.iter().copied());
        let mut response = sent.map_err(|error| failed(&error))?;
        let body = response.body_mut().with_config().limit(LARGEST);
        let text = body.read_to_vec().map_err(|error| failed(&error))?;
        // The parser's message is not shown: it may quote a token.
        let unread = |_| failed(&"the answer is not as expected");
        match response.status().is_success() {
            true => serde_json::from_slice(&text)
                .map(Answered::Yes)
                .map_err(unread),
            false => serde_json::from_slice(&text)
                .map(Answered::No)
                .map_err(unread),
        }
    }

    /// Keeps the refresh token of a grant, and returns its access token.
    fn take(&self, grant: Grant) -> Secret {
        let mut refresh = self.refresh.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = grant.refresh_token {
            *refresh = Some(Secret::new(&token));
        }
        Secret::new(&grant.access_token)
    }

    /// A new token by the refresh token; `None` if the person has to sign in again.
    fn renew(&self) -> Result<Option<Secret>, SignInError> {
        let refresh = self
            .refresh
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some(refresh) = refresh else {
            return Ok(None);
        };
        let answered = self.ask::<Grant>(
            "token",
            &[
                ("client_id", &self.client),
                ("grant_type", "refresh_token"),
                ("refresh_token", refresh.reveal()),
                ("scope", &self.scopes),
            ],
        )?;
        Ok(match answered {
            Answered::Yes(grant) => Some(self.take(grant)),
            Answered::No(_) => None,
        })
    }
}

impl TokenSource for DeviceCode {
    fn token(&self) -> Result<Secret, SignInError> {
        if let Some(token) = self.renew()? {
            return Ok(token);
        }
        let told =
            |fault: Fault| SignInError(format!("{}: {}", fault.error, fault.error_description));
        let form = [("client_id", self.client.as_str()), ("scope", &self.scopes)];
        let code: Code = match self.ask("devicecode", &form)? {
            Answered::Yes(code) => code,
            Answered::No(fault) => return Err(told(fault)),
        };
        (self.say)(&code.message);
        let mut interval = Duration::from_secs(code.interval);
        let mut left = Duration::from_secs(code.expires_in);
        loop {
            clock::pause(interval);
            left = left.saturating_sub(interval.max(Duration::from_secs(1)));
            let form = [
                ("client_id", self.client.as_str()),
                ("grant_type", GRANT),
                ("device_code", &code.device_code),
            ];
            match self.ask::<Grant>("token", &form)? {
                Answered::Yes(grant) => return Ok(self.take(grant)),
                Answered::No(_) if left.is_zero() => {
                    return Err(SignInError("nobody entered the code in time".to_owned()));
                }
                Answered::No(fault) if fault.error == "authorization_pending" => {}
                Answered::No(fault) if fault.error == "slow_down" => interval += SLOWER,
                Answered::No(fault) => return Err(told(fault)),
            }
        }
    }
}
