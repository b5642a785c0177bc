//! What tarbac does, from outside: the program and the library, as people use them.

#![warn(clippy::too_many_lines)]
#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that panics has failed"
)]

mod access;
mod agrees_with_cedar;
mod architecture;
mod authority;
mod browser;
mod cache;
mod cedar_tests;
mod check;
#[cfg(feature = "collect")]
mod collect;
mod compare;
mod contoso;
mod corpus;
mod disabled_accounts;
mod documents;
mod eligible;
mod explain;
#[cfg(all(feature = "fleet", feature = "serve"))]
mod fleet;
mod fmt;
mod gone;
mod hostile;
mod impact;
mod import;
mod init;
mod installed;
mod loopholes;
mod matrix;
#[cfg(target_os = "linux")]
mod memory;
mod names;
mod never_a_wrong_allow;
mod others;
mod plan;
mod prose;
mod prove;
mod quality;
mod readings;
mod readme;
mod reports;
mod requests;
mod role;
mod rules_in_force;
mod scoped_permissions;
#[cfg(feature = "serve")]
mod serve;
mod shipped;
mod snapshots_of_outcomes;
mod solver;
mod suites;
mod supposed;
mod tarbac;
mod unknown_values;
mod usage;
mod validate;
mod watch;
mod who;
mod widths;
mod world;
