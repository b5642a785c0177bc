//! The entity slice of a request: the entities that it can reach.
//!
//! A policy reaches the entities that it names itself, those that the attributes of the principal and the resource
//! refer to, those that their attributes refer to, and so on. It cannot take an entity out of a set, and can only test
//! whether an entity is an ancestor; neither needs the entity itself.

use std::sync::Arc;

use cedar_policy::{Entities, EntityUid};
use cedar_policy_core::ast;
use cedar_policy_core::entities::{Entities as CoreEntities, NoEntitiesSchema, TCComputation};
use cedar_policy_core::extensions::Extensions;

use super::Undecidable;
use tarbac_store::{Directory, Row};

/// The entities that a request can reach.
#[derive(Debug, Clone, Default)]
pub struct EntitySlice {
    entities: Vec<Arc<ast::Entity>>,
    rows: Vec<Row>,
}

impl EntitySlice {
    /// Adds the entities that are reachable from `roots`.
    pub(super) fn reach(&mut self, directory: &Directory, roots: impl IntoIterator<Item = Row>) {
        let mut next: Vec<Row> = roots.into_iter().collect();
        while let Some(row) = next.pop() {
            if directory.is_defined(row) && !self.rows.contains(&row) {
                self.rows.push(row);
                self.entities.push(directory.entity(row));
                next.extend(directory.references(row));
            }
        }
    }

    /// The entities, without that of the action.
    pub fn iter(&self) -> impl Iterator<Item = &ast::Entity> {
        self.entities.iter().map(Arc::as_ref)
    }

    /// The entity with this uid.
    pub fn get(&self, uid: &EntityUid) -> Option<&ast::Entity> {
        self.entities
            .iter()
            .find(|entity| entity.uid() == uid.as_ref())
            .map(Arc::as_ref)
    }

    /// Adds an entity, in place of one with the same uid.
    pub fn put(&mut self, entity: ast::Entity) {
        self.entities.retain(|other| other.uid() != entity.uid());
        self.entities.push(Arc::new(entity));
    }

    /// The entities in Cedar's form, with that of the action.
    ///
    /// # Errors
    /// Two entities share a uid, which happens in no directory.
    pub(super) fn entities(&self, action: &Arc<ast::Entity>) -> Result<Entities, Undecidable> {
        Self::taken(self.entities.iter().chain([action]))
    }

    /// The entities in Cedar's form, without that of an action.
    ///
    /// # Errors
    /// Two entities share a uid, which happens in no directory.
    pub(super) fn entities_alone(&self) -> Result<Entities, Undecidable> {
        Self::taken(self.entities.iter())
    }

    fn taken<'a>(
        entities: impl Iterator<Item = &'a Arc<ast::Entity>>,
    ) -> Result<Entities, Undecidable> {
        // Every entity has all of its ancestors, so there is no closure to compute.
        CoreEntities::new()
            .add_entities(
                entities.map(Arc::clone),
                None::<&NoEntitiesSchema>,
                TCComputation::AssumeAlreadyComputed,
                Extensions::all_available(),
            )
            .map(Entities::from)
            .map_err(Undecidable::not_taken)
    }
}
