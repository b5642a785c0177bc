//! Strict JSON for input, and JSON output for programs.
//!
//! In strict JSON, an object with the same key twice is an error.

use cedar_policy::EntityUid;
use serde::Serialize;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, json};

use tarbac_diagnostic::printable;

/// The most levels of a [`StrictJson`]; the parser of `serde_json` reads no more.
const LEVELS: usize = 128;

/// A JSON value without duplicate keys.
#[derive(Debug, Clone, PartialEq)]
pub struct StrictJson(pub Value);

impl<'de> Deserialize<'de> for StrictJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StrictLevels(LEVELS).deserialize(deserializer).map(Self)
    }
}

/// An entity as Cedar's JSON names it: `{"type": …, "id": …}`.
pub fn reference(uid: &EntityUid) -> Value {
    json!({ "type": uid.type_name().to_string(), "id": uid.id().unescaped() })
}

/// A document as indented JSON.
pub fn pretty(document: &impl Serialize) -> String {
    match serde_json::to_string_pretty(document) {
        Ok(text) => printable::json(&text).into_owned() + "\n",
        // The documents have only string keys, so they can be written.
        Err(error) => format!("{{\"error\": \"{error}\"}}\n"),
    }
}

/// A document as JSON in one line, without a line end.
pub fn line(document: &impl Serialize) -> String {
    match serde_json::to_string(document) {
        Ok(text) => printable::json(&text).into_owned(),
        Err(error) => format!("{{\"error\": \"{error}\"}}"),
    }
}

/// A strict JSON value of at most so many levels of nested arrays and objects.
#[derive(Debug, Clone, Copy)]
pub struct StrictLevels(pub usize);

impl StrictLevels {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let deeper = self.0.checked_sub(1).map(Self);
        deeper.ok_or_else(|| E::custom("arrays and objects are nested too deep"))
    }
}

impl<'de> DeserializeSeed<'de> for StrictLevels {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictLevels {
    type Value = Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).map(Value::Number);
        number.ok_or_else(|| E::custom("a number is too large"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(deeper)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let deeper = self.deeper()?;
        let mut values = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let value = members.next_value_seed(deeper)?;
            if values.contains_key(&key) {
                return Err(duplicate(&key));
            }
            values.insert(key, value);
        }
        Ok(Value::Object(values))
    }
}

/// The error about a key that an object has twice.
pub fn duplicate<E: Error>(key: &str) -> E {
    E::custom(format_args!("duplicate field `{key}`"))
}
