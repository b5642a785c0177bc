//! Look-ups in the entity store: rows, parents, ancestors, paths, attribute values.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Range;

use cedar_policy::{EntityTypeName, EntityUid};

use crate::index::Id;
use crate::read::schema::{Field, TypeShape};
use crate::tables::entities::EntityRow;
use crate::tables::ids::{CompoundId, TypeId};
use crate::tables::value_ref::{Header, Meaning, ValueRef};
use crate::{Directory, ListId, Row};
use tarbac_diagnostic::source::Place;

impl Directory {
    /// The row of a uid that is defined, referred to, or named by a policy.
    pub fn row(&self, uid: &EntityUid) -> Option<Row> {
        let of_type = self.type_id(uid.type_name())?;
        let (uids, id) = (&self.store.uids, uid.id().unescaped());
        match self.hashed.get() {
            Some(hashed) => uids.find(hashed, of_type, id),
            None => uids.find_in(self.range(of_type), id),
        }
    }

    /// Makes [`Directory::row`] faster for many calls, with 9 to 18 bytes for each uid.
    pub fn hash_uids(&self) {
        self.hashed.get_or_init(|| self.store.uids.hashed());
    }

    /// Whether the entity stands in a file or is given.
    pub fn is_defined(&self, row: Row) -> bool {
        self.member(row).is_some()
    }

    /// Whether an entity with this uid stands in a file or is given.
    pub fn defines(&self, uid: &EntityUid) -> bool {
        self.row(uid).is_some_and(|row| self.is_defined(row))
    }

    /// Whether the entity is defined, or exists without being defined: because a policy names it and its type has no
    /// required attribute, because the schema lists the ids of its type, or because its type has neither attributes
    /// nor tags nor parents ([`EntityRules::bare_ids`](crate::EntityRules::bare_ids)).
    pub fn exists(&self, row: Row) -> bool {
        self.is_defined(row)
            || self.is_assumed(row)
            || self
                .shape(row)
                .is_some_and(|shape| shape.ids.is_some() || shape.free)
    }

    fn is_assumed(&self, row: Row) -> bool {
        let place = self.assumed.partition_point(|assumed| *assumed < row);
        place < self.assumed.len() && self.assumed.get(place) == Some(&row)
    }

    /// Whether an entity with this uid exists.
    pub fn knows(&self, uid: &EntityUid) -> bool {
        self.row(uid).is_some_and(|row| self.exists(row))
    }

    /// The uids that are neither defined, nor referred to by an entity, nor listed by the schema.
    pub fn nowhere_among(&self, mut uids: BTreeSet<EntityUid>) -> BTreeSet<EntityUid> {
        let is_listed = |row: Row| {
            let shape = self.shape(row);
            shape.is_some_and(|shape| shape.ids.is_some())
        };
        let is_here = |uid: &EntityUid| {
            let row = self.row(uid);
            row.is_some_and(|row| self.is_defined(row) || is_listed(row))
        };
        uids.retain(|uid| !is_here(uid));
        let wanted = uids.iter().filter_map(|uid| Some((self.row(uid)?, uid)));
        let wanted: BTreeMap<Row, &EntityUid> = wanted.collect();
        if wanted.is_empty() {
            return uids;
        }
        let (lists, compounds) = (&self.store.parents, &self.store.compounds);
        let lists = lists.indices().map(|list| lists.get(list));
        let compounds = compounds.indices().map(|index| compounds.get(index));
        let slots = self.store.members.iter().map(|member| self.slots(member));
        let items = lists.chain(compounds).chain(slots).flatten();
        let referred_to = items.filter_map(|item| wanted.get(&item.as_entity()?));
        let referred_to: BTreeSet<EntityUid> = referred_to.map(|uid| (*uid).clone()).collect();
        uids.retain(|uid| !referred_to.contains(uid));
        uids
    }

    /// The name of the entity type, for example `Entra::User`.
    pub fn type_name(&self, row: Row) -> &str {
        // A damaged directory gives no answer: see `Directory::is_damaged`.
        self.shape(row).map_or("", |shape| &shape.name)
    }

    /// The id of the entity.
    pub fn id(&self, row: Row) -> &str {
        self.store.uids.get(row)
    }

