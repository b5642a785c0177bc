//! Texts stored once, in one long string.

use std::hash::{BuildHasher, Hasher as _};
use std::ops::Range;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::packed::MOST;

/// Texts with a kind each, known by the order in which they came.
///
/// For uids the kind is the entity type and the text is the id; plain texts are all of kind 0.
#[derive(Default, Clone)]
pub(super) struct Words {
    text: String,
    ends: Vec<u32>,
    kinds: Vec<u16>,
    table: HashTable<Entry>,
    hasher: DefaultHashBuilder,
    full: bool,
}

/// An index with a part of its hash: growing the table need not read the texts again.
#[derive(Clone)]
pub(super) struct Entry {
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
pub(super) fn enter(
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

impl Words {
    /// The index of a text, which is stored if it is new.
    pub(super) fn intern(&mut self, kind: u16, text: &str) -> u32 {
        let next = u32::try_from(self.ends.len()).unwrap_or(MOST);
        let end = u32::try_from(self.text.len() + text.len());
        let (Ok(end), true) = (end, next < MOST) else {
            self.full = true;
            return 0;
        };
        let hash = self.hash(kind, text);
        let mut table = std::mem::take(&mut self.table);
        let known = enter(&mut table, hash, next, |index| self.is(index, kind, text));
        self.table = table;
        if let Some(index) = known {
            return index;
        }
        self.text.push_str(text);
        self.ends.push(end);
        self.kinds.push(kind);
        next
    }

    /// The index of a text, if it is stored.
    pub(super) fn find(&self, kind: u16, text: &str) -> Option<u32> {
        let hash = (self.hash(kind, text) >> 32) as u32;
        let entry = self.table.find(spread(hash), |entry| {
            entry.hash == hash && self.is(entry.index, kind, text)
        })?;
        Some(entry.index)
    }

    /// The text at an index; empty when there is none.
    pub(super) fn get(&self, index: u32) -> &str {
        self.text.get(self.range(index)).unwrap_or_default()
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

    /// The kind of the text at an index.
    pub(super) fn kind(&self, index: u32) -> u16 {
        self.kinds.get(index as usize).copied().unwrap_or_default()
    }

    /// How many texts there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether something had to be left out.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// Forgets how to find texts and gives the spare memory back; [`Words::get`] still works.
    pub(super) fn close(&mut self) {
        self.table = HashTable::new();
        self.text.shrink_to_fit();
        self.ends.shrink_to_fit();
        self.kinds.shrink_to_fit();
    }

    fn is(&self, index: u32, kind: u16, text: &str) -> bool {
        // Bytes spare the search for the ends of characters.
        let bytes = self.text.as_bytes().get(self.range(index));
        bytes == Some(text.as_bytes()) && self.kind(index) == kind
    }

    fn hash(&self, kind: u16, text: &str) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        hasher.write(text.as_bytes());
        hasher.finish() ^ u64::from(kind).wrapping_mul(SPREAD)
    }
}
