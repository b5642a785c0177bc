//! Tables with typed indices.
//!
//! An index of another table does not compile, and one that is out of range stops the program, because it must not
//! become an answer.

use std::fmt::Debug;
use std::hash::Hash;
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// An index of a table.
pub trait Id: Copy + Ord + Hash + Debug + Send + Sync + 'static {
    /// The index with this number, counted from 0.
    ///
    /// # Panics
    /// The number does not fit in `u32`.
    fn from_usize(number: usize) -> Self;

    /// The number of the index.
    fn index(self) -> usize;
}

/// Defines the index type of a table, in four bytes.
#[macro_export]
macro_rules! index_type {
    ($(#[$attribute:meta])* $visibility:vis struct $name:ident;) => {
        $(#[$attribute])*
        #[derive(Copy, Clone, Eq, Hash, PartialEq, Ord, PartialOrd, Debug)]
        $visibility struct $name(u32);

        #[allow(dead_code, reason = "not every table needs each of them")]
        impl $name {
            /// The index with this number.
            $visibility const fn new(number: u32) -> Self {
                Self(number)
            }

            /// The number of the index.
            $visibility const fn raw(self) -> u32 {
                self.0
            }
        }

        impl $crate::index::Id for $name {
            fn from_usize(number: usize) -> Self {
                Self($crate::index::small(number))
            }

            fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

/// The number of an index in four bytes.
///
/// # Panics
/// The number does not fit in `u32`.
#[expect(
    clippy::expect_used,
    reason = "a number that is cut off is another index"
)]
pub fn small(number: usize) -> u32 {
    u32::try_from(number).expect("no table has so many items")
}

/// A table of items `T` by indices `I`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexVec<I, T> {
    /// The items, in the order of their indices.
    pub raw: Vec<T>,
    index: PhantomData<fn(I)>,
}

impl<I: Id, T> IndexVec<I, T> {
    /// An empty table.
    pub const fn new() -> Self {
        Self {
            raw: Vec::new(),
            index: PhantomData,
        }
    }

    /// A table with the same item a number of times.
    pub fn filled(item: T, count: usize) -> Self
    where
        T: Clone,
    {
        vec![item; count].into()
    }

    /// Adds an item and returns its index.
    pub fn push(&mut self, item: T) -> I {
        let index = self.next();
        self.raw.push(item);
        index
    }

    /// The index of the next item to be added.
    pub fn next(&self) -> I {
        I::from_usize(self.len())
    }

    /// The number of items.
    pub fn len(&self) -> usize {
        self.raw.len()
    }

    /// Whether there are no items.
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// The first item.
    pub fn first(&self) -> Option<&T> {
        self.raw.first()
    }

    /// The index of the first item for which the test is true.
    pub fn position(&self, is: impl FnMut(&T) -> bool) -> Option<I> {
        self.raw.iter().position(is).map(I::from_usize)
    }

    /// Every index, in order.
    pub fn indices(
        &self,
    ) -> impl DoubleEndedIterator<Item = I> + ExactSizeIterator + Clone + use<I, T> {
        (0..self.len()).map(I::from_usize)
    }

    /// The items, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.raw.iter()
    }

    /// The items, in order, to be changed.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.raw.iter_mut()
    }

    /// The items with their indices, in order.
    pub fn iter_enumerated(&self) -> impl Iterator<Item = (I, &T)> {
        self.indices().zip(&self.raw)
    }
}

impl<I: Id, T> Default for IndexVec<I, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<I, T> From<Vec<T>> for IndexVec<I, T> {
    fn from(raw: Vec<T>) -> Self {
        Self {
            raw,
            index: PhantomData,
        }
    }
}

impl<I, T> FromIterator<T> for IndexVec<I, T> {
    fn from_iter<Items: IntoIterator<Item = T>>(items: Items) -> Self {
        Vec::from_iter(items).into()
    }
}

impl<I, T> IntoIterator for IndexVec<I, T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.raw.into_iter()
    }
}

impl<'t, I, T> IntoIterator for &'t IndexVec<I, T> {
    type Item = &'t T;
    type IntoIter = std::slice::Iter<'t, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.raw.iter()
    }
}

impl<'t, I, T> IntoIterator for &'t mut IndexVec<I, T> {
    type Item = &'t mut T;
    type IntoIter = std::slice::IterMut<'t, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.raw.iter_mut()
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "an index of another table is a bug, and must not become an answer"
)]
impl<I: Id, T> Index<I> for IndexVec<I, T> {
    type Output = T;

    fn index(&self, index: I) -> &T {
        &self.raw[index.index()]
    }
}

#[expect(clippy::indexing_slicing, reason = "as above")]
impl<I: Id, T> IndexMut<I> for IndexVec<I, T> {
    fn index_mut(&mut self, index: I) -> &mut T {
        &mut self.raw[index.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    index_type! {
        /// A thing.
        struct ThingId;
    }

    fn things() -> IndexVec<ThingId, &'static str> {
        IndexVec::from(vec!["first", "second"])
    }

    #[test]
    fn an_index_leads_to_its_item() {
        let mut things = things();
        let third = things.push("third");
        assert_eq!((things[third], third.raw()), ("third", 2));
        assert_eq!(
            things.position(|thing| *thing == "second"),
            Some(ThingId::new(1))
        );
        things[ThingId::new(0)] = "other";
        assert_eq!(things.raw, ["other", "second", "third"]);
    }

    #[test]
    #[should_panic(expected = "index out of bounds")]
    fn an_index_of_another_table_leads_to_none() {
        let _ = things()[ThingId::new(2)];
    }

    #[test]
    #[should_panic(expected = "no table has so many items")]
    fn an_index_is_not_cut_off() {
        ThingId::from_usize(u32::MAX as usize + 1);
    }
}
