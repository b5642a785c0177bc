//! Writes tests.

use std::fmt::Write as _;

use cedar_policy_core::ast::Entity;
use serde::Serialize;
use serde_json::Value;

use tarbac_host::bundle::Action;
use tarbac_host::decision::{Decision, Request};
use tarbac_host::engine::Engine;

/// What is expected of a request.
#[derive(Debug, Clone)]
pub struct Expectation<'e> {
    /// Decides, and has the entities.
    pub engine: &'e Engine,
    /// The name of the test.
    pub name: &'e str,
    /// The request.
    pub request: &'e Request,
    /// The decision.
    pub decision: Decision,
    /// The ids of policies that determine it; not all need be named.
    pub policies: &'e [String],
}

/// Tests for `cedar run-tests`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The file: a JSON array with a line for each entity.
    pub document: String,
    /// What the format cannot say, in the order in which it was asked for.
    pub skipped: Vec<Skipped>,
}

/// An expectation that is not in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The name of the test.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// Writes expectations as tests that need no workspace: each brings the entities that its request
/// can reach, with everything they are in as their parents, and its action with its groups. They
/// can be read with and without the schema.
///
/// Left out, and named, is what the format has no word for: an indeterminate decision, and a
/// request for something that does not exist.
///
/// The readings are the engine's, and every test is to have the same. The other program knows none,
/// and has to be given the policies that are in force: [`policies_in_force`](super::policies_in_force).
pub fn write(expectations: &[Expectation<'_>]) -> Written {
    let mut written = Written {
        document: String::from("["),
        skipped: Vec::new(),
    };
    let mut separator = "\n";
    for expectation in expectations {
        match test(expectation) {
            Ok(test) => {
                written.document.push_str(separator);
                written.document.push_str(&test);
                separator = ",\n";
            }
            Err(reason) => written.skipped.push(Skipped {
                name: expectation.name.to_owned(),
                reason,
            }),
        }
    }
    written.document.push_str("\n]\n");
    written
}

/// An entity in the order in which people read it.
#[derive(Serialize)]
struct WireEntity {
    uid: Value,
    attrs: Value,
    parents: Vec<Value>,
    #[serde(skip_serializing_if = "Value::is_null")]
    tags: Value,
}

fn test(expectation: &Expectation<'_>) -> Result<String, String> {
    let Expectation {
        engine,
        name,
        request,
        decision,
        policies,
    } = expectation;
    if *decision == Decision::Indeterminate {
        return Err("an indeterminate decision is neither allow nor deny".to_owned());
    }
    let world = engine.world(request).map_err(|errors| {
        let errors = errors.iter().map(ToString::to_string);
        errors.collect::<Vec<_>>().join("; ")
    })?;
    let action = engine
        .bundle()
        .vocabulary()
        .action(&request.action)
        .ok_or_else(|| format!("`{}` is no action of the schema", request.action))?;
    let context = request
        .context
        .to_json_value()
        .map_err(|error| error.to_string())?;
    let mut entities = world
        .iter()
        .map(|entity| Ok((entity.uid().to_string(), entity_line(entity)?)))
        .collect::<Result<Vec<_>, String>>()?;
    entities.sort_unstable();
    let lines: Vec<String> = entities
        .into_iter()
        .map(|(_, line)| line)
        .chain([action_line(action)?])
        .collect();
    let mut out = String::new();
    let mut line = |text: &str| writeln!(out, "{text}").map_err(|error| error.to_string());
    line("  {")?;
    line(&format!("    \"name\": {},", json(name)?))?;
    line("    \"request\": {")?;
    line(&format!(
        "      \"principal\": {},",
        json(&request.principal.to_string())?
    ))?;
    line(&format!(
        "      \"action\": {},",
        json(&request.action.to_string())?
    ))?;
    line(&format!(
        "      \"resource\": {},",
        json(&request.resource.to_string())?
    ))?;
    line(&format!("      \"context\": {}", json(&context)?))?;
    line("    },")?;
    line(&format!(
        "    \"entities\": [\n      {}\n    ],",
        lines.join(",\n      ")
    ))?;
    line(&format!("    \"decision\": {},", json(decision.word())?))?;
    line(&format!("    \"reason\": {},", json(policies)?))?;
    line("    \"num_errors\": 0")?;
    out.push_str("  }");
    Ok(out)
}

fn entity_line(entity: &Entity) -> Result<String, String> {
    let mut json_value = entity
        .to_json_value()
        .map_err(|error| super::in_full(&error))?;
    let mut take = |key: &str| json_value.get_mut(key).map(Value::take).unwrap_or_default();
    let mut parents = match take("parents") {
        Value::Array(parents) => parents,
        _ => Vec::new(),
    };
    // Cedar holds them in no order.
    parents.sort_by_cached_key(Value::to_string);
    json(&WireEntity {
        uid: take("uid"),
        attrs: take("attrs"),
        parents,
        tags: take("tags"),
    })
}

fn action_line(action: &Action) -> Result<String, String> {
    let entity = Entity::new_with_attr_partial_value(
        action.uid.as_ref().clone(),
        [],
        std::collections::HashSet::new(),
        action
            .groups
            .iter()
            .map(|group| group.as_ref().clone())
            .collect(),
        [],
    );
    entity_line(&entity)
}

fn json(value: &(impl Serialize + ?Sized)) -> Result<String, String> {
    serde_json::to_string(value).map_err(|error| error.to_string())
}
