//! Tables, which panic at an index out of range.

use crate::tables::column::Column;
use crate::tables::ids::{CompoundId, TextId, TypeId};
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
