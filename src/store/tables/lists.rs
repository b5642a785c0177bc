//! The list table: lists of values, each stored once.

use std::hash::BuildHasher;
use std::io;
use std::marker::PhantomData;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::index::{Id, small};
use crate::tables::column::Column;
use crate::tables::strings::{Entry, enter, range};
use crate::tables::value_ref::{MOST, ValueRef};
use crate::tables::written::{Tables, Writer};

/// Lists of values, by index, in the order of their insertion.
#[derive(Clone)]
pub(crate) struct ListTable<I> {
    items: Column<ValueRef>,
    ends: Column<u32>,
    table: HashTable<Entry>,
    hasher: DefaultHashBuilder,
    full: bool,
    index: PhantomData<fn(I)>,
}

impl<I: Id> Default for ListTable<I> {
    fn default() -> Self {
        Self {
            items: Column::default(),
            ends: Column::default(),
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            full: false,
            index: PhantomData,
        }
    }
}

impl<I: Id> ListTable<I> {
    /// The index of a list, which is stored if it is new.
    pub(crate) fn intern(&mut self, list: &[ValueRef]) -> I {
        let next = small(self.ends.len());
        let hash = self.hasher.hash_one(list);
        let mut table = std::mem::take(&mut self.table);
        let is_same = |index: u32| self.get(I::from_usize(index as usize)) == list;
        let known = enter(&mut table, hash, next, is_same);
        self.table = table;
        match known {
            Some(known) => I::from_usize(known as usize),
            None => self.push(list),
        }
    }

    /// Stores a list without a search for an equal one.
    ///
    /// If there is no more room, the list is dropped ([`ListTable::is_full`]) and the index is wrong; the reader then
    /// rejects the store.
    pub(crate) fn push(&mut self, list: &[ValueRef]) -> I {
        let next = self.ends.len();
        let end = u32::try_from(self.items.len() + list.len());
        let (Ok(end), true) = (end, next < MOST as usize) else {
            self.full = true;
            return I::from_usize(0);
        };
        self.items.to_mut().extend_from_slice(list);
        self.ends.to_mut().push(end);
        I::from_usize(next)
    }

    /// The list at an index.
    pub(crate) fn get(&self, index: I) -> &[ValueRef] {
        let items = range(&self.ends, index.index()).and_then(|range| self.items.slice(range));
        // A damaged directory gives no answer: see `Directory::is_damaged`.
        items.unwrap_or_default()
    }

    /// Every index, in order.
    pub(crate) fn indices(&self) -> impl ExactSizeIterator<Item = I> + use<I> {
        (0..self.len()).map(I::from_usize)
    }

    /// The number of lists.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The items of all lists, in order.
    pub(crate) fn items(&self) -> impl Iterator<Item = &ValueRef> {
        self.items.iter()
    }

    /// The items of all lists, to be renamed.
    pub(crate) fn items_mut(&mut self) -> &mut [ValueRef] {
        self.items.to_mut()
    }

    /// Changes the order of the items in each list.
    pub(crate) fn reorder(&mut self, order: impl Fn(&mut [ValueRef])) {
        let mut start = 0;
        let items = self.items.to_mut();
        for &end in self.ends.iter() {
            if let Some(list) = items.get_mut(start..end as usize) {
                order(list);
            }
            start = end as usize;
        }
    }

    /// Whether a list was dropped for lack of room.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// Drops the hash table and spare capacity; [`ListTable::get`] still works.
    pub(crate) fn close(&mut self) {
        self.table = HashTable::new();
        self.items.keep();
        self.ends.keep();
    }

    /// Copies what is read from a written directory.
    pub(crate) fn own(&mut self) {
        self.items.own();
        self.ends.own();
    }

    /// Makes the hash table that [`ListTable::close`] dropped, so that lists can be stored.
    pub(crate) fn reopen(&mut self) {
        let mut table = HashTable::with_capacity(self.len());
        for index in self.indices() {
            let hash = self.hasher.hash_one(self.get(index));
            // Each list is stored once.
            enter(&mut table, hash, small(index.index()), |_| false);
        }
        self.table = table;
    }

    /// Writes the lists, for [`ListTable::from_tables`].
    pub(crate) fn write(&self, out: &mut Writer<'_>) -> io::Result<()> {
        out.table(&self.items)?;
        out.table(&self.ends)
    }

    /// The lists of a written directory.
    pub(crate) fn from_tables(tables: &mut Tables) -> Option<Self> {
        Some(Self {
            items: tables.table()?,
            ends: tables.table()?,
            ..Self::default()
        })
    }
}
