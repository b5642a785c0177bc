//! The people who may do an action, and the actions of a person.
//!
//! No policy tells the people of a class apart, nor the devices of a class (see [`class`](crate::bulk::class)): Cedar
//! decides about one of each, and the answer holds for all. The result is the same as by asking about each.

mod eligible;
mod what;
mod who;

pub use what::{ActionDecision, Alike, What};
pub use who::{Eligible, Permitted, RefusedPeople, Way, Who};
