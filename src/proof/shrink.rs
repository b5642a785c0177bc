//! From the world that a solver happened to find to the one that is told: as small as it gets,
//! one that a directory can have, and with what matters in it.
//!
//! Every step is tried: a smaller world is kept only where it still refutes the claim, by plain
//! Cedar. A world that does not conform to the schema refutes nothing.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::str::FromStr;

use cedar_policy::{EntityId, EntityTypeName, EntityUid};
use cedar_policy_core::ast;
use serde_json::{Map, Value, json};

use super::counterexample::Fact;
use super::world::{Element, World, as_entity, entity_value};
use crate::bundle::{Kind, Policy, Vocabulary};

/// Whether a world refutes the claim at hand.
pub(super) type Refutes<'r> = &'r dyn Fn(&World) -> bool;

/// What is known of the policies at hand.
pub(super) struct Surroundings<'a> {
    pub vocabulary: &'a Vocabulary,
    /// The entities that a policy or spec names; these keep their names.
    pub named: HashSet<EntityUid>,
    /// The numbers that policies and specs compare with and their neighbours, simplest first.
    pub numbers: Vec<i64>,
}

impl<'a> Surroundings<'a> {
    pub fn of<'p>(vocabulary: &'a Vocabulary, policies: impl Iterator<Item = &'p Policy>) -> Self {
        let mut named = HashSet::new();
        let mut written = BTreeSet::new();
        for policy in policies {
            named.extend(policy.named_entities());
            let conditions = policy.ast().non_scope_constraints().into_iter();
            let parts = conditions.flat_map(ast::Expr::subexpressions);
            written.extend(parts.filter_map(|part| match part.expr_kind() {
                ast::ExprKind::Lit(ast::Literal::Long(long)) => Some(*long),
                _ => None,
            }));
        }
        // A number that is written somewhere says more than one beside it.
        let beside = written.iter().rev().flat_map(|number| {
            [number.checked_sub(1), number.checked_add(1)]
                .into_iter()
                .flatten()
        });
        let mut numbers: Vec<i64> = written.iter().rev().copied().chain(beside).collect();
        let mut seen = BTreeSet::new();
        numbers.retain(|number| seen.insert(*number));
        Self {
            vocabulary,
            named,
            numbers,
        }
    }
}

/// A place in a world: an attribute, or something within one.
#[derive(Debug, Clone)]
struct Slot {
    /// The entity; the context without one.
    of: Option<EntityUid>,
    path: Vec<Step>,
}

#[derive(Debug, Clone)]
enum Step {
    Key(String),
    Element(Value),
}

/// A change of a world.
#[derive(Debug, Clone)]
enum Edit {
    /// An entity is another one of its type.
    Merge(EntityUid, EntityUid),
    /// An entity is taken away that the request does not lead to; a policy may name it all the same.
    Drop(EntityUid),
    /// A parent is taken away.
    Leave(EntityUid, EntityUid),
    /// A value is another, the simplest first; or it is taken away.
    Set(Slot, Vec<Option<Value>>),
}

/// The smallest world that is found from one by single changes.
pub(super) fn smallest(
    mut world: World,
    surroundings: &Surroundings<'_>,
    refutes: Refutes<'_>,
) -> World {
    loop {
        let before = world.clone();
        for edit in edits(&world, surroundings) {
            let candidate = edit
                .applied(&world)
                .into_iter()
                .find(|candidate| *candidate != world && refutes(candidate));
            world = candidate.unwrap_or(world);
        }
        if world == before {
            return with_plain_names(world, surroundings, refutes);
        }
    }
}

/// The changes that make a world simpler. Each leads away from where it came from, so that there is
/// an end to them.
fn edits(world: &World, surroundings: &Surroundings<'_>) -> Vec<Edit> {
    let mut edits = Vec::new();
    for one in world.entities.keys() {
        for other in world.entities.keys() {
            if one.type_name() == other.type_name()
                && one > other
                && !surroundings.named.contains(one)
            {
                edits.push(Edit::Merge(one.clone(), other.clone()));
            }
        }
    }
    let reached = world.reached();
    let unreached = world.entities.keys().filter(|uid| !reached.contains(uid));
    edits.extend(unreached.cloned().map(Edit::Drop));
    for (uid, element) in &world.entities {
        for parent in &element.parents {
            edits.push(Edit::Leave(uid.clone(), parent.clone()));
        }
    }
    for (slot, value) in slots(world) {
        let mut simpler = vec![None];
        match value {
            Value::Bool(true) => simpler.push(Some(json!(false))),
            Value::Number(number) => {
                let numbers = surroundings.numbers.iter();
                let before = numbers.take_while(|known| Some(**known) != number.as_i64());
                simpler.extend(before.map(|known| Some(json!(known))));
            }
            _ => {}
        }
        edits.push(Edit::Set(slot, simpler));
    }
    edits
}

