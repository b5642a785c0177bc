//! The context of the requests of an inquiry.

use cedar_policy::{Context, EntityUid};
use serde_json::Value;

use super::InquiryError;
use tarbac_host::engine::Engine;

/// The context as it is given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContextInquiry {
    /// The keys, as a JSON object.
    pub context: Option<Value>,
    /// The time of the request, for example `2026-11-23T08:05:00Z`: the key `now`.
    pub now: Option<String>,
    /// The time at which the question is asked, in the same format. It is the `now` of a request that gives none, so
    /// that a rule with a date holds whoever asks; `None` leaves `now` out.
    pub asked_at: Option<String>,
}

impl ContextInquiry {
    /// No context but the time of the question.
    pub fn at(asked_at: String) -> Self {
        Self {
            asked_at: Some(asked_at),
            ..Self::default()
        }
    }
}

/// The key of the time of a request.
const NOW: &str = "now";

/// The context of a request for an action, as the schema declares it.
///
/// # Errors
/// It is no object, gives the time twice, or does not conform to the schema.
pub fn context(
    engine: &Engine,
    action: &EntityUid,
    given: &ContextInquiry,
) -> Result<Context, InquiryError> {
    let wrong = |message: &str| InquiryError::Context(message.to_owned());
    let mut json = given
        .context
        .clone()
        .unwrap_or_else(|| serde_json::json!({}));
    if let Some(now) = &given.now {
        let object = json.as_object_mut();
        let object = object.ok_or_else(|| wrong("the context is not a JSON object"))?;
        let before = object.insert(NOW.to_owned(), now.clone().into());
        if before.is_some() {
            return Err(wrong("both --context and --now give `now`"));
        }
    }
    if let Some(asked_at) = &given.asked_at {
        json = timed(engine, action, json, asked_at);
    }
    engine.context(action, json).map_err(|error| {
        wrong(&format!(
            "the context does not conform to the schema: {error}"
        ))
    })
}

/// A context with the time of the question, if the schema declares `now` for the action and the context lacks it.
pub fn timed(engine: &Engine, action: &EntityUid, mut json: Value, asked_at: &str) -> Value {
    if let Some(object) = json.as_object_mut()
        && !object.contains_key(NOW)
        && engine.bundle().context_keys(action).contains(NOW)
    {
        object.insert(NOW.to_owned(), asked_at.into());
    }
    json
}

/// Refuses a context that does not fit every action.
///
/// # Errors
/// As those of [`context`].
pub fn check_context(engine: &Engine, given: &ContextInquiry) -> Result<(), InquiryError> {
    for action in engine.bundle().vocabulary().permissions() {
        context(engine, &action.uid, given)?;
    }
    Ok(())
}
