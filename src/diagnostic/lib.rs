//! Places in files, what is wrong there, and text that no terminal obeys.

#![warn(unreachable_pub, clippy::too_many_lines)]

pub mod code;
pub mod finding;
pub mod printable;
pub mod source;
pub mod wrap;
