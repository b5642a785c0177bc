//! Columns: items in memory, or in a file that is mapped block by block.
//!
//! A table that is lent is read block by block, each when it is asked for the first time, and each is checked
//! against its digest before anything of it is used. The digests stand behind the tables under a digest of
//! their own. A block that does not fit is taken from what the lender works out anew; only where that does not
//! fit either is it missing, and whoever asks can tell.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::written::Lent;

/// Where a written directory is, for as long as somebody has it.
pub trait SharedBytes: Send + Sync {
    /// How many bytes there are.
    ///
    /// # Errors
    /// It is not known.
    fn size(&self) -> io::Result<u64>;

    /// Reads the bytes from an offset on, as many as there is room for.
    ///
    /// # Errors
    /// They cannot be read, or there are not as many.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;

    /// All bytes, worked out anew, since those that are read are not those that were written; `None` where that
    /// is no longer possible.
    fn anew(&self) -> Option<Vec<u8>>;

    /// Learns that something could neither be read as it was written nor be worked out anew.
    fn lost(&self) {}
}

/// What is said where an index leads nowhere.
const NO_SUCH_ITEM: &str = "an index of another table";

/// What a table holds: any bytes of the right number are one.
pub(crate) trait Item: FromBytes + IntoBytes + Immutable + Clone + 'static {}

impl<T: FromBytes + IntoBytes + Immutable + Clone + 'static> Item for T {}

/// A table of its own, or one that was lent.
#[derive(Clone)]
pub(crate) struct Column<T: 'static> {
    pub(super) own: Vec<T>,
    pub(super) lent: Option<Arc<Lent<T>>>,
}

impl<T: Item> Column<T> {
    /// The table to be changed; one that was lent is copied first.
    pub(crate) fn own(&mut self) -> &mut Vec<T> {
        if let Some(lent) = self.lent.take() {
            self.own = lent.blocks().flatten().cloned().collect();
        }
        &mut self.own
    }

    /// How many items there are.
    pub(crate) fn len(&self) -> usize {
        match &self.lent {
            Some(lent) => lent.len,
            None => self.own.len(),
        }
    }

    /// The item at an index; none where what the table was lent of is damaged ([`Written::is_damaged`]).
    ///
    /// # Panics
    /// The table has no such item: the index is one of another table, and must not become an answer.
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        assert!(index < self.len(), "{}", NO_SUCH_ITEM);
        match &self.lent {
            Some(lent) => lent.get(index),
            None => self.own.get(index),
        }
    }

    /// Some items in a row; none where what the table was lent of is damaged.
    ///
    /// # Panics
    /// The table has not all of them.
    pub(crate) fn slice(&self, range: Range<usize>) -> Option<&[T]> {
        let is_there = range.start <= range.end && range.end <= self.len();
        assert!(is_there, "{}", NO_SUCH_ITEM);
        match &self.lent {
            Some(lent) => lent.slice(range),
            None => self.own.get(range),
        }
    }

    /// Puts another item in place of one.
    ///
    /// # Panics
    /// The table has no such item.
    #[expect(
        clippy::indexing_slicing,
        reason = "an index of another table is a bug, and must not become an answer"
    )]
    pub(crate) fn set(&mut self, index: usize, item: T) {
        self.own()[index] = item;
    }

    /// Every item.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        let lent = self.lent.iter().flat_map(|lent| lent.blocks().flatten());
        self.own.iter().chain(lent)
    }

    /// The first index from which on `before` does not hold, of a table in which it holds up to some index.
    pub(crate) fn partition_point(&self, before: impl Fn(&T) -> bool) -> usize {
        let (mut start, mut end) = (0, self.len());
        while start < end {
            let middle = start + (end - start) / 2;
            match self.get(middle).is_some_and(&before) {
                true => start = middle + 1,
                false => end = middle,
            }
        }
        start
    }
}

impl<T> Default for Column<T> {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl<T> From<Vec<T>> for Column<T> {
    fn from(own: Vec<T>) -> Self {
        Self { own, lent: None }
    }
}

impl<T> FromIterator<T> for Column<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Vec::from_iter(items).into()
    }
}
