//! An overlay: a copy of a directory with some entities replaced or added.
//!
//! The entities of the overlay pass the same checks as those of a file, so a hypothetical state conforms to the schema
//! too.

use std::collections::HashSet;
use std::sync::Arc;

use cedar_policy::EntityUid;

use crate::build::order::ordered;
use crate::digest;
use crate::index::{IndexVec, small};
use crate::read::parallel::take;
use crate::tables::entities::Store;
use crate::tables::ids::MemberOrNone;
use crate::{Directory, EntityRules, GivenEntity, Row};
use tarbac_diagnostic::finding::Finding;

impl Directory {
    /// This directory with given entities, which replace those with the same uid. `named` and `rules` are those of
    /// [`Directory::read`], and every finding is an error.
    pub fn overlaid(
        &self,
        entities: &[GivenEntity],
        named: &HashSet<EntityUid>,
        rules: &EntityRules,
    ) -> (Self, Vec<Finding>) {
        let mut loaded = take(entities, &self.shapes);
        let files = small(self.sources.len());
        for member in loaded.store.members.to_mut() {
            member.file += files;
        }
        let mut store = self.store.clone();
        store.own();
        let mut defined: IndexVec<Row, MemberOrNone> = self.members.iter().copied().collect();
        if self.is_damaged() {
            // The tables do not fit together, and the copy gives no answer either.
            (store, defined) = (Store::default(), IndexVec::new());
        }
        store.reopen_for(&loaded.store);
        store.absorb(&loaded.store, |store, member, slots| {
            defined
                .raw
                .resize(store.uids.len(), MemberOrNone::default());
            let known = &mut defined[member.uid];
            match known.get() {
                Some(id) => store.replace(id, member, slots),
                None => *known = store.push(member, slots).into(),
            }
        });
        loaded.put(store, defined);
        loaded.is_overlay = true;
        let changed = std::mem::take(&mut loaded.sources);
        loaded.sources = self.sources.iter().cloned().chain(changed).collect();
        let put = std::mem::take(&mut loaded.contents);
        loaded.contents = self.contents.iter().copied().chain(put).collect();
        loaded.identity = digest::of_changed(self.identity, loaded.identity);
        let shapes = Arc::clone(&self.shapes);
        let (mut directory, findings) = ordered(loaded, shapes, named, rules);
        // If this directory is damaged, the copy is damaged too.
        directory.written = self.written.clone();
        (directory, findings)
    }
}
