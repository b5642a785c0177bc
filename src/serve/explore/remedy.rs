//! The changes of an explanation as the arguments of a what-if.

use cedar_policy::EntityUid;
use serde_json::Map;
use tarbac_analysis::change::what_if::Change;
use tarbac_analysis::explain::{ChangeKind, RemedyChange, Value};
use tarbac_host::Engine;
use tarbac_host::bundle::Kind;
use tarbac_host::roles::role_type;

use super::arguments::{Arguments, Suppositions};
use super::name_search::value;

/// The arguments of a what-if that makes these changes besides what is supposed; `None` where one of them has no words
/// for that.
pub(crate) fn remedy_arguments(
    engine: &Engine,
    supposed: &Suppositions,
    alternative: &[RemedyChange],
) -> Option<Arguments> {
    let mut all = supposed.clone();
    let mut records: Vec<NewRecord> = Vec::new();
    for change in alternative {
        match NewRecord::of(engine, change)? {
            None => all.changes.push(as_typed(engine, change)?),
            Some(record) => match records.iter_mut().find(|known| known.is_same(&record)) {
                Some(known) => known.add(change)?,
                None => {
                    records.push(record);
                    records.last_mut()?.add(change)?;
                }
            },
        }
    }
    let records = records.into_iter().map(NewRecord::into_change);
    all.changes.extend(records);
    Some(Arguments::of_suppositions(&all))
}

/// A record that an entity does not have yet, and that is given as a whole.
struct NewRecord {
    entity: EntityUid,
    name: String,
    values: Map<String, serde_json::Value>,
}

impl NewRecord {
    /// The record that a change is about, without anything in it. Its outer absence is a change about something else, its
    /// inner one a record that cannot be empty.
    fn of(engine: &Engine, change: &RemedyChange) -> Option<Option<Self>> {
        let entity = &change.entity.uid;
        let [name, _] = change.attribute.as_slice() else {
            return Some(None);
        };
        let directory = engine.directory();
        let row = directory.row(entity);
        if row.is_some_and(|row| directory.has_attribute(row, name)) {
            return Some(None);
        }
        let vocabulary = engine.bundle().vocabulary();
        let of_type = entity.type_name().to_string();
        let attribute = vocabulary.attribute(&of_type, std::slice::from_ref(name))?;
        let Kind::Record(record) = &attribute.kind else {
            return Some(None);
        };
        let required = vocabulary.attributes(record)?.iter();
        let required = required.filter(|(_, attribute)| attribute.required);
        let values = required.map(|(name, attribute)| {
            let empty = match attribute.kind {
                Kind::Set(_) => serde_json::Value::Array(Vec::new()),
                Kind::Bool => false.into(),
                _ => return None,
            };
            Some((name.clone(), empty))
        });
        let values: Option<Map<String, serde_json::Value>> = values.collect();
        Some(Some(Self {
            entity: entity.clone(),
            name: name.clone(),
            values: values?,
        }))
    }

    fn is_same(&self, other: &Self) -> bool {
        self.entity == other.entity && self.name == other.name
    }

    /// Makes a change in it.
    fn add(&mut self, change: &RemedyChange) -> Option<()> {
        let value = match &change.value {
            Value::Entity(entity) => entity.uid.to_string().into(),
            Value::Bool(is_on) => (*is_on).into(),
            Value::Long(number) => (*number).into(),
            Value::Text(text) => text.as_str().into(),
            _ => return None,
        };
        let known = self.values.entry(change.attribute.last()?.clone());
        match (change.kind, known.or_insert(serde_json::Value::Null)) {
            (ChangeKind::Add, serde_json::Value::Array(elements)) => elements.push(value),
            (ChangeKind::Add, known) => *known = serde_json::Value::Array(vec![value]),
            (_, known) => *known = value,
        }
        Some(())
    }

    fn into_change(self) -> Change {
        let values = serde_json::Value::Object(self.values);
        Change::Set(format!("{}.{}={values}", self.entity, self.name))
    }
}

/// A change as it is typed.
fn as_typed(engine: &Engine, change: &RemedyChange) -> Option<Change> {
    let vocabulary = engine.bundle().vocabulary();
    let of_type = change.entity.uid.type_name().to_string();
    let uid = &change.entity.uid;
    match (&change.kind, &change.value) {
        (ChangeKind::Set, value) => {
            let text = match value {
                Value::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
                Value::Bool(_) | Value::Long(_) => value.to_string(),
                _ => return None,
            };
            let attribute = vocabulary.attribute(&of_type, &change.attribute);
            let flag = attribute.and_then(|of| of.annotations.get("flag"));
            Some(match (flag, value) {
                (Some(flag), Value::Bool(is_on)) => Change::Flag {
                    flag: flag.clone(),
                    value: format!(
                        "{}={}",
                        self::value(engine, uid),
                        if *is_on { "on" } else { "off" }
                    ),
                },
                (Some(flag), _) => Change::Flag {
                    flag: flag.clone(),
                    value: format!("{}={text}", self::value(engine, uid)),
                },
                (None, _) => Change::Set(format!("{uid}.{}={text}", change.attribute.join("."))),
            })
        }
        (ChangeKind::Add, Value::Entity(element)) => Some(Change::Set(format!(
            "{uid}.{}.contains({})=true",
            change.attribute.join("."),
            element.uid
        ))),
        (ChangeKind::Join, Value::Entity(group)) => {
            let is_role = role_type(vocabulary).as_ref() == Some(group.uid.type_name());
            Some(match is_role {
                true => Change::Grant(format!(
                    "{}={}",
                    self::value(engine, uid),
                    self::value(engine, &group.uid)
                )),
                false => Change::Set(format!("{uid} in {}=true", group.uid)),
            })
        }
        (ChangeKind::Activate, Value::Entity(group)) => {
            Some(Change::Set(format!("{uid} in {}=true", group.uid)))
        }
        _ => None,
    }
}
