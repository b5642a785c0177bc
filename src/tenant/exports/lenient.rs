//! Deserializers for values as written by Graph, Configuration Manager and PowerShell.

use std::fmt;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use serde::de::{DeserializeOwned, Error as _, IgnoredAny, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The mark of a removed object, at which deserialization fails. Only the answers of delta queries have it.
#[derive(Debug, Clone, Copy, Default)]
pub struct NotRemoved;

impl<'de> Deserialize<'de> for NotRemoved {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer)?;
        Err(D::Error::custom(
            "it has objects that were removed: it is the answer of a delta query, which lists what has changed; \
             export the whole list",
        ))
    }
}

/// The mark of an answer within an answer, at which deserialization fails: an answer of `$batch` has a `body`, a page
/// has a `value`, and no record has either.
#[derive(Debug, Clone, Copy, Default)]
pub struct NotAnswer;

impl<'de> Deserialize<'de> for NotAnswer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer)?;
        Err(D::Error::custom(
            "an answer or a page stands where a record is expected; save the body of each answer of $batch in the \
             file of its own request, and each page in a file of its own: NAME.json, NAME-2.json and so on",
        ))
    }
}

/// A property that distinguishes absence from `null`: with `default`, an absent one is `None`.
pub(super) fn stated<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A text without surrounding blanks; `None` if it is empty.
pub(super) fn trimmed<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    let text = text.as_deref().map(str::trim).unwrap_or_default();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// A time as written by Graph, or by Windows PowerShell as `/Date(1767225600000)/`, sometimes within an object
/// with `value`. Without an offset it is in UTC.
pub(super) fn moment<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    let mut value = Value::deserialize(deserializer)?;
    if let Value::Object(object) = &mut value {
        value = object.remove("value").unwrap_or(value);
    }
    let text = match &value {
        Value::Null => return Ok(None),
        Value::String(text) => text.trim(),
        _ => "",
    };
    if value.is_string() && text.is_empty() {
        return Ok(None);
    }
    let moment = moment_in(text).ok_or_else(|| {
        D::Error::custom(format!(
            "{value} is no moment; Graph writes one as 2026-11-23T08:00:00Z"
        ))
    })?;
    Ok(Some(moment))
}

/// The time that a text states; a time after the greatest [`Timestamp`] becomes that.
pub fn moment_in(text: &str) -> Option<Timestamp> {
    let milliseconds = text.strip_prefix("/Date(");
    if let Some(milliseconds) = milliseconds.and_then(|rest| rest.strip_suffix(")/")) {
        return Timestamp::from_millisecond(milliseconds.parse().ok()?).ok();
    }
    if let Ok(moment) = text.parse() {
        return Some(moment);
    }
    let local: DateTime = text.trim_end_matches(['Z', 'z']).parse().ok()?;
    match TimeZone::UTC.to_timestamp(local) {
        Ok(moment) => Some(moment),
        Err(_) => (local.year() == 9999).then_some(Timestamp::MAX),
    }
}

/// A duration in ISO 8601, or the object with ticks of 100 nanoseconds that PowerShell makes of it.
pub(super) fn duration<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Span>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let ticks = value.get("Ticks").and_then(Value::as_i64);
    let span = match (&value, ticks) {
        (Value::Null, _) => return Ok(None),
        (Value::String(text), _) if text.trim().is_empty() => return Ok(None),
        (Value::String(text), _) => text.trim().parse().ok(),
        (_, Some(ticks)) => Span::new().try_seconds(ticks / 10_000_000).ok(),
        _ => None,
    };
    let span = span.ok_or_else(|| {
        D::Error::custom(format!(
            "{value} is no duration; Graph writes one as P365D, PowerShell an object with -Depth 5"
        ))
    })?;
    Ok(Some(span))
}

/// A list. PowerShell may write it as an object with `value` and `Count`, as its only element, or, beyond the depth
/// limit of ConvertTo-Json, as texts.
pub(super) fn list<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<T>>, D::Error> {
    let Some(elements) = elements(Value::deserialize(deserializer)?) else {
        return Ok(None);
    };
    let element = |element: Value| {
        let text = element.as_str().map(str::to_owned);
        T::deserialize(element).map_err(|error| match text {
            Some(text) if text.trim().is_empty() => {
                D::Error::custom("an empty text stands where a list is expected; export it again")
            }
            Some(text) => D::Error::custom(in_place_of(&text, "an object")),
            None => D::Error::custom(error),
        })
    };
    let elements: Result<_, _> = elements.into_iter().map(element).collect();
    elements.map(Some)
}

/// An object. Beyond the depth limit of ConvertTo-Json, PowerShell writes a text, which is refused.
pub(super) fn object<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) => Err(D::Error::custom(in_place_of(&text, "an object"))),
        value => T::deserialize(value).map(Some).map_err(D::Error::custom),
    }
}

/// The elements of a list in any form that PowerShell writes; `None` for `null`.
fn elements(list: Value) -> Option<Vec<Value>> {
    match list {
        Value::Null => None,
        Value::Array(elements) => Some(elements),
        Value::Object(mut object) if object.contains_key("Count") => match object.remove("value") {
            Some(Value::Array(elements)) => Some(elements),
            _ => Some(vec![Value::Object(object)]),
        },
        one => Some(vec![one]),
    }
}

