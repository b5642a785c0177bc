//! Decisions in bulk: people and devices that no policy tells apart are decided about once.

pub mod class;
pub mod summary;
pub mod survey;
