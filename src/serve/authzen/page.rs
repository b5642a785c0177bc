//! The pages of a search, without any state in the server.
//!
//! A token holds the digest of its request, the limit and the last id, so that any server can continue the search, in
//! the revision that it serves by then.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use blake3::Hasher;
use serde::Serialize;
use serde_json::Value;

use super::request::{Object, member, object_in, wrong};
use crate::fault::Fault;
use crate::settings::Limits;

/// The version of the token format.
const VERSION: u8 = 1;

/// The bytes of a digest in a token.
const DIGEST: usize = 16;

/// The bytes of the checksum in a token.
const CHECK: usize = 8;

/// The page that a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Whether the request has a member `page`.
    is_asked: bool,
    /// The most results.
    limit: usize,
    /// The id after which the results begin.
    after: Option<String>,
    digest: [u8; DIGEST],
}

/// The member `page` of an answer.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub(super) struct PageBody {
    next_token: String,
    count: usize,
    total: usize,
}

/// The content of a token.
struct Token {
    digest: [u8; DIGEST],
    limit: usize,
    last: Option<String>,
}

impl Wanted {
    /// Takes `page` out of a request to an endpoint.
    ///
    /// # Errors
    /// `page` has the wrong JSON type, or its token is invalid or belongs to another request.
    pub(super) fn take(
        object: &mut Object,
        endpoint: &str,
        limits: &Limits,
    ) -> Result<Self, Fault> {
        let page = object_in(object, "", "page")?;
        let digest = digest(endpoint, object);
        let Some(mut page) = page else {
            return Ok(Self {
                is_asked: false,
                limit: limits.page_size,
                after: None,
                digest,
            });
        };
        let limit = match member(&mut page, "limit") {
            None => None,
            Some(limit) => Some(whole(&limit)?.min(limits.max_page_size)),
        };
        let token = match member(&mut page, "token") {
            None => None,
            Some(Value::String(text)) if text.is_empty() => None,
            Some(Value::String(text)) => Some(Token::read(&text)?),
            Some(_) => return Err(wrong("/page", "token", "is not a string")),
        };
        let begins = Self {
            is_asked: true,
            limit: limit.unwrap_or(limits.page_size),
            after: None,
            digest,
        };
        match token {
            None => Ok(begins),
            Some(token) if token.digest != digest => {
                Err(wrong("/page", "token", "belongs to another request"))
            }
            Some(token) if limit.is_some_and(|limit| limit != token.limit) => {
                Err(wrong("/page", "limit", "is not that of the token"))
            }
            Some(token) => Ok(Self {
                limit: token.limit.min(limits.max_page_size),
                after: token.last,
                ..begins
            }),
        }
    }

    /// Cuts this page out of all results, which are sorted by id. The second value is the member `page` of the answer:
    /// `None` if the request has none and the answer is complete.
    pub(super) fn of<'a, T>(
        &self,
        all: &'a [T],
        id: impl Fn(&'a T) -> &'a str,
    ) -> (&'a [T], Option<PageBody>) {
        let start = self.after.as_deref().map_or(0, |after| {
            let is_later = |one| id(one).as_bytes() > after.as_bytes();
            all.iter().position(is_later).unwrap_or(all.len())
        });
        let rest = all.get(start..).unwrap_or_default();
        let shown = rest.get(..self.limit).unwrap_or(rest);
        let is_whole = shown.len() == all.len();
        let next_token = match shown.len() == rest.len() {
            true => String::new(),
            false => {
                let last = shown.last().map(|one| id(one).to_owned());
                Token {
                    digest: self.digest,
                    limit: self.limit,
                    last: last.or_else(|| self.after.clone()),
                }
                .write()
            }
        };
        let page = PageBody {
            next_token,
            count: shown.len(),
            total: all.len(),
        };
        (shown, (self.is_asked || !is_whole).then_some(page))
    }
}

/// A limit: a whole number from 0.
fn whole(limit: &Value) -> Result<usize, Fault> {
    let number = limit.as_u64().or_else(|| {
        let number = limit.as_f64().filter(|of| of.fract() == 0.0 && *of >= 0.0);
        number.map(|number| number as u64)
    });
    let number = number.ok_or_else(|| wrong("/page", "limit", "is not a whole number from 0"))?;
    Ok(usize::try_from(number).unwrap_or(usize::MAX))
}

impl Token {
    fn write(&self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend(self.digest);
        bytes.extend((self.limit as u64).to_be_bytes());
        if let Some(last) = &self.last {
            bytes.push(1);
            bytes.extend(last.as_bytes());
        } else {
            bytes.push(0);
        }
        bytes.extend(check(&bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn read(text: &str) -> Result<Self, Fault> {
        let token = || {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            let (bytes, sum) = bytes.split_last_chunk::<CHECK>()?;
            let (version, rest) = bytes.split_first()?;
            let (digest, rest) = rest.split_first_chunk::<DIGEST>()?;
            let (limit, rest) = rest.split_first_chunk::<8>()?;
            let (has_last, last) = rest.split_first()?;
            if *sum != check(bytes) || *version != VERSION {
                return None;
            }
            let last = String::from_utf8(last.to_vec()).ok()?;
            Some(Self {
                digest: *digest,
                limit: usize::try_from(u64::from_be_bytes(*limit)).ok()?,
                last: (*has_last == 1).then_some(last),
            })
        };
        token().ok_or_else(|| wrong("/page", "token", "is not one that a page gave"))
    }
}

fn check(bytes: &[u8]) -> [u8; CHECK] {
    first(Hasher::new().update(b"page token").update(bytes))
}

fn first<const N: usize>(hasher: &Hasher) -> [u8; N] {
    let mut bytes = [0; N];
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

/// The digest of a request without its page. The order of members does not matter.
fn digest(endpoint: &str, request: &Object) -> [u8; DIGEST] {
    let mut hasher = Hasher::new();
    text(&mut hasher, b'e', endpoint);
    members(&mut hasher, request);
    first(&hasher)
}

fn members(hasher: &mut Hasher, object: &Object) {
    let mut members: Vec<(&String, &Value)> = object.iter().collect();
    members.sort_unstable_by_key(|(key, _)| *key);
    hasher.update(b"{");
    for (key, of) in members {
        text(hasher, b'k', key);
        value(hasher, of);
    }
    hasher.update(b"}");
}

fn value(hasher: &mut Hasher, of: &Value) {
    match of {
        Value::Object(object) => members(hasher, object),
        Value::Array(items) => {
            hasher.update(b"[");
            items.iter().for_each(|item| value(hasher, item));
            hasher.update(b"]");
        }
        Value::String(string) => text(hasher, b's', string),
        Value::Null | Value::Bool(_) | Value::Number(_) => text(hasher, b'v', &of.to_string()),
    }
}

/// Hashes a text with its kind and length, so that no two requests have the same encoding.
fn text(hasher: &mut Hasher, kind: u8, text: &str) {
    hasher.update(&[kind]);
    hasher.update(&(text.len() as u64).to_be_bytes());
    hasher.update(text.as_bytes());
}
