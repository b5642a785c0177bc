//! One change an administrator can make, and the entities after it.
//!
//! The schema says what can be changed, by annotations whose text is the sentence shown:
//! `@set_true`, `@set_false`, `@set` and `@raise` (a number, upwards only) on attributes, `@add`
//! on sets, `@join` on entity types the person can be brought into. What has none stays as it is.

use std::str::FromStr;

use cedar_policy::{EntityId, EntityTypeName, EntityUid};
use cedar_policy_core::ast;
use schemars::JsonSchema;
use serde::Serialize;

use super::probe::{Probe, Target};
use super::role::{self, Withheld};
use super::value::{Named, Value};
use crate::wire;
use tarbac_host::bundle::{Kind, Vocabulary};
use tarbac_host::engine::{Activation, EntitySlice, with_attribute};

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Change {
    /// What is done.
    pub kind: ChangeKind,
    /// What is changed.
    pub entity: Named,
    /// The attribute, through records where there is more than one name; empty for a join.
    #[serde(serialize_with = "wire::path")]
    #[schemars(with = "Option<String>")]
    pub attribute: Vec<String>,
    /// How far the new element is from what it is to hold: the closest one gives least.
    #[serde(skip)]
    pub(super) distance: usize,
    /// The new value, the new element, or what is joined.
    pub value: Value,
    /// What to do, from the schema.
    pub sentence: String,
}

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// Activates a membership that the entity has only then.
    Activate,
    /// Gives an attribute a value.
    Set,
    /// Adds an element to an attribute that is a set.
    Add,
    /// Brings an entity into another.
    Join,
}

impl Change {
    /// Gives an attribute a value, if the schema lets anybody.
    pub(super) fn set(scene: &Probe<'_>, target: &Target<'_>, value: Value) -> Option<Self> {
        let annotations = &target.attribute.annotations;
        let sentence = match &value {
            Value::Bool(true) => annotations.get("set_true")?,
            Value::Bool(false) => annotations.get("set_false")?,
            Value::Long(new) => match annotations.get("raise") {
                Some(sentence) => Some(sentence)
                    .filter(|_| current_long(scene, target).is_some_and(|old| *new > old))?,
                None => annotations.get("set")?,
            },
            _ => annotations.get("set")?,
        };
        Some(Self::new(
            scene,
            ChangeKind::Set,
            &target.entity,
            target.path.clone(),
            value,
            sentence,
        ))
    }

    /// Adds to a set, if the schema lets anybody.
    pub(super) fn add(scene: &Probe<'_>, target: &Target<'_>, value: Value) -> Option<Self> {
        let sentence = target.attribute.annotations.get("add")?;
        Some(Self::new(
            scene,
            ChangeKind::Add,
            &target.entity,
            target.path.clone(),
            value,
            sentence,
        ))
    }

    /// Brings the principal into an entity, if the schema lets anybody.
    pub(super) fn join(scene: &Probe<'_>, group: &EntityUid) -> Option<Self> {
        let type_name = group.type_name().to_string();
        let sentence = scene.vocabulary().type_annotation(&type_name, "join")?;
        let value = Value::Entity(scene.names().named(group));
        let principal = scene.request().principal.clone();
        Some(Self::new(
            scene,
            ChangeKind::Join,
            &principal,
            Vec::new(),
            value,
            sentence,
        ))
    }

    /// Lets the principal activate a membership that it can activate, which an attribute names.
    pub(super) fn activate(scene: &Probe<'_>, activation: &Activation) -> Option<Self> {
        let principal = scene.request().principal.clone();
        let of_type = principal.type_name().to_string();
        let mut activations = scene.vocabulary().activations(&of_type);
        let (_, sentence) = activations.find(|(name, _)| *name == activation.attribute)?;
        Some(Self::new(
            scene,
            ChangeKind::Activate,
            &principal,
            vec![activation.attribute.clone()],
            Value::Entity(scene.names().named(&activation.entity)),
            sentence,
        ))
    }

    /// Brings something that the principal is in back into the parent in whose place an attribute stands, by
    /// way of one of the parents that keep it there.
    pub(super) fn restore(scene: &Probe<'_>, withheld: &Withheld) -> Option<Self> {
        let of_type = withheld.from.type_name().to_string();
        let stand_ins = scene.vocabulary().stand_ins(&of_type);
        let stand_in = stand_ins
            .into_iter()
            .find(|stand_in| stand_in.attribute == withheld.attribute)?;
        let exception = stand_in.exceptions.first()?;
        Some(Self::new(
            scene,
            ChangeKind::Join,
            &withheld.from,
            Vec::new(),
            Value::Entity(scene.names().named(exception)),
            stand_in.restoring?,
        ))
    }

