//! Analysis of the policies: explanations, access, and the effect of changes.

#![warn(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::too_many_lines
)]

pub mod access_review;
pub mod authority;
pub mod bulk;
pub mod change;
pub mod decision_log;
pub mod explain;
pub mod inquiry;
pub mod matrix;
pub mod plan;
pub mod replay;
pub mod tenants;
pub mod who_what;
pub mod wire;

pub use explain::{Explanation, explain};
pub use matrix::Matrix;
