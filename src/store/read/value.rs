//! The reader of attribute and tag values, by the schema.

use std::collections::BTreeMap;
use std::fmt;

use cedar_policy_core::ast::{self, Literal, PartialValue, ValueKind};
use cedar_policy_core::entities::conformance::{
    TypecheckError, typecheck_value_against_schematype,
};
use cedar_policy_core::entities::json::err::{
    JsonDeserializationError, JsonDeserializationErrorContext,
};
use cedar_policy_core::entities::json::{SchemaType, ValueParser};
use cedar_policy_core::evaluator::{EvaluationError, RestrictedEvaluator};
use cedar_policy_core::extensions::Extensions;
use cedar_policy_core::jsonvalue::JsonValueWithNoDuplicateKeys;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::read::entity::Reader;
use crate::read::refusal::{Problem, clipped, nearest};
use crate::read::schema::Kind;
use crate::read::uid::{Role, UidSeed, Word};
use crate::tables::ids::RecordId;
use crate::tables::value_ref::{Header, Meaning, ValueRef};
use tarbac_diagnostic::code::entities::{NONCONFORMING, UNKNOWN_FIELD};

/// A reader of a value of one type.
struct ValueSeed<'r, 's, 'de> {
    reader: &'r mut Reader<'s, 'de>,
    kind: &'s Kind,
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_, '_, 'de> {
    type Value = ValueRef;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ValueRef, D::Error> {
        match self.kind {
            Kind::Extension(name) => {
                let json = JsonValueWithNoDuplicateKeys::deserialize(deserializer)?;
                self.reader.call(json, name)
            }
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl ValueSeed<'_, '_, '_> {
    fn mismatch<E: Error>(self, found: &str) -> E {
        let expected = self.reader.shapes.describe(self.kind);
        let problem = Problem::new(NONCONFORMING, format!("must be {expected}, but is {found}"));
        let help = match self.kind {
            Kind::Entity(Some(index)) => {
                let name = self.reader.shapes.name(*index);
                Some(format!(r#"write it as {{"type": "{name}", "id": …}}"#))
            }
            _ => None,
        };
        self.reader.fail(problem.help(help))
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_, '_, 'de> {
    type Value = ValueRef;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_bool<E: Error>(self, bool: bool) -> Result<ValueRef, E> {
        match self.kind {
            Kind::Bool => Ok(ValueRef::new(Meaning::Bool(bool))),
            _ => Err(self.mismatch(&format!("the Bool `{bool}`"))),
        }
    }

    fn visit_i64<E: Error>(self, long: i64) -> Result<ValueRef, E> {
        match self.kind {
            Kind::Long => Ok(self.reader.store.long(long)),
            _ => Err(self.mismatch(&format!("the Long `{long}`"))),
        }
    }

    fn visit_u64<E: Error>(self, long: u64) -> Result<ValueRef, E> {
        match i64::try_from(long) {
            Ok(long) => self.visit_i64(long),
            Err(_) => Err(self.mismatch(&format!("`{long}`, which no Long can hold"))),
        }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<ValueRef, E> {
        Err(self.mismatch(&format!("the number `{number}`, which is no Long")))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<ValueRef, E> {
        match self.kind {
            Kind::Text => Ok(self.reader.store.text(text)),
            _ => Err(self.mismatch(&format!("the String `{}`", clipped(text)))),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<ValueRef, E> {
        Err(self.mismatch("null"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<ValueRef, A::Error> {
        let Kind::Set(kind) = self.kind else {
            return Err(self.mismatch("an array"));
        };
        let reader = self.reader;
        let start = reader.stack.len();
        reader
            .stack
            .push(ValueRef::new(Meaning::Header(Header::Set)));
        while let Some(element) = array.next_element_seed(ValueSeed {
            reader: &mut *reader,
            kind,
        })? {
            reader.stack.push(element);
        }
        let mut items = reader.stack.split_off(start);
        Ok(reader.store.set(&mut items))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ValueRef, A::Error> {
        match self.kind {
            Kind::Entity(expected) => {
                let seed = UidSeed {
                    reader: self.reader,
                    role: Role::Value(*expected),
                    escaped: false,
                };
                Ok(ValueRef::entity(seed.visit_map(map)?.index))
            }
            Kind::Record(record) => {
                let reader = self.reader;
                let start = reader.stack.len();
                let header = Meaning::Header(Header::Record(*record));
                reader.stack.push(ValueRef::new(header));
                RecordSeed {
                    reader: &mut *reader,
                    record: *record,
                }
                .visit_map(map)?;
                let items = reader.stack.split_off(start);
                Ok(reader.store.compound(&items))
            }
            // A function other than a constructor can return these, for example `toDays`.
            Kind::Bool | Kind::Long | Kind::Text => {
                let deserializer = MapAccessDeserializer::new(map);
                let json = JsonValueWithNoDuplicateKeys::deserialize(deserializer)?;
                if json.get("__extn").is_none() {
                    return Err(self.mismatch("an object"));
                }
                let expected = match self.kind {
                    Kind::Bool => SchemaType::Bool,
                    Kind::Long => SchemaType::Long,
                    _ => SchemaType::String,
                };
                self.reader.call(json, &expected)
            }
            Kind::Set(_) | Kind::Extension(_) => Err(self.mismatch("an object")),
        }
    }
}

impl Reader<'_, '_> {
    /// Has Cedar evaluate a value that is a call of an extension function.
    fn call<E: Error>(
        &mut self,
        json: JsonValueWithNoDuplicateKeys,
        expected: &SchemaType,
    ) -> Result<ValueRef, E> {
        let spelling = format!("{expected} {}", *json);
        if let Some(known) = self.evaluated.get(&spelling) {
            return Ok(*known);
        }
        match evaluate(json, expected) {
            Ok(value) => {
                let packed = match &value.value {
                    ValueKind::Lit(Literal::Bool(bool)) => ValueRef::new(Meaning::Bool(*bool)),
                    ValueKind::Lit(Literal::Long(long)) => self.store.long(*long),
                    ValueKind::Lit(Literal::String(text)) => self.store.text(text),
                    _ => self.store.extension(&written(value)),
                };
                self.evaluated.insert(spelling, packed);
                Ok(packed)
            }
            Err(error) => {
                let found = clipped(spelling.split_once(' ').map_or("", |parts| parts.1));
                let what = format!("must be a {expected}, but is `{found}`");
                Err(self.fail(Problem::new(NONCONFORMING, what).help(error.to_string())))
            }
        }
    }
}

/// The reason why Cedar refuses a value.
#[derive(Debug, thiserror::Error)]
enum ValueError {
    #[error(transparent)]
    Json(#[from] Box<JsonDeserializationError>),
    #[error(transparent)]
    Evaluation(#[from] Box<EvaluationError>),
    #[error(transparent)]
    Type(#[from] Box<TypecheckError>),
    #[error("write the value; `unknown` stands for none")]
    Unknown,
}

/// Reads and evaluates a value as Cedar does.
fn evaluate(
    json: JsonValueWithNoDuplicateKeys,
    expected: &SchemaType,
) -> Result<ast::Value, ValueError> {
    let extensions = Extensions::all_available();
    let expression = ValueParser::new(extensions)
        .val_into_restricted_expr(json.into(), Some(expected), &|| {
            JsonDeserializationErrorContext::Unknown
        })
        .map_err(Box::new)?;
    let value = RestrictedEvaluator::new(extensions)
        .partial_interpret(expression.as_borrowed())
        .map_err(Box::new)?;
    typecheck_value_against_schematype(&value, expected, extensions).map_err(Box::new)?;
    match value {
        PartialValue::Value(value) => Ok(value),
        PartialValue::Residual(_) => Err(ValueError::Unknown),
    }
}

/// A value as a Cedar expression.
fn written(value: ast::Value) -> String {
    ast::Expr::from(value).to_string()
}

/// The value of an expression from [`written`].
pub(crate) fn value_of(expression: &str) -> Option<ast::Value> {
    let expression: ast::RestrictedExpr = expression.parse().ok()?;
    let evaluator = RestrictedEvaluator::new(Extensions::all_available());
    match evaluator.partial_interpret(expression.as_borrowed()).ok()? {
        PartialValue::Value(value) => Some(value),
        PartialValue::Residual(_) => None,
    }
}

/// A reader of a record, which pushes a value for each field of the shape onto the stack.
pub(crate) struct RecordSeed<'r, 's, 'de> {
    /// The reader that stores the values.
    pub(crate) reader: &'r mut Reader<'s, 'de>,
    /// The index of the record shape.
    pub(crate) record: RecordId,
}

impl<'de> Visitor<'de> for RecordSeed<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of attributes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { reader, record } = self;
        let fields = reader.shapes.fields(record);
        let start = reader.stack.len();
        reader.stack.resize(start + fields.len(), ValueRef::ABSENT);
        while let Some(key) = map.next_key::<Word<'de>>()? {
            let known = fields
                .iter()
                .zip(start..)
                .find(|(field, _)| field.name == *key.0);
            let Some((field, at)) = known else {
                let near = nearest(&key.0, fields.iter().map(|field| field.name.as_str()));
                let help = near.map(|near| format!("did you mean `{near}`?"));
                let problem = Problem::new(UNKNOWN_FIELD, "is not in the schema").help(help);
                let error = reader.fail(problem);
                return Err(reader.within(&key.0, error));
            };
            if reader
                .stack
                .get(at)
                .is_some_and(|slot| *slot != ValueRef::ABSENT)
            {
                return Err(reader.twice(&key.0));
            }
            let value = map
                .next_value_seed(ValueSeed {
                    reader: &mut *reader,
                    kind: &field.kind,
                })
                .map_err(|error| reader.within(&field.name, error))?;
            if let Some(slot) = reader.stack.get_mut(at) {
                *slot = value;
            }
        }
        let values = reader.stack.get(start..).unwrap_or_default();
        let missing = fields
            .iter()
            .zip(values)
            .find(|(field, value)| field.required && **value == ValueRef::ABSENT);
        match missing {
            Some((field, _)) => {
                let what = format!("lacks the required attribute `{}`", field.name);
                let kind = reader.shapes.describe(&field.kind);
                let help = format!("add it; it is {kind}");
                Err(reader.fail(Problem::new(NONCONFORMING, what).help(help)))
            }
            None => Ok(()),
        }
    }
}

/// A reader of the tags of an entity.
pub(crate) struct TagsSeed<'r, 's, 'de> {
    /// The reader that stores the values.
    pub(crate) reader: &'r mut Reader<'s, 'de>,
    /// The type of the tags; `None` if the entity type has none.
    pub(crate) kind: Option<&'s Kind>,
}

impl<'de> Visitor<'de> for TagsSeed<'_, '_, 'de> {
    type Value = ValueRef;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of tags")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ValueRef, A::Error> {
        let Self { reader, kind } = self;
        let mut tags: BTreeMap<String, ValueRef> = BTreeMap::new();
        while let Some(key) = map.next_key::<Word<'de>>()? {
            let Some(kind) = kind else {
                let what = format!("has the tag `{}`, but its type has no tags", key.0);
                return Err(reader.fail(Problem::new(NONCONFORMING, what)));
            };
            if tags.contains_key(&*key.0) {
                return Err(reader.twice(&key.0));
            }
            let value = map
                .next_value_seed(ValueSeed {
                    reader: &mut *reader,
                    kind,
                })
                .map_err(|error| reader.within(&format!("tags.{}", key.0), error))?;
            tags.insert(key.0.into_owned(), value);
        }
        if tags.is_empty() {
            return Ok(ValueRef::ABSENT);
        }
        let mut items = vec![ValueRef::new(Meaning::Header(Header::Tags))];
        for (key, value) in tags {
            items.push(reader.store.text(&key));
            items.push(value);
        }
        Ok(reader.store.compound(&items))
    }
}
