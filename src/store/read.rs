//! The readers of entities in Cedar's JSON format, by the schema.

pub(crate) mod entity;
pub(crate) mod given;
pub(crate) mod parallel;
pub(crate) mod refusal;
pub(crate) mod schema;
pub(crate) mod split;
pub(crate) mod uid;
pub(crate) mod value;
