//! The string table: strings, each stored once.

use std::cmp::Ordering;
use std::hash::{BuildHasher, Hasher as _};
use std::io;
use std::marker::PhantomData;
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::index::{Id, small};
use crate::tables::column::Column;
use crate::tables::ids::TypeId;
use crate::tables::value_ref::MOST;
use crate::tables::written::{Tables, Writer};

/// Strings with an entity type each, by index, in the order of their insertion.
///
/// A uid is the id with its type; all other strings are [`TypeId::PLAIN`].
#[derive(Clone)]
pub(crate) struct StringTable<I> {
    /// All strings in UTF-8, without separators.
    text: Column<u8>,
    ends: Column<u32>,
    types: Column<TypeId>,
    table: HashTable<Entry>,
    hasher: DefaultHashBuilder,
    full: bool,
    index: PhantomData<fn(I)>,
}

/// An index with a part of its hash, so that the hash table can grow without reading the strings again.
#[derive(Clone)]
pub(crate) struct Entry {
    index: u32,
    hash: u32,
}

impl Entry {
    /// The kept part of the hash, spread over the bits that the hash table uses.
    fn spread(&self) -> u64 {
        spread(self.hash)
    }
}

fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(SPREAD)
}

/// An odd number with evenly mixed bits, for multiplicative hashing.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// The index that is stored under `hash` and for which `same` is true. If there is none, stores `index` and returns
/// `None`.
pub(crate) fn enter(
    table: &mut HashTable<Entry>,
    hash: u64,
    index: u32,
    same: impl Fn(u32) -> bool,
) -> Option<u32> {
    let hash = (hash >> 32) as u32;
    let found = table.find(spread(hash), |entry| {
        entry.hash == hash && same(entry.index)
    });
    if let Some(entry) = found {
        return Some(entry.index);
    }
    table.insert_unique(spread(hash), Entry { index, hash }, Entry::spread);
    None
}

/// The range of an item, given the end of each item; `None` if the directory is damaged.
pub(crate) fn range(ends: &Column<u32>, index: usize) -> Option<Range<usize>> {
    let start = match index.checked_sub(1) {
        Some(before) => *ends.get(before)?,
        None => 0,
    };
    Some(start as usize..*ends.get(index)? as usize)
}

impl<I: Id> Default for StringTable<I> {
    fn default() -> Self {
        Self {
            text: Column::default(),
            ends: Column::default(),
            types: Column::default(),
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            full: false,
            index: PhantomData,
        }
    }
}

impl<I: Id> StringTable<I> {
    /// The index of a string, which is stored if it is new.
    pub(crate) fn intern(&mut self, entity_type: TypeId, text: &str) -> I {
        let next = small(self.ends.len());
        let hash = self.hash(entity_type, text.as_bytes());
        let mut table = std::mem::take(&mut self.table);
        let is_same = |index: u32| self.is(I::from_usize(index as usize), entity_type, text);
        let known = enter(&mut table, hash, next, is_same);
        self.table = table;
        match known {
            Some(known) => I::from_usize(known as usize),
            None => self.push(entity_type, text),
        }
    }

    /// Stores a string without a search for an equal one.
    ///
    /// If there is no more room, the string is dropped ([`StringTable::is_full`]) and the index is wrong; the reader
    /// then rejects the store.
    pub(crate) fn push(&mut self, entity_type: TypeId, text: &str) -> I {
        let next = self.ends.len();
        let end = u32::try_from(self.text.len() + text.len());
        let (Ok(end), true) = (end, next < MOST as usize) else {
            self.full = true;
            return I::from_usize(0);
        };
        self.text.to_mut().extend_from_slice(text.as_bytes());
        self.ends.to_mut().push(end);
        self.types.to_mut().push(entity_type);
        I::from_usize(next)
    }

