//! The answer of the engine that answers everything but tests of Cedar.

use cedar_policy::{Context, EntityUid};
use serde::Deserialize;
use serde_json::Value;
use tarbac::Engine;
use tarbac::decision::{Decision, Request};

use super::{Asked, Uid, sorted};

/// Adds the entities that a context names.
fn add_entities(context: &Value, named: &mut Vec<EntityUid>) {
    match context {
        Value::Object(object) => {
            if let Some(uid) = object.get("__entity") {
                named.push(Uid::deserialize(uid).unwrap().uid());
            }
            object.values().for_each(|value| add_entities(value, named));
        }
        Value::Array(values) => values.iter().for_each(|value| add_entities(value, named)),
        _ => {}
    }
}

/// How the engine's answer differs: a policy that fails, or a principal, a resource or something in the context that
/// is not there, makes it indeterminate.
pub(super) fn by_engine(engine: &Engine, asked: &Asked) -> Option<String> {
    let action = asked.action.uid();
    let schema = engine.bundle().schema();
    let context = Context::from_json_value(asked.context.clone(), Some((schema, &action)));
    let request = Request {
        principal: asked.principal.uid(),
        action: action.clone(),
        resource: asked.resource.uid(),
        context: context.unwrap(),
    };
    let outcome = engine.decide(&request);
    let is_there = |uid: &EntityUid| engine.directory().defines(uid);
    let mut named = vec![request.principal.clone(), request.resource.clone()];
    add_entities(&asked.context, &mut named);
    let is_known = named.iter().all(is_there);
    if outcome.decision == Decision::Indeterminate {
        // A dangling reference has the same effect as a policy that fails.
        let is_due = !asked.errors.is_empty() || !is_known;
        return (!is_due).then(|| format!("indeterminate: {:?}", outcome.errors));
    }
    let came = (outcome.decision.word(), sorted(&outcome.policies));
    let expected = (asked.decision.as_str(), sorted(&asked.reason));
    let is_same = came == expected && asked.errors.is_empty();
    (!is_same).then(|| format!("expected {expected:?} {:?}, but got {came:?}", asked.errors))
}
