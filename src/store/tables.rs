//! The tables of a directory: entities, strings, lists and values as columns of numbers.

pub(crate) mod column;
pub(crate) mod entities;
pub(crate) mod ids;
pub(crate) mod lists;
pub(crate) mod strings;
pub(crate) mod value_ref;
pub(crate) mod written;
