//! The thin host: it loads schema, policies and entities, and decides requests with Cedar.

#![warn(
    unreachable_pub,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::too_many_lines
)]

pub mod assembly;
pub mod bundle;
pub mod decision;
pub mod engine;
pub mod excerpt;
pub mod json;
mod look;
pub mod lookup;
pub mod record;
pub mod roles;
pub mod workspace;
pub mod yaml;

pub use bundle::Switches;
pub use decision::{Answer, Decision, Outcome, Provenance, Request};
pub use engine::Engine;
pub use workspace::{Layout, LoadError, Workspace};
