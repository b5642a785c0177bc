//! Queries of a directory: rows, aliases, fingerprints, and entities for Cedar.

pub(crate) mod aliases;
pub(crate) mod cedar;
pub(crate) mod fingerprint;
mod path;
pub(crate) mod query;
