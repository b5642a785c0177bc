//! The alias index: entities by the attributes that name them.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::io;

use cedar_policy::EntityTypeName;
use fnv::FnvHasher;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::tables::column::Column;
use crate::tables::written::{Tables, Writer};
use crate::{Directory, Row};

/// All aliases, sorted by hash and then by row.
#[derive(Default)]
pub(crate) struct Aliases(Column<Entry>);

/// An alias. Its text stays in the string table, because a tenant has a million devices.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Entry {
    hash: u32,
    row: Row,
    /// The index of the attribute among those that the type declares.
    slot: u32,
}

impl Aliases {
    /// The index of all aliases; `names` lists for each type the String attributes that name its entities.
    pub(crate) fn new(directory: &Directory, names: &BTreeMap<String, Vec<String>>) -> Self {
        let mut entries = Vec::new();
        for (of_type, shape) in directory.shapes.types.iter_enumerated() {
            let attributes = names.get(&shape.name).into_iter().flatten();
            for slot in attributes.filter_map(|attribute| directory.slot(of_type, attribute)) {
                let rows = directory.range(of_type).map(Row::new);
                let named = rows.filter_map(|row| Some((directory.text_in(row, slot)?, row)));
                entries.extend(named.map(|(text, row)| Entry {
                    hash: hash(text),
                    row,
                    slot: slot as u32,
                }));
            }
        }
        entries.sort_unstable();
        entries.dedup();
        Self(entries.into())
    }

    /// Writes the index, for [`Aliases::from_tables`].
    pub(crate) fn write(&self, out: &mut Writer<'_>) -> io::Result<()> {
        out.table(&self.0)
    }

    /// The index of a written directory.
    pub(crate) fn from_tables(tables: &mut Tables) -> Option<Self> {
        Some(Self(tables.table()?))
    }
}

impl Directory {
    /// The entities of a type with this alias, in order: those that have the text as the value of an attribute that
    /// names entities of the type. The case of ASCII letters does not matter. The case of other letters does, because
    /// some of them become an ASCII letter with it, as the Kelvin sign becomes `k`.
    pub fn called(&self, type_name: &EntityTypeName, text: &str) -> Vec<Row> {
        let of_type = self.type_id(type_name);
        let range = of_type.map_or(0..0, |of_type| self.range(of_type));
        let wanted = hash(text);
        let start = self.called.0.partition_point(|entry| entry.hash < wanted);
        let entries = self.called.0.iter().skip(start);
        let entries = entries.take_while(|entry| entry.hash == wanted);
        let entries = entries.filter(|entry| range.contains(&entry.row.raw()));
        let is_called = |entry: &&Entry| {
            let name = self.text_in(entry.row, entry.slot as usize);
            name.is_some_and(|name| name.eq_ignore_ascii_case(text))
        };
        let mut rows: Vec<Row> = entries.filter(is_called).map(|entry| entry.row).collect();
        rows.dedup();
        rows
    }
}

impl Directory {
    /// The entities of a type that share a value of an attribute that names entities, compared as in
    /// [`Directory::called`]. Each value comes with its entities; the list is in the order of the entities.
    pub fn of_one_name(
        &self,
        type_name: &EntityTypeName,
        attribute: &str,
    ) -> Vec<(&str, Vec<Row>)> {
        let of_type = self.type_id(type_name);
        let range = of_type.map_or(0..0, |of_type| self.range(of_type));
        let slot = of_type.and_then(|of_type| self.slot(of_type, attribute));
        let mut shared = Vec::new();
        let is_meant =
            |entry: &&Entry| range.contains(&entry.row.raw()) && slot == Some(entry.slot as usize);
        let mut entries = self.called.0.iter().filter(is_meant).peekable();
        while let Some(first) = entries.next() {
            // Texts that differ only in case have the same hash.
            let mut rows = vec![first.row];
            while let Some(next) = entries.next_if(|next| next.hash == first.hash) {
                rows.push(next.row);
            }
            if rows.len() > 1 {
                shared.extend(self.by_name(rows, first.slot as usize));
            }
        }
        shared.sort_by(|(_, one), (_, other)| one.cmp(other));
        shared
    }
}

impl Directory {
    /// The pairs of entities of a type, in order, where the value of this attribute of the first is the id of the
    /// second.
    pub fn names_that_are_ids(
        &self,
        type_name: &EntityTypeName,
        attribute: &str,
    ) -> Vec<(Row, Row)> {
        let Some(of_type) = self.type_id(type_name) else {
            return Vec::new();
        };
        let Some(slot) = self.slot(of_type, attribute) else {
            return Vec::new();
        };
        let range = self.range(of_type);
        let mut ids: Vec<(u32, Row)> = range
            .clone()
            .map(Row::new)
            .map(|row| (hash(self.id(row)), row))
            .collect();
        ids.sort_unstable();
        let is_meant =
            |entry: &&Entry| range.contains(&entry.row.raw()) && entry.slot as usize == slot;
        let mut found = Vec::new();
        // Both are sorted by hash.
        let mut start = 0;
        for entry in self.called.0.iter().filter(is_meant) {
            let is_before = |(hash, _): &(u32, Row)| *hash < entry.hash;
            while ids.get(start).is_some_and(is_before) {
                start += 1;
            }
            let alike = ids.iter().skip(start);
            let alike = alike.take_while(|(hash, _)| *hash == entry.hash);
            let others = alike.map(|(_, row)| *row).filter(|row| *row != entry.row);
            let is_id = |row: &Row| {
                let name = self.text_in(entry.row, slot);
                let is_it = |name: &str| name.eq_ignore_ascii_case(self.id(*row));
                self.exists(*row) && name.is_some_and(is_it)
            };
            found.extend(others.filter(is_id).map(|row| (entry.row, row)));
        }
        found.sort_unstable();
        found
    }

    /// The entities that share the text in a slot, by this text.
    fn by_name(&self, rows: Vec<Row>, slot: usize) -> Vec<(&str, Vec<Row>)> {
        let mut by_name: BTreeMap<String, (&str, Vec<Row>)> = BTreeMap::new();
        for row in rows {
            if let Some(name) = self.text_in(row, slot) {
                let named = by_name.entry(name.to_ascii_lowercase());
                named.or_insert((name, Vec::new())).1.push(row);
            }
        }
        let shared = by_name.into_values();
        shared.filter(|(_, rows)| rows.len() > 1).collect()
    }
}

fn hash(text: &str) -> u32 {
    let mut hasher = FnvHasher::default();
    for byte in text.bytes() {
        hasher.write_u8(byte.to_ascii_lowercase());
    }
    let hash = hasher.finish();
    (hash ^ hash >> 32) as u32
}
