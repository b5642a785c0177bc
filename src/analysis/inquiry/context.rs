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
}

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
        let before = object.insert("now".to_owned(), now.clone().into());
        if before.is_some() {
            return Err(wrong("both --context and --now give `now`"));
        }
    }
    engine.context(action, json).map_err(|error| {
        wrong(&format!(
            "the context does not conform to the schema: {error}"
        ))
    })
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
