//! The HTTP client of one service, with repetitions and limits.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::fmt::rfc2822;
use serde::Deserialize;

use crate::clock;
use crate::fault::CollectError;
use crate::secret::Secret;
use crate::settings::Waits;
use crate::token::{TokenSource, Tokens};
use crate::transport::{Answer, Request, Transport, Unanswered};

/// How often the token is renewed for one request.
const RENEWALS: usize = 2;

/// How many bytes of an error answer are read.
const LONGEST_ERROR: u64 = 64 * 1024;

/// How many characters of an error message are shown.
const TOLD: usize = 300;

/// A client of one service.
pub(crate) struct Client<'s> {
    transport: Box<dyn Transport>,
    /// The address of the service, without a slash at the end.
    base: String,
    tokens: Tokens<'s>,
    waits: &'s Waits,
    stop: &'s AtomicBool,
}

/// The address, credentials and limits for reaching a service.
pub(crate) struct Reach<'s> {
    /// The address.
    pub(crate) base: &'s str,
    /// The way to send requests.
    pub(crate) transport: Box<dyn Transport>,
    /// The source of tokens; `None` for a service that takes none.
    pub(crate) token: Option<&'s dyn TokenSource>,
    /// The timeouts.
    pub(crate) waits: &'s Waits,
    /// Set when the collection is to stop.
    pub(crate) stop: &'s AtomicBool,
}

/// The outcome of a request.
pub(crate) enum RequestOutcome<T> {
    /// The answer, as `read` returned it.
    Answer(T),
    /// An error answer that repetitions did not change.
    Rejected(Rejection),
}

/// An error answer of a service.
#[derive(Debug, Clone)]
pub(crate) struct Rejection {
    pub(crate) status: u16,
    pub(crate) message: String,
}

/// The number of requests, and how many of them were repetitions.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Effort {
    pub(crate) requests: u64,
    pub(crate) retries: u64,
}

impl Effort {
    /// One request that was answered at once.
    pub(crate) const ONCE: Self = Self {
        requests: 1,
        retries: 0,
    };
}

/// The reason why an answer could not be read.
pub(crate) enum ReadFault {
    /// The answer is truncated or malformed; a repetition may succeed.
    Broken(String),
    /// The answer cannot be saved.
    Kept(CollectError),
}

/// The outcome of one try.
enum Tried<T> {
    Answer(T),
    Unaccepted(String),
    Rejected(Rejection),
    /// A repetition may succeed, after the wait that the service asks for, if any.
    Later(String, Option<Duration>, Option<Rejection>),
}

impl<'s> Client<'s> {
    pub(crate) fn new(reach: Reach<'s>) -> Result<Self, CollectError> {
        let base = reach.base.trim_end_matches('/').to_owned();
        if !is_private(&base) {
            return Err(CollectError::address(&base));
        }
        Ok(Self {
            transport: reach.transport,
            base,
            tokens: Tokens::new(reach.token),
            waits: reach.waits,
            stop: reach.stop,
        })
    }

    /// The current token, from which the account of the collection takes tenant and user.
    pub(crate) fn token(&self) -> Result<Option<Secret>, CollectError> {
        Ok(self.tokens.get(None)?)
    }

    /// The address of a path of the service.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }

    /// Whether an address has the origin of the service, so that the token may be sent to it.
    pub(crate) fn has(&self, address: &str) -> bool {
        let origin = |address: &str| {
            let (scheme, rest) = address.split_once("://")?;
            let host = rest.split(['/', '?', '#']).next()?;
            Some(format!("{scheme}://{host}").to_ascii_lowercase())
        };
        origin(address).is_some() && origin(address) == origin(&self.base)
    }

