//! Bulk decisions: one for each class of people and class of devices.

pub mod class;
pub mod decider;
pub(crate) mod decision;
pub(crate) mod decisions;
pub(crate) mod index;
pub(crate) mod summary;

#[cfg(test)]
mod tests;
