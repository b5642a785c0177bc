//! The facts of a counterexample that the refutation depends on.

use cedar_policy::EntityUid;
use serde_json::{Value, json};

use super::label::with_id;
use super::literals::Literals;
use super::model::{Model, as_entity, entity_value, is_wrapped};
use super::path::{Holder, ModelPath, Step, slots_in, slots_of};
use super::shrink::Refutes;

/// A fact of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelevantFact {
    /// The principal or the resource is this entity.
    Is(EntityUid),
    /// An entity is in another.
    In {
        /// The entity.
        entity: EntityUid,
        /// The group.
        parent: EntityUid,
    },
    /// An attribute or a tag has a value, or a set has an element.
    Value {
        /// The owner.
        of: Holder,
        /// The path of attributes.
        path: Vec<String>,
        /// The value or element, as Cedar's JSON has it.
        value: Value,
        /// Whether it is an element.
        is_element: bool,
    },
    /// An optional attribute is there, whatever its value.
    Has {
        /// The owner.
        of: Holder,
        /// The path of attributes.
        path: Vec<String>,
    },
}

/// The facts of a model that matter: the refutation would not hold with another value.
pub(super) fn facts(
    model: &Model,
    literals: &Literals<'_>,
    refutes: Refutes<'_>,
) -> Vec<RelevantFact> {
    let mut facts = Vec::new();
    let mut links = Vec::new();
    let mut otherwise = model.clone();
    let mut relevant = |slots: Vec<(ModelPath, Value)>| -> Vec<RelevantFact> {
        let mut facts = Vec::new();
        // Inner values come first: a fact about one implies the value around it.
        for (slot, value) in slots.into_iter().rev() {
            if matters(&slot, &value, model, &mut otherwise, literals, refutes) {
                facts.extend(slot.fact(value));
            } else if let Some(entity) = as_entity(&value) {
                links.push((entity, slot.fact(value)));
            }
            let is_within = |fact: &RelevantFact| {
                fact.path()
                    .is_some_and(|path| path.starts_with(&slot.keys()))
            };
            if !facts.iter().any(is_within) && slot.is_optional(model, literals) {
                facts.push(RelevantFact::Has {
                    of: slot.of.clone(),
                    path: slot.keys(),
                });
            }
        }
        facts.reverse();
        facts
    };
    let reached = model.reached();
    let named = model.entities.keys().filter(|uid| !reached.contains(uid));
    for uid in reached.iter().chain(named) {
        if literals.keeps_name(uid)
            && is_asked(uid, model)
            && !may_be_another(uid, model, literals, refutes)
        {
            facts.push(RelevantFact::Is(uid.clone()));
        }
        let parents = model.entities.get(uid).into_iter();
        facts.extend(
            parents
                .flat_map(|element| &element.parents)
                .map(|parent| RelevantFact::In {
                    entity: uid.clone(),
                    parent: parent.clone(),
                }),
        );
        facts.extend(relevant(slots_of(model, uid)));
    }
    facts.extend(relevant(slots_in(Holder::Context, &model.context)));
    // If there are several entities of a type, facts about one of them need the links that identify it.
    links.retain(|(entity, _)| {
        let is_told = facts.iter().any(|fact| fact.is_of(entity));
        is_told && (is_asked(entity, model) || !is_only_one(entity, model))
    });
    facts.extend(links.into_iter().filter_map(|(_, fact)| fact));
    facts
}

impl RelevantFact {
    /// The path of attributes that it is about.
    fn path(&self) -> Option<&[String]> {
        match self {
            Self::Value { path, .. } | Self::Has { path, .. } => Some(path),
            Self::Is(_) | Self::In { .. } => None,
        }
    }

    /// Whether it is about an entity.
    fn is_of(&self, uid: &EntityUid) -> bool {
        match self {
            Self::Is(entity) | Self::In { entity, .. } => entity == uid,
            Self::Value { of, .. } | Self::Has { of, .. } => match of {
                Holder::Attributes(entity) | Holder::Tags(entity) => entity == uid,
                Holder::Context => false,
            },
        }
    }
}

fn is_only_one(uid: &EntityUid, model: &Model) -> bool {
    let mut others = model.entities.keys().filter(|other| *other != uid);
    !others.any(|other| other.type_name() == uid.type_name())
}

fn is_asked(uid: &EntityUid, model: &Model) -> bool {
    *uid == model.principal || *uid == model.resource
}

