//! Building the tables: the order of the rows, ancestors, references, and what replaces an entity.

pub(crate) mod ancestors;
pub(crate) mod order;
pub(crate) mod overlay;
pub(crate) mod references;
