//! The directory: every entity of a workspace, in little memory and never changed.
//!
//! It is read from Cedar's JSON entity format, by the schema, and answers which entities there are
//! and what stands in them. A million devices take a few hundred bytes each, as Cedar's own
//! `Entities` would take thousands.
//!
//! Nothing here opens a file, knows what an entity type means, or decides anything.

#![warn(unreachable_pub, clippy::too_many_lines)]

mod action;
mod ask;
mod build;
mod digest;
pub mod index;
mod read;
mod relation;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::{Arc, OnceLock};

use cedar_policy::{EntityUid, Schema};
use hashbrown::HashTable;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use tarbac_diagnostic::finding::Finding;
use tarbac_diagnostic::source::Source;

pub use ask::fingerprint::{Fingerprinter, ReadSet};
pub use digest::Content;
pub use read::given::GivenEntity;
pub use tables::column::SharedBytes;
pub use tables::ids::ListId;

use ask::aliases::Aliases;
use ask::cedar::CedarCache;
use blake3::Hash;
use build::ancestors::Closure;
use index::IndexVec;
use read::schema::Shapes;
use tables::column::Column;
use tables::entities::Store;
use tables::ids::MemberOrNone;
use tables::strings::Entry;
use tables::written::{Tables, Writer, Written};

/// What written directories begin with; another text whenever what follows is arranged otherwise.
const WRITTEN: &[u8; 16] = b"tarbac entities\x01";

index_type! {
    /// The index of an entity uid in a [`Directory`], be it defined there or merely referred to.
    ///
    /// Rows are in the order of type name and id, whatever the order of the files.
    #[derive(FromBytes, IntoBytes, Immutable)]
    #[repr(transparent)]
    pub struct Row;
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
    /// The uids within are those of the rows, in their order.
    store: Store,
    /// The files, in order.
    sources: Vec<Arc<Source>>,
    /// What was read of each.
    contents: Vec<Content>,
    /// See [`Directory::identity`].
    identity: Hash,
    /// For each row its entity, if that stands in a file or is given.
    members: Column<MemberOrNone>,
    /// For each type, the first of its rows; one more for the end.
    types: Column<u32>,
    /// The rows that exist without standing in a file, sorted.
    assumed: Column<Row>,
    closure: Closure,
    called: Aliases,
    /// The rows by their uids, once they are asked for often.
    hashed: OnceLock<HashTable<Entry>>,
    made: CedarCache,
    /// What it is read from, or was made of, as it is asked for.
    written: Option<Arc<Written>>,
}

/// What the schema says of entities beside what Cedar itself keeps of it.
#[derive(Debug, Default, Clone)]
pub struct Rules {
    /// For an entity type, the types of its direct parents: those after its `in`. Cedar accepts any type
    /// that can be reached through others, as a person directly in a role. A type that is not named here
    /// may have what Cedar accepts.
    pub parents: BTreeMap<String, BTreeSet<String>>,
    /// Whether ids of types that have nothing, neither attributes nor tags nor parents, need not stand in a
    /// file to be referred to: there is nothing else to know of them.
    pub bare_ids: bool,
    /// For an entity type, the types of each of which its entities have exactly one direct parent.
    pub required: BTreeMap<String, Vec<String>>,
    /// For an entity type, the attributes that stand in place of such a parent, each with the type of the
    /// parent: an entity has one of the two, and never both.
    pub in_place: BTreeMap<String, Vec<(String, String)>>,
    /// For an entity type, the String attributes that name its entities as well as their ids do.
    pub names: BTreeMap<String, Vec<String>>,
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
        rules: &Rules,
    ) -> (Self, Vec<Finding>) {
        let shapes = Shapes::new(schema, rules);
        let loaded = read::parallel::load(inputs, &shapes);
        build::order::freeze(loaded, Arc::new(shapes), named, rules)
    }

    /// Takes entities that stand in no file, with the checks of [`Directory::read`].
    pub fn given(
        entities: &[GivenEntity],
        schema: &Schema,
        named: &HashSet<EntityUid>,
        rules: &Rules,
    ) -> (Self, Vec<Finding>) {
        let shapes = Shapes::new(schema, rules);
        let loaded = read::parallel::take(entities, &shapes);
        build::order::freeze(loaded, Arc::new(shapes), named, rules)
    }

    /// Writes the directory under a name, so that [`Directory::lent`] can use it where it lies. What is written
    /// holds between programs of one version on one kind of machine, and the same entities under the same schema
    /// give the same bytes.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, out: &mut dyn Write, name: &str) -> io::Result<()> {
        let mut out = Writer::new(out, WRITTEN)?;
        self.store.write(&mut out)?;
        out.table(&self.members)?;
        out.table(&self.types)?;
        out.table(&self.assumed)?;
        self.closure.write(&mut out)?;
        self.called.write(&mut out)?;
        self.made.write(&mut out)?;
        out.finish(name)
    }

    /// A directory that was written under a name, of entities that stood in these files and under the same schema
    /// and rules; `None` where there is no such directory. Nothing is read of it until it is asked for, and
    /// nothing is used that is not as it was written: see [`Directory::is_damaged`].
    pub fn lent(
        lender: Arc<dyn SharedBytes>,
        name: &str,
        mut files: Vec<(Arc<Source>, Content)>,
        schema: &Schema,
        rules: &Rules,
    ) -> Option<Self> {
        let mut tables = Tables::of(lender, WRITTEN, name)?;
        let tables = &mut tables;
        files.sort_by(|(one, _), (other, _)| one.cmp(other));
        let (sources, contents): (Vec<_>, Vec<Content>) = files.into_iter().unzip();
        let store = Store::lent(tables)?;
        let directory = Self {
            shapes: Arc::new(Shapes::new(schema, rules)),
            members: tables.table()?,
            types: tables.table()?,
            assumed: tables.table()?,
            closure: Closure::lent(tables)?,
            called: Aliases::lent(tables)?,
            hashed: OnceLock::new(),
            made: CedarCache::lent(tables, &store)?,
            written: Some(tables.written()),
            sources,
            identity: digest::of_all(&contents),
            contents,
            store,
        };
        tables.is_at_end().then_some(directory)
    }

    /// Whether it is used where it lies ([`Directory::lent`]).
    pub fn is_lent(&self) -> bool {
        self.written.is_some()
    }

    /// Whether something is missing that was asked for: it could neither be read as it was written nor be worked
    /// out anew. Nothing can be said then with this directory.
    pub fn is_damaged(&self) -> bool {
        let written = self.written.as_ref();
        written.is_some_and(|written| written.is_damaged())
    }

    /// What was read of a file.
    pub fn content(&self, source: &Source) -> Option<Content> {
        let number = self.sources.iter().position(|known| **known == *source)?;
        self.contents.get(number).copied()
    }

    /// The digest of what stands in the files, whatever they are called and in whichever order they are; it is
    /// another where entities were put in.
    pub fn identity(&self) -> Hash {
        self.identity
    }

    /// A table in which every row has this value.
    pub fn table<T: Clone>(&self, value: T) -> IndexVec<Row, T> {
        IndexVec::filled(value, self.every_row().len())
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
