//! The context of a request.

use cedar_policy::{Context, EntityUid};
use clap::Args;
use tarbac_host::Engine;
use tarbac_host::json::StrictJson;

use crate::failure::{Failure, ShellError};

/// The context of a request.
#[derive(Debug, Args)]
pub(crate) struct ContextArgs {
    /// The context of the request, as a JSON object.
    #[arg(long, value_name = "JSON")]
    pub context: Option<String>,

    /// The time of the request, for example 2026-11-23T08:05:00Z.
    #[arg(long, value_name = "DATETIME")]
    pub now: Option<String>,
}

/// The context of a request for an action, as the schema declares it.
pub(crate) fn context(
    engine: &Engine,
    action: &EntityUid,
    arguments: &ContextArgs,
) -> Result<Context, Failure> {
    let wrong = |message: String| {
        ShellError::Arguments {
        message,
        help: Some("the context of an action is in the schema; for example --context '{\"now\": \"2026-11-23T08:05:00Z\"}'".to_owned()),
    }
    };
    let mut json = match &arguments.context {
        None => serde_json::json!({}),
        Some(text) => {
            let StrictJson(json) = serde_json::from_str(text)
                .map_err(|error| wrong(format!("the context is not valid JSON: {error}")))?;
            json
        }
    };
    if let Some(now) = &arguments.now {
        let object = json
            .as_object_mut()
            .ok_or_else(|| wrong("the context is not a JSON object".to_owned()))?;
        if object
            .insert("now".to_owned(), now.clone().into())
            .is_some()
        {
            return Err(wrong("both --context and --now give `now`".to_owned()).into());
        }
    }
    engine.context(action, json).map_err(|error| {
        wrong(format!(
            "the context does not conform to the schema: {error}"
        ))
        .into()
    })
}

/// Refuses a context that does not fit every action.
pub(crate) fn check_context(engine: &Engine, arguments: &ContextArgs) -> Result<(), Failure> {
    for action in engine.bundle().vocabulary().permissions() {
        context(engine, &action.uid, arguments)?;
    }
    Ok(())
}
