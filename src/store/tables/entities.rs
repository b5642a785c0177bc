//! The tables of entities, while they are read and in a finished directory.

use std::io;

use hashbrown::HashMap;
use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::Row;
use crate::index::{Id, IndexVec};
use crate::tables::column::Column;
use crate::tables::ids::{CompoundId, ExtensionId, ListId, LongId, MemberId, TextId, TypeId};
use crate::tables::lists::ListTable;
use crate::tables::strings::StringTable;
use crate::tables::value_ref::{Header, MOST, Meaning, ValueRef};
use crate::tables::written::{Tables, Writer};

/// Entities and their values, each distinct value stored once.
///
/// Each worker of the parallel reader fills a store of its own from a block of a file; [`Store::absorb`] joins them.
#[derive(Default, Clone)]
pub(crate) struct Store {
    /// Every uid that occurs. The string is the id.
    pub(crate) uids: StringTable<Row>,
    /// The strings in attributes, and the keys of tags.
    pub(crate) texts: StringTable<TextId>,
    /// The values of type Long.
    pub(crate) longs: Column<i64>,
    longs_known: HashMap<i64, LongId>,
    /// The extension values, as Cedar expressions.
    pub(crate) extensions: StringTable<ExtensionId>,
    /// Sets, records and tags; the first item of each is its [`Header`].
    pub(crate) compounds: ListTable<CompoundId>,
    /// The lists of direct parents, each sorted and without repetition.
    pub(crate) parents: ListTable<ListId>,
    /// The attribute values of entities: a slot for each attribute that the entity type declares, and one for tags.
    pub(crate) slots: Column<ValueRef>,
    /// The entities that stand in a file or are given.
    pub(crate) members: Column<EntityRow>,
    /// The uids of entities that stand in a file and were refused.
    pub(crate) broken: Vec<Row>,
}

/// An entity that stands in a file or is given.
#[derive(Copy, Clone, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub(crate) struct EntityRow {
    /// The uid.
    pub(crate) uid: Row,
    /// The list of direct parents.
    pub(crate) parents: ListId,
    /// The index of the first slot.
    pub(crate) slots: u32,
    /// The index of the file.
    pub(crate) file: u32,
    /// The offset of the first byte in the file, in two halves, so that the struct needs no padding.
    offset: [u32; 2],
}

impl EntityRow {
    /// An entity whose object begins at an offset of a file.
    pub(crate) fn new(uid: Row, parents: ListId, slots: u32, file: u32, offset: u64) -> Self {
        Self {
            uid,
            parents,
            slots,
            file,
            offset: [(offset >> 32) as u32, offset as u32],
        }
    }

    /// This entity with another list of parents.
    pub(crate) fn with_parents(self, parents: ListId) -> Self {
        Self { parents, ..self }
    }

    /// The offset of the first byte in the file.
    pub(crate) fn offset(&self) -> u64 {
        let [high, low] = self.offset;
        u64::from(high) << 32 | u64::from(low)
    }
}

impl Store {
    /// A reference to a Long, which is stored if it is new.
    pub(crate) fn long(&mut self, long: i64) -> ValueRef {
        let next = LongId::from_usize(self.longs.len());
        let index = *self.longs_known.entry(long).or_insert(next);
        if index == next {
            self.longs.to_mut().push(long);
        }
        ValueRef::new(Meaning::Long(index))
    }

    /// A reference to a String, which is stored if it is new.
    pub(crate) fn text(&mut self, text: &str) -> ValueRef {
        ValueRef::new(Meaning::Text(self.texts.intern(TypeId::PLAIN, text)))
    }

    /// A reference to an extension value, given as a Cedar expression.
    pub(crate) fn extension(&mut self, expression: &str) -> ValueRef {
        ValueRef::new(Meaning::Extension(
            self.extensions.intern(TypeId::PLAIN, expression),
        ))
    }