/// Every value in a world, the outer before the inner.
fn slots(world: &World) -> Vec<(Slot, Value)> {
    let mut found = Vec::new();
    let holders = world
        .entities
        .iter()
        .map(|(uid, element)| (Some(uid.clone()), &element.attributes))
        .chain([(None, &world.context)]);
    for (of, attributes) in holders {
        let slot = Slot {
            of,
            path: Vec::new(),
        };
        within(&slot, attributes, &mut found);
    }
    found
}

fn within(slot: &Slot, record: &Map<String, Value>, found: &mut Vec<(Slot, Value)>) {
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

/// Whether a JSON object stands for an entity or for a value of an extension.
fn is_wrapped(value: &Value) -> bool {
    value.get("__entity").is_some() || value.get("__extn").is_some()
}

impl Edit {
    /// The worlds that it can lead to, the simplest first.
    fn applied(&self, world: &World) -> Vec<World> {
        let changed = |change: &dyn Fn(&mut World)| {
            let mut world = world.clone();
            change(&mut world);
            world
        };
        match self {
            Self::Merge(one, other) => vec![changed(&|world| {
                if world.entities.contains_key(one) && world.entities.contains_key(other) {
                    world.rename(one, other);
                }
            })],
            Self::Drop(uid) => vec![changed(&|world| {
                if !world.reached().contains(uid) {
                    world.entities.remove(uid);
                }
            })],
            Self::Leave(uid, parent) => vec![changed(&|world| {
                if let Some(element) = world.entities.get_mut(uid) {
                    element.parents.remove(parent);
                }
            })],
            Self::Set(slot, values) => values
                .iter()
                .map(|value| changed(&|world| slot.set(world, value.as_ref())))
                .collect(),
        }
    }
}

impl Slot {
    fn set(&self, world: &mut World, value: Option<&Value>) {
        let attributes = match &self.of {
            Some(uid) => match world.entities.get_mut(uid) {
                Some(element) => &mut element.attributes,
                None => return,
            },
            None => &mut world.context,
        };
        let Some((last, records)) = self.path.split_last() else {
            return;
        };
        let mut holder = HolderMut::Record(attributes);
        for step in records {
            holder = match (holder, step) {
                (HolderMut::Record(record), Step::Key(key)) => match record.get_mut(key) {
                    Some(Value::Object(record)) => HolderMut::Record(record),
                    Some(Value::Array(set)) => HolderMut::Set(set),
                    _ => return,
                },
                _ => return,
            };
        }
        match (holder, last, value) {
            (HolderMut::Record(record), Step::Key(key), Some(value)) => {
                if let Some(slot) = record.get_mut(key) {
                    *slot = value.clone();
                }
            }
            (HolderMut::Record(record), Step::Key(key), None) => drop(record.remove(key)),
            (HolderMut::Set(set), Step::Element(element), value) => {
                set.retain(|other| other != element);
                set.extend(value.cloned());
            }
            _ => {}
        }
    }
}

enum HolderMut<'w> {
    Record(&'w mut Map<String, Value>),
    Set(&'w mut Vec<Value>),
}

/// The same world with names that say what an entity is.
fn with_plain_names(world: World, surroundings: &Surroundings<'_>, refutes: Refutes<'_>) -> World {
    let mut renamed = world.clone();
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    // The request comes first, so that it is about the plain ones.
    let first = [world.principal.clone(), world.resource.clone()];
    let all = first
        .iter()
        .chain(world.entities.keys().filter(|uid| !first.contains(uid)));
    let mut plain = Vec::new();
    for (at, uid) in all.enumerate() {
        if surroundings.named.contains(uid) || plain.iter().any(|(of, _, _)| of == uid) {
            continue;
        }
        let name = spaced(uid.type_name().basename());
        let number = count.entry(name.clone()).or_default();
        *number += 1;
        let id = match number {
            1 => name,
            2 => format!("other {name}"),
            number => format!("{name} {number}"),
        };
        let on_the_way = with_id(uid, &format!("on the way {at}"));
        plain.push((uid.clone(), on_the_way, with_id(uid, &id)));
    }
    // By way of names that nobody has, since one may have the name of another.
    for (from, between, _) in &plain {
        renamed.rename(from, between);
    }
    for (_, between, to) in &plain {
        renamed.rename(between, to);
    }
    match refutes(&renamed) {
        true => renamed,
        // A policy may well compare names as texts.
        false => world,
    }
}

fn with_id(uid: &EntityUid, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(uid.type_name().clone(), EntityId::new(id))
}

/// `RoleAssignment` as words: `role assignment`.
fn spaced(name: &str) -> String {
    let mut words = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(character.to_lowercase());
    }
    words
}

/// The world with every entity in between that the schema asks for: nobody is in a role without an
/// assignment. `None` where no directory has such a world.
pub(super) fn possible(
    world: &World,
    surroundings: &Surroundings<'_>,
    refutes: Refutes<'_>,
) -> Option<World> {
    [(true, true), (true, false), (false, true), (false, false)]
        .into_iter()
        .filter_map(|(own, usual)| {
            let mut links = Links {
                vocabulary: surroundings.vocabulary,
                world: world.clone(),
                own,
                usual,
            };
            links.put_between()?;
            links.complete()?;
            Some(links.world)
        })
        .find(refutes)
}

/// Puts the entities into a world that the schema asks for.
struct Links<'a> {
    vocabulary: &'a Vocabulary,
    world: World,
    /// Whether a parent that is asked for is the one that an attribute names; else it is a new one.
    own: bool,
    /// Whether what is not stated is what it usually is; else it is something new.
    usual: bool,
}

