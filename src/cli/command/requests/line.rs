//! One line: a request as a JSON object.

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use tarbac_host::engine::Undecidable;
use tarbac_host::json::{StrictJson, duplicate};
use tarbac_host::lookup::{Name, NameError};
use thiserror::Error;

use super::lines::LONGEST;

/// Why a line is answered indeterminate.
#[derive(Debug, Error)]
pub(super) enum LineError {
    #[error("the line is longer than {LONGEST} bytes")]
    TooLong,
    #[error("the file is UTF-16; save it as UTF-8")]
    Utf16,
    #[error("the line is not a JSON object")]
    NoObject,
    #[error("the line is empty")]
    Empty,
    /// The message has no line number: each line is a text of its own.
    #[error("the line is not a request: {}", .0.to_string().replace(" at line 1 column ", " at column "))]
    NoRequest(#[from] serde_json::Error),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error("the context does not conform to the schema: {0}")]
    Context(#[from] Undecidable),
}

/// A request as it is written.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) id: Option<Id>,
    pub(super) principal: Named,
    pub(super) action: Named,
    pub(super) resource: Named,
    pub(super) context: Option<StrictJson>,
}

/// The id that a program gives a request: a string or a number of JSON, as it is written.
#[derive(Debug)]
pub(super) struct Id(pub(super) Box<RawValue>);

/// An entity or a permission: a name, or an object with `type` and `id`.
#[derive(Debug)]
pub(super) struct Named(pub(super) Name);

impl Line {
    /// Reads a line.
    pub(super) fn parse(line: &[u8]) -> Result<Self, LineError> {
        match line.trim_ascii_start().first() {
            Some(b'{') => Ok(serde_json::from_slice(line)?),
            Some(0xff | 0xfe) => Err(LineError::Utf16),
            Some(_) => Err(LineError::NoObject),
            None => Err(LineError::Empty),
        }
    }
}

/// The id of a line that is no request, if it stands before the part that cannot be read.
pub(super) fn id_of(line: &[u8]) -> Option<Id> {
    let mut found = None;
    let mut line = serde_json::Deserializer::from_slice(line);
    // The error of the line is known already.
    let _ = line.deserialize_map(IdVisitor(&mut found));
    found
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let is_id = match raw.get().as_bytes() {
            [b'"', ..] => serde_json::from_str::<String>(raw.get()).is_ok(),
            [b'-' | b'0'..=b'9', ..] => true,
            _ => false,
        };
        match is_id {
            true => Ok(Self(raw)),
            false => Err(D::Error::custom("an id is a string or a number")),
        }
    }
}

/// Keeps the one id of an object.
struct IdVisitor<'a>(&'a mut Option<Id>);

impl<'de> Visitor<'de> for IdVisitor<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a request")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut is_there = false;
        while let Some(key) = map.next_key::<String>()? {
            if key != "id" {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            *self.0 = None;
            // With two ids, neither is the id of the line.
            if is_there {
                break;
            }
            is_there = true;
            *self.0 = map.next_value()?;
        }
        Ok(())
    }
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamedVisitor).map(Self)
    }
}

struct NamedVisitor;

impl<'de> Visitor<'de> for NamedVisitor {
    type Value = Name;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a name, or an object with type and id")
    }

    fn visit_str<E>(self, text: &str) -> Result<Name, E> {
        Ok(Name::from(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Name, A::Error> {
        let (mut type_name, mut id) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            let field: &mut Option<String> = match key.as_str() {
                "type" => &mut type_name,
                "id" => &mut id,
                other => return Err(A::Error::unknown_field(other, &["type", "id"])),
            };
            if field.replace(map.next_value()?).is_some() {
                return Err(duplicate(&key));
            }
        }
        Ok(Name::Uid {
            type_name: type_name.ok_or_else(|| A::Error::missing_field("type"))?,
            id: id.ok_or_else(|| A::Error::missing_field("id"))?,
        })
    }
}
