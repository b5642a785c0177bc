//! Attributes that stand in place of parents while a setting is on (`@in_place_of`, `@while`).

use std::collections::BTreeSet;
use std::str::FromStr;

use cedar_policy::{EntityId, EntityTypeName, EntityUid};
use serde_json::Value;

use super::edits::Edits;
use super::value::plain;
use super::{InvalidFact, is_true};
use tarbac_host::bundle::StandIn;
use tarbac_host::json::reference;
use tarbac_store::Row;

impl Edits<'_> {
    /// Puts attributes in place of parents, and parents in place of attributes, as the edited settings ask for.
    pub(super) fn apply_stand_ins(&mut self) -> Result<(), InvalidFact> {
        let vocabulary = self.engine.bundle().vocabulary();
        for of_type in vocabulary.type_names() {
            for stand_in in vocabulary.stand_ins(of_type) {
                if let Some(during) = stand_in.during {
                    for uid in self.affected(of_type, during) {
                        self.apply_stand_in(&uid, &stand_in, during)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The entities of a type that are edited, or have a parent whose setting is edited: an attribute of its type.
    fn affected(&self, of_type: &str, (type_name, attribute): (&str, &str)) -> BTreeSet<EntityUid> {
        let directory = self.engine.directory();
        let is_of = |uid: &EntityUid, name: &str| uid.type_name().to_string() == name;
        let changed = self.changed.keys().filter(|uid| is_of(uid, of_type));
        let mut affected: BTreeSet<EntityUid> = changed.cloned().collect();
        let before = |uid: &EntityUid| {
            let row = directory.row(uid);
            row.is_some_and(|row| is_true(directory.entity(row).get(attribute)))
        };
        let switched: BTreeSet<Row> = self
            .changed
            .iter()
            .filter(|(uid, edited)| {
                let now = edited.attributes.get(attribute);
                is_of(uid, type_name) && before(uid) != (now == Some(&Value::Bool(true)))
            })
            .filter_map(|(uid, _)| directory.row(uid))
            .collect();
        if let Ok(of_type) = EntityTypeName::from_str(of_type)
            && !switched.is_empty()
        {
            let rows = directory.rows_of(&of_type);
            let below = rows.filter(|row| directory.parents(*row).any(|of| switched.contains(&of)));
            affected.extend(below.map(|row| directory.uid(row)));
        }
        affected.retain(|uid| !self.explicit.contains(uid));
        affected
    }

    fn apply_stand_in(
        &mut self,
        uid: &EntityUid,
        stand_in: &StandIn<'_>,
        (type_name, attribute): (&str, &str),
    ) -> Result<(), InvalidFact> {
        let edited = self.edited(uid)?;
        let parents = edited.parents.clone();
        let standing_in = edited.attributes.get(stand_in.attribute).cloned();
        let of_type = |name: &str| -> Vec<&EntityUid> {
            let parents = parents.iter();
            let of_type = parents.filter(|parent| parent.type_name().to_string() == name);
            of_type.collect()
        };
        let mut is_on = false;
        for parent in of_type(type_name) {
            let value = self.edited(parent)?.attributes.get(attribute);
            is_on = is_on || value == Some(&Value::Bool(true));
        }
        let is_kept = parents
            .iter()
            .any(|parent| stand_in.exceptions.contains(parent));
        let replaced = of_type(stand_in.parent);
        match (is_on && !is_kept, replaced.as_slice(), standing_in) {
            (true, [parent], None) => {
                let value = reference(parent);
                let edited = self.edited(uid)?;
                edited.parents.retain(|other| other != *parent);
                edited
                    .attributes
                    .insert(stand_in.attribute.to_owned(), value);
            }
            (true, [_, _, ..], None) => {
                return Err(InvalidFact::new(format!(
                    "`{uid}` has several parents of type `{}`, and its `{}` is one",
                    stand_in.parent, stand_in.attribute
                ))
                .help("keep one of them"));
            }
            (false, [], Some(value)) => {
                let id = plain(&value).get("id").and_then(Value::as_str);
                let type_name = EntityTypeName::from_str(stand_in.parent)
                    .map_err(|error| InvalidFact::new(error.to_string()))?;
                let parent =
                    id.map(|id| EntityUid::from_type_name_and_id(type_name, EntityId::new(id)));
                let edited = self.edited(uid)?;
                edited.parents.extend(parent);
                edited.attributes.remove(stand_in.attribute);
            }
            _ => {}
        }
        Ok(())
    }

    /// Keeps an entity as the facts state it, if they state an attribute or a parent of one of its stand-ins.
    pub(super) fn keep_explicit(
        &mut self,
        uid: &EntityUid,
        is_stated: impl Fn(&StandIn<'_>) -> bool,
    ) {
        let vocabulary = self.engine.bundle().vocabulary();
        let stand_ins = vocabulary.stand_ins(&uid.type_name().to_string());
        if stand_ins.iter().any(is_stated) {
            self.explicit.insert(uid.clone());
        }
    }
}
