//! Texts stored once, in one long string.

use std::cmp::Ordering;
use std::hash::{BuildHasher, Hasher as _};
use std::io;
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::tables::column::{Column, Tables, Writer};
use crate::tables::value_ref::MOST;

/// Texts with a kind each, known by the order in which they came.
///
/// For uids the kind is the entity type and the text is the id; plain texts are all of kind 0.
#[derive(Default, Clone)]
pub(crate) struct StringTable {
    /// In UTF-8.
    text: Column<u8>,
    ends: Column<u32>,
    kinds: Column<u16>,
    table: HashTable<Entry>,
    hasher: DefaultHashBuilder,
    full: bool,
}

/// An index with a part of its hash: growing the table need not read the texts again.
#[derive(Clone)]
pub(crate) struct Entry {
    index: u32,
    hash: u32,
}

impl Entry {
    /// Spreads the kept part of the hash over the bits that the table looks at.
    fn spread(&self) -> u64 {
        spread(self.hash)
    }
}

fn spread(hash: u32) -> u64 {
    u64::from(hash).wrapping_mul(SPREAD)
}

/// An odd number whose bits look random.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Looks up `hash` in `table`, and enters `index` under it if `same` holds for none.
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

impl StringTable {
    /// The index of a text, which is stored if it is new.
    pub(crate) fn intern(&mut self, kind: u16, text: &str) -> u32 {
        let next = u32::try_from(self.ends.len()).unwrap_or(MOST);
        let hash = self.hash(kind, text);
        let mut table = std::mem::take(&mut self.table);
        let known = enter(&mut table, hash, next, |index| self.is(index, kind, text));
        self.table = table;
        known.unwrap_or_else(|| self.push(kind, text))
    }

    /// Stores a text without looking whether there is one like it.
    pub(crate) fn push(&mut self, kind: u16, text: &str) -> u32 {
        let next = u32::try_from(self.ends.len()).unwrap_or(MOST);
        let end = u32::try_from(self.text.len() + text.len());
        let (Ok(end), true) = (end, next < MOST) else {
            self.full = true;
            return 0;
        };
        self.text.own().extend_from_slice(text.as_bytes());
        self.ends.own().push(end);
        self.kinds.own().push(kind);
        next
    }

    /// The text at an index; empty when there is none.
    pub(crate) fn get(&self, index: u32) -> &str {
        str::from_utf8(self.bytes(index)).unwrap_or_default()
    }

    /// The same in UTF-8: texts compare as their bytes do, and those need not be looked through first.
    pub(crate) fn bytes(&self, index: u32) -> &[u8] {
        self.text.slice(self.range(index)).unwrap_or_default()
    }

    fn range(&self, index: u32) -> Range<usize> {
        let index = index as usize;
        let start = match index.checked_sub(1) {
            Some(before) => self.ends.get(before).copied(),
            None => Some(0),
        };
        match (start, self.ends.get(index)) {
            (Some(start), Some(&end)) => start as usize..end as usize,
            _ => 0..0,
        }
    }

    /// The kind of the text at an index; where there is none, one that nothing has.
    pub(crate) fn kind(&self, index: u32) -> u16 {
        let kind = self.kinds.get(index as usize).copied();
        kind.unwrap_or(u16::MAX)
    }

    /// The place of a text among those that stand from `range.start` to `range.end` in their order.
    pub(crate) fn find_in(&self, range: Range<u32>, text: &str) -> Option<u32> {
        let (mut start, mut end) = (range.start, range.end);
        while start < end {
            let middle = start + (end - start) / 2;
            match self.bytes(middle).cmp(text.as_bytes()) {
                Ordering::Less => start = middle + 1,
                Ordering::Greater => end = middle,
                Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// The first text of a kind or of a later one; texts are in the order of their kinds.
    pub(crate) fn first_of(&self, kind: usize) -> u32 {
        self.kinds.partition_point(|of| usize::from(*of) < kind) as u32
    }

    /// How many texts there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether something had to be left out.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// Forgets how to find texts and gives the spare memory back; [`StringTable::get`] still works.
    pub(crate) fn close(&mut self) {
        self.table = HashTable::new();
        self.text.own().shrink_to_fit();
        self.ends.own().shrink_to_fit();
        self.kinds.own().shrink_to_fit();
    }

    /// Writes the texts for [`StringTable::lent`].
    pub(crate) fn write(&self, out: &mut Writer<'_>) -> io::Result<()> {
        out.table(&self.text)?;
        out.table(&self.ends)?;
        out.table(&self.kinds)
    }

    /// Takes texts that were written.
    pub(crate) fn lent(tables: &mut Tables) -> Option<Self> {
        Some(Self {
            text: tables.table()?,
            ends: tables.table()?,
            kinds: tables.table()?,
            ..Self::default()
        })
    }

    fn is(&self, index: u32, kind: u16, text: &str) -> bool {
        self.bytes(index) == text.as_bytes() && self.kind(index) == kind
    }

    fn hash(&self, kind: u16, text: &str) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(text.as_bytes());
        hasher.finish() ^ u64::from(kind).wrapping_mul(SPREAD)
    }
}
