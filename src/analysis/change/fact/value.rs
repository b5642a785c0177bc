//! Edits of attributes, and values by the kinds that the schema declares.

use std::str::FromStr;

use cedar_policy::{EntityId, EntityTypeName, EntityUid};
use cedar_policy_core::ast;
use serde_json::{Map, Value, json};

use super::InvalidFact;
use super::edits::{Edits, unknown_form};
use tarbac_host::bundle::Kind;
use tarbac_host::json::reference;
use tarbac_host::lookup::did_you_mean;
use tarbac_store::GivenEntity;

impl Edits<'_> {
    pub(super) fn create(
        &mut self,
        uid: &ast::EntityUID,
        value: &Value,
    ) -> Result<(), InvalidFact> {
        let uid = EntityUid::from(uid.clone());
        if self.changed.contains_key(&uid) || self.engine.directory().knows(&uid) {
            return Err(InvalidFact::new(format!("`{uid}` is there already"))
                .help("give its attributes one by one"));
        }
        let Value::Object(attributes) = value else {
            return Err(InvalidFact::new(format!("`{uid}` needs its attributes"))
                .help("write them as a map; `{}` for none"));
        };
        let mut edited = GivenEntity::new(uid.clone());
        for (name, value) in attributes {
            let value = self.value(&uid, std::slice::from_ref(name), value, false)?;
            edited.attributes.insert(name.clone(), value);
        }
        self.changed.insert(uid, edited);
        Ok(())
    }

    pub(super) fn set(
        &mut self,
        uid: &EntityUid,
        path: &[String],
        value: Value,
    ) -> Result<(), InvalidFact> {
        let (last, record) = self.record(uid, path)?;
        record.insert(last, value);
        self.know(uid, path)
    }

    pub(super) fn remove(&mut self, uid: &EntityUid, path: &[String]) -> Result<(), InvalidFact> {
        self.kind(uid, path)?;
        let (last, record) = self.record(uid, path)?;
        record.remove(&last);
        self.know(uid, path)
    }

    /// Makes an attribute one of which the value is no longer assumed.
    fn know(&mut self, uid: &EntityUid, path: &[String]) -> Result<(), InvalidFact> {
        let [name] = path else {
            return Ok(());
        };
        let of_type = uid.type_name().to_string();
        let vocabulary = self.engine.bundle().vocabulary();
        let recording: Vec<String> = vocabulary.recording(&of_type).map(str::to_owned).collect();
        let attributes = &mut self.edited(uid)?.attributes;
        for recording in recording {
            if let Some(Value::Array(assumed)) = attributes.get_mut(&recording) {
                assumed.retain(|assumed| assumed != name);
            }
        }
        Ok(())
    }

    /// Whether the value of an attribute is assumed in the directory.
    pub(super) fn is_assumed(&self, uid: &EntityUid, path: &[String]) -> bool {
        let directory = self.engine.directory();
        let of_type = uid.type_name().to_string();
        let mut recording = self.engine.bundle().vocabulary().recording(&of_type);
        let (Some(row), [name]) = (directory.row(uid), path) else {
            return false;
        };
        recording.any(|recording| directory.attribute_has_text(row, recording, name))
    }

    pub(super) fn contain(
        &mut self,
        uid: &EntityUid,
        path: &[String],
        element: Value,
        is_contained: bool,
    ) -> Result<(), InvalidFact> {
        let (last, record) = self.record(uid, path)?;
        let set = record.entry(last).or_insert_with(|| json!([]));
        let Value::Array(elements) = set else {
            return Err(InvalidFact::new(format!("`{}` is no set", path.join("."))));
        };
        elements.retain(|other| plain(other) != plain(&element));
        if is_contained {
            elements.push(element);
        }
        Ok(())
    }

    /// The last attribute of a path, and the record that has it.
    fn record(
        &mut self,
        uid: &EntityUid,
        path: &[String],
    ) -> Result<(String, &mut Map<String, Value>), InvalidFact> {
        let Some((last, records)) = path.split_last() else {
            return Err(unknown_form());
        };
        self.keep_explicit(uid, |stand_in| {
            path.first().is_some_and(|of| of == stand_in.attribute)
        });
        let mut record = &mut self.edited(uid)?.attributes;
        for name in records {
            record = match record.get_mut(name) {
                Some(Value::Object(record)) => record,
                _ => {
                    return Err(InvalidFact::new(format!("`{uid}` has no `{name}`"))
                        .help(format!("give `{uid}.{name}` as a whole")));
                }
            };
        }
        Ok((last.clone(), record))
    }

    /// The value that the schema gives an absent attribute (`@absent`).
    pub(super) fn absent_value(&self, uid: &EntityUid, path: &[String]) -> Option<Value> {
        let vocabulary = self.engine.bundle().vocabulary();
        let attribute = vocabulary.attribute(&uid.type_name().to_string(), path)?;
        let text = attribute.annotations.get("absent")?;
        Some(serde_json::from_str(text).unwrap_or_else(|_| json!(text)))
    }

    /// The kind of an attribute.
    fn kind(&self, uid: &EntityUid, path: &[String]) -> Result<&Kind, InvalidFact> {
        let vocabulary = self.engine.bundle().vocabulary();
        let type_name = uid.type_name().to_string();
        match vocabulary.attribute(&type_name, path) {
            Some(attribute) => Ok(&attribute.kind),
            None => {
                let owner = match path.split_last() {
                    Some((_, record)) if !record.is_empty() => {
                        match vocabulary
                            .attribute(&type_name, record)
                            .map(|known| &known.kind)
                        {
                            Some(Kind::Record(record)) => record.clone(),
                            _ => type_name.clone(),
                        }
                    }
                    _ => type_name.clone(),
                };
                let known = vocabulary.attributes(&owner).into_iter().flatten();
                let known: Vec<&str> = known.map(|(name, _)| name.as_str()).collect();
                let name = path.last().map(String::as_str).unwrap_or_default();
                let mut problem = InvalidFact::new(format!(
                    "`{type_name}` has no attribute `{}`",
                    path.join(".")
                ));
                problem.help = did_you_mean(name, known.iter().copied())
                    .or_else(|| Some(format!("its attributes are: {}", known.join(", "))));
                Err(problem)
            }
        }
    }

    /// A value as Cedar's JSON writes it, by the kind of the attribute, or of the elements of the attribute.
    pub(super) fn value(
        &self,
        uid: &EntityUid,
        path: &[String],
        value: &Value,
        is_element: bool,
    ) -> Result<Value, InvalidFact> {
        match (self.kind(uid, path)?, is_element) {
            (Kind::Set(element), true) => self.of_kind(element, value),
            (_, true) => Err(InvalidFact::new(format!("`{}` is no set", path.join(".")))),
            (kind, false) => self.of_kind(kind, value),
        }
    }

    fn of_kind(&self, kind: &Kind, value: &Value) -> Result<Value, InvalidFact> {
        match (kind, value) {
            (Kind::Entity(type_name), Value::String(text)) => {
                if text.contains("::\"") {
                    let uid = EntityUid::from_str(text)
                        .map_err(|error| InvalidFact::new(format!("`{text}`: {error}")))?;
                    return Ok(reference(&self.resolve(&uid)?));
                }
                let type_name = EntityTypeName::from_str(type_name)
                    .map_err(|error| InvalidFact::new(error.to_string()))?;
                let uid = EntityUid::from_type_name_and_id(type_name, EntityId::new(text));
                Ok(reference(&self.with_name(&uid)?))
            }
            (Kind::Bool, value) if !value.is_boolean() => Err(InvalidFact::new(format!(
                "the value must be a Bool, which is true or false, and not {value}"
            ))),
            (Kind::Long, value) if !value.is_i64() => Err(InvalidFact::new(format!(
                "the value must be a Long, which is a whole number, and not {value}"
            ))),
            (Kind::String, value) if !value.is_string() => Err(InvalidFact::new(format!(
                "the value must be a String, and not {value}"
            ))),
            (Kind::Set(element), Value::Array(values)) => values
                .iter()
                .map(|value| self.of_kind(element, value))
                .collect::<Result<Vec<Value>, InvalidFact>>()
                .map(Value::Array),
            (Kind::Record(record), Value::Object(fields)) => {
                let vocabulary = self.engine.bundle().vocabulary();
                let known = vocabulary.attributes(record);
                let mut edited = Map::new();
                for (name, value) in fields {
                    let value = match known.and_then(|known| known.get(name)) {
                        Some(attribute) => self.of_kind(&attribute.kind, value)?,
                        // The reader of entities refuses an unknown attribute.
                        None => value.clone(),
                    };
                    edited.insert(name.clone(), value);
                }
                Ok(Value::Object(edited))
            }
            _ => Ok(value.clone()),
        }
    }
}

pub(super) fn literal_value(literal: &ast::Literal) -> Value {
    match literal {
        ast::Literal::Bool(bool) => json!(bool),
        ast::Literal::Long(long) => json!(long),
        ast::Literal::String(text) => json!(text.as_str()),
        ast::Literal::EntityUID(uid) => json!(uid.to_string()),
    }
}

/// An element of a set without the wrapping that Cedar's JSON allows.
pub(super) fn plain(value: &Value) -> &Value {
    value.get("__entity").unwrap_or(value)
}

/// Whether two values are equal: a set has no order.
pub(super) fn is_same(one: &Value, other: &Value) -> bool {
    let all_in = |one: &[Value], other: &[Value]| {
        let mut elements = one.iter();
        elements.all(|element| other.iter().any(|known| is_same(element, known)))
    };
    match (plain(one), plain(other)) {
        (Value::Array(one), Value::Array(other)) => all_in(one, other) && all_in(other, one),
        (Value::Object(one), Value::Object(other)) => {
            let mut fields = one.iter();
            one.len() == other.len()
                && fields
                    .all(|(name, value)| other.get(name).is_some_and(|known| is_same(value, known)))
        }
        (one, other) => one == other,
    }
}
