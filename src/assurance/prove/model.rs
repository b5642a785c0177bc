//! A model: a request with its entities, found by a solver.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Context, Entities, EntityId, EntityTypeName, EntityUid, Request, Schema};
use cedar_policy_symcc::Env;
use chrono::{DateTime, Datelike, SecondsFormat};
use serde_json::{Map, Value, json};
use thiserror::Error;

use super::solver::in_full;
use tarbac_host::json::reference;

/// The reason why a model is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ModelError {
    /// The solver left out a part of the request.
    #[error("the request is not complete")]
    Incomplete,
    /// A value has no form in JSON.
    #[error("{0}")]
    Json(String),
    /// The request or the entities do not conform to the schema.
    #[error("{0}")]
    Invalid(String),
}

/// A model of a formula: a request and its entities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The principal.
    pub principal: EntityUid,
    /// The action.
    pub action: EntityUid,
    /// The resource.
    pub resource: EntityUid,
    /// The context in Cedar's JSON.
    pub context: Map<String, Value>,
    /// The entities, without actions.
    pub entities: BTreeMap<EntityUid, ModelEntity>,
}

/// An entity of a model, in Cedar's JSON.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelEntity {
    /// Its attributes.
    pub attributes: Map<String, Value>,
    /// Its tags.
    pub tags: Map<String, Value>,
    /// Its parents.
    pub parents: BTreeSet<EntityUid>,
}

impl Model {
    /// The model that a solver found.
    pub(super) fn new(env: &Env) -> Result<Self, ModelError> {
        let json_error = |error: &dyn std::error::Error| ModelError::Json(error.to_string());
        let request = &env.request;
        let part = |uid: Option<&EntityUid>| uid.cloned().ok_or(ModelError::Incomplete);
        let context = match request.context() {
            Some(context) => context
                .to_json_value()
                .map_err(|error| json_error(&error))?,
            None => Value::Null,
        };
        let mut entities = BTreeMap::new();
        for entity in env.entities.iter() {
            if entity.uid().as_ref().is_action() {
                continue;
            }
            let mut json = entity.to_json_value().map_err(|error| json_error(&error))?;
            let mut map = |key: &str| record(json.get_mut(key).map(Value::take));
            let element = ModelEntity {
                attributes: map("attrs"),
                tags: map("tags"),
                parents: env
                    .entities
                    .ancestors(&entity.uid())
                    .into_iter()
                    .flatten()
                    .cloned()
                    .collect(),
            };
            entities.insert(entity.uid(), element);
        }
        let mut model = Self {
            principal: part(request.principal())?,
            action: part(request.action())?,
            resource: part(request.resource())?,
            context: record(Some(context)),
            entities,
        };
        model.keep_direct_parents();
        Ok(model)
    }

    /// Removes the parents that an entity has through another of its parents.
    fn keep_direct_parents(&mut self) {
        let ancestors: BTreeMap<EntityUid, BTreeSet<EntityUid>> = self
            .entities
            .iter()
            .map(|(uid, element)| (uid.clone(), element.parents.clone()))
            .collect();
        for element in self.entities.values_mut() {
            let all = element.parents.clone();
            element.parents.retain(|parent| {
                !all.iter().any(|other| {
                    other != parent
                        && ancestors
                            .get(other)
                            .is_some_and(|above| above.contains(parent))
                })
            });
        }
    }

    /// The request and the entities in the types of Cedar.
    ///
    /// # Errors
    /// They do not conform to the schema.
    pub fn to_cedar(&self, schema: &Schema) -> Result<(Request, Entities), ModelError> {
        let invalid = |error: &dyn std::error::Error| ModelError::Invalid(in_full(error));
        let entities = Entities::from_json_value(self.entities_json(), Some(schema))
            .map_err(|error| invalid(&error))?;
        let context = Context::from_json_value(
            Value::Object(self.context.clone()),
            Some((schema, &self.action)),
        )
        .map_err(|error| invalid(&error))?;
        let request = Request::new(
            self.principal.clone(),
            self.action.clone(),
            self.resource.clone(),
            context,
            Some(schema),
        )
        .map_err(|error| invalid(&error))?;
        Ok((request, entities))
    }

    /// The entities in the form of a file of entities.
    pub fn entities_json(&self) -> Value {
        self.entities
            .iter()
            .map(|(uid, element)| {
                let parents: Vec<Value> = element.parents.iter().map(reference).collect();
                json!({
                    "uid": reference(uid),
                    "attrs": element.attributes,
                    "tags": element.tags,
                    "parents": parents,
                })
            })
            .collect()
    }

    /// Renames an entity wherever it occurs. It is merged into an entity that has the new name.
    pub(super) fn rename(&mut self, from: &EntityUid, to: &EntityUid) {
        let renamed = |uid: &EntityUid| match uid == from {
            true => to.clone(),
            false => uid.clone(),
        };
        self.principal = renamed(&self.principal);
        self.resource = renamed(&self.resource);
        for value in self.context.values_mut() {
            rename_in(value, from, to);
        }
        let entities = std::mem::take(&mut self.entities);
        for (uid, mut element) in entities {
            element.parents = element.parents.iter().map(renamed).collect();
            for value in element
                .attributes
                .values_mut()
                .chain(element.tags.values_mut())
            {
                rename_in(value, from, to);
            }
            let is_merged = uid == *from;
            let uid = renamed(&uid);
            // Of two merged entities, the one that had the name stays.
            match self.entities.get_mut(&uid) {
                Some(_) if is_merged => {}
                Some(known) => *known = element,
                None => drop(self.entities.insert(uid, element)),
            }
        }
    }

