//! Bulk decisions: one for each class of people and class of devices.

pub mod class;
pub mod decider;
pub(crate) mod index;
pub(crate) mod summary;
pub(crate) mod survey;
pub(crate) mod surveys;
