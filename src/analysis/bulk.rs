//! Bulk decisions: one for each group of people and devices that policies treat alike.

pub mod class;
pub mod decider;
pub(crate) mod index;
pub mod summary;
pub mod survey;