    /// The string at an index.
    #[expect(
        clippy::expect_used,
        reason = "a part of a text is none, and must not become an id"
    )]
    pub(crate) fn get(&self, index: I) -> &str {
        // Each is stored as a text; of a damaged directory it is empty.
        str::from_utf8(self.bytes(index)).expect("a text as it was stored")
    }

    /// The string at an index in UTF-8. Strings compare as their bytes do, without the check that they are valid.
    pub(crate) fn bytes(&self, index: I) -> &[u8] {
        let bytes = range(&self.ends, index.index()).and_then(|range| self.text.slice(range));
        bytes.unwrap_or_default()
    }

    /// The type of the string at an index.
    pub(crate) fn type_of(&self, index: I) -> TypeId {
        // A damaged directory gives no answer: see `Directory::is_damaged`.
        let of = self.types.get(index.index()).copied();
        of.unwrap_or(TypeId::LOST)
    }

    /// Every index, in order.
    pub(crate) fn indices(&self) -> impl ExactSizeIterator<Item = I> + use<I> {
        (0..self.len()).map(I::from_usize)
    }

    /// The index of a string within a range of indices whose strings are sorted.
    pub(crate) fn find_in(&self, range: Range<u32>, text: &str) -> Option<I> {
        let (mut start, mut end) = (range.start, range.end);
        while start < end {
            let middle = start + (end - start) / 2;
            let index = I::from_usize(middle as usize);
            match self.bytes(index).cmp(text.as_bytes()) {
                Ordering::Less => start = middle + 1,
                Ordering::Greater => end = middle,
                Ordering::Equal => return Some(index),
            }
        }
        None
    }

    /// A hash table of the strings for [`StringTable::find`], with 9 to 18 bytes for each.
    pub(crate) fn hashed(&self) -> HashTable<Entry> {
        let mut table = HashTable::with_capacity(self.len());
        for index in self.indices() {
            let hash = self.hash(self.type_of(index), self.bytes(index));
            let (hash, index) = ((hash >> 32) as u32, small(index.index()));
            table.insert_unique(spread(hash), Entry { index, hash }, Entry::spread);
        }
        table
    }

    /// Copies what is read from a written directory.
    pub(crate) fn own(&mut self) {
        self.text.own();
        self.ends.own();
        self.types.own();
    }

    /// Makes the hash table that [`StringTable::close`] dropped, so that strings can be stored.
    pub(crate) fn reopen(&mut self) {
        self.table = self.hashed();
    }

    /// The index of a string, by a hash table of [`StringTable::hashed`].
    pub(crate) fn find(
        &self,
        table: &HashTable<Entry>,
        entity_type: TypeId,
        text: &str,
    ) -> Option<I> {
        let hash = (self.hash(entity_type, text.as_bytes()) >> 32) as u32;
        let is_same = |entry: &Entry| {
            entry.hash == hash && self.is(I::from_usize(entry.index as usize), entity_type, text)
        };
        let found = table.find(spread(hash), is_same)?;
        Some(I::from_usize(found.index as usize))
    }

    /// The index of the first string of a type with this number or a higher one, in a table that is sorted by type.
    pub(crate) fn first_of(&self, number: usize) -> u32 {
        small(self.types.partition_point(|of| of.index() < number))
    }

    /// The number of strings.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether a string was dropped for lack of room.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// Drops the hash table and spare capacity; [`StringTable::get`] still works.
    pub(crate) fn close(&mut self) {
        self.table = HashTable::new();
        self.text.keep();
        self.ends.keep();
        self.types.keep();
    }

    /// Writes the strings, for [`StringTable::from_tables`].
    pub(crate) fn write(&self, out: &mut Writer<'_>) -> io::Result<()> {
        out.table(&self.text)?;
        out.table(&self.ends)?;
        out.table(&self.types)
    }

    /// The strings of a written directory.
    pub(crate) fn from_tables(tables: &mut Tables) -> Option<Self> {
        Some(Self {
            text: tables.table()?,
            ends: tables.table()?,
            types: tables.table()?,
            ..Self::default()
        })
    }

    fn is(&self, index: I, entity_type: TypeId, text: &str) -> bool {
        self.bytes(index) == text.as_bytes() && self.type_of(index) == entity_type
    }

    fn hash(&self, entity_type: TypeId, text: &[u8]) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(text);
        hasher.finish() ^ u64::from(entity_type.raw()).wrapping_mul(SPREAD)
    }
}
