//! Asking the tables: queries, aliases, fingerprints, and entities as Cedar has them.

pub(crate) mod aliases;
pub(crate) mod cedar;
pub(crate) mod fingerprint;
pub(crate) mod query;
