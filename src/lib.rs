//! Who may do what to a tenant-attached device, and why.

pub mod bundle;
pub mod decision;
pub mod directory;
pub mod engine;
pub mod excerpt;
pub mod explain;
pub mod finding;
pub mod json;
pub mod matrix;
pub mod names;
pub mod render;
pub mod shipped;
pub mod source;
pub mod workspace;

pub use bundle::Switches;
pub use decision::{Answer, Decision, Outcome, Request};
pub use engine::Engine;
pub use explain::{Explanation, explain};
pub use matrix::Matrix;
pub use workspace::{Layout, LoadError, Workspace};
