//! A column: the items of a table, in memory or on disk.
//!
//! A written directory is read in blocks, each at its first use, and each is checked against its digest before any
//! item is returned. The digests stand after the tables, under a digest of their own. A block with another digest is
//! replaced from [`SharedBytes::anew`]; if that fails too, its items are missing and the directory is damaged
//! ([`Written::is_damaged`]).

use std::io;
use std::ops::Range;
use std::sync::Arc;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::written::Shared;

/// The bytes of a written directory, readable at any offset while the directory is in use.
pub trait SharedBytes: Send + Sync {
    /// The number of bytes.
    ///
    /// # Errors
    /// The number cannot be found out.
    fn size(&self) -> io::Result<u64>;

    /// Fills the buffer with the bytes from an offset on.
    ///
    /// # Errors
    /// The bytes cannot be read, or there are too few.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;

    /// All bytes, computed again because those that were read have another digest; `None` if that is no longer
    /// possible.
    fn anew(&self) -> Option<Vec<u8>>;

    /// Is called when a block can neither be read as it was written nor be computed again.
    fn lost(&self) {}
}

/// The message of the panic at an index out of range.
const NO_SUCH_ITEM: &str = "an index of another table";

/// An item of a column. Any bytes of its size are a valid item.
pub(crate) trait Item: FromBytes + IntoBytes + Immutable + Clone + 'static {}

impl<T: FromBytes + IntoBytes + Immutable + Clone + 'static> Item for T {}

/// The items of a table: its own, or those of a written directory.
#[derive(Clone)]
pub(crate) struct Column<T: 'static> {
    own: Items<T>,
    shared: Option<Arc<Shared<T>>>,
}

/// The items in memory.
#[derive(Clone)]
enum Items<T> {
    /// They are still being collected.
    Open(Vec<T>),
    /// A copy of the table has them too, until one of the two is changed.
    Kept(Arc<Vec<T>>),
}

impl<T: Item> Column<T> {
    /// The items of a written directory.
    pub(super) fn written(shared: Shared<T>) -> Self {
        Self {
            shared: Some(Arc::new(shared)),
            ..Self::default()
        }
    }

    /// The items, to be changed; those that are shared are copied first.
    pub(crate) fn to_mut(&mut self) -> &mut Vec<T> {
        self.own();
        match &mut self.own {
            Items::Open(items) => items,
            Items::Kept(items) => Arc::make_mut(items),
        }
    }

    /// Copies the items of a written directory.
    pub(crate) fn own(&mut self) {
        if let Some(shared) = self.shared.take() {
            self.own = Items::Open(shared.blocks().flatten().cloned().collect());
        }
    }

    /// Drops spare capacity, and lets copies share the items.
    pub(crate) fn keep(&mut self) {
        if let Items::Open(items) = &mut self.own {
            items.shrink_to_fit();
            self.own = Items::Kept(Arc::new(std::mem::take(items)));
        }
    }

    /// The items in memory.
    fn here(&self) -> &[T] {
        match &self.own {
            Items::Open(items) => items,
            Items::Kept(items) => items,
        }
    }

    /// The number of items.
    pub(crate) fn len(&self) -> usize {
        match &self.shared {
            Some(shared) => shared.len,
            None => self.here().len(),
        }
    }

    /// The item at an index; `None` if the written directory is damaged ([`Written::is_damaged`]).
    ///
    /// # Panics
    /// The index is out of range. It belongs to another table, and must not become an answer.
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        assert!(index < self.len(), "{}", NO_SUCH_ITEM);
        match &self.shared {
            Some(shared) => shared.get(index),
            None => self.here().get(index),
        }
    }

    /// Consecutive items; `None` if the written directory is damaged.
    ///
    /// # Panics
    /// The range is out of bounds.
    pub(crate) fn slice(&self, range: Range<usize>) -> Option<&[T]> {
        let is_there = range.start <= range.end && range.end <= self.len();
        assert!(is_there, "{}", NO_SUCH_ITEM);
        match &self.shared {
            Some(shared) => shared.slice(range),
            None => self.here().get(range),
        }
    }

    /// Replaces an item.
    ///
    /// # Panics
    /// The index is out of range.
    #[expect(
        clippy::indexing_slicing,
        reason = "an index of another table is a bug, and must not become an answer"
    )]
    pub(crate) fn set(&mut self, index: usize, item: T) {
        self.to_mut()[index] = item;
    }

    /// Every item, in order, in blocks of so many; those of a written directory have its own size.
    pub(super) fn blocks(&self, size: usize) -> impl Iterator<Item = &[T]> {
        let shared = self.shared.iter().flat_map(|shared| shared.blocks());
        self.here().chunks(size).chain(shared)
    }

    /// Every item, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.blocks(usize::MAX).flatten()
    }

    /// The index of the first item for which `before` is false. All items for which it is true must stand in front.
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
        Self {
            own: Items::Open(own),
            shared: None,
        }
    }
}

impl<T> FromIterator<T> for Column<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Vec::from_iter(items).into()
    }
}