    fn new(
        scene: &Probe<'_>,
        kind: ChangeKind,
        entity: &EntityUid,
        attribute: Vec<String>,
        value: Value,
        sentence: &str,
    ) -> Self {
        let entity = scene.names().named(entity);
        let sentence = sentence
            .replace("{value}", &value.to_string())
            .replace("{entity}", &entity.name);
        Self {
            kind,
            entity,
            attribute,
            distance: 0,
            value,
            sentence,
        }
    }

    /// Whether both are about the same attribute of the same entity.
    pub(super) fn is_about(&self, target: &Target<'_>) -> bool {
        self.entity.uid == target.entity && self.attribute == target.path
    }

    /// The world in which it is changed; `None` where it cannot be.
    pub(super) fn applied(&self, scene: &Probe<'_>) -> Option<EntitySlice> {
        let value = self.value.to_cedar()?;
        match self.kind {
            ChangeKind::Activate => match &self.value {
                Value::Entity(group) => {
                    scene
                        .engine()
                        .activated(scene.request(), scene.world(), &[&group.uid])
                }
                _ => None,
            },
            ChangeKind::Set => edited(scene, &self.entity.uid, &self.attribute, &|_| {
                Some(value.clone())
            }),
            ChangeKind::Add => edited(scene, &self.entity.uid, &self.attribute, &|set| {
                let elements = match set.as_ref().map(ast::Value::value_kind) {
                    Some(ast::ValueKind::Set(set)) => set.iter().cloned().collect(),
                    Some(_) => return None,
                    None => Vec::new(),
                };
                Some(ast::Value::set(
                    elements.into_iter().chain([value.clone()]),
                    None,
                ))
            }),
            ChangeKind::Join => match &self.value {
                Value::Entity(group) if self.entity.uid == scene.request().principal => {
                    joined(scene, &self.entity.uid, &group.uid)
                }
                Value::Entity(group) => restored(scene, &self.entity.uid, &group.uid),
                _ => None,
            },
        }
    }
}

fn current_long(scene: &Probe<'_>, target: &Target<'_>) -> Option<i64> {
    let [attribute] = target.path.as_slice() else {
        return None;
    };
    match scene.world().get(&target.entity)?.get(attribute)? {
        ast::PartialValue::Value(value) => match value.value_kind() {
            ast::ValueKind::Lit(ast::Literal::Long(long)) => Some(*long),
            _ => None,
        },
        ast::PartialValue::Residual(_) => None,
    }
}

/// The world in which an optional record is there, with nothing in it; `None` where it cannot be
/// empty.
pub(super) fn with_record(
    scene: &Probe<'_>,
    entity: &EntityUid,
    path: &[String],
) -> Option<EntitySlice> {
    let attribute = scene
        .vocabulary()
        .attribute(&entity.type_name().to_string(), path)?;
    let Kind::Record(record) = &attribute.kind else {
        return None;
    };
    let empty = empty(scene.vocabulary(), record)?;
    edited(scene, entity, path, &|old| {
        Some(old.unwrap_or_else(|| empty.clone()))
    })
}

type Edit<'a> = &'a dyn Fn(Option<ast::Value>) -> Option<ast::Value>;

fn edited(
    scene: &Probe<'_>,
    uid: &EntityUid,
    path: &[String],
    edit: Edit<'_>,
) -> Option<EntitySlice> {
    let entity = scene.world().get(uid)?;
    let (name, rest) = path.split_first()?;
    let old = match entity.get(name) {
        Some(ast::PartialValue::Value(value)) => Some(value.clone()),
        Some(ast::PartialValue::Residual(_)) => return None,
        None => None,
    };
    let owner = uid.type_name().to_string();
    let new = edited_value(scene.vocabulary(), &owner, name, rest, old, edit)?;
    let mut world = scene.world().clone();
    world.put(with_attribute(entity, name, new));
    Some(world)
}

