//! Tenants: their exports, the import, and roles of Microsoft Graph.

#![warn(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::too_many_lines
)]

pub mod exports;
pub mod graph_role;
pub mod import;

pub use graph_role::RoleDefinition;