    /// Repeats a request until there is an answer, or an error that a repetition cannot change.
    ///
    /// # Errors
    /// No answer after all repetitions, the token is not accepted, or the answer cannot be saved.
    pub(crate) fn ask<T>(
        &self,
        url: &str,
        request: Request<'_>,
        effort: &mut Effort,
        read: &mut dyn FnMut(&mut dyn Read) -> Result<T, ReadFault>,
    ) -> Result<RequestOutcome<T>, CollectError> {
        let mut delays = ExponentialBuilder::new()
            .with_min_delay(self.waits.first)
            .with_max_delay(self.waits.longest)
            .with_max_times(self.waits.times)
            .with_jitter()
            .build();
        let (mut token, mut renewals) = (self.tokens.get(None)?, 0);
        let mut tries = 0;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                return Err(CollectError::Internal("stopped".to_owned()));
            }
            effort.requests += 1;
            effort.retries += u64::from(tries > 0);
            tries += 1;
            match self.try_once(url, request, token.as_ref(), read)? {
                Tried::Answer(answer) => return Ok(RequestOutcome::Answer(answer)),
                Tried::Rejected(rejection) => return Ok(RequestOutcome::Rejected(rejection)),
                Tried::Unaccepted(reason) if renewals == RENEWALS || token.is_none() => {
                    return Err(CollectError::Unauthorized {
                        url: without_query(url),
                        credential: self.transport.credential(),
                        reason,
                    });
                }
                Tried::Unaccepted(_) => {
                    renewals += 1;
                    token = self.tokens.get(token.as_ref())?;
                }
                Tried::Later(reason, wanted, rejection) => {
                    let delay = delays.next();
                    let is_too_long = wanted.is_some_and(|wanted| wanted > self.waits.longest);
                    let (Some(delay), false) = (delay, is_too_long) else {
                        return match rejection {
                            Some(rejection) => Ok(RequestOutcome::Rejected(rejection)),
                            None => Err(CollectError::NoAnswer {
                                url: without_query(url),
                                times: tries,
                                reason,
                            }),
                        };
                    };
                    // A service may ask for no wait at all, or for a moment that has passed on this clock.
                    self.wait(wanted.map_or(delay, |wanted| wanted.max(delay)));
                }
            }
        }
    }

    /// Waits, until the collection is stopped at the latest.
    pub(crate) fn wait(&self, time: Duration) {
        let mut left = time;
        while !left.is_zero() && !self.stop.load(Ordering::Relaxed) {
            let part = left.min(Duration::from_secs(1));
            (self.waits.pause)(part);
            left -= part;
        }
    }

    fn try_once<T>(
        &self,
        url: &str,
        request: Request<'_>,
        token: Option<&Secret>,
        read: &mut dyn FnMut(&mut dyn Read) -> Result<T, ReadFault>,
    ) -> Result<Tried<T>, CollectError> {
        let later = |reason: String| Ok(Tried::Later(reason, None, None));
        let answer = match self.transport.send(url, request, token) {
            Ok(answer) => answer,
            Err(Unanswered {
                reason,
                is_lasting: true,
            }) => {
                return Err(CollectError::NoAnswer {
                    url: without_query(url),
                    times: 1,
                    reason,
                });
            }
            Err(Unanswered { reason, .. }) => return later(reason),
        };
        let status = answer.status;
        if status == 200 {
            let mut reader = answer.body;
            return match read(&mut reader) {
                Ok(answer) => Ok(Tried::Answer(answer)),
                Err(ReadFault::Broken(reason)) => later(reason),
                Err(ReadFault::Kept(error)) => Err(error),
            };
        }
        let wanted = answer.retry_after.as_deref().and_then(wait_of);
        // A service or a proxy may repeat what it was sent.
        let message = message(answer);
        let message = match token {
            Some(token) => message.replace(token.reveal(), "[token]"),
            None => message,
        };
        let message: String = message.chars().take(TOLD).collect();
        let reason = format!("status {status}: {message}");
        let rejection = Rejection { status, message };
        Ok(match status {
            401 => Tried::Unaccepted(reason),
            408 | 429 | 502..=504 | 509 => Tried::Later(reason, wanted, None),
            // An internal error may be temporary, or caused by this very request.
            500 => Tried::Later(reason, wanted, Some(rejection)),
            _ => Tried::Rejected(rejection),
        })
    }
}

/// Whether requests to an address stay confidential: it has https, or is on this machine.
pub(crate) fn is_private(base: &str) -> bool {
    let Some((scheme, rest)) = base.split_once("://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let is_here = ["127.0.0.1", "localhost", "::1"].contains(&name);
    // A part before an @ is not the host, and may be a password.
    !name.is_empty() && !host.contains('@') && (scheme == "https" || (scheme == "http" && is_here))
}

/// The wait that a service asks for, given in seconds or as a date.
fn wait_of(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = rfc2822::parse(text).ok()?.timestamp();
    let wait = moment.duration_since(clock::now());
    Some(Duration::try_from(wait).unwrap_or_default())
}

/// The error message of an answer of Graph or the AdminService.
fn message(answer: Answer) -> String {
    #[derive(Deserialize)]
    struct Told {
        error: Error,
    }
    #[derive(Deserialize)]
    struct Error {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let mut text = Vec::new();
    let mut reader = answer.body.take(LONGEST_ERROR);
    // A truncated error message is still shown.
    let _: io::Result<usize> = reader.read_to_end(&mut text);
    match serde_json::from_slice::<Told>(&text) {
        Ok(Told { error }) => {
            let text = format!("{} {}", error.code, error.message);
            text.trim().to_owned()
        }
        Err(_) => "no reason is given".to_owned(),
    }
}

/// An address without its query, which may be long.
pub(crate) fn without_query(url: &str) -> String {
    url.split('?').next().unwrap_or(url).to_owned()
}
