//! Values that are left out of a record.

use std::borrow::Cow;
use std::str::FromStr;

use serde_json::Value;
use thiserror::Error;

/// The members of a record from which values may be left out.
const PARTS: [&str; 6] = [
    "subject",
    "action",
    "resource",
    "context",
    "asked",
    "from_request",
];

/// Pairs of places that may hold the same value, which is left out of both.
const TWINS: [(&str, &str); 6] = [
    ("/context", "/action/properties"),
    ("/action/properties", "/context"),
    ("/action/name", "/asked/action"),
    ("/subject", "/asked/subject"),
    ("/resource", "/asked/resource"),
    ("/asked/action", "/action/name"),
];

/// The text in an error in place of a value that is left out.
const LEFT_OUT: &str = "…";

/// A JSON pointer (RFC 6901) to a value of a record, for example `/context/ip`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonPointer(String);

/// A text is no JSON pointer to a value that may be left out of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a JSON pointer is like /context/ip, and leads into subject, action, resource, context, asked or from_request"
)]
pub struct NoPointer;

impl FromStr for JsonPointer {
    type Err = NoPointer;

    fn from_str(text: &str) -> Result<Self, NoPointer> {
        let first = text.strip_prefix('/').and_then(|of| of.split('/').next());
        match first.is_some_and(|first| PARTS.contains(&first)) {
            true => Ok(Self(text.to_owned())),
            false => Err(NoPointer),
        }
    }
}

/// Removes values from a record, wherever they stand in it, and lists the pointers to those that were found.
pub(super) fn leave_out(omit: &[JsonPointer], record: &mut Value) {
    let mut omitted: Vec<Value> = Vec::new();
    for JsonPointer(pointer) in omit {
        let twins = TWINS.iter().filter_map(|(one, other)| {
            let rest = pointer.strip_prefix(one)?;
            let is_within = rest.is_empty() || rest.starts_with('/');
            is_within.then(|| format!("{other}{rest}"))
        });
        let places = std::iter::once(pointer.clone()).chain(twins);
        let removed: Vec<Value> = places.filter_map(|of| remove(&of, record)).collect();
        for value in &removed {
            conceal(value, record);
        }
        if !removed.is_empty() {
            omitted.push(pointer.as_str().into());
        }
    }
    if let (false, Some(record)) = (omitted.is_empty(), record.as_object_mut()) {
        record.insert("omitted".to_owned(), omitted.into());
    }
}

/// Removes the value at a pointer from a document.
fn remove(pointer: &str, document: &mut Value) -> Option<Value> {
    let (parent, key) = pointer.rsplit_once('/')?;
    let parent = document.pointer_mut(parent)?;
    parent.as_object_mut()?.remove(unescaped(key).as_ref())
}

/// Replaces the texts of a value in errors, which may quote them.
fn conceal(value: &Value, record: &mut Value) {
    match value {
        Value::String(text) if !text.is_empty() => {
            let errors = record.get_mut("errors").and_then(Value::as_array_mut);
            for error in errors.into_iter().flatten() {
                if let Value::String(error) = error {
                    *error = error.replace(text.as_str(), LEFT_OUT);
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| conceal(value, record)),
        Value::Object(values) => values.values().for_each(|value| conceal(value, record)),
        _ => {}
    }
}

/// A step of a JSON pointer as the key that it stands for.
fn unescaped(step: &str) -> Cow<'_, str> {
    match step.contains('~') {
        true => step.replace("~1", "/").replace("~0", "~").into(),
        false => step.into(),
    }
}