fn edited_value(
    vocabulary: &Vocabulary,
    owner: &str,
    name: &str,
    rest: &[String],
    old: Option<ast::Value>,
    edit: Edit<'_>,
) -> Option<ast::Value> {
    let Some((next, rest)) = rest.split_first() else {
        return edit(old);
    };
    let Kind::Record(record) = &vocabulary.attributes(owner)?.get(name)?.kind else {
        return None;
    };
    let old = match old {
        Some(old) => old,
        None => empty(vocabulary, record)?,
    };
    let ast::ValueKind::Record(fields) = old.value_kind() else {
        return None;
    };
    let new = edited_value(
        vocabulary,
        record,
        next,
        rest,
        fields.get(next.as_str()).cloned(),
        edit,
    )?;
    let fields = fields
        .iter()
        .filter(|(field, _)| *field != next)
        .map(|(field, value)| (field.clone(), value.clone()))
        .chain([(next.as_str().into(), new)]);
    Some(ast::Value::record(fields, None))
}

/// A record in which every required attribute is an empty set.
fn empty(vocabulary: &Vocabulary, record: &str) -> Option<ast::Value> {
    let mut fields = Vec::new();
    for (name, attribute) in vocabulary.attributes(record)? {
        let value = match &attribute.kind {
            _ if !attribute.required => continue,
            Kind::Set(_) => ast::Value::empty_set(None),
            Kind::Record(inner) => empty(vocabulary, inner)?,
            _ => return None,
        };
        fields.push((name.as_str(), value));
    }
    Some(ast::Value::record(fields, None))
}

/// The world in which an entity is in a group, by way of what the schema puts between the two.
fn joined(scene: &Probe<'_>, uid: &EntityUid, group: &EntityUid) -> Option<EntitySlice> {
    let mut parents = Vec::new();
    let mut above = with_ancestors(scene, group);
    match between(scene, uid.type_name(), group.type_name()) {
        Between::Unrelated => return None,
        Between::Nothing => {}
        Between::Type(link) => {
            let required = required_by(scene.vocabulary(), &link);
            if required.contains(&group.type_name().to_string()) {
                // Every link needs one of these, so this takes a link of its own.
                for other in required
                    .iter()
                    .filter(|other| **other != group.type_name().to_string())
                {
                    above.extend(with_ancestors(scene, &own(scene, uid, other)?));
                }
                parents.push(unused(scene, &link)?);
            } else if !scene
                .ancestors(uid)
                .iter()
                .any(|ancestor| *ancestor.type_name() == link)
            {
                return None; // there is no link that could carry it
            }
        }
    }
    let entity = scene.world().get(uid)?;
    let (uid, attributes, indirect, direct, tags) = entity.clone().into_inner();
    let indirect = indirect
        .into_iter()
        .chain(above.into_iter().map(ast::EntityUID::from))
        .collect();
    let direct = direct
        .into_iter()
        .chain(parents.into_iter().map(ast::EntityUID::from))
        .collect();
    let mut world = scene.world().clone();
    world.put(ast::Entity::new_with_attr_partial_value(
        uid, attributes, indirect, direct, tags,
    ));
    Some(world)
}

/// The world in which something that the principal is in is in a group as well, and in the parents in whose
/// place its attributes stand.
fn restored(scene: &Probe<'_>, from: &EntityUid, group: &EntityUid) -> Option<EntitySlice> {
    let withheld = role::withheld(scene).into_iter();
    let withheld: Vec<EntityUid> = withheld
        .filter(|withheld| withheld.from == *from)
        .map(|withheld| withheld.parent)
        .collect();
    if withheld.is_empty() {
        return None;
    }
    let above = withheld.iter().chain([group]);
    let above: Vec<EntityUid> = above.flat_map(|uid| with_ancestors(scene, uid)).collect();
    let entity = scene.world().get(&scene.request().principal)?;
    let (uid, attributes, mut indirect, direct, tags) = entity.clone().into_inner();
    let above = above.into_iter().map(ast::EntityUID::from);
    indirect.extend(above.filter(|uid| !direct.contains(uid)));
    let mut world = scene.world().clone();
    world.put(ast::Entity::new_with_attr_partial_value(
        uid, attributes, indirect, direct, tags,
    ));
    Some(world)
}

/// What stands between an entity and what it is brought into.
enum Between {
    /// The schema knows no way.
    Unrelated,
    /// Nothing: it is a parent.
    Nothing,
    /// An entity of this type.
    Type(EntityTypeName),
}

