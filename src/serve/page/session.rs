//! The sessions of browsers: a cookie in place of the token that was pasted.
//!
//! The cookie is random, and only its digest is kept. The token behind it is checked with each request, as if the browser
//! had sent it: a caller who is taken out of the file of callers is out at once.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::clock;

/// The name of the cookie. Browsers take this prefix only by TLS, for this host alone and for every path.
const COOKIE: &str = "__Host-tarbac";

/// The life of a session.
const LASTS: Duration = Duration::from_secs(8 * 3600);

/// The most sessions; the oldest ends for a new one.
const MOST: usize = 1000;

/// The bytes of a cookie.
const SIZE: usize = 32;

type Key = [u8; 32];

/// The sessions of all browsers.
#[derive(Default)]
pub(crate) struct Sessions {
    open: Mutex<BTreeMap<Key, Session>>,
}

struct Session {
    token: String,
    began: Instant,
}

impl Sessions {
    /// Begins a session; its cookie, or nothing where the system gives no random bytes.
    pub(crate) fn begin(&self, token: &str) -> Option<String> {
        let mut bytes = [0; SIZE];
        getrandom::fill(&mut bytes).ok()?;
        let cookie = URL_SAFE_NO_PAD.encode(bytes);
        let session = Session {
            token: token.to_owned(),
            began: clock::instant(),
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, session| session.began.elapsed() < LASTS);
        if open.len() >= MOST {
            let oldest = open.iter().min_by_key(|(_, session)| session.began);
            if let Some(oldest) = oldest.map(|(key, _)| *key) {
                open.remove(&oldest);
            }
        }
        open.insert(key(&cookie), session);
        Some(cookie)
    }

    /// The token behind the cookie of a request.
    pub(crate) fn token(&self, headers: &HeaderMap) -> Option<String> {
        let cookie = cookie(headers)?;
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let session = open.get(&key(cookie))?;
        (session.began.elapsed() < LASTS).then(|| session.token.clone())
    }

    /// Ends the session of a request.
    pub(crate) fn end(&self, headers: &HeaderMap) {
        if let Some(cookie) = cookie(headers) {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            open.remove(&key(cookie));
        }
    }
}

fn key(cookie: &str) -> Key {
    Sha256::digest(cookie.as_bytes()).into()
}

/// The cookie of a request.
fn cookie(headers: &HeaderMap) -> Option<&str> {
    let sent = headers.get_all(header::COOKIE).iter();
    let pairs = sent
        .filter_map(|header| header.to_str().ok())
        .flat_map(|text| text.split(';'));
    let mut pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value)
}

/// The header that gives a browser its cookie, or that takes it away.
pub(super) fn set_cookie(cookie: Option<&str>) -> String {
    let lasts = if cookie.is_some() { LASTS.as_secs() } else { 0 };
    let value = cookie.unwrap_or_default();
    format!("{COOKIE}={value}; Path=/; Max-Age={lasts}; HttpOnly; Secure; SameSite=Strict")
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::{COOKIE, Sessions};

    #[test]
    fn a_cookie_stands_for_its_token_until_it_ends() {
        let sessions = Sessions::default();
        let cookie = sessions.begin("the token").unwrap_or_default();
        let mut headers = HeaderMap::new();
        let value = HeaderValue::from_str(&format!("a=b; {COOKIE}={cookie}"));
        headers.insert(
            header::COOKIE,
            value.unwrap_or(HeaderValue::from_static("")),
        );
        assert_eq!(sessions.token(&headers).as_deref(), Some("the token"));
        sessions.end(&headers);
        assert_eq!(sessions.token(&headers), None);
        assert_eq!(sessions.token(&HeaderMap::new()), None);
    }
}
