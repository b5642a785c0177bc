//! Values as the services and PowerShell write them.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A property that is there, be it `null`: with `default`, one that is absent is `None`.
pub fn stated<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A text without blanks around it; one that is empty is none.
pub fn trimmed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let text = text.as_deref().map(str::trim).unwrap_or_default();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// A list, of which PowerShell makes an object with `value` and `Count`, the only element, or texts
/// where it goes deeper than it was told to.
pub fn list<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let elements = match Value::deserialize(deserializer)? {
        Value::Null => return Ok(None),
        Value::Array(elements) => elements,
        Value::Object(mut object) if object.contains_key("Count") => match object.remove("value") {
            Some(Value::Array(elements)) => elements,
            _ => vec![Value::Object(object)],
        },
        one => vec![one],
    };
    let element = |element: Value| {
        let text = element.as_str().map(str::to_owned);
        T::deserialize(element).map_err(|error| match text {
            Some(text) if text.trim().is_empty() => {
                D::Error::custom("an empty text stands where a list is expected; export it again")
            }
            Some(text) => D::Error::custom(format!(
                "`{text}` was an object before ConvertTo-Json cut it off; export it with -Depth 5"
            )),
            None => D::Error::custom(error),
        })
    };
    let elements: Result<_, _> = elements.into_iter().map(element).collect();
    elements.map(Some)
}

/// A number, written as one or as a text.
pub fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    deserializer.deserialize_any(Number)
}

struct Number;

impl Visitor<'_> for Number {
    type Value = u32;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a number from 0 to {}", u32::MAX)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<u32, E> {
        u32::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<u32, E> {
        u32::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<u32, E> {
        let number = text.trim().parse();
        number.map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}