    /// The entities that the request can reach: first its own, then those that they name.
    pub(super) fn reached(&self) -> Vec<EntityUid> {
        let mut order = vec![self.principal.clone(), self.resource.clone()];
        self.context
            .values()
            .for_each(|value| named_in(value, &mut order));
        let mut next = 0;
        while let Some(uid) = order.get(next).cloned() {
            next += 1;
            for named in self.named_by(&uid) {
                if !order.contains(&named) {
                    order.push(named);
                }
            }
        }
        let mut seen = BTreeSet::new();
        order.retain(|uid| seen.insert(uid.clone()));
        order
    }

    /// The entities that an entity names: its parents, then those in its attributes and tags.
    pub(super) fn named_by(&self, uid: &EntityUid) -> Vec<EntityUid> {
        let mut named = Vec::new();
        if let Some(element) = self.entities.get(uid) {
            named.extend(element.parents.iter().cloned());
            element
                .attributes
                .values()
                .chain(element.tags.values())
                .for_each(|value| named_in(value, &mut named));
        }
        named
    }
}

/// A record from a solver, with its moments as people write them.
fn record(value: Option<Value>) -> Map<String, Value> {
    match value.map(with_moments) {
        Some(Value::Object(record)) => record,
        _ => Map::new(),
    }
}

/// A value with moments such as `datetime("2026-11-26T08:00:00Z")` in place of offsets in milliseconds.
fn with_moments(value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(with_moments).collect(),
        Value::Object(map) => {
            let map = map
                .into_iter()
                .map(|(key, value)| (key, with_moments(value)));
            let value = Value::Object(map.collect());
            match moment(&value) {
                Some(moment) => json!({ "__extn": { "fn": "datetime", "arg": moment } }),
                None => value,
            }
        }
        value => value,
    }
}

/// The moment of an offset from 1970, in RFC 3339; `None` for other values, and for moments of years with more than
/// four digits, which Cedar does not write.
fn moment(value: &Value) -> Option<String> {
    let call = value.get("__extn").filter(|call| call["fn"] == "offset")?;
    let argument = |index: usize, function: &str| -> Option<&str> {
        let argument = call["args"].get(index)?.get("__extn")?;
        (argument["fn"] == function).then(|| argument["arg"].as_str())?
    };
    let milliseconds = argument(1, "duration")?.strip_suffix("ms")?.parse().ok()?;
    let moment = DateTime::from_timestamp_millis(milliseconds)
        .filter(|moment| argument(0, "datetime") == Some("1970-01-01") && moment.year() >= 0)?;
    let text = moment.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    (text.len() <= "0000-00-00T00:00:00.000Z".len()).then_some(text)
}

/// The kind of a value of an extension, by the name of the function that makes one from a text.
pub(super) fn kind_of_extension(value: &Value) -> Option<&str> {
    match value.get("__extn")?.get("fn")?.as_str()? {
        "offset" => Some("datetime"),
        function => Some(function),
    }
}

/// Whether a JSON object stands for an entity or for a value of an extension.
pub(super) fn is_wrapped(value: &Value) -> bool {
    value.get("__entity").is_some() || value.get("__extn").is_some()
}

/// An entity as Cedar's JSON names it in attributes, whatever the schema.
pub(super) fn entity_value(uid: &EntityUid) -> Value {
    json!({ "__entity": reference(uid) })
}

/// The entity that a value of Cedar's JSON names.
pub fn as_entity(value: &Value) -> Option<EntityUid> {
    let named = value.get("__entity")?;
    let type_name: EntityTypeName = named.get("type")?.as_str()?.parse().ok()?;
    let id = EntityId::new(named.get("id")?.as_str()?);
    Some(EntityUid::from_type_name_and_id(type_name, id))
}

fn rename_in(value: &mut Value, from: &EntityUid, to: &EntityUid) {
    if let Some(uid) = as_entity(value) {
        if uid == *from {
            *value = entity_value(to);
        }
        return;
    }
    match value {
        Value::Array(values) => {
            values
                .iter_mut()
                .for_each(|value| rename_in(value, from, to));
            let mut seen: Vec<Value> = Vec::new();
            values.retain(|value| {
                let is_new = !seen.contains(value);
                seen.push(value.clone());
                is_new
            });
        }
        Value::Object(map) => map
            .values_mut()
            .for_each(|value| rename_in(value, from, to)),
        _ => {}
    }
}

fn named_in(value: &Value, found: &mut Vec<EntityUid>) {
    if let Some(uid) = as_entity(value) {
        found.push(uid);
        return;
    }
    match value {
        Value::Array(values) => values.iter().for_each(|value| named_in(value, found)),
        Value::Object(map) => map.values().for_each(|value| named_in(value, found)),
        _ => {}
    }
}
