//! The store of entities: all entities of a workspace in compact, immutable tables.
//!
//! A [`Directory`] is read from Cedar's JSON entity format by the schema, and answers queries about the entities and
//! their values. Each of a million devices takes a few hundred bytes; in Cedar's own `Entities` it would take
//! thousands.
//!
//! This crate opens no file, knows no entity type by name, and decides nothing.

#![warn(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::too_many_lines
)]

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

/// The beginning of every written directory. It changes whenever the format does.
const WRITTEN: &[u8; 16] = b"tarbac entities\x02";

index_type! {
    /// The index of an entity uid in a [`Directory`], whether the entity is defined or only referred to.
    ///
    /// Rows are sorted by type name and id, independent of the order of the files.
    #[derive(FromBytes, IntoBytes, Immutable)]
    #[repr(transparent)]
    pub struct Row;
}

/// A file of entities to be read.
pub struct Input {
    /// The source, for findings.
    pub source: Arc<Source>,
    /// The bytes, which are read once, in blocks.
    pub reader: Box<dyn Read + Send>,
}

/// All entities of a workspace, immutable.
pub struct Directory {
    shapes: Arc<Shapes>,
    /// The tables; the uids are sorted by row.
    store: Store,
    /// The files, in order.
    sources: Vec<Arc<Source>>,
    /// The size and digest of each file.
    contents: Vec<Content>,
    /// See [`Directory::identity`].
    identity: Hash,
    /// For each row, its entity, if it stands in a file or is given.
    members: Column<MemberOrNone>,
    /// For each type, its first row; at the end, the number of rows.
    types: Column<u32>,
    /// The rows of entities that exist only because a policy names them, sorted.
    assumed: Column<Row>,
    closure: Closure,
    called: Aliases,
    /// The rows by uid, if [`Directory::hash_uids`] was called.
    hashed: OnceLock<HashTable<Entry>>,
    cache: CedarCache,
    /// The bytes that the tables are read from, if the directory is one that was written.
    written: Option<Arc<Written>>,
}

/// The parts of a schema about entities that Cedar's own form of it does not keep.
#[derive(Debug, Default, Clone)]
pub struct EntityRules {
    /// For an entity type, the types of direct parents: those after its `in`. Cedar itself accepts any type that is
    /// reachable through others, for example a person directly in a role. A type without an entry may have all parents
    /// that Cedar accepts.
    pub parents: BTreeMap<String, BTreeSet<String>>,
    /// Whether an entity of a type without attributes, tags and parents exists for every id: there is nothing else to
    /// know about it, so it need not stand in a file.
    pub bare_ids: bool,
    /// For an entity type, the types of which an entity has exactly one direct parent each.
    pub required: BTreeMap<String, Vec<String>>,
    /// For an entity type, the attributes that can replace such a parent, each with the type of the parent: an entity
    /// has either the attribute or the parent.
    pub in_place: BTreeMap<String, Vec<(String, String)>>,
    /// For an entity type, the entity that stands for no parent of its type, so that no other one stands beside it.
    pub none: BTreeMap<String, EntityUid>,
    /// For an entity type, the String attributes that are aliases of its entities.
    pub names: BTreeMap<String, Vec<String>>,
}

impl Directory {
    /// Reads the entities of all files; every finding is an error.
    ///
    /// `named` contains every entity uid in the text of a policy. Such an entity exists without standing in a file if
    /// its type has no required attribute.
    pub fn read(
        inputs: Vec<Input>,
        schema: &Schema,
        named: &HashSet<EntityUid>,
        rules: &EntityRules,
    ) -> (Self, Vec<Finding>) {
        let shapes = Shapes::new(schema, rules);
        let loaded = read::parallel::load(inputs, &shapes);
        build::order::ordered(loaded, Arc::new(shapes), named, rules)
    }

    /// Reads given entities, with the checks of [`Directory::read`].
    pub fn given(
        entities: &[GivenEntity],
        schema: &Schema,
        named: &HashSet<EntityUid>,
        rules: &EntityRules,
    ) -> (Self, Vec<Finding>) {
        let shapes = Shapes::new(schema, rules);
        let loaded = read::parallel::take(entities, &shapes);
        build::order::ordered(loaded, Arc::new(shapes), named, rules)
    }

    /// Writes the directory under a name, so that [`Directory::from_bytes`] can use it without reading the entities again.
    /// The format is that of one version of the program and one kind of machine. The same entities under the same
    /// schema give the same bytes.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn write(&self, out: &mut dyn Write, name: &str) -> io::Result<()> {
        let mut out = Writer::new(out, WRITTEN)?;
        self.store.write(&mut out)?;
        out.table(&self.members)?;
        out.table(&self.types)?;
        out.table(&self.assumed)?;
        self.closure.write(&mut out)?;
        self.called.write(&mut out)?;
        self.cache.write(&mut out)?;
        out.finish(name)
    }

    /// The directory that was written under a name, for these files and the same schema and rules; `None` if there is
    /// no such directory. Blocks are read at their first use, and checked against their digests: see
    /// [`Directory::is_damaged`].
    pub fn from_bytes(
        bytes: Arc<dyn SharedBytes>,
        name: &str,
        mut files: Vec<(Arc<Source>, Content)>,
        schema: &Schema,
        rules: &EntityRules,
    ) -> Option<Self> {
        let mut tables = Tables::open(bytes, WRITTEN, name)?;
        let tables = &mut tables;
        files.sort_by(|(one, _), (other, _)| one.cmp(other));
        let (sources, contents): (Vec<_>, Vec<Content>) = files.into_iter().unzip();
        let store = Store::from_tables(tables)?;
        let directory = Self {
            shapes: Arc::new(Shapes::new(schema, rules)),
            members: tables.table()?,
            types: tables.table()?,
            assumed: tables.table()?,
            closure: Closure::from_tables(tables)?,
            called: Aliases::from_tables(tables)?,
            hashed: OnceLock::new(),
            cache: CedarCache::from_tables(tables, &store)?,
            written: Some(tables.written()),
            sources,
            identity: digest::of_all(&contents),
            contents,
            store,
        };
        tables.is_at_end().then_some(directory)
    }

    /// Whether the tables are read on demand from a written directory ([`Directory::from_bytes`]).
    pub fn is_shared(&self) -> bool {
        self.written.is_some()
    }

    /// Whether a part of the written directory was needed that could neither be read as it was written nor be computed
    /// again. No answer of a damaged directory may be used.
    pub fn is_damaged(&self) -> bool {
        let written = self.written.as_ref();
        written.is_some_and(|written| written.is_damaged())
    }

    /// The size and digest of a file.
    pub fn content(&self, source: &Source) -> Option<Content> {
        let number = self.sources.iter().position(|known| **known == *source)?;
        self.contents.get(number).copied()
    }

    /// The digest of the content of all files, independent of their names and order. That of an overlay is another.
    pub fn identity(&self) -> Hash {
        self.identity
    }

    /// A table with the same value for every row.
    pub fn table<T: Clone>(&self, value: T) -> IndexVec<Row, T> {
        IndexVec::filled(value, self.every_row().len())
    }

    /// The number of entities that stand in a file or are given.
    pub fn len(&self) -> usize {
        self.store.members.len()
    }

    /// Whether no entity stands in a file or is given.
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
