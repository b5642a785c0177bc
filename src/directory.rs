//! The directory: every entity of a workspace, in little memory and never changed.
//!
//! It is read from Cedar's JSON entity format, by the schema, and answers which entities there are
//! and what stands in them. A million devices take a few hundred bytes each, as Cedar's own
//! `Entities` would take thousands.
//!
//! Nothing here opens a file, knows what an entity type means, or decides anything.

mod change;
mod closure;
mod element;
mod entity;
mod freeze;
mod lists;
mod load;
mod look;
mod packed;
mod problem;
mod query;
mod reference;
mod scan;
mod shape;
mod store;
#[cfg(test)]
mod tests;
mod uid;
mod value;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::io::Read;
use std::sync::Arc;

use cedar_policy::{EntityUid, Schema};

use crate::finding::Finding;
use crate::source::Source;

pub use look::{Glance, Lookout};

use closure::Closure;
use entity::Cache;
use shape::Shapes;
use store::Store;

/// The index of an entity uid in a [`Directory`], be it defined there or merely referred to.
///
/// Rows are in the order of type name and id, whatever the order of the files.
#[derive(Copy, Clone, Eq, Hash, PartialEq, Ord, PartialOrd, Debug)]
pub struct Row(u32);

impl Row {
    /// Its place among all rows of the directory, from 0.
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A file of entities to read.
pub struct Input {
    /// The file, for findings.
    pub source: Arc<Source>,
    /// Its bytes, which are read once, in blocks.
    pub reader: Box<dyn Read + Send>,
}

/// Every entity of a workspace, immutable.
pub struct Directory {
    shapes: Arc<Shapes>,
    /// Entities within are named by their row, uids are found by `order`.
    store: Store,
    sources: Vec<Arc<Source>>,
    /// For each row, the index of its uid in the store.
    order: Vec<u32>,
    /// For each uid of the store, its row.
    rows: Vec<u32>,
    /// For each row, the number of its entity among the members, counted from 1; 0 is none.
    members: Vec<u32>,
    /// For each type, the first of its rows; one more for the end.
    types: Vec<u32>,
    /// The rows that exist without standing in a file, sorted.
    assumed: Vec<u32>,
    closure: Closure,
    cache: Cache,
}

/// What the schema says of direct parents, which Cedar itself does not keep: it accepts any type
/// that can be reached through others, as a person directly in a role.
#[derive(Debug, Default, Clone)]
pub struct ParentRules {
    /// For an entity type, the types of its direct parents: those after its `in`. A type that is
    /// not named may have what Cedar accepts.
    pub declared: BTreeMap<String, BTreeSet<String>>,
    /// For an entity type, the types of which each of its entities needs a direct parent.
    pub required: BTreeMap<String, Vec<String>>,
}

impl Directory {
    /// Reads the entities of all files; every finding is an error.
    ///
    /// `named` has every entity uid that a policy names literally: such an entity exists without
    /// standing in a file if its type has no required attribute.
    pub fn read(
        inputs: Vec<Input>,
        schema: &Schema,
        named: &HashSet<EntityUid>,
        parents: &ParentRules,
    ) -> (Self, Vec<Finding>) {
        let shapes = Shapes::new(schema, &parents.declared);
        let loaded = load::load(inputs, &shapes);
        freeze::freeze(loaded, Arc::new(shapes), named, &parents.required)
    }

    /// The number of entities that stand in the files.
    pub fn len(&self) -> usize {
        self.store.members.len()
    }

    /// Whether no entity stands in the files.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Directory")
            .field("entities", &self.len())
            .finish_non_exhaustive()
    }
}
