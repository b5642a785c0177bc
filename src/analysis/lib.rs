//! What the policies do: explanations, who and what, access, and what a change would change.

pub mod access;
pub mod class;
pub mod explain;
pub mod extent;
pub mod given;
pub mod impact;
pub mod matrix;
pub mod plan;
pub mod standing;
pub mod survey;
pub mod what_if;

pub use explain::{Explanation, explain};
pub use matrix::Matrix;
