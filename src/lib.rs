//! Who may do what to a tenant-attached device, and why.
#![doc = ""]

pub mod finding;
pub mod source;
pub mod bundle;
