//! Attributes that a request sets in place of those in the directory.

use cedar_policy::{Entity, EntityUid};
use cedar_policy_core::ast;
use serde_json::Value;

use super::{Engine, EntitySlice, Undecidable, entities_named_in};
use crate::decision::Request;

/// A value in JSON for an attribute of an entity, in place of the one in the directory.
#[derive(Debug, Clone, PartialEq)]
pub struct SetAttribute {
    /// The entity.
    pub entity: EntityUid,
    /// The name of the attribute.
    pub name: String,
    /// The value, in the format of a file of entities.
    pub value: Value,
}

impl Engine {
    /// The entity slice of a request, with these attributes set.
    ///
    /// # Errors
    /// Those of [`Engine::slice`]; or a value does not conform to the schema, or refers to an entity that does not
    /// exist.
    pub fn slice_where(
        &self,
        request: &Request,
        set: &[SetAttribute],
    ) -> Result<EntitySlice, Vec<Undecidable>> {
        let mut slice = self.slice(request)?;
        for attribute in set {
            self.set(&mut slice, attribute)
                .map_err(|error| vec![error])?;
        }
        Ok(slice)
    }

    fn set(&self, slice: &mut EntitySlice, attribute: &SetAttribute) -> Result<(), Undecidable> {
        let missing = || Undecidable::Missing(Box::new(attribute.entity.clone()));
        let known = slice.get(&attribute.entity).ok_or_else(missing)?;
        let mut json = Entity::from(known.clone())
            .to_json_value()
            .map_err(Undecidable::not_taken)?;
        if let Some(attributes) = json.get_mut("attrs").and_then(Value::as_object_mut) {
            attributes.insert(attribute.name.clone(), attribute.value.clone());
            // A value that the request brings is known.
            let of_type = attribute.entity.type_name().to_string();
            for recording in self.bundle.vocabulary().recording(&of_type) {
                if let Some(Value::Array(assumed)) = attributes.get_mut(recording) {
                    assumed.retain(|name| *name != attribute.name.as_str());
                }
            }
        }
        let changed = Entity::from_json_value(json, Some(self.bundle.schema()))
            .map_err(|error| Undecidable::not_taken(miette::Report::new(error)))?;
        let changed: &ast::Entity = changed.as_ref();
        for uid in named_in(changed, &attribute.name) {
            let row = self.defined(&uid)?;
            slice.reach(&self.directory, [row]);
        }
        slice.put(changed.clone());
        Ok(())
    }
}

/// The entities that an attribute refers to.
fn named_in(entity: &ast::Entity, attribute: &str) -> Vec<EntityUid> {
    let Some(ast::PartialValue::Value(value)) = entity.get(attribute) else {
        return Vec::new();
    };
    entities_named_in(&ast::Expr::from(value.clone())).collect()
}
