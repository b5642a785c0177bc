//! `tarbac check`: decides one request, or a stream of them.

use cedar_policy::EntityUid;
use tarbac_host::json::StrictJson;
use tarbac_host::lookup::{Lookup, Name};
use tarbac_host::{Decision, Engine, Request, Workspace};
use tarbac_report as render;

use super::output::{self, Output};
use super::suppose::suppose;
use super::{Exit, Failure, ShellError, requests};
use crate::cli::{Check, Context, Format, Global};

pub fn run(global: &Global, check: &Check, output: &mut Output) -> Result<Exit, Failure> {
    let (Workspace { engine, .. }, premises) = suppose(global, &check.changes)?;
    if let Some(path) = &check.requests {
        return requests::run(&engine, &premises, path, (check.answer, check.jobs), output);
    }
    let (Some(principal), Some(action), Some(resource)) =
        (&check.principal, &check.action, &check.resource)
    else {
        return Err(ShellError::Arguments {
            message: "a request has a principal, an action and a resource".to_owned(),
            help: None,
        }
        .into());
    };
    let request = request(&engine, [principal, action, resource], &check.context)?;
    let answer = engine.answer(&request);
    output::note(&render::answer::notes(&answer));
    output::note(&render::answer::notes_of_premises(&premises));
    output.write(&match global.format {
        Format::Json => render::answer::document(&answer, &engine, &premises),
        _ => render::answer::human(&answer, &premises, output.style()),
    })?;
    Ok(exit(answer.outcome.decision))
}

/// The request that a person means.
pub fn request(engine: &Engine, parts: [&str; 3], context: &Context) -> Result<Request, Failure> {
    let names = Lookup::of(engine);
    let [principal, action, resource] = parts.map(Name::from);
    let action = names.action(&action)?;
    let suggest = |error| names.suggest(error, Some(action));
    Ok(Request {
        principal: names.principal(action, &principal).map_err(suggest)?,
        resource: names.resource(action, &resource).map_err(suggest)?,
        context: self::context(engine, &action.uid, context)?,
        action: action.uid.clone(),
    })
}

pub fn context(
    engine: &Engine,
    action: &EntityUid,
    context: &Context,
) -> Result<cedar_policy::Context, Failure> {
    let wrong = |message: String| {
        ShellError::Arguments {
        message,
        help: Some("the context of an action is in the schema; for example --context '{\"now\": \"2026-11-23T08:05:00Z\"}'".to_owned()),
    }
    };
    let mut json = match &context.context {
        None => serde_json::json!({}),
        Some(text) => {
            let StrictJson(json) = serde_json::from_str(text)
                .map_err(|error| wrong(format!("the context is not valid JSON: {error}")))?;
            json
        }
    };
    if let Some(now) = &context.now {
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

/// How a decision ends the program.
pub fn exit(decision: Decision) -> Exit {
    match decision {
        Decision::Allow => Exit::Yes,
        Decision::Deny => Exit::No,
        Decision::Indeterminate => Exit::Unanswered,
    }
}
