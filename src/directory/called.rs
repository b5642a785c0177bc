//! What entities are called: the attributes that name them as well as their ids do.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::io;

use cedar_policy::EntityTypeName;
use fnv::FnvHasher;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::flat::{Flat, Tables, Writer};
use super::{Directory, Row};

/// Every name by its hash, and then by row.
#[derive(Default)]
pub(super) struct Called(Flat<Entry>);

/// The names themselves stay where they are: a tenant has a million devices.
#[derive(Debug, Copy, Clone, PartialEq, Eq, PartialOrd, Ord, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
struct Entry {
    hash: u32,
    row: u32,
    /// The place of the attribute among those that the type declares.
    slot: u32,
}

impl Called {
    /// Looks up the names of all entities: for each type the String attributes that name its entities.
    pub(super) fn new(directory: &Directory, names: &BTreeMap<String, Vec<String>>) -> Self {
        let mut entries = Vec::new();
        for (kind, shape) in (0..).zip(directory.shapes.types()) {
            let attributes = names.get(&shape.name).into_iter().flatten();
            for slot in attributes.filter_map(|attribute| directory.slot(kind, attribute)) {
                let rows = directory.range(kind);
                let named = rows.filter_map(|row| Some((directory.text_in(Row(row), slot)?, row)));
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

    /// Writes everything for [`Called::lent`].
    pub(super) fn write(&self, out: &mut Writer<'_>) -> io::Result<()> {
        out.table(&self.0)
    }

    /// Takes what was written.
    pub(super) fn lent(tables: &mut Tables) -> Option<Self> {
        Some(Self(tables.table()?))
    }
}

impl Directory {
    /// The entities of a type that are called so, whatever the case, in order: those with this value of one
    /// of the attributes that name entities of the type.
    pub fn called(&self, type_name: &EntityTypeName, text: &str) -> Vec<Row> {
        let of_type = self.entity_type(type_name);
        let range = of_type.map_or(0..0, |kind| self.range(kind));
        let wanted = hash(text);
        let start = self.called.0.partition_point(|entry| entry.hash < wanted);
        let entries = self.called.0.iter().skip(start);
        let entries = entries.take_while(|entry| entry.hash == wanted);
        let entries = entries.filter(|entry| range.contains(&entry.row));
        let is_called = |entry: &&Entry| {
            let name = self.text_in(Row(entry.row), entry.slot as usize);
            name.is_some_and(|name| same(name, text))
        };
        let mut rows: Vec<Row> = entries
            .filter(is_called)
            .map(|entry| Row(entry.row))
            .collect();
        rows.dedup();
        rows
    }
}

fn hash(text: &str) -> u32 {
    let mut hasher = FnvHasher::default();
    for character in lowered(text) {
        hasher.write_u32(character.into());
    }
    let hash = hasher.finish();
    (hash ^ hash >> 32) as u32
}

fn same(one: &str, other: &str) -> bool {
    lowered(one).eq(lowered(other))
}

fn lowered(text: &str) -> impl Iterator<Item = char> {
    text.chars().flat_map(char::to_lowercase)
}
