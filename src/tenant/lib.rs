//! What a live tenant exports, the workspace that is made of it, and roles as Microsoft Graph has them.

pub mod export;
pub mod import;
pub mod role;

pub use role::RoleDefinition;
