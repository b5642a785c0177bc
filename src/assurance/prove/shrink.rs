//! The smallest counterexample, shrunk from the one that a solver found.
//!
//! Every step is tried: a smaller model is kept only if it still refutes the claim, by plain Cedar. A model that does
//! not conform to the schema refutes nothing.

use std::collections::BTreeMap;

use cedar_policy::EntityUid;
use serde_json::{Value, json};

use super::label::{numbered, spaced, with_id};
use super::literals::Literals;
use super::model::{Model, kind_of_extension};
use super::path::{ModelPath, slots};

/// Whether a model refutes the claim.
pub(super) type Refutes<'r> = &'r dyn Fn(&Model) -> bool;

/// A change of a model.
#[derive(Debug, Clone)]
enum Edit {
    /// An entity is merged into another of its type.
    Merge(EntityUid, EntityUid),
    /// An entity is removed that the request does not reach; a policy may name it all the same.
    Drop(EntityUid),
    /// A parent is removed.
    Leave(EntityUid, EntityUid),
    /// The values at some places are replaced, by the simplest first, or removed.
    Set(Vec<ModelPath>, Vec<Option<Value>>),
}

/// The smallest model that is found by single changes of a model.
pub(super) fn smallest(mut model: Model, literals: &Literals<'_>, refutes: Refutes<'_>) -> Model {
    loop {
        let before = model.clone();
        for edit in edits(&model, literals) {
            let candidate = edit
                .applied(&model)
                .into_iter()
                .find(|candidate| *candidate != model && refutes(candidate));
            model = candidate.unwrap_or(model);
        }
        if model == before {
            return with_plain_names(model, literals, refutes);
        }
    }
}

/// The changes that make a model simpler. None of them leads back, so that the search ends.
fn edits(model: &Model, literals: &Literals<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    for one in model.entities.keys() {
        for other in model.entities.keys() {
            if one.type_name() == other.type_name() && one > other && !literals.keeps_name(one) {
                edits.push(Edit::Merge(one.clone(), other.clone()));
            }
        }
    }
    let reached = model.reached();
    let unreached = model.entities.keys().filter(|uid| !reached.contains(uid));
    edits.extend(unreached.cloned().map(Edit::Drop));
    for (uid, element) in &model.entities {
        for parent in &element.parents {
            edits.push(Edit::Leave(uid.clone(), parent.clone()));
        }
    }
    let slots = slots(model);
    for (slot, value) in &slots {
        let mut simpler = vec![None];
        match value {
            Value::Bool(true) => simpler.push(Some(json!(false))),
            Value::Number(number) => {
                let numbers = literals.numbers.iter();
                let before = numbers.take_while(|known| Some(**known) != number.as_i64());
                simpler.extend(before.map(|known| Some(json!(known))));
            }
            value if kind_of_extension(value).is_some() => {
                let alike = slots.iter().filter(|(_, other)| other == value);
                let alike: Vec<ModelPath> = alike.map(|(slot, _)| slot.clone()).collect();
                let known = simpler_extensions(value, &slots, literals);
                // Equal moments may be replaceable only together.
                if alike.len() > 1 {
                    edits.push(Edit::Set(alike, known.clone()));
                }
                simpler.extend(known);
            }
            _ => {}
        }
        edits.push(Edit::Set(vec![slot.clone()], simpler));
    }
    edits
}

/// The extension values that are simpler than a given one, the simplest first: known ones, and for an unknown value
/// another one of the model.
fn simpler_extensions(
    value: &Value,
    slots: &[(ModelPath, Value)],
    literals: &Literals<'_>,
) -> Vec<Option<Value>> {
    let known = literals.extensions_like(value);
    let before = known.iter().take_while(|known| *known != value);
    let text = value.to_string();
    let others = slots.iter().map(|(_, other)| other).filter(|other| {
        kind_of_extension(other) == kind_of_extension(value)
            && !known.contains(value)
            && other.to_string() < text
    });
    before.chain(others).cloned().map(Some).collect()
}

impl Edit {
    /// The models that it can lead to, the simplest first.
    fn applied(&self, model: &Model) -> Vec<Model> {
        let changed = |change: &dyn Fn(&mut Model)| {
            let mut model = model.clone();
            change(&mut model);
            model
        };
        match self {
            Self::Merge(one, other) => vec![changed(&|model| {
                if model.entities.contains_key(one) && model.entities.contains_key(other) {
                    model.rename(one, other);
                }
            })],
            Self::Drop(uid) => vec![changed(&|model| {
                if !model.reached().contains(uid) {
                    model.entities.remove(uid);
                }
            })],
            Self::Leave(uid, parent) => vec![changed(&|model| {
                if let Some(element) = model.entities.get_mut(uid) {
                    element.parents.remove(parent);
                }
            })],
            Self::Set(slots, values) => values
                .iter()
                .map(|value| {
                    changed(&|model| {
                        slots
                            .iter()
                            .for_each(|slot| slot.set(model, value.as_ref()))
                    })
                })
                .collect(),
        }
    }
}

/// The model with names that tell the types of entities.
fn with_plain_names(model: Model, literals: &Literals<'_>, refutes: Refutes<'_>) -> Model {
    let mut renamed = model.clone();
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    // The entities of the request come first, so that they get the plainest names.
    let first = [model.principal.clone(), model.resource.clone()];
    let all = first
        .iter()
        .chain(model.entities.keys().filter(|uid| !first.contains(uid)));
    let mut plain = Vec::new();
    for (at, uid) in all.enumerate() {
        if literals.keeps_name(uid) || plain.iter().any(|(of, _, _)| of == uid) {
            continue;
        }
        let name = spaced(uid.type_name().basename());
        let number = count.entry(name.clone()).or_default();
        *number += 1;
        let id = numbered(&name, *number);
        let on_the_way = with_id(uid, &format!("on the way {at}"));
        plain.push((uid.clone(), on_the_way, with_id(uid, &id)));
    }
    // By way of unused names, since a new name may belong to another entity.
    for (from, between, _) in &plain {
        renamed.rename(from, between);
    }
    for (_, between, to) in &plain {
        renamed.rename(between, to);
    }
    match refutes(&renamed) {
        true => renamed,
        // A policy may well compare names as texts.
        false => model,
    }
}