    /// A reference to a set. The first item is the header; the others are sorted here.
    pub(crate) fn set(&mut self, items: &mut Vec<ValueRef>) -> ValueRef {
        if let Some((_, elements)) = items.split_first_mut() {
            elements.sort_unstable();
        }
        items.dedup();
        self.compound(items)
    }

    /// A reference to a set, record or tags, header first.
    pub(crate) fn compound(&mut self, items: &[ValueRef]) -> ValueRef {
        ValueRef::new(Meaning::Compound(self.compounds.intern(items)))
    }

    /// The index of a list of parents, which is sorted here.
    pub(crate) fn parents(&mut self, parents: &mut Vec<ValueRef>) -> ListId {
        parents.sort_unstable();
        parents.dedup();
        self.parents.intern(parents)
    }

    /// Whether a table has overflowed.
    pub(crate) fn is_full(&self) -> bool {
        self.uids.is_full()
            || self.texts.is_full()
            || self.compounds.is_full()
            || self.parents.is_full()
            || self.extensions.is_full()
            || self.longs.len() >= MOST as usize
            || u32::try_from(self.slots.len()).is_err()
    }

    /// Adds the tables of another store, with the indices of this one.
    ///
    /// `accept` gets each entity with its slots, and decides whether to store it.
    pub(crate) fn absorb(
        &mut self,
        other: &Store,
        mut accept: impl FnMut(&mut Store, EntityRow, &[ValueRef]),
    ) {
        let names = self.absorb_values(other);
        let mut items = Vec::new();
        let mut parents: IndexVec<ListId, ListId> = IndexVec::new();
        for index in other.parents.indices() {
            items.clear();
            items.extend(other.parents.get(index).iter().map(|item| names.get(*item)));
            parents.push(self.parents(&mut items));
        }
        for &uid in &other.broken {
            self.broken.push(names.uids[uid]);
        }
        let ends = other.members.iter().skip(1);
        let ends = ends.map(|member| member.slots as usize);
        let ends = ends.chain([other.slots.len()]);
        for (member, end) in other.members.iter().zip(ends) {
            let slots = other.slots.slice(member.slots as usize..end);
            let slots = slots.unwrap_or_default().iter();
            items.clear();
            items.extend(slots.map(|slot| names.get(*slot)));
            let renamed = EntityRow {
                uid: names.uids[member.uid],
                parents: parents[member.parents],
                ..*member
            };
            accept(self, renamed, &items);
        }
    }

    /// Adds the uids, strings and values of another store, and returns their indices in this one.
    fn absorb_values(&mut self, other: &Store) -> Names {
        let mut names = Names {
            uids: words(&other.uids, &mut self.uids),
            texts: words(&other.texts, &mut self.texts),
            longs: IndexVec::new(),
            extensions: IndexVec::new(),
            compounds: IndexVec::new(),
        };
        for &long in other.longs.iter() {
            let long = self.long(long);
            names.longs.push(long);
        }
        for index in other.extensions.indices() {
            let extension = self.extension(other.extensions.get(index));
            names.extensions.push(extension);
        }
        let mut items = Vec::new();
        // The compounds within a compound have lower indices.
        for index in other.compounds.indices() {
            items.clear();
            items.extend(
                other
                    .compounds
                    .get(index)
                    .iter()
                    .map(|item| names.get(*item)),
            );
            let is_set =
                items.first().map(|item| item.meaning()) == Some(Meaning::Header(Header::Set));
            let compound = if is_set {
                self.set(&mut items)
            } else {
                self.compound(&items)
            };
            names.compounds.push(compound);
        }
        names
    }

    /// Stores an entity.
    pub(crate) fn push(&mut self, member: EntityRow, slots: &[ValueRef]) -> MemberId {
        let id = MemberId::from_usize(self.members.len());
        // The reader rejects a store that is full.
        let start = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.members.to_mut().push(EntityRow {
            slots: start,
            ..member
        });
        self.slots.to_mut().extend_from_slice(slots);
        id
    }

