//! Custom serialization of results whose JSON differs from their fields.

use std::borrow::Cow;

use cedar_policy::EntityUid;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use crate::explain::{Named, Path, Support, Value};
use crate::plan::Permission;

/// An entity, with the name a person knows it by.
#[derive(Serialize, JsonSchema)]
struct Entity<'a> {
    r#type: String,
    id: &'a str,
    name: &'a str,
}

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entity = Entity {
            r#type: self.uid.type_name().to_string(),
            id: self.uid.id().unescaped(),
            name: &self.name,
        };
        entity.serialize(serializer)
    }
}

impl JsonSchema for Named {
    fn schema_name() -> Cow<'static, str> {
        "Named".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Entity::json_schema(generator)
    }
}

/// A fact that keeps policies from refusing.
#[derive(Serialize, JsonSchema)]
struct SupportDocument<'a> {
    policies: &'a [String],
    attribute: String,
    operation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<&'a Named>,
    path: Option<&'a Path>,
    sentence: &'a str,
}

impl Serialize for Support {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let operation = self.operation.as_ref();
        let document = SupportDocument {
            policies: &self.policies,
            attribute: self.attribute.join("."),
            operation: operation.map(|(operation, _)| operation.as_str()),
            entity: match &self.value {
                Value::Entity(entity) => Some(entity),
                _ => None,
            },
            path: self.path.as_ref(),
            sentence: &self.sentence,
        };
        document.serialize(serializer)
    }
}

impl JsonSchema for Support {
    fn schema_name() -> Cow<'static, str> {
        "Support".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        SupportDocument::json_schema(generator)
    }
}

/// An entity that stands for others, with their number.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Counted<'a> {
    #[serde(flatten)]
    entity: &'a Named,
    count: u64,
}

/// Entities with numbers.
pub(crate) fn counts<S: Serializer>(of: &[(Named, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(of.iter().map(|(entity, count)| Counted {
        entity,
        count: *count,
    }))
}

/// A policy that refuses, or what went wrong, and how often.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReasonCount<'a> {
    reason: &'a str,
    count: u64,
}

/// Reasons with numbers.
pub(crate) fn reasons<S: Serializer>(
    of: &[(String, u64)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(of.iter().map(|(reason, count)| ReasonCount {
        reason,
        count: *count,
    }))
}

/// The id of an action.
pub(crate) fn id<S: Serializer>(of: &EntityUid, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(of.id().unescaped())
}

/// The id of the action that a permission is about.
pub(crate) fn action<S: Serializer>(of: &Permission, serializer: S) -> Result<S::Ok, S::Error> {
    id(&of.action, serializer)
}

/// An attribute through records; null if there is none.
pub(crate) fn path<S: Serializer>(of: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    let path = (!of.is_empty()).then(|| of.join("."));
    path.serialize(serializer)
}

/// Whether a search was complete: the opposite of `is_cut`.
pub(crate) fn complete<S: Serializer>(is_cut: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(!is_cut)
}

/// A record, by attribute.
pub(crate) fn record<S: Serializer>(
    of: &[(String, Value)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(of.iter().map(|(name, value)| (name, value)))
}

impl JsonSchema for Value {
    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    /// Any value, since sets and records contain values.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        true.into()
    }
}

/// A [`Decision`](tarbac_host::Decision) in JSON Schema. The host does not depend on schemars.
pub fn decision(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["allow", "deny", "indeterminate"] })
}

/// A [`Basis`](tarbac_host::decision::Basis) in JSON Schema.
pub fn basis(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": ["permitted", "forbidden", "not-permitted", "error"] })
}

/// The shape of an [`Outcome`](tarbac_host::Outcome).
#[derive(JsonSchema)]
#[expect(
    dead_code,
    reason = "it is the shape of another type, and holds nothing"
)]
pub struct OutcomeShape {
    #[schemars(schema_with = "decision")]
    decision: (),
    policies: Vec<String>,
    errors: Vec<String>,
}

/// The shape of a [`Refusal`](tarbac_host::decision::Refusal).
#[derive(JsonSchema)]
#[expect(
    dead_code,
    reason = "it is the shape of another type, and holds nothing"
)]
pub struct RefusalShape {
    policy: String,
    message: Option<String>,
    advice: Option<String>,
}