impl Links<'_> {
    fn is_parent_type(&self, of: &str, parent: &str) -> bool {
        self.vocabulary
            .declared_parents()
            .get(of)
            .is_some_and(|parents| parents.contains(parent))
    }

    /// Puts an entity between those that the schema does not let be child and parent.
    fn put_between(&mut self) -> Option<()> {
        let required = self.vocabulary.required_parents();
        for uid in self.world.entities.keys().cloned().collect::<Vec<_>>() {
            let of = uid.type_name().to_string();
            let parents = self.world.entities.get(&uid)?.parents.clone();
            let mut between: BTreeMap<String, BTreeMap<String, Vec<EntityUid>>> = BTreeMap::new();
            for parent in parents {
                let to = parent.type_name().to_string();
                if self.is_parent_type(&of, &to) {
                    continue;
                }
                let link = self
                    .vocabulary
                    .type_names()
                    .find(|name| self.is_parent_type(&of, name) && self.is_parent_type(name, &to))?
                    .to_owned();
                self.world.entities.get_mut(&uid)?.parents.remove(&parent);
                let of_link = between.entry(link).or_default();
                of_link.entry(to).or_default().push(parent);
            }
            for (link, mut parents) in between {
                // An assignment has one role: each of the first kind that is asked for has its own.
                let major = required
                    .get(&link)
                    .and_then(|required| required.first())
                    .and_then(|major| parents.remove(major))
                    .unwrap_or_default();
                let minor: BTreeSet<EntityUid> = parents.into_values().flatten().collect();
                let majors: Vec<Option<EntityUid>> = match major.is_empty() {
                    true => vec![None],
                    false => major.into_iter().map(Some).collect(),
                };
                for major in majors {
                    let mut element = Element {
                        parents: minor.iter().cloned().chain(major).collect(),
                        ..Element::default()
                    };
                    for type_name in required.get(&link).into_iter().flatten() {
                        let is_there = has_parent_of(&element, type_name);
                        if !is_there && self.own {
                            element.parents.extend(self.own_of(&uid, type_name));
                        }
                    }
                    let link = self.new_entity(&link)?;
                    self.world.entities.insert(link.clone(), element);
                    self.world.entities.get_mut(&uid)?.parents.insert(link);
                }
            }
        }
        Some(())
    }

    /// Gives every entity the parents that the schema requires.
    fn complete(&mut self) -> Option<()> {
        let required = self.vocabulary.required_parents();
        for uid in self.world.entities.keys().cloned().collect::<Vec<_>>() {
            let of = uid.type_name().to_string();
            for type_name in required.get(&of).into_iter().flatten() {
                if !has_parent_of(self.world.entities.get(&uid)?, type_name) {
                    let parent = self.new_entity(type_name)?;
                    self.join(&uid, parent)?;
                }
            }
            let usual = self
                .vocabulary
                .type_annotation(&of, "unless_stated")
                .and_then(|uid| EntityUid::from_str(uid).ok());
            if let Some(usual) = usual {
                let type_name = usual.type_name().to_string();
                if !has_parent_of(self.world.entities.get(&uid)?, &type_name) {
                    let parent = match self.usual {
                        true => usual,
                        false => self.new_entity(&type_name)?,
                    };
                    self.join(&uid, parent)?;
                }
            }
        }
        Some(())
    }

    fn join(&mut self, uid: &EntityUid, parent: EntityUid) -> Option<()> {
        // What needs attributes cannot be made up.
        let type_name = parent.type_name().to_string();
        let attributes = self.vocabulary.attributes(&type_name);
        let needs = attributes
            .into_iter()
            .flatten()
            .any(|(_, attribute)| attribute.required);
        if needs && !self.world.entities.contains_key(&parent) {
            let like = self
                .world
                .entities
                .iter()
                .find(|(uid, _)| uid.type_name() == parent.type_name());
            let element = like.map(|(_, element)| element.clone())?;
            self.world.entities.insert(parent.clone(), element);
        }
        self.world.entities.entry(parent.clone()).or_default();
        self.world.entities.get_mut(uid)?.parents.insert(parent);
        Some(())
    }

    /// The entity of a type that an attribute names.
    fn own_of(&self, uid: &EntityUid, type_name: &str) -> Option<EntityUid> {
        let attributes = self.vocabulary.attributes(&uid.type_name().to_string())?;
        let (name, _) = attributes
            .iter()
            .find(|(_, attribute)| attribute.kind == Kind::Entity(type_name.to_owned()))?;
        as_entity(self.world.entities.get(uid)?.attributes.get(name)?)
    }

    /// The uid of an entity that is not there yet.
    fn new_entity(&self, type_name: &str) -> Option<EntityUid> {
        let type_name = EntityTypeName::from_str(type_name).ok()?;
        let name = spaced(type_name.basename());
        (1..)
            .map(|number| match number {
                1 => name.clone(),
                2 => format!("other {name}"),
                number => format!("{name} {number}"),
            })
            .map(|id| EntityUid::from_type_name_and_id(type_name.clone(), EntityId::new(id)))
            .find(|uid| !self.world.entities.contains_key(uid))
    }
}

