//! The credential in the header `Authorization`.

use std::borrow::Cow;

use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The most bytes of a credential.
const LONGEST: usize = 8 * 1024;

/// A credential as the caller sent it. It is never logged.
pub(super) enum Credential {
    /// There is no header.
    None,
    /// A header that is malformed, too long or repeated.
    Unreadable,
    /// A token, or a JSON Web Token.
    Bearer(String),
    /// A name and a token.
    Basic { name: String, token: String },
}

impl Credential {
    /// The credential of a request.
    pub(super) fn from_headers(headers: &HeaderMap) -> Self {
        let mut sent = headers.get_all(header::AUTHORIZATION).iter();
        let header = match (sent.next(), sent.next()) {
            (None, _) => return Self::None,
            (Some(only), None) => only.to_str().ok().filter(|text| text.len() <= LONGEST),
            (Some(_), Some(_)) => None,
        };
        header.and_then(Self::read).unwrap_or(Self::Unreadable)
    }

    fn read(header: &str) -> Option<Self> {
        let (scheme, rest) = header.split_once(' ')?;
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            return (!rest.is_empty()).then(|| Self::Bearer(rest.to_owned()));
        }
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
        let (name, token) = text.split_once(':')?;
        // Both parts are encoded as in a form (RFC 6749, 2.3.1).
        Some(Self::Basic {
            name: decoded(name)?.into_owned(),
            token: decoded(token)?.into_owned(),
        })
    }
}

/// Decodes a text in `application/x-www-form-urlencoded`.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn a_form_is_decoded() {
        assert_eq!(decoded("a%3Ab+c").as_deref(), Some("a:b c"));
        assert_eq!(decoded("plain").as_deref(), Some("plain"));
        for wrong in ["%", "%1", "%zz", "%ff"] {
            assert_eq!(decoded(wrong), None, "{wrong}");
        }
    }
}