/// A list of texts without blanks, such as ids. Beyond the depth limit of ConvertTo-Json it is one text with a blank
/// between the elements, and an empty list is an empty text. Texts with commas or semicolons are split too.
pub(super) fn texts<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    let Some(elements) = elements(Value::deserialize(deserializer)?) else {
        return Ok(None);
    };
    let mut texts = Vec::new();
    for element in elements {
        let text = match element {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            other => {
                return Err(D::Error::custom(format!(
                    "a text is expected, and it is {other}"
                )));
            }
        };
        if let Some(cut) = text.split_whitespace().find(|part| is_cut_off(part)) {
            return Err(D::Error::custom(in_place_of(cut, "a list or an object")));
        }
        if text.trim_start().starts_with('[') {
            return Err(D::Error::custom(format!(
                "`{text}` is a list within one text, which was made JSON twice; export it as a list"
            )));
        }
        let is_between = |character: char| character.is_whitespace() || ",;".contains(character);
        let parts = text.split(is_between).filter(|part| !part.is_empty());
        texts.extend(parts.map(str::to_owned));
    }
    Ok(Some(texts))
}

/// [`texts`] for lists whose absence would give more access or hide people: an empty text is refused.
pub(super) fn ids<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<String>>, D::Error> {
    let list = Value::deserialize(deserializer)?;
    if list.as_str().is_some_and(|text| text.trim().is_empty()) {
        return Err(D::Error::custom(
            "an empty text stands where a list is expected; export it again with -Depth 5",
        ));
    }
    let is_blank = |element: &Value| element.as_str().is_some_and(|text| text.trim().is_empty());
    if list
        .as_array()
        .is_some_and(|list| list.iter().any(is_blank))
    {
        return Err(D::Error::custom(
            "an empty text stands where an id is expected; export it again with -Depth 5",
        ));
    }
    texts(list).map_err(D::Error::custom)
}

/// An id; several ids in one text are refused.
pub(super) fn id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let id = text.trim();
    let is_several = id.contains(|one: char| one.is_whitespace() || "[,;".contains(one));
    if is_cut_off(id) {
        return Err(D::Error::custom(in_place_of(id, "a list or an object")));
    }
    if id.is_empty() || is_several {
        return Err(D::Error::custom(format!(
            "an id is expected, and it is `{text}`; if it was a list before ConvertTo-Json cut it off, export it \
             with -Depth 5"
        )));
    }
    Ok(id.to_owned())
}

/// The id of an object within a record, which may be written out, cut off or empty; `None` if it has no id.
pub(super) fn named<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let object = Value::deserialize(deserializer)?;
    let id = object.get("id").or_else(|| object.get("Id"));
    let id = id.and_then(Value::as_str).map(str::trim);
    Ok(id.filter(|id| !id.is_empty()).map(str::to_owned))
}

/// Whether a text is what PowerShell writes in place of a nested object or list: the name of its type, or its
/// properties in `@{}`.
fn is_cut_off(text: &str) -> bool {
    is_type(text) || text.starts_with("@{")
}

/// Whether a text is the name of a type: `System.Object[]`.
fn is_type(text: &str) -> bool {
    let begins = ["System.", "Microsoft.Graph.", "Microsoft.Management."];
    begins.iter().any(|begin| text.starts_with(begin))
}

/// The message for a text in place of a list or object.
fn in_place_of(text: &str, expected: &str) -> String {
    match is_type(text) {
        true => format!(
            "`{text}` is no value: PowerShell has written the name of its type instead; export it with ConvertTo-Json -Depth 5 and not with Export-Csv, or take the property out with \
             Select-Object -ExpandProperty"
        ),
        false => format!(
            "`{text}` was {expected} before ConvertTo-Json cut it off; export it with -Depth 5"
        ),
    }
}

/// A flag; with `default`, an absent one is `None` too.
pub(super) fn optional_flag<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<bool>, D::Error> {
    flag(deserializer).map(Option::flatten)
}

/// A flag that distinguishes absence from `null`. Configuration Manager writes 1 and 0, and PowerShell may write
/// texts.
pub(super) fn flag<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<bool>>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let text = match &value {
        Value::Null => return Ok(Some(None)),
        Value::Bool(flag) => return Ok(Some(Some(*flag))),
        Value::String(text) => text.trim().to_ascii_lowercase(),
        other => other.to_string(),
    };
    match text.as_str() {
        "" => Ok(Some(None)),
        "1" | "true" | "yes" => Ok(Some(Some(true))),
        "0" | "false" | "no" => Ok(Some(Some(false))),
        _ => Err(D::Error::custom(format!(
            "{value} is neither 1 nor 0, neither true nor false"
        ))),
    }
}

/// A number, also if written as text.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    deserializer.deserialize_any(Number)
}

/// A number, also if written as text; `None` for `null`.
pub(super) fn optional_number<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u32>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        value => number(value).map(Some).map_err(D::Error::custom),
    }
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
