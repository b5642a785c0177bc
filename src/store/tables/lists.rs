//! Lists of values stored once, one after the other.

use std::hash::BuildHasher;
use std::io;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::tables::column::{Column, Tables, Writer};
use crate::tables::strings::{Entry, enter};
use crate::tables::value_ref::{MOST, ValueRef};

/// Lists of values, known by the order in which they came.
#[derive(Default, Clone)]
pub(crate) struct ListTable {
    items: Column<ValueRef>,
    ends: Column<u32>,
    table: HashTable<Entry>,
    hasher: DefaultHashBuilder,
    full: bool,
}

impl ListTable {
    /// The index of a list, which is stored if it is new.
    pub(crate) fn intern(&mut self, list: &[ValueRef]) -> u32 {
        let next = u32::try_from(self.ends.len()).unwrap_or(MOST);
        let hash = self.hasher.hash_one(list);
        let mut table = std::mem::take(&mut self.table);
        let known = enter(&mut table, hash, next, |index| self.get(index) == list);
        self.table = table;
        known.unwrap_or_else(|| self.push(list))
    }

    /// Stores a list without looking whether there is one like it.
    pub(crate) fn push(&mut self, list: &[ValueRef]) -> u32 {
        let next = u32::try_from(self.ends.len()).unwrap_or(MOST);
        let end = u32::try_from(self.items.len() + list.len());
        let (Ok(end), true) = (end, next < MOST) else {
            self.full = true;
            return 0;
        };
        self.items.own().extend_from_slice(list);
        self.ends.own().push(end);
        next
    }

    /// The list at an index; empty when there is none.
    pub(crate) fn get(&self, index: u32) -> &[ValueRef] {
        let range = self.range(index as usize);
        self.items.slice(range).unwrap_or_default()
    }

    fn range(&self, index: usize) -> std::ops::Range<usize> {
        let start = match index.checked_sub(1) {
            Some(before) => self.ends.get(before).copied(),
            None => Some(0),
        };
        match (start, self.ends.get(index)) {
            (Some(start), Some(&end)) => start as usize..end as usize,
            _ => 0..0,
        }
    }

    /// How many lists there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Every item of every list.
    pub(crate) fn items(&self) -> impl Iterator<Item = &ValueRef> {
        self.items.iter()
    }

    /// Every item of every list, to be renamed.
    pub(crate) fn items_mut(&mut self) -> &mut [ValueRef] {
        self.items.own()
    }

    /// Sorts each list.
    pub(crate) fn sort_each(&mut self) {
        let mut start = 0;
        let items = self.items.own();
        for &end in self.ends.iter() {
            if let Some(list) = items.get_mut(start..end as usize) {
                list.sort_unstable();
            }
            start = end as usize;
        }
    }

    /// Whether something had to be left out.
    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// Forgets how to find lists and gives the spare memory back; [`ListTable::get`] still works.
    pub(crate) fn close(&mut self) {
        self.table = HashTable::new();
        self.items.own().shrink_to_fit();
        self.ends.own().shrink_to_fit();
    }

    /// Writes the lists for [`ListTable::lent`].
    pub(crate) fn write(&self, out: &mut Writer<'_>) -> io::Result<()> {
        out.table(&self.items)?;
        out.table(&self.ends)
    }

    /// Takes lists that were written.
    pub(crate) fn lent(tables: &mut Tables) -> Option<Self> {
        Some(Self {
            items: tables.table()?,
            ends: tables.table()?,
            ..Self::default()
        })
    }
}