/// Whether the principal or the resource could as well be an entity that no policy names.
fn may_be_another(
    uid: &EntityUid,
    model: &Model,
    literals: &Literals<'_>,
    refutes: Refutes<'_>,
) -> bool {
    let mut others = others_of(uid, literals).into_iter();
    others.all(|other| {
        let mut model = model.clone();
        copy_to(uid, &other, &mut model);
        if model.principal == *uid {
            model.principal = other.clone();
        }
        if model.resource == *uid {
            model.resource = other;
        }
        refutes(&model)
    })
}

/// The possible substitutes of an entity: the others of an enumerated type, or one that no policy names.
fn others_of(uid: &EntityUid, literals: &Literals<'_>) -> Vec<EntityUid> {
    match literals.choices(uid) {
        Some(choices) => choices
            .iter()
            .filter(|id| *id != uid.id().unescaped())
            .map(|id| with_id(uid, id))
            .collect(),
        None => vec![with_id(uid, &format!("copy of {}", uid.id().unescaped()))],
    }
}

/// Puts a copy of an entity into a model, unless there is one of that name.
fn copy_to(uid: &EntityUid, copy: &EntityUid, model: &mut Model) {
    let element = model.entities.get(uid).cloned().unwrap_or_default();
    model.entities.entry(copy.clone()).or_insert(element);
}

impl ModelPath {
    fn keys(&self) -> Vec<String> {
        let keys = self.path.iter().filter_map(|step| match step {
            Step::Key(key) => Some(key.clone()),
            Step::Element(_) => None,
        });
        keys.collect()
    }

    /// Whether a model without it conforms to the schema as well.
    fn is_optional(&self, model: &Model, literals: &Literals<'_>) -> bool {
        if matches!(self.path.last(), Some(Step::Element(_))) || matches!(self.of, Holder::Tags(_))
        {
            return false;
        }
        let mut without = model.clone();
        self.set(&mut without, None);
        without.to_cedar(literals.bundle.schema()).is_ok()
    }

    fn fact(&self, value: Value) -> Option<RelevantFact> {
        let path = self.keys();
        let is_element = matches!(self.path.last(), Some(Step::Element(_)));
        // The values in a record or a set are facts of their own.
        if !is_element && (value.is_array() || (value.is_object() && !is_wrapped(&value))) {
            return None;
        }
        Some(RelevantFact::Value {
            of: self.of.clone(),
            path,
            value,
            is_element,
        })
    }
}

/// Whether the refutation depends on a value. If not, `otherwise` has another value from here on, so that of two facts
/// that stand in for each other one is kept.
fn matters(
    slot: &ModelPath,
    value: &Value,
    model: &Model,
    otherwise: &mut Model,
    literals: &Literals<'_>,
    refutes: Refutes<'_>,
) -> bool {
    // The model is as small as possible, so the value cannot be removed, but only replaced.
    let is_element = matches!(slot.path.last(), Some(Step::Element(_)));
    let linked = as_entity(value).filter(|_| !is_element);
    let copies = linked.as_ref().map(|uid| others_of(uid, literals));
    let others: Vec<Value> = match (value, &copies) {
        (_, Some(copies)) => copies.iter().map(entity_value).collect(),
        (Value::Bool(bool), _) => vec![json!(!bool)],
        (Value::Number(_), _) => {
            let numbers = literals.numbers.iter();
            numbers.map(|known| json!(known)).collect()
        }
        (Value::String(text), _) => {
            vec![json!(""), json!("another"), json!(format!("other {text}"))]
        }
        _ => literals.extensions_like(value).to_vec(),
    };
    let with_copies = |model: &Model| {
        let mut model = model.clone();
        if let (Some(uid), Some(copies)) = (&linked, &copies) {
            copies
                .iter()
                .for_each(|copy| copy_to(uid, copy, &mut model));
        }
        model
    };
    let (model, before) = (with_copies(model), with_copies(otherwise));
    let mut after = None;
    for other in others.iter().filter(|other| *other != value) {
        let put = |model: &Model| {
            let mut model = model.clone();
            slot.set(&mut model, Some(other));
            model
        };
        let changed = put(&before);
        if !refutes(&put(&model)) || !refutes(&changed) {
            return true;
        }
        after = Some(changed);
    }
    // Without a possible other value, the fact is kept.
    let Some(after) = after else {
        return true;
    };
    *otherwise = after;
    false
}
