//! Values at the end of a path of attributes.

use crate::tables::value_ref::{Header, Meaning, ValueRef};
use crate::{Directory, Row};

impl Directory {
    /// The number of the value at the end of a path of attributes through records and entities, as
    /// [`Directory::value_number`] has it. Without a path, it is that of the entity itself.
    pub fn number_at(&self, row: Row, path: &[String]) -> Option<u32> {
        self.at(row, path).map(ValueRef::number)
    }

    /// Whether an entity, or one of its ancestors if these count, is at the end of a path, alone or in a set. `None`
    /// where there is neither an entity nor a set of entities.
    pub fn leads_to(
        &self,
        (row, path): (Row, &[String]),
        entity: Row,
        do_ancestors_count: bool,
    ) -> Option<bool> {
        let value = self.at(row, path)?;
        if let Some(one) = value.as_entity() {
            let is_above = || self.ancestors(entity).any(|above| above == one);
            return Some(one == entity || do_ancestors_count && is_above());
        }
        let items = self.store.compounds.get(value.as_compound()?);
        let (header, elements) = items.split_first()?;
        let is_of_entities = |item: &ValueRef| item.as_entity().is_some();
        if *header != ValueRef::SET || !elements.first().is_none_or(is_of_entities) {
            return None;
        }
        // The elements are sorted.
        let holds = |row: Row| elements.binary_search(&ValueRef::entity(row)).is_ok();
        Some(holds(entity) || do_ancestors_count && self.ancestors(entity).any(holds))
    }

    fn at(&self, row: Row, path: &[String]) -> Option<ValueRef> {
        let mut value = ValueRef::entity(row);
        for name in path {
            value = match value.meaning() {
                Meaning::Entity(row) => *self.attribute(row, name)?,
                Meaning::Compound(index) => {
                    let (header, items) = self.store.compounds.get(index).split_first()?;
                    let Meaning::Header(Header::Record(record)) = header.meaning() else {
                        return None;
                    };
                    let mut fields = self.shapes.fields(record).iter();
                    *items.get(fields.position(|field| field.name == name.as_str())?)?
                }
                _ => return None,
            };
            if value == ValueRef::ABSENT {
                return None;
            }
        }
        Some(value)
    }
}
