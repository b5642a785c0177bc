//! Decisions in bulk: people and devices that no policy tells apart are decided about once.

pub mod class;
pub(crate) mod index;
pub mod summary;
pub mod survey;
