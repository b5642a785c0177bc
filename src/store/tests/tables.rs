//! Tables, which panic at an index out of range.

use crate::index::Id;
use crate::read::schema::Shapes;
use crate::tables::column::Column;
use crate::tables::ids::{CompoundId, RecordId, TextId, TypeId};
use crate::tables::lists::ListTable;
use crate::tables::strings::StringTable;
use crate::tables::value_ref::ValueRef;

#[test]
#[should_panic(expected = "an index of another table")]
fn a_column_has_no_item_beyond_its_last() {
    Column::from(vec![1, 2]).get(2);
}

#[test]
#[should_panic(expected = "an index of another table")]
fn a_column_has_no_part_beyond_its_last() {
    Column::from(vec![1, 2]).slice(1..3);
}

#[test]
#[should_panic(expected = "an index of another table")]
fn a_text_that_is_not_there_is_no_empty_one() {
    let mut texts: StringTable<TextId> = StringTable::default();
    texts.intern(TypeId::PLAIN, "known");
    texts.get(TextId::new(1));
}

#[test]
#[should_panic(expected = "an index of another table")]
fn a_list_that_is_not_there_is_no_empty_one() {
    let mut lists: ListTable<CompoundId> = ListTable::default();
    lists.intern(&[ValueRef::ABSENT]);
    lists.get(CompoundId::new(1));
}

#[test]
#[should_panic(expected = "index out of bounds")]
fn a_type_that_no_schema_has_is_no_unnamed_one() {
    Shapes::default().name(TypeId::PLAIN);
}

#[test]
#[should_panic(expected = "index out of bounds")]
fn a_shape_that_is_not_there_is_not_the_first() {
    Shapes::default().fields(RecordId::new(0));
}

#[test]
#[should_panic(expected = "no schema has so many types")]
fn an_index_of_a_type_is_not_cut_off() {
    TypeId::from_usize(1 << 16);
}
