//! Hypothetical changes: facts, the state after them, and the differences for people.

pub mod fact;
pub mod impact;
pub mod what_if;
