//! What of a world matters.

use cedar_policy::EntityUid;
use serde_json::{Value, json};

use super::name::with_id;
use super::shrink::Refutes;
use super::slot::{Holder, Slot, Step, slots_in, slots_of};
use super::surroundings::Surroundings;
use super::world::{World, as_entity, entity_value, is_wrapped};

/// Something about a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// Who asks, or what is asked about, is an entity of that name.
    Is(EntityUid),
    /// An entity is in another.
    In {
        /// The entity.
        entity: EntityUid,
        /// What it is in.
        parent: EntityUid,
    },
    /// An attribute or a tag has a value, or a set has an element.
    Value {
        /// What has it.
        of: Holder,
        /// The path of attributes.
        path: Vec<String>,
        /// The value or element, as Cedar's JSON has it.
        value: Value,
        /// Whether it is an element.
        is_element: bool,
    },
}

/// What of a world matters: what could not be otherwise, all else being as it is or as it could be.
pub(super) fn facts(
    world: &World,
    surroundings: &Surroundings<'_>,
    refutes: Refutes<'_>,
) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut otherwise = world.clone();
    let mut told = |slots: Vec<(Slot, Value)>| -> Vec<Fact> {
        let matter = slots.into_iter().filter(|(slot, value)| {
            matters(slot, value, world, &mut otherwise, surroundings, refutes)
        });
        matter
            .filter_map(|(slot, value)| slot.fact(value))
            .collect()
    };
    let reached = world.reached();
    let named = world.entities.keys().filter(|uid| !reached.contains(uid));
    for uid in reached.iter().chain(named) {
        if surroundings.named.contains(uid)
            && is_asked(uid, world)
            && !may_be_another(uid, world, refutes)
        {
            facts.push(Fact::Is(uid.clone()));
        }
        let parents = world.entities.get(uid).into_iter();
        facts.extend(
            parents
                .flat_map(|element| &element.parents)
                .map(|parent| Fact::In {
                    entity: uid.clone(),
                    parent: parent.clone(),
                }),
        );
        facts.extend(told(slots_of(world, uid)));
    }
    facts.extend(told(slots_in(Holder::Context, &world.context)));
    facts
}

fn is_asked(uid: &EntityUid, world: &World) -> bool {
    *uid == world.principal || *uid == world.resource
}

/// Whether who asks, or what is asked about, could as well be an entity that nobody names.
fn may_be_another(uid: &EntityUid, world: &World, refutes: Refutes<'_>) -> bool {
    let mut other = world.clone();
    let copy = copy_of(uid, &mut other);
    if other.principal == *uid {
        other.principal = copy.clone();
    }
    if other.resource == *uid {
        other.resource = copy;
    }
    refutes(&other)
}

/// Puts a copy of an entity into a world.
fn copy_of(uid: &EntityUid, world: &mut World) -> EntityUid {
    let copy = with_id(uid, &format!("copy of {}", uid.id().unescaped()));
    let element = world.entities.get(uid).cloned().unwrap_or_default();
    world.entities.insert(copy.clone(), element);
    copy
}

impl Slot {
    fn fact(&self, value: Value) -> Option<Fact> {
        let path: Vec<String> = self
            .path
            .iter()
            .filter_map(|step| match step {
                Step::Key(key) => Some(key.clone()),
                Step::Element(_) => None,
            })
            .collect();
        let is_element = matches!(self.path.last(), Some(Step::Element(_)));
        // A record or a set is what is in it.
        if !is_element && (value.is_array() || (value.is_object() && !is_wrapped(&value))) {
            return None;
        }
        Some(Fact::Value {
            of: self.of.clone(),
            path,
            value,
            is_element,
        })
    }
}

/// Whether a value matters. If not, it is another in the world `otherwise` from here on: two facts
/// that stand in for each other are not both left out.
fn matters(
    slot: &Slot,
    value: &Value,
    world: &World,
    otherwise: &mut World,
    surroundings: &Surroundings<'_>,
    refutes: Refutes<'_>,
) -> bool {
    // What could have been taken away is no longer there.
    let mut others: Vec<Value> = match value {
        Value::Bool(bool) => vec![json!(!bool)],
        Value::Number(_) => surroundings
            .numbers
            .iter()
            .map(|known| json!(known))
            .collect(),
        Value::String(text) => vec![json!(format!("other {text}"))],
        _ => surroundings.extensions_like(value).to_vec(),
    };
    let is_element = matches!(slot.path.last(), Some(Step::Element(_)));
    let copied = as_entity(value).filter(|_| !is_element);
    let mut with_copy = |world: &World| {
        let mut world = world.clone();
        if let Some(uid) = &copied {
            others = vec![entity_value(&copy_of(uid, &mut world))];
        }
        world
    };
    let (mut world, mut changed) = (with_copy(world), with_copy(otherwise));
    if others.is_empty() {
        return true;
    }
    for other in others.iter().filter(|other| *other != value) {
        slot.set(&mut world, Some(other));
        slot.set(&mut changed, Some(other));
        if !refutes(&world) || !refutes(&changed) {
            return true;
        }
    }
    *otherwise = changed;
    false
}
