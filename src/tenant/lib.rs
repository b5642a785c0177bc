//! What a live tenant exports, the workspace that is made of it, and roles as Microsoft Graph has them.

pub mod exports;
pub mod graph_role;
pub mod import;

pub use graph_role::RoleDefinition;
