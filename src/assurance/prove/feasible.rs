//! Feasible models: those that a directory can have.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use cedar_policy::{EntityId, EntityTypeName, EntityUid};

use super::label::{numbered, spaced};
use super::literals::Literals;
use super::model::{Model, ModelEntity, as_entity};
use super::shrink::Refutes;
use tarbac_host::assembly;
use tarbac_host::bundle::{Kind, Switches, Vocabulary};
use tarbac_store::GivenEntity;

/// The model with the intermediate entities that the schema requires, as an assignment between a person and a role.
/// `None` if no directory can have such a model.
pub(super) fn possible(
    model: &Model,
    literals: &Literals<'_>,
    refutes: Refutes<'_>,
) -> Option<Model> {
    [(true, true), (true, false), (false, true), (false, false)]
        .into_iter()
        .filter_map(|(own, usual)| {
            let mut links = Links {
                vocabulary: literals.bundle.vocabulary(),
                model: model.clone(),
                own,
                usual,
            };
            links.put_between()?;
            links.complete()?;
            Some(links.model)
        })
        .find(|model| refutes(model) && is_directory(model, literals))
}

/// Whether a workspace with exactly these entities would be valid.
fn is_directory(model: &Model, literals: &Literals<'_>) -> bool {
    let entities = model.entities.iter().map(|(uid, entity)| GivenEntity {
        uid: uid.clone(),
        attributes: entity.attributes.clone(),
        tags: entity.tags.clone(),
        parents: entity.parents.iter().cloned().collect(),
    });
    let entities: Vec<GivenEntity> = entities.collect();
    let read = assembly::of_entities(literals.bundle, &entities, &Switches::default());
    read.is_ok_and(|(engine, _)| engine.is_some())
}

/// A model to which the entities are added that the schema requires.
struct Links<'a> {
    vocabulary: &'a Vocabulary,
    model: Model,
    /// Whether a required parent is the entity that an attribute names; otherwise it is a new one.
    own: bool,
    /// Whether a parent that is not stated is the default one; otherwise it is a new one.
    usual: bool,
}

impl Links<'_> {
    fn is_parent_type(&self, of: &str, parent: &str) -> bool {
        self.vocabulary
            .declared_parents()
            .get(of)
            .is_some_and(|parents| parents.contains(parent))
    }

    /// Puts an entity between child and parent where the schema does not allow a direct membership.
    fn put_between(&mut self) -> Option<()> {
        let required = self.vocabulary.required_parents();
        for uid in self.model.entities.keys().cloned().collect::<Vec<_>>() {
            let of = uid.type_name().to_string();
            let parents = self.model.entities.get(&uid)?.parents.clone();
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
                self.model.entities.get_mut(&uid)?.parents.remove(&parent);
                let of_link = between.entry(link).or_default();
                of_link.entry(to).or_default().push(parent);
            }
            for (link, mut parents) in between {
                // A link has one parent of the first required type, as an assignment has one role: each gets its own
                // link.
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
                    let mut element = ModelEntity {
                        parents: minor.iter().cloned().chain(major).collect(),
                        ..ModelEntity::default()
                    };
                    for type_name in required.get(&link).into_iter().flatten() {
                        let is_there = has_parent_of(&element, type_name);
                        if !is_there && self.own {
                            element.parents.extend(self.own_of(&uid, type_name));
                        }
                    }
                    let link = self.new_entity(&link)?;
                    self.model.entities.insert(link.clone(), element);
                    self.model.entities.get_mut(&uid)?.parents.insert(link);
                }
            }
        }
        Some(())
    }

    /// Gives every entity the parents that the schema requires.
    fn complete(&mut self) -> Option<()> {
        let required = self.vocabulary.required_parents();
        for uid in self.model.entities.keys().cloned().collect::<Vec<_>>() {
            let of = uid.type_name().to_string();
            let stand_ins = self.vocabulary.stand_ins(&of);
            for type_name in required.get(&of).into_iter().flatten() {
                let element = self.model.entities.get(&uid)?;
                let stands_in = stand_ins.iter().any(|stand_in| {
                    stand_in.parent == type_name
                        && element.attributes.contains_key(stand_in.attribute)
                });
                if !stands_in && !has_parent_of(element, type_name) {
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
                if !has_parent_of(self.model.entities.get(&uid)?, &type_name) {
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
        // An entity with required attributes cannot be made up.
        let type_name = parent.type_name().to_string();
        let attributes = self.vocabulary.attributes(&type_name);
        let needs = attributes
            .into_iter()
            .flatten()
            .any(|(_, attribute)| attribute.required);
        if needs && !self.model.entities.contains_key(&parent) {
            let like = self
                .model
                .entities
                .iter()
                .find(|(uid, _)| uid.type_name() == parent.type_name());
            let element = like.map(|(_, element)| element.clone())?;
            self.model.entities.insert(parent.clone(), element);
        }
        self.model.entities.entry(parent.clone()).or_default();
        self.model.entities.get_mut(uid)?.parents.insert(parent);
        Some(())
    }

    /// The entity of a type that an attribute names.
    fn own_of(&self, uid: &EntityUid, type_name: &str) -> Option<EntityUid> {
        let attributes = self.vocabulary.attributes(&uid.type_name().to_string())?;
        let (name, _) = attributes
            .iter()
            .find(|(_, attribute)| attribute.kind == Kind::Entity(type_name.to_owned()))?;
        as_entity(self.model.entities.get(uid)?.attributes.get(name)?)
    }

    /// An unused uid of a type.
    fn new_entity(&self, type_name: &str) -> Option<EntityUid> {
        let type_name = EntityTypeName::from_str(type_name).ok()?;
        let name = spaced(type_name.basename());
        (1..)
            .map(|number| numbered(&name, number))
            .map(|id| EntityUid::from_type_name_and_id(type_name.clone(), EntityId::new(id)))
            .find(|uid| !self.model.entities.contains_key(uid))
    }
}

fn has_parent_of(element: &ModelEntity, type_name: &str) -> bool {
    element
        .parents
        .iter()
        .any(|parent| parent.type_name().to_string() == type_name)
}