    /// The rows of the defined entities, in order.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        self.every_row().filter(|row| self.is_defined(*row))
    }

    /// Every row, in order, including those of entities that are not defined.
    pub fn every_row(&self) -> impl ExactSizeIterator<Item = Row> + use<> {
        self.store.uids.indices()
    }

    /// The rows of the defined entities of a type, in order.
    pub fn rows_of<'d>(
        &'d self,
        type_name: &EntityTypeName,
    ) -> impl Iterator<Item = Row> + use<'d> {
        let range = self
            .type_id(type_name)
            .map_or(0..0, |of_type| self.range(of_type));
        self.defined(range)
    }

    /// The rows whose entities may be ancestors of an entity by the schema, in order.
    pub fn rows_above(&self, row: Row) -> impl Iterator<Item = Row> {
        let of_type = Some(self.type_of(row)).filter(|of_type| *of_type != TypeId::LOST);
        let above = of_type.into_iter();
        let above = above.flat_map(|of_type| self.shapes.all_above(of_type));
        above.flat_map(|above| self.range(above)).map(Row::new)
    }

    fn defined(&self, range: Range<u32>) -> impl Iterator<Item = Row> {
        range.map(Row::new).filter(|row| self.is_defined(*row))
    }

    /// The direct parents, in order.
    pub fn parents(&self, row: Row) -> impl Iterator<Item = Row> {
        let list = self.list_of_parents(row).into_iter();
        list.flat_map(|list| self.parents_in(list))
    }

    /// The list of direct parents.
    pub fn list_of_parents(&self, row: Row) -> Option<ListId> {
        self.member(row).map(|member| member.parents)
    }

    /// The parents in a list, in order.
    pub fn parents_in(&self, list: ListId) -> impl Iterator<Item = Row> {
        let parents = self.store.parents.get(list);
        parents.iter().filter_map(|item| item.as_entity())
    }

    /// All ancestors: first the direct parents, then the others.
    pub fn ancestors(&self, row: Row) -> impl Iterator<Item = Row> {
        let list = self.member(row).map(|member| member.parents);
        let above = list.map_or(&[][..], |list| self.closure.above(list));
        self.parents(row).chain(above.iter().copied())
    }

    /// The shortest path of direct parents, with both ends; of several, the one that is first in the order of rows.
    pub fn path(&self, from: Row, to: Row) -> Option<Vec<Row>> {
        let mut child_of: BTreeMap<Row, Row> = BTreeMap::new();
        let mut waiting = VecDeque::from([from]);
        while let Some(row) = waiting.pop_front() {
            if row == to {
                let mut path = vec![row];
                let mut last = row;
                while let Some(&child) = child_of.get(&last).filter(|_| last != from) {
                    path.push(child);
                    last = child;
                }
                path.reverse();
                return Some(path);
            }
            for parent in self.parents(row) {
                if parent != from && !child_of.contains_key(&parent) {
                    child_of.insert(parent, row);
                    waiting.push_back(parent);
                }
            }
        }
        None
    }

    /// The value of an attribute that is a String.
    pub fn attribute_text(&self, row: Row, attribute: &str) -> Option<&str> {
        self.text(*self.attribute(row, attribute)?)
    }

    /// The texts in an attribute that is a String or a set of Strings.
    pub fn attribute_texts(&self, row: Row, attribute: &str) -> impl Iterator<Item = &str> {
        let items = self.attribute_items(row, attribute).iter();
        items.filter_map(|item| self.text(*item))
    }

    /// The index of an attribute among those that a type declares.
    pub(crate) fn slot(&self, of_type: TypeId, attribute: &str) -> Option<usize> {
        let fields = self.shapes.fields(self.shapes.types[of_type].record);
        fields.iter().position(|field| field.name == attribute)
    }

    /// The String in a slot of an entity.
    pub(crate) fn text_in(&self, row: Row, slot: usize) -> Option<&str> {
        self.text(*self.slots(self.member(row)?).get(slot)?)
    }

    fn text(&self, value: ValueRef) -> Option<&str> {
        match value.meaning() {
            Meaning::Text(index) => Some(self.store.texts.get(index)),
            _ => None,
        }
    }

    /// The value of an attribute, if the entity has it.
    pub(crate) fn attribute(&self, row: Row, attribute: &str) -> Option<&ValueRef> {
        let member = self.member(row)?;
        let mut fields = self.fields(row).iter();
        let slot = fields.position(|field| field.name == attribute)?;
        let value = self.slots(member).get(slot)?;
        (*value != ValueRef::ABSENT).then_some(value)
    }

    /// The elements of an attribute that is a set; of another, its value.
    fn attribute_items(&self, row: Row, attribute: &str) -> &[ValueRef] {
        match self.attribute(row, attribute) {
            None => &[],
            Some(value) => match value.as_compound() {
                Some(index) => self.store.compounds.get(index),
                None => std::slice::from_ref(value),
            },
        }
    }

    /// The place of an entity: its file and the offset of its object.
    pub fn place(&self, row: Row) -> Option<Place> {
        let member = self.member(row)?;
        let source = self.sources.get(member.file as usize)?;
        Some(crate::read::parallel::label(source, member.offset(), "").place)
    }

    /// The entities that attributes and tags refer to, in records at any depth but not in sets, sorted and without
    /// repetition.
    ///
    /// A policy cannot take an element out of a set, so it cannot read the attributes of one.
    pub fn references(&self, row: Row) -> impl Iterator<Item = Row> {
        let mut found = Vec::new();
        if let Some(member) = self.member(row) {
            let mut waiting = vec![self.slots(member)];
            while let Some(items) = waiting.pop() {
                for item in items {
                    match item.meaning() {
                        Meaning::Entity(row) => found.push(row),
                        Meaning::Compound(index) => waiting.extend(self.record(index)),
                        _ => {}
                    }
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter()
    }

    /// The value of an attribute that is an entity.
    pub fn attribute_entity(&self, row: Row, attribute: &str) -> Option<Row> {
        self.attribute(row, attribute)?.as_entity()
    }

    /// The value of an attribute that is an entity or a set of entities, in order.
    pub fn attribute_entities(&self, row: Row, attribute: &str) -> Vec<Row> {
        let items = self.attribute_items(row, attribute).iter();
        items.filter_map(|item| item.as_entity()).collect()
    }

    /// Whether an attribute is the Bool `true`.
    pub fn attribute_is_true(&self, row: Row, attribute: &str) -> bool {
        let value = self.attribute(row, attribute);
        value.is_some_and(|value| value.meaning() == Meaning::Bool(true))
    }

    /// Whether an entity has an attribute, whatever its value.
    pub fn has_attribute(&self, row: Row, attribute: &str) -> bool {
        self.attribute(row, attribute).is_some()
    }

    /// Whether an attribute is a set of Strings that contains this one.
    pub fn attribute_has_text(&self, row: Row, attribute: &str, text: &str) -> bool {
        let mut texts = self.attribute_texts(row, attribute);
        texts.any(|item| item == text)
    }

    /// The items of a compound; `None` for a set.
    fn record(&self, index: CompoundId) -> Option<&[ValueRef]> {
        let (header, items) = self.store.compounds.get(index).split_first()?;
        (header.meaning() != Meaning::Header(Header::Set)).then_some(items)
    }

    /// The index of a type in the schema.
    pub(crate) fn type_id(&self, name: &EntityTypeName) -> Option<TypeId> {
        let name: &cedar_policy_core::ast::EntityType = name.as_ref();
        self.shapes.types.position(|shape| shape.core == *name)
    }

    /// The index of the type of a row; [`TypeId::LOST`] if the directory is damaged.
    pub(crate) fn type_of(&self, row: Row) -> TypeId {
        self.store.uids.type_of(row)
    }

    /// The type of a row; `None` if the directory is damaged.
    pub(crate) fn shape(&self, row: Row) -> Option<&TypeShape> {
        let of_type = self.type_of(row);
        (of_type != TypeId::LOST).then(|| &self.shapes.types[of_type])
    }

    /// The rows of a type, whether their entities are defined or not.
    pub(crate) fn range(&self, of_type: TypeId) -> Range<u32> {
        let starts = || {
            let index = of_type.index();
            Some(*self.types.get(index)?..*self.types.get(index + 1)?)
        };
        // A damaged directory gives no answer: see `Directory::is_damaged`. The index of another schema stops the program.
        match of_type {
            TypeId::LOST => 0..0,
            _ => starts().unwrap_or_default(),
        }
    }

    /// The entity of a row, if it is defined.
    pub(crate) fn member(&self, row: Row) -> Option<&EntityRow> {
        let member = self.members.get(row.index())?.get()?;
        self.store.members.get(member.index())
    }

    /// A number for the value of an attribute: equal for two entities of one directory exactly if the values are equal.
    /// `None` where the entity has no such attribute.
    pub fn value_number(&self, row: Row, attribute: &str) -> Option<u32> {
        Some(self.attribute(row, attribute)?.number())
    }

    /// The [number](Directory::value_number) of a value that is an entity.
    pub fn entity_number(row: Row) -> u32 {
        ValueRef::entity(row).number()
    }

    /// The attributes that the type of a row declares.
    pub(crate) fn fields(&self, row: Row) -> &[Field] {
        match self.shape(row) {
            Some(shape) => self.shapes.fields(shape.record),
            // A damaged directory gives no answer: see `Directory::is_damaged`.
            None => &[],
        }
    }

    /// The values of an entity: its attributes and, if its type has tags, its tags.
    pub(crate) fn slots(&self, member: &EntityRow) -> &[ValueRef] {
        let of_type = self.type_of(member.uid);
        let slots = || {
            let start = member.slots as usize;
            let end = start + self.shapes.slots(of_type);
            self.store.slots.slice(start..end)
        };
        // A damaged directory gives no answer: see `Directory::is_damaged`.
        match of_type {
            TypeId::LOST => &[],
            _ => slots().unwrap_or_default(),
        }
    }
}
