//! The writer of tests for `cedar run-tests`.

use cedar_policy_core::ast::Entity;
use serde::Serialize;
use serde_json::Value;

use super::error::WriteError;
use tarbac_host::bundle::{Action, Policy};
use tarbac_host::decision::{Decision, Request};
use tarbac_host::engine::{Engine, EntitySlice, Evaluation, Undecidable};

/// The expected decision of a request.
#[derive(Debug, Clone)]
pub struct Expectation<'e> {
    /// The engine that decides, with the entities.
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
pub struct WrittenTests {
    /// The file: a JSON array with a line for each entity.
    pub document: String,
    /// The expectations that the format cannot express, in their order.
    pub skipped: Vec<Skipped>,
}

/// An expectation that is not in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The name of the test.
    pub name: String,
    /// The reason.
    pub reason: WriteError,
}

/// Writes expectations as tests that need no workspace: each brings the entities that its request can reach, with all
/// ancestors as parents, and its action with its groups. They can be read with and without the schema.
///
/// The format cannot express an indeterminate decision, nor a request with an entity that does not exist, nor a question
/// of the schema that a policy about every action decides in plain Cedar; these are skipped, with the reason.
///
/// The readings are the engine's, and must be the same for every test. The other program has no readings, and needs
/// the policies in force: [`policies_in_force`](super::policies_in_force).
pub fn write(expectations: &[Expectation<'_>]) -> WrittenTests {
    let mut written = WrittenTests {
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

/// An entity, with its keys in the order in which people read them.
#[derive(Serialize)]
struct WireEntity {
    uid: Value,
    attrs: Value,
    parents: Vec<Value>,
    #[serde(skip_serializing_if = "Value::is_null")]
    tags: Value,
}

/// A test, with its keys in the order in which people read them.
fn test(expectation: &Expectation<'_>) -> Result<String, WriteError> {
    let request = expectation.request;
    if expectation.decision == Decision::Indeterminate {
        return Err(WriteError::Indeterminate);
    }
    if let Some(policy) = asked_by_cedar_alone(expectation.engine, request)? {
        return Err(WriteError::EveryAction(policy.id().to_owned()));
    }
    let context = request.context.to_json_value();
    let context = context.map_err(|error| WriteError::Json(error.to_string()))?;
    Ok(format!(
        "  {{
    \"name\": {},
    \"request\": {{
      \"principal\": {},
      \"action\": {},
      \"resource\": {},
      \"context\": {}
    }},
    \"entities\": [
      {}
    ],
    \"decision\": {},
    \"reason\": {},
    \"num_errors\": 0
  }}",
        json(expectation.name)?,
        json(&request.principal.to_string())?,
        json(&request.action.to_string())?,
        json(&request.resource.to_string())?,
        json(&context)?,
        entity_lines(expectation.engine, request)?.join(",\n      "),
        json(expectation.decision.word())?,
        json(expectation.policies)?,
    ))
}

/// A policy that decides a question in plain Cedar, because it is about every action, and is not asked here.
fn asked_by_cedar_alone<'e>(
    engine: &'e Engine,
    request: &Request,
) -> Result<Option<&'e Policy>, WriteError> {
    let bundle = engine.bundle();
    let action = bundle.vocabulary().action(&request.action);
    let Some(question) = action.filter(|action| action.is_question()) else {
        return Ok(None);
    };
    let slice = slice(engine, request)?;
    let in_words = |error: Undecidable| WriteError::Entities(error.to_string());
    let evaluation = Evaluation::within(engine, request, &slice).map_err(in_words)?;
    let mut asked = bundle.in_force(engine.readings()).filter(|policy| {
        let scope = policy.action_scope();
        scope.covers(question) && !scope.answers(question)
    });
    // One that cannot be evaluated is an error that the other program counts.
    Ok(asked.find(|policy| !matches!(evaluation.applies(policy.ast()), Ok(false))))
}

fn slice(engine: &Engine, request: &Request) -> Result<EntitySlice, WriteError> {
    engine.slice(request).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        WriteError::Entities(errors.join("; "))
    })
}

/// The entities that a request can reach, sorted, and then its action.
fn entity_lines(engine: &Engine, request: &Request) -> Result<Vec<String>, WriteError> {
    let slice = slice(engine, request)?;
    let action = engine.bundle().vocabulary().action(&request.action);
    let action = action.ok_or_else(|| WriteError::UnknownAction(request.action.to_string()))?;
    let entities = slice
        .iter()
        .map(|entity| Ok((entity.uid().to_string(), entity_line(entity)?)));
    let mut entities = entities.collect::<Result<Vec<(String, String)>, WriteError>>()?;
    entities.sort_unstable();
    let lines = entities.into_iter().map(|(_, line)| line);
    Ok(lines.chain([action_line(action)?]).collect())
}

fn entity_line(entity: &Entity) -> Result<String, WriteError> {
    let mut json_value = entity
        .to_json_value()
        .map_err(|error| WriteError::Json(super::in_full(&error)))?;
    let mut take = |key: &str| json_value.get_mut(key).map(Value::take).unwrap_or_default();
    let mut parents = match take("parents") {
        Value::Array(parents) => parents,
        _ => Vec::new(),
    };
    // Cedar holds parents in no order.
    parents.sort_by_cached_key(Value::to_string);
    json(&WireEntity {
        uid: take("uid"),
        attrs: take("attrs"),
        parents,
        tags: take("tags"),
    })
}

fn action_line(action: &Action) -> Result<String, WriteError> {
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

fn json(value: &(impl Serialize + ?Sized)) -> Result<String, WriteError> {
    serde_json::to_string(value).map_err(|error| WriteError::Json(error.to_string()))
}