fn has_parent_of(element: &Element, type_name: &str) -> bool {
    element
        .parents
        .iter()
        .any(|parent| parent.type_name().to_string() == type_name)
}

/// What of a world matters: what could not be otherwise, all else being as it is or as it could be.
pub(super) fn facts(
    world: &World,
    surroundings: &Surroundings<'_>,
    refutes: Refutes<'_>,
) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut otherwise = world.clone();
    let reached = world.reached();
    let named = world.entities.keys().filter(|uid| !reached.contains(uid));
    for uid in reached.iter().chain(named) {
        let Some(element) = world.entities.get(uid) else {
            continue;
        };
        facts.extend(element.parents.iter().map(|parent| Fact::In {
            entity: uid.clone(),
            parent: parent.clone(),
        }));
        let slot = Slot {
            of: Some(uid.clone()),
            path: Vec::new(),
        };
        let mut slots = Vec::new();
        within(&slot, &element.attributes, &mut slots);
        facts.extend(slots.into_iter().filter_map(|(slot, value)| {
            matters(&slot, &value, world, &mut otherwise, surroundings, refutes)
                .then(|| slot.fact(value))
                .flatten()
        }));
    }
    let slot = Slot {
        of: None,
        path: Vec::new(),
    };
    let mut slots = Vec::new();
    within(&slot, &world.context, &mut slots);
    facts.extend(
        slots
            .into_iter()
            .filter_map(|(slot, value)| slot.fact(value)),
    );
    facts
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
            entity: self.of.clone(),
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
        _ => Vec::new(),
    };
    let is_element = matches!(slot.path.last(), Some(Step::Element(_)));
    let copied = as_entity(value).filter(|_| !is_element);
    let mut with_copy = |world: &World| {
        let mut world = world.clone();
        if let Some(uid) = &copied {
            let copy = with_id(uid, &format!("copy of {}", uid.id().unescaped()));
            let element = world.entities.get(uid).cloned().unwrap_or_default();
            world.entities.insert(copy.clone(), element);
            others = vec![entity_value(&copy)];
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
