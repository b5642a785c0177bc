//! Edits of the parents of an entity, with entities in between if necessary.

use std::collections::BTreeSet;
use std::str::FromStr;

use cedar_policy::{EntityId, EntityTypeName, EntityUid};

use super::InvalidFact;
use super::edits::Edits;
use super::value::plain;
use tarbac_host::bundle::{Kind, Vocabulary};
use tarbac_store::{GivenEntity, Row};

impl Edits<'_> {
    pub(super) fn join(&mut self, uid: &EntityUid, group: &EntityUid) -> Result<(), InvalidFact> {
        let vocabulary = self.engine.bundle().vocabulary();
        let (of, to) = (uid.type_name().to_string(), group.type_name().to_string());
        if is_parent_type(vocabulary, &of, &to) {
            self.keep_explicit(uid, |stand_in| stand_in.parent == to);
            let none = vocabulary.stand_for_none().remove(&of);
            let parents = &mut self.edited(uid)?.parents;
            // The first parent of a type takes the place of the one that stands for none.
            if let Some(none) = none.filter(|none| none.type_name() == group.type_name()) {
                parents.retain(|parent| *parent != none);
            }
            if !parents.contains(group) {
                parents.push(group.clone());
            }
            return Ok(());
        }
        let between: Vec<&str> = vocabulary
            .type_names()
            .filter(|name| {
                is_parent_type(vocabulary, &of, name) && is_parent_type(vocabulary, name, &to)
            })
            .collect();
        let [between] = between.as_slice() else {
            return Err(InvalidFact::new(format!("`{of}` cannot be in `{to}`")));
        };
        let required = vocabulary.required_parents();
        let mut parents = vec![group.clone()];
        for type_name in required.get(*between).into_iter().flatten() {
            if *type_name != to {
                parents.push(self.owner(uid, type_name).ok_or_else(|| {
                    InvalidFact::new(format!(
                        "`{between}` needs a `{type_name}`, and `{uid}` belongs to none"
                    ))
                    .help(format!("make the `{between}` with facts of its own"))
                })?);
            }
        }
        let stated = vocabulary
            .type_annotation(between, "unless_stated")
            .and_then(|uid| EntityUid::from_str(uid).ok());
        parents.extend(stated.filter(|uid| uid.type_name().to_string() != to));
        let link = EntityTypeName::from_str(between)
            .map_err(|error| InvalidFact::new(error.to_string()))
            .map(|type_name| {
                let id = format!("given: {uid} in {group}");
                EntityUid::from_type_name_and_id(type_name, EntityId::new(id))
            })?;
        self.changed.insert(
            link.clone(),
            GivenEntity {
                parents,
                ..GivenEntity::new(link.clone())
            },
        );
        self.edited(uid)?.parents.push(link);
        Ok(())
    }

    pub(super) fn leave(&mut self, uid: &EntityUid, group: &EntityUid) -> Result<(), InvalidFact> {
        let to = group.type_name().to_string();
        self.keep_explicit(uid, |stand_in| stand_in.parent == to);
        let none = self.engine.bundle().vocabulary().stand_for_none();
        let none = none.get(&uid.type_name().to_string());
        let none = none.filter(|none| none.type_name() == group.type_name() && *none != group);
        let parents = &mut self.edited(uid)?.parents;
        let before = parents.len();
        parents.retain(|parent| parent != group);
        if parents.len() < before {
            let is_left = |none: &&EntityUid| {
                let mut parents = parents.iter();
                !parents.any(|parent| parent.type_name() == none.type_name())
            };
            if let Some(none) = none.filter(is_left) {
                parents.push(none.clone());
            }
            return Ok(());
        }
        let directory = self.engine.directory();
        let path = match (directory.row(uid), directory.row(group)) {
            (Some(from), Some(to)) => directory.path(from, to),
            _ => None,
        };
        Err(match path {
            Some(path) => {
                let steps: Vec<String> = path
                    .iter()
                    .map(|row| directory.uid(*row).to_string())
                    .collect();
                InvalidFact::new(format!("`{group}` is no direct parent of `{uid}`")).help(format!(
                    "take one of these steps away: {}",
                    steps.join(" in ")
                ))
            }
            None => InvalidFact::new(format!("`{uid}` is not in `{group}`")),
        })
    }

    /// The entity of a type to which another belongs: the one that an attribute names, the only one among its
    /// ancestors, the only one at all, or the one to which all its members belong.
    fn owner(&mut self, uid: &EntityUid, type_name: &str) -> Option<EntityUid> {
        if let Some(named) = self.owner_by_attribute(uid, type_name) {
            return Some(named);
        }
        let directory = self.engine.directory();
        let above = directory.row(uid).into_iter();
        let above = above.flat_map(|row| directory.ancestors(row));
        let above: Vec<_> = above
            .filter(|row| directory.type_name(*row) == type_name)
            .collect();
        let all = EntityTypeName::from_str(type_name).ok()?;
        let all: Vec<_> = directory.rows_of(&all).take(2).collect();
        match (above.as_slice(), all.as_slice()) {
            ([only], _) | ([], [only]) => Some(directory.uid(*only)),
            ([], _) => self.owner_of_members(uid, type_name),
            _ => None,
        }
    }

    /// The entity of a type that the attributes of all members of a group name, if they name only one.
    fn owner_of_members(&self, group: &EntityUid, type_name: &str) -> Option<EntityUid> {
        let directory = self.engine.directory();
        let group = directory.row(group)?;
        let is_in = |row: &Row| directory.ancestors(*row).any(|above| above == group);
        let members = directory.every_row().filter(is_in);
        let named = members.filter_map(|row| {
            let attribute = self.attribute_naming(directory.type_name(row), type_name)?;
            directory.attribute_entity(row, attribute)
        });
        let named: BTreeSet<Row> = named.collect();
        let only = named.first().filter(|_| named.len() == 1)?;
        Some(directory.uid(*only))
    }

    /// The first attribute of entities of a type whose value is an entity of another type.
    fn attribute_naming(&self, of_type: &str, type_name: &str) -> Option<&str> {
        let vocabulary = self.engine.bundle().vocabulary();
        let mut attributes = vocabulary.attributes(of_type)?.iter();
        let found =
            attributes.find(|(_, attribute)| attribute.kind == Kind::Entity(type_name.to_owned()));
        found.map(|(name, _)| name.as_str())
    }

    /// The entity of a type that an attribute of another entity names.
    fn owner_by_attribute(&mut self, uid: &EntityUid, type_name: &str) -> Option<EntityUid> {
        let attribute = self
            .attribute_naming(&uid.type_name().to_string(), type_name)?
            .to_owned();
        let value = plain(self.edited(uid).ok()?.attributes.get(&attribute)?);
        let id = value.get("id")?.as_str()?;
        let type_name = EntityTypeName::from_str(type_name).ok()?;
        Some(EntityUid::from_type_name_and_id(
            type_name,
            EntityId::new(id),
        ))
    }
}

fn is_parent_type(vocabulary: &Vocabulary, of: &str, parent: &str) -> bool {
    vocabulary
        .declared_parents()
        .get(of)
        .is_some_and(|parents| parents.contains(parent))
}
