//! A strict parser of I-JSON (RFC 7493): UTF-8, unique members, limited depth.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tarbac_host::json::{StrictLevels, duplicate};

use crate::fault::Fault;

/// The most levels of nested arrays and objects.
const LEVELS: usize = 64;

/// A JSON object, of which the items of one array are not parsed yet.
pub(crate) struct Listed<'b> {
    /// The members; the array is not among them.
    pub(crate) members: Map<String, Value>,
    /// The items of the array as they stand; `None` if there is no array.
    pub(crate) items: Option<Vec<&'b RawValue>>,
}

/// Parses a body as a JSON object.
///
/// # Errors
/// The body is no JSON object, or no I-JSON.
pub(crate) fn object(body: &[u8]) -> Result<Map<String, Value>, Fault> {
    let mut reader = serde_json::Deserializer::from_str(text(body)?);
    let value = StrictLevels(LEVELS).deserialize(&mut reader);
    let value = value.and_then(|value| reader.end().map(|()| value));
    match value.map_err(|error| no_json(&error))? {
        Value::Object(object) => Ok(object),
        _ => Err(no_object()),
    }
}

/// Parses a body as a JSON object, but for the items of the array of this name: [`item`] parses each, so that several
/// can be parsed at once.
///
/// # Errors
/// The parsed part is no JSON object, or no I-JSON.
pub(crate) fn listed<'b>(body: &'b [u8], array: &'static str) -> Result<Listed<'b>, Fault> {
    let text = text(body)?;
    if !text.trim_start().starts_with('{') {
        // It is no object, whatever it is.
        object(body)?;
        return Err(no_object());
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let listed = reader.deserialize_map(Outer { array });
    let listed = listed.and_then(|listed| reader.end().map(|()| listed));
    listed.map_err(|error| no_json(&error))
}

/// Parses an item of an array that a member of the body is.
///
/// # Errors
/// It is no I-JSON.
pub(crate) fn item(text: &RawValue) -> Result<Value, Fault> {
    let mut reader = serde_json::Deserializer::from_str(text.get());
    let value = StrictLevels(LEVELS - 2).deserialize(&mut reader);
    value.map_err(|error| no_json(&error))
}

/// The text of a body.
fn text(body: &[u8]) -> Result<&str, Fault> {
    if body.is_empty() {
        return Err(Fault::bad_request("the body is empty"));
    }
    std::str::from_utf8(body)
        .map_err(|_| Fault::bad_request("the body is not UTF-8, which JSON has to be"))
}

fn no_object() -> Fault {
    Fault::bad_request("the body is not a JSON object")
}

fn no_json(error: &serde_json::Error) -> Fault {
    Fault::bad_request(format!(
        "the body is not JSON as RFC 7493 wants it: {error}"
    ))
}

/// The body itself, an object.
struct Outer {
    array: &'static str,
}

impl<'de> Visitor<'de> for Outer {
    type Value = Listed<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut listed = Listed {
            members: Map::new(),
            items: None,
        };
        while let Some(key) = members.next_key::<String>()? {
            let is_array = key == self.array;
            if listed.members.contains_key(&key) || is_array && listed.items.is_some() {
                return Err(duplicate(&key));
            }
            if !is_array {
                let value = members.next_value_seed(StrictLevels(LEVELS - 1))?;
                listed.members.insert(key, value);
                continue;
            }
            let raw = members.next_value::<&'de RawValue>()?;
            if raw.get().starts_with('[') {
                let items = serde_json::from_str(raw.get()).map_err(A::Error::custom)?;
                listed.items = Some(items);
            } else {
                let mut reader = serde_json::Deserializer::from_str(raw.get());
                let value = StrictLevels(LEVELS - 1).deserialize(&mut reader);
                listed.members.insert(key, value.map_err(A::Error::custom)?);
            }
        }
        Ok(listed)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{item, listed, object};

    /// The object that is put together of its members and items, or the fault.
    fn joined(text: &str) -> Result<Value, String> {
        let listed = listed(text.as_bytes(), "items").map_err(|fault| fault.message)?;
        let mut members = listed.members;
        if let Some(items) = listed.items {
            let items: Result<Vec<Value>, _> = items.into_iter().map(item).collect();
            let items = items.map_err(|fault| fault.message)?;
            members.insert("items".to_owned(), items.into());
        }
        Ok(members.into())
    }

    /// Parsing in parts and as a whole give equal values.
    #[test]
    fn parts_make_up_the_whole() {
        let nested = |depth: usize| {
            let (open, close) = (r#"{"a":"#.repeat(depth), "}".repeat(depth));
            format!(r#"{{"items":[{open}1{close}]}}"#)
        };
        let deepest = nested(62);
        let too_deep = nested(63);
        for text in [
            r#"{"items":[{"a":1},{"b":[true,null]}],"c":{"d":"e"}}"#,
            r#"{"items":[]}"#,
            r#"{"items":null}"#,
            r#"{"items":{"a":1}}"#,
            r#" { "items" : [ 1 , "two" ] } "#,
            r#"{"items":[{"a":1,"a":2}]}"#,
            r#"{"items":[1],"items":[1]}"#,
            r#"{"items":null,"items":[1]}"#,
            r#"{"items":[1],"items":null}"#,
            r#"{"items":["\ud800"]}"#,
            r#"{"items":[1e999]}"#,
            r#"{"items":[01]}"#,
            r#"{"items":[1,]}"#,
            r#"{"items":[1]} {}"#,
            r#"{"items":[1]"#,
            r#"{"a":{"b":1,"b":2}}"#,
            "[]",
            "null",
            "",
            &deepest,
            &too_deep,
        ] {
            let whole = object(text.as_bytes()).map(Value::from).ok();
            assert_eq!(joined(text).ok(), whole, "{text}");
        }
        assert_eq!(joined(r#"{"items":[1]}"#), Ok(json!({ "items": [1] })));
    }
}
