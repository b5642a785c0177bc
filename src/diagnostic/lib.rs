//! Findings, their places in files, and text without characters that a terminal obeys.

#![warn(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::too_many_lines
)]

pub mod code;
pub mod finding;
pub mod printable;
pub mod source;
pub mod wrap;
