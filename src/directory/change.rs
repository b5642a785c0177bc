//! A directory in which some entities are others.
//!
//! A directory never changes; this makes another one of it. The entities that are put in go
//! through the same reader and the same checks as those of a file, so that what is made up for a
//! test is held to what the schema says like everything else.

use std::collections::HashSet;
use std::sync::Arc;

use cedar_policy::EntityUid;

use super::freeze::freeze;
use super::load::{Loaded, accept, load};
use super::packed::Packed;
use super::store::Store;
use super::{Directory, Input, ParentRules};
use crate::finding::Finding;

impl Directory {
    /// The same directory with the entities of `input` in place of those that have their uids, and
    /// beside the others. `named` and `parents` are those of [`Directory::read`], and every finding
    /// is an error.
    pub fn with(
        &self,
        input: Input,
        named: &HashSet<EntityUid>,
        parents: &ParentRules,
    ) -> (Self, Vec<Finding>) {
        let mut loaded = load(vec![input], &self.shapes);
        let files = u32::try_from(self.sources.len()).unwrap_or_default();
        for member in &mut loaded.store.members {
            member.file += files;
        }
        let Loaded { store, defined, .. } = &mut loaded;
        store.absorb(&self.as_read(), |store, member, slots| {
            defined.resize(store.uids.len(), 0);
            // What was put in is what there is of an entity.
            accept(store, defined, member, slots, |_, _| {});
        });
        defined.resize(store.uids.len(), 0);
        let changed = std::mem::take(&mut loaded.sources);
        loaded.sources = self.sources.iter().cloned().chain(changed).collect();
        freeze(loaded, Arc::clone(&self.shapes), named, &parents.required)
    }

    /// What the files held: with entities named by their uids and not by their rows.
    fn as_read(&self) -> Store {
        let mut store = self.store.clone();
        let uid = |packed: &mut Packed| {
            if let Some(uid) = packed
                .as_entity()
                .and_then(|row| self.order.get(row as usize))
            {
                *packed = Packed::entity(*uid);
            }
        };
        store.slots.iter_mut().for_each(uid);
        store.compounds.items_mut().iter_mut().for_each(uid);
        store.parents.items_mut().iter_mut().for_each(uid);
        store
    }
}