    /// Copies what is read from a written directory.
    pub(crate) fn own(&mut self) {
        self.uids.own();
        self.texts.own();
        self.longs.own();
        self.extensions.own();
        self.compounds.own();
        self.parents.own();
        self.slots.own();
        self.members.own();
    }

    /// Makes the hash tables that [`Store::close`] dropped, as far as the values of another store need them.
    pub(crate) fn reopen_for(&mut self, other: &Store) {
        self.uids.reopen();
        self.parents.reopen();
        if other.texts.len() > 0 {
            self.texts.reopen();
        }
        if other.compounds.len() > 0 {
            self.compounds.reopen();
        }
        if other.extensions.len() > 0 {
            self.extensions.reopen();
        }
        if other.longs.len() > 0 {
            let longs = self.longs.iter().copied();
            self.longs_known = longs.zip((0..).map(LongId::new)).collect();
        }
    }

    /// Stores an entity in place of another of its type.
    pub(crate) fn replace(&mut self, id: MemberId, member: EntityRow, slots: &[ValueRef]) {
        let members = self.members.to_mut();
        if let Some(known) = members.get_mut(id.index()) {
            *known = EntityRow {
                slots: known.slots,
                ..member
            };
            let own = self.slots.to_mut().iter_mut().skip(known.slots as usize);
            own.zip(slots).for_each(|(own, slot)| *own = *slot);
        }
    }

    /// Drops the hash tables, which only the readers need. The one of the uids stays, because the uids that policies
    /// name are added later.
    pub(crate) fn close(&mut self) {
        self.texts.close();
        self.compounds.close();
        self.parents.close();
        self.extensions.close();
        self.longs_known = HashMap::new();
        self.longs.keep();
        self.slots.keep();
        self.members.keep();
    }

    /// Writes all tables, for [`Store::from_tables`].
    pub(crate) fn write(&self, out: &mut Writer<'_>) -> io::Result<()> {
        self.uids.write(out)?;
        self.texts.write(out)?;
        out.table(&self.longs)?;
        self.extensions.write(out)?;
        self.compounds.write(out)?;
        self.parents.write(out)?;
        out.table(&self.slots)?;
        out.table(&self.members)
    }

    /// The tables of a written directory.
    pub(crate) fn from_tables(tables: &mut Tables) -> Option<Self> {
        Some(Self {
            uids: StringTable::from_tables(tables)?,
            texts: StringTable::from_tables(tables)?,
            longs: tables.table()?,
            extensions: StringTable::from_tables(tables)?,
            compounds: ListTable::from_tables(tables)?,
            parents: ListTable::from_tables(tables)?,
            slots: tables.table()?,
            members: tables.table()?,
            ..Self::default()
        })
    }
}

/// The indices in one store for those of another.
struct Names {
    uids: IndexVec<Row, Row>,
    texts: IndexVec<TextId, TextId>,
    longs: IndexVec<LongId, ValueRef>,
    extensions: IndexVec<ExtensionId, ValueRef>,
    compounds: IndexVec<CompoundId, ValueRef>,
}

impl Names {
    fn get(&self, packed: ValueRef) -> ValueRef {
        match packed.meaning() {
            Meaning::Absent | Meaning::Header(_) | Meaning::Bool(_) => packed,
            Meaning::Long(index) => self.longs[index],
            Meaning::Text(index) => ValueRef::new(Meaning::Text(self.texts[index])),
            Meaning::Entity(row) => ValueRef::entity(self.uids[row]),
            Meaning::Compound(index) => self.compounds[index],
            Meaning::Extension(index) => self.extensions[index],
        }
    }
}

fn words<I: Id>(from: &StringTable<I>, to: &mut StringTable<I>) -> IndexVec<I, I> {
    from.indices()
        .map(|index| to.intern(from.type_of(index), from.get(index)))
        .collect()
}
