//! Paths of a model: attributes, tags and context.

use cedar_policy::EntityUid;
use serde_json::{Map, Value};

use super::model::{Model, is_wrapped};

/// The start of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// The context of the request.
    Context,
    /// The attributes of an entity.
    Attributes(EntityUid),
    /// The tags of an entity.
    Tags(EntityUid),
}

/// A place in a model: an attribute or a tag, or a value within one.
#[derive(Debug, Clone)]
pub(super) struct ModelPath {
    pub of: Holder,
    pub path: Vec<Step>,
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Key(String),
    Element(Value),
}

/// Every value in a model, the outer before the inner.
pub(super) fn slots(model: &Model) -> Vec<(ModelPath, Value)> {
    let entities = model.entities.keys();
    let mut slots: Vec<_> = entities.flat_map(|uid| slots_of(model, uid)).collect();
    slots.extend(slots_in(Holder::Context, &model.context));
    slots
}

/// Every value of an entity.
pub(super) fn slots_of(model: &Model, uid: &EntityUid) -> Vec<(ModelPath, Value)> {
    let Some(element) = model.entities.get(uid) else {
        return Vec::new();
    };
    let mut slots = slots_in(Holder::Attributes(uid.clone()), &element.attributes);
    slots.extend(slots_in(Holder::Tags(uid.clone()), &element.tags));
    slots
}

/// Every value of a holder.
pub(super) fn slots_in(of: Holder, record: &Map<String, Value>) -> Vec<(ModelPath, Value)> {
    let slot = ModelPath {
        of,
        path: Vec::new(),
    };
    let mut found = Vec::new();
    within(&slot, record, &mut found);
    found
}

fn within(slot: &ModelPath, record: &Map<String, Value>, found: &mut Vec<(ModelPath, Value)>) {
    for (key, value) in record {
        let mut slot = slot.clone();
        slot.path.push(Step::Key(key.clone()));
        found.push((slot.clone(), value.clone()));
        match value {
            Value::Array(elements) => {
                for element in elements {
                    let mut slot = slot.clone();
                    slot.path.push(Step::Element(element.clone()));
                    found.push((slot, element.clone()));
                }
            }
            Value::Object(record) if !is_wrapped(value) => within(&slot, record, found),
            _ => {}
        }
    }
}

impl ModelPath {
    /// Sets the value, or removes it.
    pub(super) fn set(&self, model: &mut Model, value: Option<&Value>) {
        let attributes = match &self.of {
            Holder::Context => Some(&mut model.context),
            Holder::Attributes(uid) => model.entities.get_mut(uid).map(|of| &mut of.attributes),
            Holder::Tags(uid) => model.entities.get_mut(uid).map(|of| &mut of.tags),
        };
        let Some(attributes) = attributes else {
            return;
        };
        let Some((last, records)) = self.path.split_last() else {
            return;
        };
        let mut within = Within::Record(attributes);
        for step in records {
            within = match (within, step) {
                (Within::Record(record), Step::Key(key)) => match record.get_mut(key) {
                    Some(Value::Object(record)) => Within::Record(record),
                    Some(Value::Array(set)) => Within::Set(set),
                    _ => return,
                },
                _ => return,
            };
        }
        match (within, last, value) {
            (Within::Record(record), Step::Key(key), Some(value)) => {
                if let Some(slot) = record.get_mut(key) {
                    *slot = value.clone();
                }
            }
            (Within::Record(record), Step::Key(key), None) => drop(record.remove(key)),
            (Within::Set(set), Step::Element(element), value) => {
                set.retain(|other| other != element);
                set.extend(value.cloned());
            }
            _ => {}
        }
    }
}

enum Within<'w> {
    Record(&'w mut Map<String, Value>),
    Set(&'w mut Vec<Value>),
}