/// The type that is nearest to `group` on the way from `member`.
fn between(scene: &Probe<'_>, member: &EntityTypeName, group: &EntityTypeName) -> Between {
    let schema = scene.engine().bundle().schema();
    let above = |type_name: &EntityTypeName| -> Vec<EntityTypeName> {
        schema
            .ancestors(type_name)
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    };
    let all = above(member);
    if !all.contains(group) {
        return Between::Unrelated;
    }
    let mut on_the_way: Vec<EntityTypeName> = all
        .into_iter()
        .filter(|type_name| type_name != group && above(type_name).contains(group))
        .collect();
    on_the_way.sort_by_key(ToString::to_string);
    let nearest = on_the_way.iter().find(|type_name| {
        let above = above(type_name);
        !on_the_way
            .iter()
            .any(|other| other != *type_name && above.contains(other))
    });
    nearest.map_or(Between::Nothing, |type_name| {
        Between::Type(type_name.clone())
    })
}

/// The types each entity of a type needs as a parent: its `@requires`.
fn required_by(vocabulary: &Vocabulary, type_name: &EntityTypeName) -> Vec<String> {
    vocabulary
        .type_annotation(&type_name.to_string(), "requires")
        .into_iter()
        .flat_map(|required| required.split(','))
        .map(|required| required.trim().to_owned())
        .collect()
}

/// The types of which the principal has to be brought into one before it can be brought into
/// `group`: where a link would have to carry that and there is none, those that come with a link.
pub(super) fn needed_first(scene: &Probe<'_>, group: &EntityUid) -> Vec<String> {
    let principal = &scene.request().principal;
    let Between::Type(link) = between(scene, principal.type_name(), group.type_name()) else {
        return Vec::new();
    };
    if scene
        .ancestors(principal)
        .iter()
        .any(|ancestor| *ancestor.type_name() == link)
    {
        return Vec::new();
    }
    let vocabulary = scene.vocabulary();
    required_by(vocabulary, &link)
        .into_iter()
        .filter(|name| *name != group.type_name().to_string())
        .filter(|name| vocabulary.type_annotation(name, "join").is_some())
        .collect()
}

/// What else comes with each entity that a change can bring the principal into: pairs of a type
/// with `@join` and a type that is required along with it.
pub(super) fn brought_along(scene: &Probe<'_>) -> Vec<(String, String)> {
    let vocabulary = scene.vocabulary();
    let mut pairs = Vec::new();
    for link in vocabulary.type_names() {
        let Ok(link) = EntityTypeName::from_str(link) else {
            continue;
        };
        let required = required_by(vocabulary, &link);
        for joined in required
            .iter()
            .filter(|name| vocabulary.type_annotation(name, "join").is_some())
        {
            for other in required.iter().filter(|other| *other != joined) {
                pairs.push((joined.clone(), other.clone()));
            }
        }
    }
    pairs
}

/// The entity of a type that an attribute of `uid` names.
fn own(scene: &Probe<'_>, uid: &EntityUid, type_name: &str) -> Option<EntityUid> {
    let entity = scene.world().get(uid)?;
    let attributes = scene
        .vocabulary()
        .attributes(&uid.type_name().to_string())?;
    attributes
        .iter()
        .filter(|(_, attribute)| attribute.kind == Kind::Entity(type_name.to_owned()))
        .find_map(|(name, _)| match entity.get(name)? {
            ast::PartialValue::Value(value) => match value.value_kind() {
                ast::ValueKind::Lit(ast::Literal::EntityUID(uid)) => {
                    Some(EntityUid::from(uid.as_ref().clone()))
                }
                _ => None,
            },
            ast::PartialValue::Residual(_) => None,
        })
}

fn with_ancestors(scene: &Probe<'_>, uid: &EntityUid) -> Vec<EntityUid> {
    let directory = scene.engine().directory();
    let ancestors = directory
        .row(uid)
        .into_iter()
        .flat_map(|row| directory.ancestors(row));
    std::iter::once(uid.clone())
        .chain(ancestors.map(|row| directory.uid(row)))
        .collect()
}

/// A uid of a type that the directory does not know.
fn unused(scene: &Probe<'_>, type_name: &EntityTypeName) -> Option<EntityUid> {
    let directory = scene.engine().directory();
    (1..)
        .map(|number: u32| EntityId::new(format!("new {number}")))
        .map(|id| EntityUid::from_type_name_and_id(type_name.clone(), id))
        .find(|uid| directory.row(uid).is_none())
}
